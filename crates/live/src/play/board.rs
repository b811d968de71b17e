//! The newest message of each kind, for any number of pages.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::history::History;

/// A kind of message of which only the newest one matters, in the order in which a new page gets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    Hello,
    Setting,
    Scene,
    Status,
    Events,
    Layers,
    Findings,
    Seeds,
    Frame,
}

/// All kinds, in order.
pub(super) const TOPICS: [Topic; 9] = [
    Topic::Hello,
    Topic::Setting,
    Topic::Scene,
    Topic::Status,
    Topic::Events,
    Topic::Layers,
    Topic::Findings,
    Topic::Seeds,
    Topic::Frame,
];

/// A message as it goes to a browser.
pub(super) type Bytes = Arc<[u8]>;

/// The newest message of each kind.
pub(super) struct Board {
    newest: Mutex<[(u64, Option<Bytes>); TOPICS.len()]>,
    history: Mutex<History>,
    changed: watch::Sender<u64>,
    /// Pages that are connected.
    connected: AtomicUsize,
    /// Pages that can take a picture.
    ready: AtomicUsize,
}

impl Board {
    pub(super) fn new() -> Self {
        Self {
            newest: Mutex::default(),
            history: Mutex::default(),
            changed: watch::Sender::new(0),
            connected: AtomicUsize::new(0),
            ready: AtomicUsize::new(0),
        }
    }

    /// Replaces the newest message of a kind.
    pub(super) fn publish(&self, topic: Topic, message: Vec<u8>) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let (version, bytes) = &mut newest[topic as usize];
        *version += 1;
        *bytes = Some(message.into());
        drop(newest);
        self.tell();
    }

    /// The message of a kind if it is newer than `version`, with its own version.
    pub(super) fn newer(&self, topic: Topic, version: u64) -> Option<(u64, Bytes)> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        match &newest[topic as usize] {
            (now, Some(bytes)) if *now > version => Some((*now, bytes.clone())),
            _ => None,
        }
    }

    /// The learning curves. Call [`tell`](Self::tell) after a change.
    pub(super) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes all connections.
    pub(super) fn tell(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// Wakes up after every change.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Whether a page is connected.
    pub(super) fn has_pages(&self) -> bool {
        self.connected.load(Ordering::Relaxed) > 0
    }

    /// Whether a page can take a picture.
    pub(super) fn wants_picture(&self) -> bool {
        self.ready.load(Ordering::Relaxed) > 0
    }

    /// Counts a page as long as the value lives; `None` if there are `most` already.
    pub(super) fn connect(self: &Arc<Self>, most: usize) -> Option<Connected> {
        let count = self.connected.fetch_add(1, Ordering::Relaxed);
        let connected = Connected {
            board: self.clone(),
            room: 0,
        };
        (count < most).then_some(connected)
    }
}

/// The most pictures that a page has not shown yet: one that it draws, and one that is made meanwhile.
const MOST_PICTURES: usize = 2;

/// A page that is connected.
pub(super) struct Connected {
    board: Arc<Board>,
    /// The number of pictures that the page can take.
    room: usize,
}

impl Connected {
    /// Whether the page can take a picture.
    pub(super) fn is_ready(&self) -> bool {
        self.room > 0
    }

    /// The page has nothing to show yet.
    pub(super) fn has_begun(&mut self) {
        self.set_room(MOST_PICTURES);
    }

    /// A picture goes to the page.
    pub(super) fn takes_picture(&mut self) {
        self.set_room(self.room.saturating_sub(1));
    }

    /// The page has shown a picture.
    pub(super) fn has_shown(&mut self) {
        self.set_room((self.room + 1).min(MOST_PICTURES));
    }

    fn set_room(&mut self, room: usize) {
        match (self.room, room) {
            (0, 1..) => self.board.ready.fetch_add(1, Ordering::Relaxed),
            (1.., 0) => self.board.ready.fetch_sub(1, Ordering::Relaxed),
            _ => 0,
        };
        self.room = room;
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.set_room(0);
        self.board.connected.fetch_sub(1, Ordering::Relaxed);
    }
}
