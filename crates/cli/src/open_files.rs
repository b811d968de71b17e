//! How many files this process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets this process have as many files open as the system allows: each trial of a stack holds the lock of its run.
pub fn allow_as_many_as_possible() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    // If it is refused, a stack that is too large says which file it cannot open.
    let _ = setrlimit(Resource::Nofile, limit);
}
