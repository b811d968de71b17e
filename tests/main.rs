//! Whole commands on real data, as a user runs them.

#![allow(clippy::unwrap_used)]

mod bad_input;
mod browser;
mod cluster;
mod comparing;
mod configs;
mod dashboard;
mod data;
mod devices;
mod disk;
mod enduring;
mod evaluating;
mod experiments;
mod explaining;
mod finding_rates;
mod interrupting;
mod killing;
mod lab;
mod lessons;
mod numerics;
mod predicting;
mod reporting;
mod resuming;
mod stacking;
mod traces;
