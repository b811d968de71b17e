//! Records layers beside the training, on a thread of its own, so that the next steps do not wait for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, TryRecvError};

use emberlab_kernels::is_processor;
use emberlab_models::Network;
use rayon::ThreadPool;

use crate::device::panic_message;
use crate::error::TrainingError;
use crate::inspection::{Inspector, LayerRecord};

/// The parts that one record is made from.
pub(super) struct Snapshot {
    pub(super) inspector: Arc<Inspector>,
    pub(super) network: Network,
    /// The network before the last step, where it is known.
    pub(super) before: Option<Network>,
    /// Steps done.
    pub(super) step: u64,
}

impl Snapshot {
    fn record(&self) -> Result<LayerRecord, TrainingError> {
        let before = self.before.as_ref();
        self.inspector.record(&self.network, before, self.step)
    }
}

/// The records of some trainings at the same step, by their places.
pub(super) type Records = Vec<(usize, LayerRecord)>;

/// Makes the records of all trainings of a loop. One set of them is under way at a time.
pub(super) struct Recorder {
    /// The thread that records, if it is another one. A pool, because tensor operations run in the pool of their
    /// thread: in the global pool they would wait for the training.
    thread: Option<ThreadPool>,
    under_way: Option<Receiver<Result<Records, TrainingError>>>,
}

impl Recorder {
    /// The recorder of a training with this inspector. On a GPU, records are made on the thread of the training: the
    /// GPU computes them and the steps one after the other anyway.
    pub(super) fn new(inspector: Option<&Inspector>) -> Self {
        let on_processor = inspector.filter(|one| is_processor(&one.device()));
        let pool = |_| rayon::ThreadPoolBuilder::new().num_threads(1).build().ok();
        Self {
            // Without a thread of its own, the recorder uses this one.
            thread: on_processor.and_then(pool),
            under_way: None,
        }
    }

    /// Begins to record these networks, by the places of their trainings. The records before must have been taken.
    pub(super) fn begin(&mut self, snapshots: Vec<(usize, Snapshot)>) {
        let (sender, receiver) = mpsc::channel();
        let record = move || {
            let recorded = catch_unwind(AssertUnwindSafe(|| record_all(&snapshots)));
            let recorded =
                recorded.unwrap_or_else(|panic| Err(TrainingError::Panic(panic_message(&*panic))));
            // If a training has failed, nobody waits for its records.
            let _ = sender.send(recorded);
        };
        match &self.thread {
            Some(thread) => thread.spawn(record),
            None => record(),
        }
        self.under_way = Some(receiver);
    }

    /// The records under way, if there are any; waits for them.
    ///
    /// # Errors
    /// [`TrainingError`] if the device failed.
    pub(super) fn wait(&mut self) -> Result<Records, TrainingError> {
        match self.under_way.take() {
            Some(records) => records.recv().unwrap_or_else(|_| lost()),
            None => Ok(Records::new()),
        }
    }

    /// The records under way if they are made.
    ///
    /// # Errors
    /// As for [`wait`](Self::wait).
    pub(super) fn take(&mut self) -> Result<Records, TrainingError> {
        let Some(records) = &self.under_way else {
            return Ok(Records::new());
        };
        let taken = match records.try_recv() {
            Err(TryRecvError::Empty) => return Ok(Records::new()),
            Err(TryRecvError::Disconnected) => lost(),
            Ok(records) => records,
        };
        self.under_way = None;
        taken
    }
}

fn record_all(snapshots: &[(usize, Snapshot)]) -> Result<Records, TrainingError> {
    let records = snapshots.iter();
    records
        .map(|(place, snapshot)| Ok((*place, snapshot.record()?)))
        .collect()
}

fn lost() -> Result<Records, TrainingError> {
    Err(TrainingError::Panic("the layers were not recorded".into()))
}
