//! The whole network of a configuration, parameter by parameter.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};
use emberlab_datasets::Batch;
use emberlab_models::Network;
use emberlab_rng::stream;
use emberlab_training::{LossConfig, SupervisedModel, TrainingError, host};
use rand::seq::index;
use serde::Serialize;

use super::central_differences::{Difference, central};
use super::{Deviation, deviation, largest};

/// Derivatives that are checked in one tensor: enough to find a mistake, few enough to be quick.
const MOST_VALUES: usize = 100;

/// The result of checking one parameter of a network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParameterCheck {
    /// The parameter, such as `layers.0.weight`.
    pub name: String,
    /// Numbers it holds.
    pub size: usize,
    /// Derivatives that were compared.
    pub num_values: usize,
    /// Derivatives that were skipped because the loss has a kink within a step of them.
    pub num_kinks: usize,
    /// Autodiff against central differences.
    pub numeric: Deviation,
    /// Autodiff against the explicit backward pass, at kinks too.
    pub explicit: Deviation,
}

impl ParameterCheck {
    /// Whether the largest error is within `tolerance`; NaN never is.
    pub fn passes(&self, tolerance: f64) -> bool {
        self.numeric.relative <= tolerance && self.explicit.relative <= tolerance
    }
}

/// Checks the gradient of the loss of a batch by every trained parameter of a network, in training mode.
///
/// `network` and `batch` are where gradients are checked, the network on an autodiff device;
/// `reference` holds the same in 64-bit floats on a plain device, for the differences. Of a parameter with
/// more than a hundred numbers, a hundred are checked.
///
/// # Errors
/// [`TrainingError`] if a device fails.
pub fn check_network(
    (network, batch): (&Network, &Batch),
    reference: (&Network, &Batch),
    loss: &LossConfig,
) -> Result<Vec<ParameterCheck>, TrainingError> {
    let supervised = SupervisedModel::new(network.clone(), loss.clone());
    let automatic = slopes(network, &supervised.automatic_gradients(batch, None).grads);
    let explicit = supervised.valid().explicit_gradients(batch, None);
    let mut explicit = slopes(network, &explicit.grads).into_iter();
    let mut tensors = reference.0.named_tensors();
    let mut compared = Vec::new();
    for (at, slopes) in automatic.into_iter().enumerate() {
        let explicit = explicit.next().flatten().transpose()?;
        let Some(slopes) = slopes.transpose()? else {
            continue;
        };
        let (name, original) = tensors[at].clone();
        let mut numbers: Vec<f64> = original.iter::<f64>().collect();
        let mut pairs = Vec::new();
        let mut num_kinks = 0;
        for i in checked(numbers.len(), at) {
            let here = numbers[i];
            let difference = central(here, |x| {
                numbers[i] = x;
                tensors[at].1 = TensorData::new(numbers.clone(), original.shape().clone());
                numbers[i] = here;
                let moved = reference.0.clone().load_named_tensors(tensors.clone());
                let moved = moved.map_err(|e| TrainingError::Read(e.to_string()))?;
                let Batch {
                    inputs,
                    targets,
                    weights,
                } = reference.1.clone();
                let (outputs, _) = moved.forward_train(inputs, None);
                Ok(host(loss.forward_stacked(outputs, targets, weights.as_ref(), 1))?[0])
            })?;
            match difference {
                Difference::Kink => num_kinks += 1,
                Difference::Smooth(slope) => pairs.push((format!("{name}[{i}]"), slopes[i], slope)),
            }
        }
        tensors[at].1 = original;
        // A missing gradient counts as NaN, which no tolerance accepts.
        let explicit = explicit.unwrap_or_else(|| vec![f64::NAN; slopes.len()]);
        let explicit: Vec<_> = (slopes.iter().zip(explicit).enumerate())
            .map(|(i, (slope, expected))| (format!("{name}[{i}]"), *slope, expected))
            .collect();
        compared.push((name, numbers.len(), num_kinks, pairs, explicit));
    }
    let all = compared
        .iter()
        .flat_map(|(.., pairs, explicit)| pairs.iter().chain(explicit));
    let largest = largest(all);
    let check =
        |(name, size, num_kinks, pairs, explicit): (_, _, _, Vec<_>, Vec<_>)| ParameterCheck {
            name,
            size,
            num_values: pairs.len(),
            num_kinks,
            numeric: deviation(&pairs, largest),
            explicit: deviation(&explicit, largest),
        };
    Ok(compared.into_iter().map(check).collect())
}

/// The positions in tensor `at` that are checked: all, or a hundred drawn at random.
fn checked(count: usize, at: usize) -> Vec<usize> {
    if count <= MOST_VALUES {
        return (0..count).collect();
    }
    let mut rng = stream(0, "gradient check", &[at as u64]);
    let mut chosen = index::sample(&mut rng, count, MOST_VALUES).into_vec();
    chosen.sort_unstable();
    chosen
}

/// The gradient of one tensor; none if it is not trained.
type Slopes = Option<Result<Vec<f64>, TrainingError>>;

/// The gradient of every tensor, in the order of [`Network::named_tensors`].
fn slopes(network: &Network, gradients: &GradientsParams) -> Vec<Slopes> {
    struct Reader<'a>(&'a GradientsParams, Vec<Slopes>);
    impl ModuleVisitor for Reader<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.1.push(self.0.get::<D>(param.id).map(host));
        }
    }
    let mut reader = Reader(gradients, Vec::new());
    network.visit(&mut reader);
    reader.1
}
