//! The update of all parameters.

use pulp::Arch;

use super::buffer::Buffer;
use super::elementwise::Loop;
use crate::plan::Optimizer;
use crate::real::Real;

impl Optimizer {
    /// Moves the parameters along their gradients. `step` counts from 1.
    pub(super) fn update<T: Real>(
        self,
        arch: Arch,
        learning_rate: f64,
        step: u64,
        parameters: &mut [T],
        gradients: &[T],
        buffers: &mut [Buffer<T>],
    ) {
        let rate = T::from_f64(learning_rate);
        match (self, buffers) {
            (
                Self::Sgd {
                    momentum,
                    nesterov,
                    weight_decay,
                },
                [velocity],
            ) => {
                let [momentum, penalty] = [momentum, weight_decay].map(T::from_f64);
                arch.dispatch(Loop(|| {
                    for ((p, g), v) in parameters.iter_mut().zip(gradients).zip(&mut **velocity) {
                        let gradient = *g + penalty * *p;
                        *v = *v * momentum + gradient;
                        // `g + μ v` with Nesterov, else `v`.
                        let direction = if nesterov {
                            gradient + momentum * *v
                        } else {
                            *v
                        };
                        *p = *p - direction * rate;
                    }
                }));
            }
            (Self::Sgd { weight_decay, .. }, _) => {
                let penalty = T::from_f64(weight_decay);
                arch.dispatch(Loop(|| {
                    for (p, g) in parameters.iter_mut().zip(gradients) {
                        *p = *p - (*g + penalty * *p) * rate;
                    }
                }));
            }
            (
                Self::Adam {
                    beta_1,
                    beta_2,
                    epsilon,
                    weight_decay,
                    decoupled_decay,
                },
                [mean, square],
            ) => {
                let step = step as f64;
                let root = (1.0 - beta_2.powf(step)).sqrt();
                // `lr m̂ / (√v̂ + ε)`, both parts of the fraction multiplied by `√(1 − β₂ᵗ)`.
                let size = T::from_f64(learning_rate / (1.0 - beta_1.powf(step)) * root);
                let epsilon = T::from_f64(epsilon * root);
                let [rest_1, rest_2] = [1.0 - beta_1, 1.0 - beta_2].map(T::from_f64);
                let [beta_1, beta_2] = [beta_1, beta_2].map(T::from_f64);
                let penalty = T::from_f64(weight_decay);
                let keep = T::from_f64(1.0 - learning_rate * decoupled_decay);
                let buffers = mean.iter_mut().zip(&mut **square);
                arch.dispatch(Loop(|| {
                    for ((p, g), (m, s)) in parameters.iter_mut().zip(gradients).zip(buffers) {
                        let gradient = *g + penalty * *p;
                        *m = *m * beta_1 + gradient * rest_1;
                        *s = *s * beta_2 + gradient * gradient * rest_2;
                        *p = *p * keep - *m * size / (s.sqrt() + epsilon);
                    }
                }));
            }
            (
                Self::RmsProp {
                    alpha,
                    epsilon,
                    momentum,
                    weight_decay,
                },
                [square, velocity @ ..],
            ) => {
                let rest = T::from_f64(1.0 - alpha);
                let [alpha, epsilon] = [alpha, epsilon].map(T::from_f64);
                let [momentum, penalty] = [momentum, weight_decay].map(T::from_f64);
                let parameters = parameters.iter_mut().zip(gradients).zip(&mut **square);
                let scaled = |p: T, g: T, s: &mut T| {
                    let gradient = g + penalty * p;
                    *s = *s * alpha + gradient * gradient * rest;
                    gradient / (s.sqrt() + epsilon)
                };
                match velocity {
                    [velocity] => arch.dispatch(Loop(|| {
                        for (((p, g), s), v) in parameters.zip(&mut **velocity) {
                            *v = *v * momentum + scaled(*p, *g, s);
                            *p = *p - *v * rate;
                        }
                    })),
                    _ => arch.dispatch(Loop(|| {
                        for ((p, g), s) in parameters {
                            *p = *p - scaled(*p, *g, s) * rate;
                        }
                    })),
                }
            }
            (Self::Adam { .. } | Self::RmsProp { .. }, _) => {
                unreachable!("the plan was checked against the state")
            }
        }
    }
}
