//! One file per command.

pub mod check;
pub mod compare;
pub mod completions;
pub mod config;
pub mod data;
pub mod descend;
pub mod devices;
pub mod diagnose;
pub mod evaluate;
pub mod find_lr;
pub mod gallery;
pub mod predict;
pub mod report;
pub mod resume;
pub mod runs;
pub mod train;
pub mod trial;
