//! The number of files that this process may have open.

/// Lets this process open as many files as the system allows: each trial of a stack holds the lock of its run. If the
/// system refuses, a stack that is too large names the file that it cannot open.
pub fn allow_as_many_as_possible() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        /// The most that macOS allows, whatever limit it reports.
        const OPEN_MAX: u64 = 10_240;
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        let is_set = |current| setrlimit(Resource::Nofile, Rlimit { current, maximum }).is_ok();
        let _ = is_set(maximum) || is_set(Some(OPEN_MAX));
    }
}
