//! How many files this process may have open.

/// Lets this process have as many files open as the system allows: each trial of a stack holds the lock of its run. If that
/// is refused, a stack that is too large says which file it cannot open.
pub fn allow_as_many_as_possible() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        /// The most that macOS allows, whatever it says.
        const OPEN_MAX: u64 = 10_240;
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        let is_set = |current| setrlimit(Resource::Nofile, Rlimit { current, maximum }).is_ok();
        let _ = is_set(maximum) || is_set(Some(OPEN_MAX));
    }
}
