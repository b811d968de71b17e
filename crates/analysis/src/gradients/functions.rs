//! Every function and layer of the lab, ready to be checked on its own.

use burn::module::{Param, ParamId};
use burn::tensor::{Tensor, TensorData};
use emberlab_menu::Menu as _;
use emberlab_models::{
    Activation, BatchNorm, Convolution, Dense, GroupNorm, InstanceNorm, LayerNorm,
};
use emberlab_training::LossConfig;
use emberlab_training::loss::{Focal, Huber, Loss, OutputKind, TargetKind};

use super::Subject;
use super::closed_forms::{slope, softmax, softmax_backward, standardized, standardized_backward};

/// Rows and columns of inputs that are a batch.
const BATCH: usize = 5;
const WIDTH: usize = 6;
const GROUPS: usize = 2;
const EPSILON: f64 = 1e-5;

/// Every activation, loss, normalisation and layer.
///
/// What puts out more than one number is weighted by fixed numbers and summed, so that no derivative cancels.
pub fn subjects() -> Vec<Subject> {
    let mut all = activations();
    all.extend(losses());
    all.extend(normalizations());
    all.push(dense());
    all.push(convolution());
    all
}

/// `count` numbers without pattern, of magnitude 1.5 at most.
fn waves(count: usize, phase: f64) -> Vec<f64> {
    (0..count)
        .map(|i| 1.5 * (1.7 * i as f64 + phase).sin())
        .collect()
}

/// `Σ w y` with fixed weights.
fn weighted<const D: usize>(y: Tensor<D>) -> Tensor<1> {
    let count = y.shape().num_elements();
    let data = TensorData::new(waves(count, 0.4), [count]);
    let weights = Tensor::<1>::from_data(data, (&y.device(), y.dtype()));
    (y.reshape([count]) * weights).sum()
}

fn parameter<const D: usize>(tensor: Tensor<D>) -> Param<Tensor<D>> {
    Param::initialized(ParamId::from(0), tensor)
}

fn activations() -> Vec<Subject> {
    let choices = Activation::NAMES.iter().filter_map(|name| {
        serde_json::from_value::<Activation>(serde_json::Value::from(*name)).ok()
    });
    let subject = |activation: Activation| {
        // From −4 to 4, zero among them.
        let inputs: Vec<f64> = (-8..=8).map(|i| f64::from(i) / 2.0).collect();
        let count = inputs.len();
        let own = activation.clone();
        Subject {
            name: format!("activation {}", activation.name()),
            inputs: vec![("x", vec![1, count], inputs)],
            function: Box::new(move |x| {
                weighted(activation.forward(x[0].clone().reshape([1, count])))
            }),
            closed_form: Some(Box::new(move |x| {
                let weights = waves(count, 0.4);
                let by_number = x[0]
                    .iter()
                    .zip(&weights)
                    .map(|(x, w)| Some(w * slope(&own, *x)?));
                let slopes = by_number.collect::<Option<Vec<f64>>>();
                vec![slopes.unwrap_or_else(|| softmax_backward(&x[0], &weights))]
            })),
        }
    };
    choices.map(subject).collect()
}

/// Targets of losses: one-hot rows, or the numbers of a regression.
fn targets(of_numbers: bool) -> Vec<f64> {
    match of_numbers {
        true => waves(BATCH * 3, 2.0),
        false => (0..BATCH * 3)
            .map(|i| f64::from(u8::from(i % 3 == i / 3 % 3)))
            .collect(),
    }
}

fn losses() -> Vec<Subject> {
    Loss::examples().into_iter().map(loss).collect()
}

fn loss(function: Loss) -> Subject {
    let count = BATCH * 3;
    let of_numbers = function.targets() == TargetKind::Numbers;
    let of_probabilities = function.outputs() == OutputKind::Probabilities;
    let outputs = waves(count, 0.0)
        .into_iter()
        .map(|x| {
            if of_probabilities {
                1.0 / (1.0 + (-x).exp())
            } else {
                x
            }
        })
        .collect();
    let targets = targets(of_numbers);
    let own = (function.clone(), targets.clone());
    let loss = LossConfig::mean(function);
    Subject {
        name: format!("loss {}", loss.name()),
        inputs: vec![("outputs", vec![BATCH, 3], outputs)],
        function: Box::new(move |x| {
            let data = TensorData::new(targets.clone(), [BATCH, 3]);
            let targets = Tensor::from_data(data, (&x[0].device(), x[0].dtype()));
            loss.forward(x[0].clone().reshape([BATCH, 3]), targets)
        }),
        closed_form: Some(Box::new(move |x| {
            let (loss, targets) = &own;
            vec![loss_slopes(loss, &x[0], targets)]
        })),
    }
}

