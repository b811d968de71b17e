//! The update of parameters.

use std::ops::Range;

use pulp::Arch;

use super::buffer::Buffer;
use super::elementwise::Loop;
use crate::nadam::nadam_factors;
use crate::plan::Optimizer;
use crate::real::Real;

/// One step of an optimiser, its hyperparameters in the numbers of the network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Update<T> {
    rule: Rule<T>,
    rate: T,
    /// Factor of the L2 penalty.
    penalty: T,
    /// Factor of each parameter before it is moved.
    keep: T,
}

#[derive(Debug, Clone, Copy)]
enum Rule<T> {
    Sgd,
    Momentum {
        momentum: T,
        nesterov: bool,
    },
    Adam {
        beta_1: T,
        rest_1: T,
        beta_2: T,
        rest_2: T,
        epsilon: T,
    },
    NAdam {
        beta_1: T,
        rest_1: T,
        beta_2: T,
        rest_2: T,
        epsilon: T,
        /// Factor of the gradient.
        of_gradient: T,
        /// Factor of the mean of gradients.
        of_mean: T,
    },
    AdaGrad {
        epsilon: T,
    },
    RmsProp {
        alpha: T,
        rest: T,
        epsilon: T,
    },
    RmsPropMomentum {
        alpha: T,
        rest: T,
        epsilon: T,
        momentum: T,
    },
}

impl Optimizer {
    /// The update of a step, counted from 1.
    pub(super) fn at_step<T: Real>(self, step: u64, learning_rate: f64) -> Update<T> {
        let number = T::from_f64;
        let update = |rule, rate: f64, penalty: f64, decay: f64| Update {
            rule,
            rate: number(rate),
            penalty: number(penalty),
            keep: number(1.0 - learning_rate * decay),
        };
        match self {
            Self::Sgd {
                momentum,
                nesterov,
                weight_decay,
            } => {
                let rule = match momentum > 0.0 {
                    true => Rule::Momentum {
                        momentum: number(momentum),
                        nesterov,
                    },
                    false => Rule::Sgd,
                };
                update(rule, learning_rate, weight_decay, 0.0)
            }
            Self::Adam {
                beta_1,
                beta_2,
                epsilon,
                weight_decay,
                decoupled_decay,
            } => {
                let step = step as f64;
                let root = (1.0 - beta_2.powf(step)).sqrt();
                // `lr m̂ / (√v̂ + ε)`, both parts of the fraction multiplied by `√(1 − β₂ᵗ)`.
                let rule = Rule::Adam {
                    beta_1: number(beta_1),
                    rest_1: number(1.0 - beta_1),
                    beta_2: number(beta_2),
                    rest_2: number(1.0 - beta_2),
                    epsilon: number(epsilon * root),
                };
                let rate = learning_rate / (1.0 - beta_1.powf(step)) * root;
                update(rule, rate, weight_decay, decoupled_decay)
            }
            Self::NAdam {
                beta_1,
                beta_2,
                epsilon,
                momentum_decay,
                weight_decay,
            } => {
                let (of_gradient, of_mean) = nadam_factors(beta_1, momentum_decay, step);
                let root = (1.0 - beta_2.powf(step as f64)).sqrt();
                // The fraction is multiplied by `√(1 − β₂ᵗ)` as that of Adam.
                let rule = Rule::NAdam {
                    beta_1: number(beta_1),
                    rest_1: number(1.0 - beta_1),
                    beta_2: number(beta_2),
                    rest_2: number(1.0 - beta_2),
                    epsilon: number(epsilon * root),
                    of_gradient: number(of_gradient),
                    of_mean: number(of_mean),
                };
                update(rule, learning_rate * root, weight_decay, 0.0)
            }
            Self::AdaGrad {
                epsilon,
                weight_decay,
            } => {
                let epsilon = number(epsilon);
                update(Rule::AdaGrad { epsilon }, learning_rate, weight_decay, 0.0)
            }
            Self::RmsProp {
                alpha,
                epsilon,
                momentum,
                weight_decay,
            } => {
                let (rest, epsilon) = (number(1.0 - alpha), number(epsilon));
                let alpha = number(alpha);
                let rule = match momentum > 0.0 {
                    true => Rule::RmsPropMomentum {
                        alpha,
                        rest,
                        epsilon,
                        momentum: number(momentum),
                    },
                    false => Rule::RmsProp {
                        alpha,
                        rest,
                        epsilon,
                    },
                };
                update(rule, learning_rate, weight_decay, 0.0)
            }
        }
    }
}

/// The numbers of an optimiser's buffers for some parameters.
pub(super) enum Buffers<'a, T> {
    None,
    One(&'a mut [T]),
    Two(&'a mut [T], &'a mut [T]),
}

impl<'a, T: Real> Buffers<'a, T> {
    /// The numbers at the place of some parameters.
    pub(super) fn at(buffers: &'a mut [Buffer<T>], place: Range<usize>) -> Self {
        match buffers {
            [one] => Self::One(&mut one[place]),
            [one, two] => Self::Two(&mut one[place.clone()], &mut two[place]),
            _ => Self::None,
        }
    }

