//! Optimisers with PyTorch's updates, hyperparameters in float64 and a state that can be saved.
//!
//! An optimiser is one file and one row of the table below. The file holds the hyperparameters with their defaults
//! and ranges, and implements `Rule`: the buffers it needs and the direction of a step. [`Optimizer`] keeps the
//! buffers of one network and moves its parameters. Tests then ask for PyTorch's numbers in `tests-data/kernels.json`,
//! which `tests-data/kernels.py` makes.

mod adagrad;
mod adam;
mod adamw;
#[cfg(test)]
mod kernel_tests;
mod lbfgs;
mod line_search;
mod lion;
mod nadam;
mod rmsprop;
mod search;
mod sgd;
mod state;
mod update;

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_menu::{Problem, menu, read_with_shared_keys};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::check;

pub use adagrad::AdaGrad;
pub use adam::Adam;
pub use adamw::AdamW;
pub use lbfgs::Lbfgs;
pub use lion::Lion;
pub use nadam::NAdam;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;
pub use state::Optimizer;

menu! {
    /// The update rule of an optimiser: its name and its hyperparameters.
    pub enum UpdateRule("an optimiser"), written as a table, dispatched by with_rule!($) {
        "sgd" => Sgd(Sgd),
        "adam" => Adam(Adam),
        "adamw" => AdamW(AdamW),
        "rmsprop" => RmsProp(RmsProp),
        "adagrad" => AdaGrad(AdaGrad),
        "nadam" => NAdam(NAdam),
        "lion" => Lion(Lion),
        "lbfgs" => Lbfgs(Lbfgs),
    }
}

/// Everything that an optimiser consists of besides its hyperparameters.
pub(crate) trait Rule {
    /// Number of buffers, each as long as all parameters together.
    ///
    /// A rule without buffers moves every parameter along its gradient.
    fn num_buffers(&self) -> usize;

    /// The difference to subtract from all parameters, and the new buffers.
    ///
    /// `buffers` are those of the last step, in the order in which they are saved; zero before the first step,
    /// which has the number 1. Only called if there are buffers.
    ///
    /// # Shapes
    /// - gradient, buffers and results: flat, one number for each parameter
    fn direction(
        &self,
        gradient: Tensor<1>,
        buffers: Vec<Tensor<1>>,
        learning_rate: f64,
        step: u64,
    ) -> (Tensor<1>, Vec<Tensor<1>>);

    /// The factor of the L2 penalty, which is added to the gradient.
    fn penalty(&self) -> f64;

    /// The share of each parameter that is removed per unit of learning rate, apart from the gradient.
    fn decoupled_decay(&self) -> f64 {
        0.0
    }

    /// How a step searches along lines, if it does: it then evaluates the loss at many points.
    fn line_search(&self) -> Option<&Lbfgs> {
        None
    }

    /// See [`UpdateRule::fused`].
    fn fused(&self) -> Option<fused::Optimizer> {
        None
    }

    /// Checks the ranges of the hyperparameters; a problem's key is the hyperparameter's name.
    fn validate(&self) -> Result<(), Problem>;
}

impl UpdateRule {
    /// Number of buffers that the optimiser keeps, each as long as all parameters together.
    pub fn num_buffers(&self) -> usize {
        with_rule!(self, rule => rule.num_buffers())
    }

    fn direction(
        &self,
        gradient: Tensor<1>,
        buffers: Vec<Tensor<1>>,
        learning_rate: f64,
        step: u64,
    ) -> (Tensor<1>, Vec<Tensor<1>>) {
        with_rule!(self, rule => rule.direction(gradient, buffers, learning_rate, step))
    }

    fn penalty(&self) -> f64 {
        with_rule!(self, rule => rule.penalty())
    }

    fn decoupled_decay(&self) -> f64 {
        with_rule!(self, rule => rule.decoupled_decay())
    }

    /// Whether a weight decay makes weights smaller besides the gradient.
    pub fn decays_weights(&self) -> bool {
        with_rule!(self, rule => rule.penalty() > 0.0 || rule.decoupled_decay() > 0.0)
    }

    /// Whether a step evaluates the loss at many points, so that it has to be the same loss each time.
    pub fn searches(&self) -> bool {
        self.line_search().is_some()
    }

    fn line_search(&self) -> Option<&Lbfgs> {
        with_rule!(self, rule => rule.line_search())
    }

    /// The rule in the plan of a training by fused kernels; none if they cannot compute it.
    pub fn fused(&self) -> Option<fused::Optimizer> {
        with_rule!(self, rule => rule.fused())
    }
}

/// An optimiser as written in the configuration.
///
/// | key | default | range |
/// |---|---|---|
/// | `learning_rate` | none: always written | ≥ 0 |
/// | `momentum` (sgd, rmsprop) | 0 | [0, 1) |
/// | `nesterov` (sgd) | false | needs `momentum` |
/// | `beta_1`, `beta_2` (adam, adamw, nadam, lion) | 0.9, 0.999; lion 0.9, 0.99 | [0, 1) |
/// | `alpha` (rmsprop) | 0.99 | [0, 1) |
/// | `epsilon` (all but sgd, lion and lbfgs) | 1e-8; adagrad 1e-10 | ≥ 0 |
/// | `momentum_decay` (nadam) | 0.004 | ≥ 0 |
/// | `weight_decay` (all but lbfgs) | 0; adamw 0.01 | ≥ 0 |
/// | `max_iterations`, `history_size` (lbfgs) | 20, 10 | ≥ 1 |
/// | `tolerance_gradient`, `tolerance_change` (lbfgs) | 1e-7, 1e-9 | ≥ 0 |
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(extend("unevaluatedProperties" = false))]
pub struct OptimizerConfig {
    /// The update rule and its hyperparameters.
    #[serde(flatten)]
    pub rule: UpdateRule,
    /// Step length at the start; the scheduler may change it.
    pub learning_rate: f64,
}

