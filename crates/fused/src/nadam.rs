//! The momentum of NAdam.

/// The factors of the gradient and of the mean of gradients in step `t` of NAdam, counted from 1.
///
/// They are `(1 − μₜ) / (1 − Π)` and `μₜ₊₁ / (1 − Π μₜ₊₁)` with the momenta `μₜ = β₁ (1 − 0.96^(t ψ) / 2)` and their
/// product `Π` up to `μₜ`, where `ψ` is `momentum_decay`. `torch.optim.NAdam`; Dozat 2016,
/// <https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ>.
pub fn nadam_factors(beta_1: f64, momentum_decay: f64, step: u64) -> (f64, f64) {
    let momentum = |growth: f64| beta_1 * (1.0 - 0.5 * growth);
    let at = |step: u64| momentum(0.96_f64.powf(step as f64 * momentum_decay));
    let ratio = 0.96_f64.powf(momentum_decay);
    let (mut growth, mut product) = (1.0, 1.0);
    for _ in 0..step {
        growth *= ratio;
        product *= momentum(growth);
        // Momenta are below 1, so the rest of them would change nothing.
        if 1.0 - product == 1.0 {
            break;
        }
    }
    let (now, next) = (at(step), at(step + 1));
    let of_gradient = (1.0 - now) / (1.0 - product);
    (of_gradient, next / (1.0 - product * next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_follow_from_the_step_alone() {
        // mu = lambda t: .9 * (1 - .5 * .96 ** (t * .004)); P = math.prod(mu(i) for i in range(1, t + 1))
        // (1 - mu(t)) / (1 - P), mu(t + 1) / (1 - P * mu(t + 1))
        for (step, of_gradient, of_mean) in [
            (1, 1.0, 0.5645177835538823),
            (2, 0.689556696194273, 0.49540873998397283),
            (10, 0.5494545823118321, 0.45087738462629307),
            (1000, 0.48220595199999994, 0.5178564525420183),
            (100_000, 0.100000036450688, 0.8999999635552635),
        ] {
            let found = nadam_factors(0.9, 0.004, step);
            assert!((found.0 - of_gradient).abs() < 1e-12, "{found:?} at {step}");
            assert!((found.1 - of_mean).abs() < 1e-12, "{found:?} at {step}");
        }
    }
}
