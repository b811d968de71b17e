//! One file for each kind of finding: its rule, its wording, its causes and its remedies.

pub(super) mod cannot_represent;
pub(super) mod dead_relus;
pub(super) mod equal_units;
pub(super) mod exploding_gradients;
pub(super) mod extreme_values;
pub(super) mod leakage;
pub(super) mod learning_rate_too_high;
pub(super) mod learning_rate_too_low;
pub(super) mod missing_class;
pub(super) mod missing_labels;
pub(super) mod non_finite;
pub(super) mod numeric_classes;
pub(super) mod over_fitting;
pub(super) mod perfect_baseline;
pub(super) mod row_numbers;
pub(super) mod saturated_units;
pub(super) mod similar_classes;
pub(super) mod tiny_batch;
pub(super) mod unscaled_features;
pub(super) mod unscaled_targets;
pub(super) mod update_size;
pub(super) mod vanishing_gradients;
pub(super) mod worse_than_baseline;
pub(super) mod zero_gradient;

pub use non_finite::locate_non_finite;
