//! Threads that compute.

use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};

/// Starts a thread whose tensor operations use `num_threads` threads, of which it is one.
///
/// They are a pool of their own. In the global pool, whose one thread serves the pages, an operation that shares its
/// work would wait for ever.
///
/// # Errors
/// [`ThreadPoolBuildError`] if the threads cannot be started.
pub(super) fn spawn(
    name: &'static str,
    num_threads: usize,
    work: impl FnOnce() + Send + 'static,
) -> Result<(), ThreadPoolBuildError> {
    let pool = ThreadPoolBuilder::new()
        .num_threads(num_threads)
        .thread_name(move |_| name.to_string())
        // The panic is printed where it happens; without this it would end the program.
        .panic_handler(|_| {})
        .build()?;
    // The pool lives until the work is done.
    pool.spawn(work);
    Ok(())
}
