//! Looks inside a network: at one moment for a diagnosis, and again and again while it learns.
//!
//! `sizes` measures one step and one forward pass. [`Inspector`] makes the records of `layers.csv` and the pictures of
//! `frames.jsonl` on a fixed batch of rows, the probe.

mod config;
mod frames;
mod image_layers;
#[cfg(test)]
mod image_tests;
mod principal_components;
#[cfg(test)]
mod pytorch_tests;
mod record;
mod sizes;
mod statistics;

pub use config::{InspectConfig, InspectEvery, Spacing};
pub use image_layers::{NumberPictures, feature_maps, first_weights};
pub use record::{Inspector, LayerOutputs, LayerRecord, Probe, inspect_layers, layer_outputs};
pub use sizes::{
    ActivationInspection, LayerStep, SignalInspection, StepInspection, inspect_signals,
    inspect_step, named_gradients,
};
