//! The playground and the viewer of runs: pages in the browser, served by this program.
//!
//! ```text
//! page (JavaScript in `page/`)
//!    │ text: ClientMessage          ▲ binary: ServerMessage
//!    ▼                              │
//! server    who may connect, files of the page, one task for each connection
//!    │                              ▲
//!    ▼                              │ the newest message of each type
//! play      a thread trains; another one paints the network when a page can take a picture
//! watch     reads run folders as they grow
//! ```
//!
//! The server samples the training and never waits for a browser: a slow one gets fewer pictures.

pub mod message;
pub mod play;
mod server;
pub mod watch;

pub use server::{Address, ServerError, Site};
