//! Every normalisation.

use burn::tensor::{Tensor, TensorData};
use emberlab_models::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm};

use super::{BATCH, WIDTH, output_weights, parameter, waves, weighted};
use crate::gradients::TensorFunction;
use crate::gradients::closed_forms::{standardized, standardized_backward};

const GROUPS: usize = 2;
const EPSILON: f64 = 1e-5;

/// The sets of numbers that are normalised together, each as positions in the batch.
type Sets = Vec<Vec<usize>>;

pub(super) fn all() -> Vec<TensorFunction> {
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
    let mut all: Vec<TensorFunction> = with_parameters
        .into_iter()
        .map(|(name, sets, function)| TensorFunction {
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
    all.push(TensorFunction {
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

/// The gradients by the input, by γ and by β.
fn normalization_slopes(x: &[f64], gamma: &[f64], sets: &Sets) -> Vec<Vec<f64>> {
    let weights = output_weights(x.len());
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