impl<'de> Deserialize<'de> for OptimizerConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The learning rate is asked for last: if it is misspelt, the unknown key is the better error.
        #[derive(Deserialize)]
        struct Table {
            #[serde(flatten)]
            rule: UpdateRule,
            #[serde(default)]
            learning_rate: Option<f64>,
        }
        let table: Table = read_with_shared_keys(deserializer, &["learning_rate"])?;
        let missing = || D::Error::missing_field("learning_rate");
        Ok(Self {
            rule: table.rule,
            learning_rate: table.learning_rate.ok_or_else(missing)?,
        })
    }
}

impl OptimizerConfig {
    /// An update rule with a learning rate.
    pub fn new(rule: impl Into<UpdateRule>, learning_rate: f64) -> Self {
        Self {
            rule: rule.into(),
            learning_rate,
        }
    }

    /// The same with another learning rate.
    #[must_use]
    pub fn with_learning_rate(&self, learning_rate: f64) -> Self {
        Self::new(self.rule.clone(), learning_rate)
    }

    /// Checks the ranges of the values.
    ///
    /// # Errors
    /// [`Problem`] naming the key that is out of range.
    pub fn validate(&self) -> Result<(), Problem> {
        Problem::unless_not_negative(self.learning_rate, "learning_rate")
            .and_then(|()| with_rule!(&self.rule, rule => rule.validate()))
            .map_err(|problem| problem.within("optimizer"))
    }
}

/// Fails unless `value` is in [0, 1).
fn check_share(key: &str, value: f64) -> Result<(), Problem> {
    let is_share = (0.0..1.0).contains(&value);
    check(key, value, is_share, "at least 0 and less than 1")
}

/// The buffers of a rule that has `N` of them.
fn exactly<const N: usize>(buffers: Vec<Tensor<1>>) -> [Tensor<1>; N] {
    match buffers.try_into() {
        Ok(buffers) => buffers,
        Err(_) => unreachable!("there are as many buffers as `Rule::num_buffers` says"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<OptimizerConfig, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for (config, expected) in [
            (
                r#"{"name": "sgd", "learning_rate": -1.0}"#,
                "`optimizer.learning_rate` is -1, expected zero or positive",
            ),
            (
                r#"{"name": "sgd", "learning_rate": 0.1, "nesterov": true}"#,
                "`optimizer.nesterov` is true, expected false unless `momentum` is above 0",
            ),
            (
                r#"{"name": "adam", "learning_rate": 0.1, "beta_2": 1.0}"#,
                "`optimizer.beta_2` is 1, expected at least 0 and less than 1",
            ),
            (
                r#"{"name": "adagrad", "learning_rate": 0.1, "epsilon": -1.0}"#,
                "`optimizer.epsilon` is -1, expected zero or positive",
            ),
            (
                r#"{"name": "nadam", "learning_rate": 0.1, "momentum_decay": -0.5}"#,
                "`optimizer.momentum_decay` is -0.5, expected zero or positive",
            ),
            (
                r#"{"name": "lion", "learning_rate": 0.1, "beta_1": 1.5}"#,
                "`optimizer.beta_1` is 1.5, expected at least 0 and less than 1",
            ),
            (
                r#"{"name": "lbfgs", "learning_rate": 1.0, "history_size": 0}"#,
                "`optimizer.history_size` is 0, expected a number from 1 to 1000",
            ),
        ] {
            let config = read(config).expect("well formed");
            let problem = config.validate().expect_err("out of range");
            assert_eq!(problem.to_string(), expected);
        }
    }

    #[test]
    fn the_learning_rate_is_written_beside_every_rule_and_never_left_out() {
        use emberlab_menu::Menu as _;
        for rule in UpdateRule::examples() {
            let name = rule.name();
            let text = format!(r#"{{ "learning_rate": 0.1, "name": "{name}" }}"#);
            assert_eq!(read(&text), Ok(OptimizerConfig::new(rule, 0.1)));
            let missing = read(&format!(r#"{{ "name": "{name}" }}"#)).expect_err("no rate");
            assert!(
                missing.starts_with("missing field `learning_rate`"),
                "{missing}"
            );
        }
    }

    #[test]
    fn a_misspelt_learning_rate_is_named() {
        let refused = read(r#"{ "name": "adam", "lerning_rate": 0.1 }"#).expect_err("misspelt");
        let expected = "unknown field `lerning_rate`, expected one of `beta_1`, `beta_2`, `epsilon`, \
                        `weight_decay`, `learning_rate`";
        assert!(refused.starts_with(expected), "{refused}");
    }
}
