//! Measurements of an experiment that write no run folder.

mod gradients;
mod learning_rate_range;
mod step_time;

pub use gradients::check_gradients;
pub use learning_rate_range::range_curve;
pub use step_time::step_seconds;
