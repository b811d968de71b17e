//! The messages between the page and the server.
//!
//! The page sends text: one [`ClientMessage`] as JSON. The server sends binary messages: a [`ServerMessage`] as JSON,
//! and after it the bytes of its arrays, which the JSON refers to by [`Slice`]s:
//!
//! | bytes | |
//! |---|---|
//! | 1 | [`VERSION`] |
//! | 3 | zero |
//! | 4 | length of the JSON in bytes, a multiple of four, little endian; the JSON ends with blanks |
//! | … | the JSON |
//! | … | the arrays, each from a multiple of four on |
//!
//! `page/messages.js` holds the same types as JSDoc comments; a test keeps it current.

mod client;
mod envelope;
mod server;
#[cfg(test)]
mod typedefs;

pub use client::{Change, ClientMessage};
pub use envelope::{Envelope, Slice, VERSION};
pub use server::*;
