//! The threads of tensor operations.

use crate::failure::Failure;

/// Sets the number of threads for the tensor operations of this process.
///
/// # Errors
/// [`Failure::Failed`] if the threads cannot be started.
pub fn set(num_threads: u16) -> Result<(), Failure> {
    // This thread is one of them. Otherwise ndarray hands every matrix product to another thread and waits for it,
    // which takes two thirds of the time of a small network's step.
    rayon::ThreadPoolBuilder::new()
        .num_threads(usize::from(num_threads))
        .use_current_thread()
        .build_global()
        .map_err(|error| Failure::Failed(format!("cannot start threads: {error}")))
}
