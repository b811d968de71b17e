//! Baselines: simple, well-known predictors that a network is compared with on the same rows.
//!
//! A network is worth its trouble where it predicts better than these. Each baseline learns from the training rows and
//! predicts other rows, and the caller scores the predictions with the same metrics as the network's. The defaults are
//! those of scikit-learn, and so are the predictions wherever the method is deterministic.
//!
//! | name | for | the same as scikit-learn's |
//! |---|---|---|
//! | `majority` | classes | `DummyClassifier()` |
//! | `mean` | numbers | `DummyRegressor()` |
//! | `logistic_regression` | classes | `LogisticRegression()`, solved to the last digits |
//! | `linear_regression` | numbers | `LinearRegression()` |
//! | `nearest_neighbors` | both | `KNeighborsClassifier()`, `KNeighborsRegressor()` |
//! | `random_forest` | both | `RandomForestClassifier()`, `RandomForestRegressor()`, with other random numbers |
//!
//! [`baselines`] lists those for a task and [`Baseline::predict`] fits one and predicts. The features have to be
//! encoded (categories as numbers) and standardised, as they are for the network: the logistic regression and the
//! nearest neighbours depend on the scale of each feature.
//!
//! Every baseline stays within seconds: where there are too many training rows for that, it learns from a random part
//! of them, and [`Outcome::num_train_used`] says from how many.
//!
//! ```
//! use emberlab_baselines::{Predictions, Targets, Task, Training, baselines};
//!
//! // Six rows of two features, and a class for each.
//! let features = [0.0, 0.1, 0.2, 0.0, 0.1, 0.2, 1.0, 0.9, 0.8, 1.0, 0.9, 1.1];
//! let training = Training {
//!     features: &features,
//!     num_features: 2,
//!     targets: Targets::Classes { labels: &[0, 0, 0, 1, 1, 1], num_classes: 2 },
//! };
//! let rows = [0.1, 0.0, 1.0, 1.0];
//! for baseline in baselines(Task::Classification) {
//!     let outcome = baseline.predict(&training, &rows, 0)?;
//!     let Predictions::Classes { classes, probabilities } = &outcome.predictions else { continue };
//!     println!("{}: {classes:?} with probabilities {probabilities:?}", baseline.title);
//!     assert_eq!((classes.len(), probabilities.len()), (2, 4));
//! }
//! # Ok::<(), emberlab_baselines::BaselineError>(())
//! ```
//!
//! To add a baseline, add a file with a type that implements `Method`, and its row to the table in `baseline.rs`.

mod baseline;
mod bins;
mod error;
mod linear_regression;
mod logistic_regression;
mod majority;
mod mean;
mod nearest_neighbors;
mod predictions;
mod random_forest;
#[cfg(test)]
mod tests;
mod training;
mod tree;

pub use baseline::{Baseline, Task, baselines, random_forest};
pub use error::BaselineError;
pub use predictions::{Outcome, Predictions};
pub use training::{Targets, Training};
