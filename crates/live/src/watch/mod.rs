//! The viewer of runs.
