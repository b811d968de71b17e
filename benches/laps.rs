//! Times of two ways to train, measured by turns.

use std::time::Instant;

/// How often the two take turns.
const ROUNDS: usize = 10;

/// Seconds that a turn takes, about.
const SECONDS: f64 = 0.1;

/// Microseconds per step of two ways to train so many epochs of `num_batches` steps, which return when each
/// epoch ended: those of the fastest epoch of each, since others are slowed by other work.
pub fn micros(train: [&dyn Fn(usize) -> Vec<Instant>; 2], num_batches: usize) -> [f64; 2] {
    let began = Instant::now();
    train[0](2);
    let num_epochs = (SECONDS / began.elapsed().as_secs_f64() * 2.0) as usize + 3;
    let mut fastest = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        for (fastest, train) in fastest.iter_mut().zip(train) {
            for epoch in train(num_epochs).windows(2) {
                *fastest = fastest.min((epoch[1] - epoch[0]).as_secs_f64());
            }
        }
    }
    fastest.map(|seconds| seconds / num_batches as f64 * 1e6)
}
