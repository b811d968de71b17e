//! One file for each kind of finding: its rule, its wording, its causes and its remedies.

pub(super) mod cannot_represent;
pub(super) mod dead_relus;
pub(super) mod exploding_gradients;
pub(super) mod leakage;
pub(super) mod learning_rate_too_high;
pub(super) mod learning_rate_too_low;
pub(super) mod missing_class;
pub(super) mod non_finite;
pub(super) mod over_fitting;
pub(super) mod saturated_units;
pub(super) mod vanishing_gradients;
pub(super) mod zero_gradient;

pub use non_finite::locate_non_finite;