    /// The first numbers, and the rest.
    pub(super) fn split_at(self, length: usize) -> (Self, Self) {
        match self {
            Self::None => (Self::None, Self::None),
            Self::One(one) => {
                let (first, rest) = one.split_at_mut(length);
                (Self::One(first), Self::One(rest))
            }
            Self::Two(one, two) => {
                let (first_one, rest_one) = one.split_at_mut(length);
                let (first_two, rest_two) = two.split_at_mut(length);
                (
                    Self::Two(first_one, first_two),
                    Self::Two(rest_one, rest_two),
                )
            }
        }
    }
}

impl<T: Real> Update<T> {
    /// Moves parameters along their gradients.
    pub(super) fn apply(
        self,
        arch: Arch,
        parameters: &mut [T],
        gradients: &[T],
        buffers: Buffers<'_, T>,
    ) {
        let Self {
            rate,
            penalty,
            keep,
            rule,
        } = self;
        match (rule, buffers) {
            (Rule::Sgd, _) => arch.dispatch(Loop(
                #[inline(always)]
                || {
                    for (p, g) in parameters.iter_mut().zip(gradients) {
                        *p = *p - (*g + penalty * *p) * rate;
                    }
                },
            )),
            (Rule::Momentum { momentum, nesterov }, Buffers::One(velocity)) => {
                arch.dispatch(Loop(
                    #[inline(always)]
                    || {
                        for ((p, g), v) in parameters.iter_mut().zip(gradients).zip(&mut *velocity)
                        {
                            let gradient = *g + penalty * *p;
                            *v = normal(*v * momentum + gradient);
                            let ahead = gradient + momentum * *v;
                            *p = *p - if nesterov { ahead } else { *v } * rate;
                        }
                    },
                ));
            }
            (
                Rule::Adam {
                    beta_1,
                    rest_1,
                    beta_2,
                    rest_2,
                    epsilon,
                },
                Buffers::Two(mean, square),
            ) => {
                arch.dispatch(Loop(
                    #[inline(always)]
                    || {
                        let buffers = mean.iter_mut().zip(&mut *square);
                        for ((p, g), (m, s)) in parameters.iter_mut().zip(gradients).zip(buffers) {
                            let gradient = *g + penalty * *p;
                            *m = normal(*m * beta_1 + gradient * rest_1);
                            *s = normal(*s * beta_2 + gradient * gradient * rest_2);
                            *p = *p * keep - *m * rate / (s.sqrt() + epsilon);
                        }
                    },
                ));
            }
            (
                Rule::NAdam {
                    beta_1,
                    rest_1,
                    beta_2,
                    rest_2,
                    epsilon,
                    of_gradient,
                    of_mean,
                },
                Buffers::Two(mean, square),
            ) => {
                arch.dispatch(Loop(
                    #[inline(always)]
                    || {
                        let buffers = mean.iter_mut().zip(&mut *square);
                        for ((p, g), (m, s)) in parameters.iter_mut().zip(gradients).zip(buffers) {
                            let gradient = *g + penalty * *p;
                            *m = normal(*m * beta_1 + gradient * rest_1);
                            *s = normal(*s * beta_2 + gradient * gradient * rest_2);
                            let ahead = gradient * of_gradient + *m * of_mean;
                            *p = *p - ahead * rate / (s.sqrt() + epsilon);
                        }
                    },
                ));
            }
            (Rule::AdaGrad { epsilon }, Buffers::One(sum)) => {
                arch.dispatch(Loop(
                    #[inline(always)]
                    || {
                        for ((p, g), s) in parameters.iter_mut().zip(gradients).zip(&mut *sum) {
                            let gradient = *g + penalty * *p;
                            *s += gradient * gradient;
                            *p = *p - gradient * rate / (s.sqrt() + epsilon);
                        }
                    },
                ));
            }
            (
                Rule::RmsProp {
                    alpha,
                    rest,
                    epsilon,
                },
                Buffers::One(square),
            ) => {
                arch.dispatch(Loop(
                    #[inline(always)]
                    || {
                        for ((p, g), s) in parameters.iter_mut().zip(gradients).zip(&mut *square) {
                            let gradient = *g + penalty * *p;
                            *s = normal(*s * alpha + gradient * gradient * rest);
                            *p = *p - gradient / (s.sqrt() + epsilon) * rate;
                        }
                    },
                ));
            }
            (
                Rule::RmsPropMomentum {
                    alpha,
                    rest,
                    epsilon,
                    momentum,
                },
                Buffers::Two(square, velocity),
            ) => {
                arch.dispatch(Loop(
                    #[inline(always)]
                    || {
                        let buffers = square.iter_mut().zip(&mut *velocity);
                        for ((p, g), (s, v)) in parameters.iter_mut().zip(gradients).zip(buffers) {
                            let gradient = *g + penalty * *p;
                            *s = normal(*s * alpha + gradient * gradient * rest);
                            *v = normal(*v * momentum + gradient / (s.sqrt() + epsilon));
                            *p = *p - *v * rate;
                        }
                    },
                ));
            }
            _ => unreachable!("the plan was checked against the state"),
        }
    }
}

/// The number, or zero if it is so small that it has lost digits.
///
/// The mean of a gradient that stays zero shrinks until it is the smallest number of all, and no further. Processors take
/// a hundred times as long for such numbers.
#[inline(always)]
fn normal<T: Real>(x: T) -> T {
    if x.abs() < T::SMALLEST_NORMAL {
        T::ZERO
    } else {
        x
    }
}
