//! The addresses of the playground, and the connection to each page.

use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket};
use axum::extract::{DefaultBodyLimit, State, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::mpsc;

use super::board::{Connected, TOPICS, Topic};
use super::history::Cursor;
use super::session::{Request, Session};
use crate::message::{ClientMessage, Envelope, Problem, ServerMessage};
use crate::server::{decoded, json};

/// The largest table, in bytes.
const LARGEST_TABLE: usize = 50 * 1024 * 1024;
/// The largest message of a page, in bytes.
const LARGEST_MESSAGE: usize = 4 * 1024 * 1024;
/// The most pages at once.
const MOST_PAGES: usize = 32;
/// The most answers that wait for one page.
const MOST_ANSWERS: usize = 16;

/// The addresses of the playground.
pub(super) fn routes(session: Session) -> Router {
    Router::new()
        .route("/live", get(live))
        .route("/schema.json", get(schema))
        .route(
            "/tables",
            post(table).layer(DefaultBodyLimit::max(LARGEST_TABLE)),
        )
        .with_state(session)
}

async fn schema(State(session): State<Session>) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, session.schema.to_string()).into_response()
}

async fn table(State(session): State<Session>, headers: HeaderMap, content: Bytes) -> Response {
    // The name comes in a header, in which everything but letters and digits is written as in an address.
    let name = headers.get("x-name").and_then(|name| name.to_str().ok());
    let name = decoded(name.unwrap_or_default());
    // Reading a table may take a while, in which other pages are served.
    let kept = tokio::task::spawn_blocking(move || session.tables.keep(&name, &content)).await;
    match kept {
        Ok(Ok(table)) => json(&table),
        Ok(Err(why)) => (StatusCode::UNPROCESSABLE_ENTITY, why).into_response(),
        Err(panic) => (StatusCode::INTERNAL_SERVER_ERROR, panic.to_string()).into_response(),
    }
}

async fn live(State(session): State<Session>, upgrade: WebSocketUpgrade) -> Response {
    let Some(connected) = session.board.connect(MOST_PAGES) else {
        let why = format!("{MOST_PAGES} pages are open already. Close one.");
        return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    };
    upgrade
        .max_message_size(LARGEST_MESSAGE)
        .max_frame_size(LARGEST_MESSAGE)
        .on_upgrade(move |socket| async move {
            let mut page = Page::new(session, connected);
            // A page that is closed, or that breaks the protocol, is gone: there is nobody to tell.
            let _ = page.serve(socket).await;
        })
}

/// One connected page.
struct Page {
    session: Session,
    connected: Connected,
    /// The version of each message that the page has.
    sent: [u64; TOPICS.len()],
    cursor: Cursor,
    replies: mpsc::Sender<Vec<u8>>,
    answers: mpsc::Receiver<Vec<u8>>,
}

impl Page {
    fn new(session: Session, mut connected: Connected) -> Self {
        let (replies, answers) = mpsc::channel(MOST_ANSWERS);
        connected.has_begun();
        Self {
            session,
            connected,
            sent: [0; TOPICS.len()],
            cursor: Cursor::default(),
            replies,
            answers,
        }
    }

    /// Sends what is new and takes requests, until the page is closed.
    async fn serve(&mut self, mut socket: WebSocket) -> Result<(), axum::Error> {
        let mut changes = self.session.board.changes();
        loop {
            self.send_new(&mut socket).await?;
            tokio::select! {
                changed = changes.changed() => if changed.is_err() {
                    return Ok(());
                },
                answer = self.answers.recv() => if let Some(answer) = answer {
                    socket.send(Message::Binary(answer.into())).await?;
                },
                received = socket.recv() => match received {
                    Some(Ok(Message::Text(text))) => self.take(&text),
                    Some(Ok(Message::Close(_))) | None => return Ok(()),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error),
                },
            }
        }
    }

    /// Sends the messages that are newer than those that the page has. While the page takes one, newer ones replace
    /// each other.
    async fn send_new(&mut self, socket: &mut WebSocket) -> Result<(), axum::Error> {
        for topic in TOPICS {
            if topic == Topic::Frame {
                self.send_curves(socket).await?;
                if !self.connected.is_ready() {
                    continue;
                }
            }
            let has = self.sent[topic as usize];
            let Some((version, bytes)) = self.session.board.newer(topic, has) else {
                continue;
            };
            self.sent[topic as usize] = version;
            if topic == Topic::Frame {
                self.connected.takes_picture();
            }
            socket.send(Message::Binary(bytes.to_vec().into())).await?;
        }
        Ok(())
    }

    async fn send_curves(&mut self, socket: &mut WebSocket) -> Result<(), axum::Error> {
        let new = self.session.board.history().since(self.cursor);
        let Some((epochs, cursor)) = new else {
            return Ok(());
        };
        self.cursor = cursor;
        match Envelope::default().seal(&ServerMessage::Epochs(epochs)) {
            Ok(bytes) => socket.send(Message::Binary(bytes.into())).await,
            Err(_) => Ok(()),
        }
    }

    /// Takes a request. Anything else is answered with the reason.
    fn take(&mut self, text: &str) {
        let problem = match serde_json::from_str(text) {
            Ok(ClientMessage::Shown { .. }) => {
                self.connected.has_shown();
                return;
            }
            Ok(message) => {
                let replies = self.replies.clone();
                match self.session.requests.send(Request { message, replies }) {
                    Ok(()) => return,
                    Err(_) => {
                        "The training has ended with an error. Start the program again.".to_string()
                    }
                }
            }
            Err(error) => format!("This is not a message of the page: {error}"),
        };
        let problem = Problem {
            message: problem,
            key: String::new(),
        };
        if let Ok(bytes) = Envelope::default().seal(&ServerMessage::Problem(problem)) {
            // A page that sends faster than it reads gets no more answers.
            let _ = self.replies.try_send(bytes);
        }
    }
}
