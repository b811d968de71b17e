//! The layers with weights.

use emberlab_models::{Convolution, Dense};

use super::{BATCH, WIDTH, output_weights, parameter, waves, weighted};
use crate::gradients::TensorFunction;

pub(super) fn all() -> Vec<TensorFunction> {
    vec![dense(), convolution()]
}

fn dense() -> TensorFunction {
    const OUT: usize = 4;
    TensorFunction {
        name: "layer dense".to_string(),
        inputs: vec![
            (
                "x".to_string(),
                vec![BATCH, WIDTH],
                waves(BATCH * WIDTH, 0.0),
            ),
            (
                "weight".to_string(),
                vec![WIDTH, OUT],
                waves(WIDTH * OUT, 1.0),
            ),
            ("bias".to_string(), vec![OUT], waves(OUT, 2.0)),
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
            let g = output_weights(BATCH * OUT);
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

fn convolution() -> TensorFunction {
    TensorFunction {
        name: "layer convolution".to_string(),
        inputs: vec![
            ("x".to_string(), vec![2, 2, 4, 4], waves(2 * 2 * 4 * 4, 0.0)),
            (
                "weight".to_string(),
                vec![3, 2, 3, 3],
                waves(3 * 2 * 3 * 3, 1.0),
            ),
            ("bias".to_string(), vec![3], waves(3, 2.0)),
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
