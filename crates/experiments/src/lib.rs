//! One TOML file: checked, trained, and left on disk as a run.
