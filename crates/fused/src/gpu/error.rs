//! The errors of a training on a GPU.

use crate::PlanError;

/// A training that cannot run on a GPU, or that did not end there.
#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    /// The kernel does not know this.
    #[error("the GPU's fused kernel has no {0}")]
    NotCovered(&'static str),
    /// The plan and a state do not fit together.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Data or orders of rows have another length than they should.
    #[error("expected {expected} {what}, found {found}")]
    Length {
        /// The numbers that are counted.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// There is nothing to train.
    #[error("a training on a GPU needs at least one replica")]
    NoReplicas,
    /// The device starts fewer cubes at once.
    #[error("the GPU trains {most} replicas at once, not {found}")]
    TooManyReplicas {
        /// How many there are.
        found: usize,
        /// How many the device takes.
        most: usize,
    },
    /// An order names a row that its split does not have.
    #[error("row {row} of {num_rows} does not exist")]
    Row {
        /// The row.
        row: u32,
        /// Rows of the split.
        num_rows: usize,
    },
    /// The device ended a launch before its work was done, so the state of the replicas is lost.
    #[error(
        "the device ended a kernel early: {done} of {expected} steps of replica {replica} were done"
    )]
    Stopped {
        /// The first replica that is not done.
        replica: usize,
        /// Steps of the launch.
        expected: usize,
        /// Steps done.
        done: usize,
    },
    /// A single step needs more iterations of loops than the device runs in one launch.
    #[error(
        "a step needs {iterations} iterations of loops, and the device ends a kernel after {limit}"
    )]
    StepTooLong {
        /// Iterations of one step.
        iterations: u64,
        /// Iterations that the device runs.
        limit: u64,
    },
    /// Something needs more memory in one piece than the device gives.
    #[error(
        "{what} need {} MB in one piece, and the device gives {}: train fewer networks at once",
        bytes.div_ceil(1_000_000),
        most / 1_000_000
    )]
    TooLarge {
        /// What needs the memory.
        what: &'static str,
        /// Bytes that it needs.
        bytes: u64,
        /// Bytes that the device gives.
        most: u64,
    },
    /// The device refused the kernel or failed.
    #[error("the GPU failed: {0}")]
    Device(String),
}