/// The gradient of a mean loss by its outputs, three to a row.
fn loss_slopes(loss: &Loss, outputs: &[f64], targets: &[f64]) -> Vec<f64> {
    if loss.outputs() == OutputKind::ClassLogits {
        let rows = outputs.chunks(3).flat_map(softmax);
        return rows
            .zip(targets)
            .map(|(p, y)| (p - y) / BATCH as f64)
            .collect();
    }
    let slope = |(z, y): (&f64, &f64)| match loss {
        Loss::BceWithLogits(_) => 1.0 / (1.0 + (-z).exp()) - y,
        Loss::Bce(_) | Loss::BceNaive(_) => (z - y) / (z * (1.0 - z)),
        Loss::Mse(_) => 2.0 * (z - y),
        Loss::Mae(_) | Loss::SoftHamming(_) => (z - y).signum(),
        Loss::Hinge(_) => {
            let side = 2.0 * y - 1.0;
            if side * z < 1.0 { -side } else { 0.0 }
        }
        Loss::Focal(Focal { gamma, alpha }) => {
            // By s z: −α_t (1 − p_t)^γ (1 − p_t − γ p_t ln p_t); Lin et al. 2017, appendix B.
            let side = 2.0 * y - 1.0;
            let p = 1.0 / (1.0 + (-side * z).exp());
            let weight = alpha * y + (1.0 - alpha) * (1.0 - y);
            -side * weight * (1.0 - p).powf(*gamma) * (1.0 - p - gamma * p * p.ln())
        }
        Loss::Hamming(_) => 0.0,
        Loss::Huber(Huber { delta }) => (z - y).clamp(-delta, *delta),
        Loss::CrossEntropy(_) | Loss::CrossEntropyNaive(_) => f64::NAN,
    };
    outputs
        .iter()
        .zip(targets)
        .map(slope)
        .map(|s| s / outputs.len() as f64)
        .collect()
}

/// What a normalisation brings to mean 0 and variance 1 together: for each such set, where its numbers are.
type Sets = Vec<Vec<usize>>;

fn normalizations() -> Vec<Subject> {
    let rows = |from: usize, to: usize| -> Sets {
        (0..BATCH)
            .map(|row| (from..to).map(|column| row * WIDTH + column).collect())
            .collect()
    };
    let columns: Sets = (0..WIDTH)
        .map(|column| (0..BATCH).map(|row| row * WIDTH + column).collect())
        .collect();
    let size = WIDTH / GROUPS;
    let groups: Sets = (0..GROUPS)
        .flat_map(|group| rows(group * size, (group + 1) * size))
        .collect();
    type Function = fn(Tensor<2>, Tensor<1>, Tensor<1>) -> Tensor<2>;
    let batch: Function = |x, gamma, beta| {
        let running = |value: f64| {
            let data = TensorData::new(vec![value; WIDTH], [WIDTH]);
            parameter(Tensor::<1>::from_data(data, (&x.device(), x.dtype())))
        };
        let norm = BatchNorm {
            running_mean: running(0.0),
            running_var: running(1.0),
            gamma: parameter(gamma),
            beta: parameter(beta),
            momentum: 0.1,
            epsilon: EPSILON,
        };
        norm.forward_train(x).0
    };
    let layer: Function = |x, gamma, beta| {
        LayerNorm {
            gamma: parameter(gamma),
            beta: parameter(beta),
            epsilon: EPSILON,
        }
        .forward(x)
    };
    let group: Function = |x, gamma, beta| {
        let (gamma, beta) = (parameter(gamma), parameter(beta));
        GroupNorm {
            gamma,
            beta,
            num_groups: GROUPS,
            epsilon: EPSILON,
        }
        .forward(x)
    };
    let with_parameters = [
        ("batch", columns, batch),
        ("layer", rows(0, WIDTH), layer),
        ("group", groups, group),
    ];
    let mut all: Vec<Subject> = with_parameters
        .into_iter()
        .map(|(name, sets, function)| Subject {
            name: format!("normalization {name}"),
            inputs: vec![
                ("x", vec![BATCH, WIDTH], waves(BATCH * WIDTH, 0.0)),
                ("gamma", vec![WIDTH], waves(WIDTH, 1.0)),
                ("beta", vec![WIDTH], waves(WIDTH, 2.0)),
            ],
            function: Box::new(move |x| {
                let inputs = x[0].clone().reshape([BATCH, WIDTH]);
                weighted(function(inputs, x[1].clone(), x[2].clone()))
            }),
            closed_form: Some(Box::new(move |x| normalization_slopes(&x[0], &x[1], &sets))),
        })
        .collect();
    let sets = rows(0, WIDTH);
    all.push(Subject {
        name: "normalization instance".to_string(),
        inputs: vec![("x", vec![BATCH, WIDTH], waves(BATCH * WIDTH, 0.0))],
        function: Box::new(|x| {
            let norm = InstanceNorm { epsilon: EPSILON };
            weighted(norm.forward(x[0].clone().reshape([BATCH, WIDTH])))
        }),
        closed_form: Some(Box::new(move |x| {
            normalization_slopes(&x[0], &[1.0; WIDTH], &sets)[..1].to_vec()
        })),
    });
    all
}

