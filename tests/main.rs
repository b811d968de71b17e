//! Whole commands on real data, as a user runs them.

#![allow(clippy::unwrap_used)]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/lab.rs"]
mod lab;
#[path = "support/requirements.rs"]
mod requirements;
#[path = "support/served.rs"]
mod served;
#[path = "support/whole_and_stopped.rs"]
mod whole_and_stopped;

mod menus;
mod project;

/// One file for each command.
mod commands {
    mod bad_input;
    mod check;
    mod compare;
    mod compare_stack;
    mod config;
    mod data;
    mod derived_features;
    mod descend;
    mod devices;
    mod diagnose;
    mod evaluate;
    mod exit_codes;
    mod find_lr;
    mod gallery;
    mod new;
    mod own_tables;
    #[cfg(feature = "live")]
    mod play;
    #[cfg(feature = "live")]
    mod play_in_browser;
    mod predict;
    mod report;
    mod resume;
    mod runs;
    mod summary;
    mod train;
    mod train_dashboard;
    mod trial_on_slurm;
    mod watch;
}

/// Promises about runs: nothing is lost, and the same seed gives the same bits.
mod promises {
    mod full_disk;
    mod interrupt_and_resume;
    mod kill_and_resume;
    mod memory_growth;
    mod old_runs;
}

/// Figures of PyTorch, NumPy and published experiments that the lab reproduces.
mod references {
    mod convnets;
    mod numerics;
    mod parquet;
    mod published_figures;
    mod real_data;
    mod shipped_configs;
    mod traces;
}
