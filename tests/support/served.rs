//! A page that a command serves, and plain requests to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::lab::Lab;

/// A command that serves a page. It ends with the value.
pub struct Served {
    process: Child,
    /// `127.0.0.1` with the port.
    pub host: String,
    token: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Served {
    /// Starts a command, and waits for its address.
    pub fn start(lab: &Lab, words: &[&str]) -> Self {
        let mut process = lab.command(words).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let (_, address) = line.trim().split_once("http://").unwrap();
        let (host, token) = address.split_once("/?token=").unwrap();
        Self {
            host: host.to_string(),
            token: token.to_string(),
            process,
        }
    }

    /// The address for a browser.
    pub fn url(&self) -> String {
        format!("http://{}/?token={}", self.host, self.token)
    }

    /// The cookie of a browser that has opened the address.
    pub fn cookie(&self) -> String {
        let port = self.host.rsplit_once(':').unwrap().1;
        format!("emberlab-{port}={}", self.token)
    }

    /// The whole answer to a request for a path, with these header lines.
    pub fn answer(&self, request: &str, headers: &[(&str, &str)], body: &str) -> String {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let mut text = format!("{request} HTTP/1.1\r\nConnection: close\r\n");
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The addresses among these that are not of this server.
    pub fn outside<'a>(&self, requests: &'a [String]) -> Vec<&'a String> {
        let is_own = |url: &String| {
            url.contains(&self.host) || url.starts_with("data:") || url.starts_with("blob:")
        };
        requests.iter().filter(|url| !is_own(url)).collect()
    }
}