/// By the input, by γ and by β.
fn normalization_slopes(x: &[f64], gamma: &[f64], sets: &Sets) -> Vec<Vec<f64>> {
    let weights = waves(x.len(), 0.4);
    let (mut by_x, mut by_gamma, mut by_beta) =
        (vec![0.0; x.len()], vec![0.0; WIDTH], vec![0.0; WIDTH]);
    for set in sets {
        let numbers: Vec<f64> = set.iter().map(|&i| x[i]).collect();
        let scaled: Vec<f64> = set.iter().map(|&i| weights[i] * gamma[i % WIDTH]).collect();
        let (standard, _) = standardized(&numbers, EPSILON);
        let slopes = standardized_backward(&numbers, &scaled, EPSILON);
        for ((&i, standard), slope) in set.iter().zip(standard).zip(slopes) {
            by_x[i] = slope;
            by_gamma[i % WIDTH] += weights[i] * standard;
            by_beta[i % WIDTH] += weights[i];
        }
    }
    vec![by_x, by_gamma, by_beta]
}

fn dense() -> Subject {
    const OUT: usize = 4;
    Subject {
        name: "layer dense".to_string(),
        inputs: vec![
            ("x", vec![BATCH, WIDTH], waves(BATCH * WIDTH, 0.0)),
            ("weight", vec![WIDTH, OUT], waves(WIDTH * OUT, 1.0)),
            ("bias", vec![OUT], waves(OUT, 2.0)),
        ],
        function: Box::new(|x| {
            let weight = parameter(x[1].clone().reshape([WIDTH, OUT]));
            let layer = Dense {
                weight,
                bias: Some(parameter(x[2].clone())),
            };
            weighted(layer.forward(x[0].clone().reshape([BATCH, WIDTH])))
        }),
        closed_form: Some(Box::new(|x| {
            // With the weights g of the sum: g Wᵀ, xᵀ g, and the column sums of g.
            let g = waves(BATCH * OUT, 0.4);
            let (mut by_x, mut by_weight) = (vec![0.0; BATCH * WIDTH], vec![0.0; WIDTH * OUT]);
            let mut by_bias = vec![0.0; OUT];
            for row in 0..BATCH {
                for out in 0..OUT {
                    let g = g[row * OUT + out];
                    by_bias[out] += g;
                    for column in 0..WIDTH {
                        by_x[row * WIDTH + column] += g * x[1][column * OUT + out];
                        by_weight[column * OUT + out] += g * x[0][row * WIDTH + column];
                    }
                }
            }
            vec![by_x, by_weight, by_bias]
        })),
    }
}

fn convolution() -> Subject {
    Subject {
        name: "layer convolution".to_string(),
        inputs: vec![
            ("x", vec![2, 2, 4, 4], waves(2 * 2 * 4 * 4, 0.0)),
            ("weight", vec![3, 2, 3, 3], waves(3 * 2 * 3 * 3, 1.0)),
            ("bias", vec![3], waves(3, 2.0)),
        ],
        function: Box::new(|x| {
            let weight = parameter(x[1].clone().reshape([3, 2, 3, 3]));
            let layer = Convolution {
                weight,
                bias: Some(parameter(x[2].clone())),
            };
            weighted(layer.forward(x[0].clone().reshape([2, 2, 4, 4])))
        }),
        closed_form: None,
    }
}
