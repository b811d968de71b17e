//! Who may connect, and what a browser may do with the answers.
//!
//! A page of another site must not reach the server through the user's browser. So every request needs the cookie that
//! was set when the address with the token was opened. Its `Host` must be an IP address or `localhost`, because the
//! name of another site cannot be made to look like one. A request that changes something must come from the page
//! itself, as its `Origin` says.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// The secret of one server, and the name of its cookie.
#[derive(Clone)]
pub(super) struct Access {
    token: Arc<str>,
    /// Browsers send cookies to all ports of a host: each server has a cookie of its own.
    cookie: Arc<str>,
}

impl Access {
    /// Draws the token of a server at this port: 128 random bits.
    pub(super) fn new(port: u16) -> Self {
        let token = rand::random::<u128>();
        Self {
            token: format!("{token:032x}").into(),
            cookie: format!("emberlab-{port}").into(),
        }
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Whether a text is the token. The time that it takes says nothing about the token.
    fn is_token(&self, text: &str) -> bool {
        let (text, token) = (text.as_bytes(), self.token.as_bytes());
        let pairs = text.iter().zip(token);
        let differing = pairs.fold(0, |sum, (a, b)| sum | (a ^ b));
        text.len() == token.len() && differing == 0
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(header::COOKIE).into_iter();
        let cookies = cookies.filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|all| all.split(';'));
        pairs.any(|pair| match pair.trim().split_once('=') {
            Some((name, value)) => *name == *self.cookie && self.is_token(value),
            None => false,
        })
    }

    fn has_token(&self, uri: &Uri) -> bool {
        let mut pairs = uri.query().unwrap_or_default().split('&');
        pairs.any(|pair| {
            let token = pair.strip_prefix("token=");
            token.is_some_and(|token| self.is_token(token))
        })
    }
}

/// Lets a request through, or refuses it, and adds the headers that browsers have to respect.
pub(super) async fn check(State(access): State<Access>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
    let Some(host) = host.filter(|host| is_own_host(host)) else {
        return refuse("The address must have an IP address or `localhost` as its host.");
    };
    let names_origin = headers.contains_key(header::ORIGIN);
    let changes_something =
        request.method() != Method::GET || headers.contains_key(header::UPGRADE);
    if (names_origin || changes_something) && !is_own_origin(headers, host) {
        return refuse("The request comes from another site.");
    }
    let has_token = request.method() == Method::GET && access.has_token(request.uri());
    if !has_token && !access.has_cookie(headers) {
        return refuse("Open the address that the program printed: its token is missing or old.");
    }
    let mut response = next.run(request).await;
    if has_token {
        let Access { cookie, token } = &access;
        let cookie = format!("{cookie}={token}; Path=/; HttpOnly; SameSite=Strict");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    protect(response)
}

/// Whether `host`, with or without a port, is an IP address or `localhost`.
fn is_own_host(host: &str) -> bool {
    let without_port = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = without_port.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

fn is_own_origin(headers: &HeaderMap, host: &str) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|o| o.to_str().ok());
    let own = ["http", "https"].map(|scheme| format!("{scheme}://{host}"));
    origin.is_some_and(|origin| own.iter().any(|own| own.eq_ignore_ascii_case(origin)))
}

fn refuse(why: &'static str) -> Response {
    protect((StatusCode::FORBIDDEN, why).into_response())
}

fn protect(mut response: Response) -> Response {
    const RULES: [(HeaderName, &str); 6] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in RULES {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_and_localhost_are_own_hosts() {
        for own in [
            "127.0.0.1:80",
            "localhost:8000",
            "LOCALHOST",
            "[::1]:9",
            "10.0.0.7",
        ] {
            assert!(is_own_host(own), "{own}");
        }
        for other in [
            "example.com",
            "localhost.example.com:80",
            "127.0.0.1.example.com",
            "",
        ] {
            assert!(!is_own_host(other), "{other}");
        }
    }

    #[test]
    fn an_origin_is_own_only_with_the_same_host_and_port() {
        let with = |origin: &str| {
            let mut headers = HeaderMap::new();
            headers.extend([(
                header::ORIGIN,
                HeaderValue::from_str(origin).expect("a header"),
            )]);
            is_own_origin(&headers, "127.0.0.1:8000")
        };
        assert!(with("http://127.0.0.1:8000"));
        assert!(!with("http://127.0.0.1:8001"));
        assert!(!with("http://evil.example"));
        assert!(!with("null"));
        assert!(!is_own_origin(&HeaderMap::new(), "127.0.0.1:8000"));
    }
}
