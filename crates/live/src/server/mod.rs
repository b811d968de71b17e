//! The server: an address, who may connect, and the files of the page.

mod access;
mod assets;
mod http;

use std::future::IntoFuture;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum::middleware;
use emberlab_training::StopFlag;

use access::Access;
pub(crate) use http::{decoded, json, parameter};

/// The address and the port of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The address; a loopback address is not reached from other machines.
    pub ip: IpAddr,
    /// The port; 0 takes any that is free.
    pub port: u16,
}

impl Default for Address {
    fn default() -> Self {
        Self {
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
        }
    }
}

/// An error of the server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The port is in use, or may not be opened.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The reason given by the operating system.
        source: std::io::Error,
    },
    /// The server cannot go on.
    #[error("the server failed: {0}")]
    Serve(#[from] std::io::Error),
}

/// A server that has its port, but does not answer yet.
pub struct Site {
    listener: TcpListener,
    address: SocketAddr,
    access: Access,
}

impl Site {
    /// Opens the port.
    ///
    /// # Errors
    /// [`ServerError::Listen`] if it cannot be opened.
    pub fn open(at: Address) -> Result<Self, ServerError> {
        let address = SocketAddr::new(at.ip, at.port);
        let failed = |source| ServerError::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            access: Access::new(address.port()),
            listener,
            address,
        })
    }

    /// The address with the token, which a person opens in the browser.
    pub fn url(&self) -> String {
        format!("http://{}/?token={}", self.address, self.access.token())
    }

    /// Whether other machines reach the server.
    pub fn is_public(&self) -> bool {
        !self.address.ip().is_loopback()
    }

    /// Answers with `routes`, and with the files of the page whose first one is `index`, until a stop is requested.
    ///
    /// # Errors
    /// [`ServerError::Serve`].
    pub(crate) fn serve(
        self,
        routes: Router,
        index: &'static str,
        stop: &StopFlag,
    ) -> Result<(), ServerError> {
        let access = self.access;
        let routes = routes
            .fallback(move |uri| assets::answer(index, uri))
            .layer(middleware::from_fn_with_state(access, access::check));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(self.listener)?;
            tokio::select! {
                served = axum::serve(listener, routes).into_future() => served,
                () = until_requested(stop) => Ok(()),
            }
        })?;
        Ok(())
    }
}

/// Waits for a request to stop, which a signal handler makes.
async fn until_requested(stop: &StopFlag) {
    while !stop.is_requested() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
