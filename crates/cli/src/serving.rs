//! The address at which the pages of `emberlab play` and `emberlab watch` are served.

use std::io::Write;
use std::net::IpAddr;
use std::process::{Command, Stdio};

use emberlab_live::{Address, ServerError, Site};

use crate::failure::Failure;

/// The address at which a page is served.
#[derive(Debug, clap::Args)]
pub struct Serving {
    /// Port of the page; by default, any that is free.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    port: u16,
    /// Open the page in the browser.
    #[arg(long)]
    open: bool,
    /// Address to listen on. By default only this machine reaches the page.
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    listen: IpAddr,
}

impl Serving {
    /// Opens the port.
    ///
    /// # Errors
    /// [`Failure::Failed`] if it is in use, or may not be opened.
    pub fn open(&self) -> Result<Site, Failure> {
        let site = Site::open(Address {
            ip: self.listen,
            port: self.port,
        });
        Ok(site?)
    }

    /// Prints the address of the page, and opens it in the browser if that is wanted. `others` says what people on
    /// other machines can do, if they reach it.
    ///
    /// # Errors
    /// If the terminal cannot be written.
    pub fn announce(&self, site: &Site, what: &str, others: &str) -> Result<(), Failure> {
        if site.is_public() {
            say!(
                "warning: everybody who reaches {} and knows the address below {others}; what the page sends is not \
                 encrypted",
                self.listen
            );
        }
        let url = site.url();
        writeln!(std::io::stdout(), "{what}:  {url}\nCtrl-C ends it")?;
        std::io::stdout().flush()?;
        if self.open && !open_browser(&url) {
            say!("warning: no browser could be started; open the address yourself");
        }
        Ok(())
    }
}

/// Starts the browser of the system with an address.
fn open_browser(url: &str) -> bool {
    let (program, before): (&str, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("cmd", &["/C", "start", ""]),
        _ => ("xdg-open", &[]),
    };
    let mut command = Command::new(program);
    command.args(before).arg(url);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().is_ok()
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        Self::Failed(error.to_string())
    }
}
