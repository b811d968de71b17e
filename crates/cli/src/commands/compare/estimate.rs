//! `emberlab compare --dry-run`: how long the trials of a comparison would take, from a moment of training.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use emberlab_experiments::{Comparison, ExperimentError, PlannedTrial, StepwiseTrial};
use emberlab_report::duration;

use super::{Args, num_jobs};
use crate::arguments::Shared;
use crate::failure::Failure;
use crate::progress::count;

/// How long the missing trials would take, and what that is based on.
pub(super) struct Estimate {
    pub(super) seconds: f64,
    /// The number of trials that would run at the same time.
    pub(super) num_jobs: usize,
    pub(super) basis: String,
}

/// The seconds that trials of these seconds take, `num_jobs` at the same time: never less than the longest of them.
fn seconds_at_once(seconds: &[f64], num_jobs: usize) -> f64 {
    let share = seconds.iter().sum::<f64>() / num_jobs as f64;
    seconds.iter().copied().fold(share, f64::max)
}

/// Estimates the time for the missing trials: one trial of each variant is trained for a moment. Of many variants a few
/// are trained, evenly spread, and the others count as their mean.
pub(super) fn estimate(
    comparison: &Comparison,
    missing: &[usize],
    args: &Args,
    shared: &Shared,
) -> Result<Estimate, Failure> {
    const MOST_TRAINED: usize = 8;
    const MOST_TIME: Duration = Duration::from_secs(6);
    args.running.set_threads()?;
    let firsts = comparison.variants.iter().filter_map(|variant| {
        let is_ours = |index: &&usize| comparison.trials[**index].variant == variant.name;
        missing.iter().find(is_ours).copied()
    });
    let firsts: Vec<usize> = firsts.collect();
    let num_trained = firsts.len().min(MOST_TRAINED);
    say!(
        "to estimate the time, one trial of {num_trained} of {} is trained for up to {:.1} s; nothing is saved",
        count(firsts.len(), "variant"),
        TRAINING_TIME.as_secs_f64()
    );
    let began = Instant::now();
    let mut measured: BTreeMap<&str, f64> = BTreeMap::new();
    for i in 0..num_trained {
        // A variant whose data take long to load can use up the time alone.
        if began.elapsed() > MOST_TIME {
            break;
        }
        let trial = &comparison.trials[firsts[i * firsts.len() / num_trained]];
        let seconds = seconds_of(trial, args, shared)?;
        say!(
            "  {}: about {} for each trial",
            trial.variant,
            duration(seconds)
        );
        measured.insert(&trial.variant, seconds);
    }
    let mean = measured.values().sum::<f64>() / measured.len().max(1) as f64;
    let seconds = missing.iter().map(|&index| {
        let variant = comparison.trials[index].variant.as_str();
        measured.get(variant).copied().unwrap_or(mean)
    });
    let seconds: Vec<f64> = seconds.collect();
    let num_jobs = num_jobs(args).min(missing.len()).max(1);
    Ok(Estimate {
        seconds: seconds_at_once(&seconds, num_jobs),
        num_jobs,
        basis: match measured.len() == firsts.len() {
            true => "from a moment of training of each variant, one at a time".to_string(),
            false => format!(
                "from a moment of training of {} of {} variants, one at a time",
                measured.len(),
                firsts.len()
            ),
        },
    })
}

/// How long a trial is trained to estimate its time, if it takes that long.
const TRAINING_TIME: Duration = Duration::from_millis(500);
/// The steps that are trained at least: the first one, which takes longer than the others, and some to measure.
const LEAST_STEPS: u64 = 4;

/// The seconds that a trial would take: loading, and the time of a step times their number. The steps of
/// [`TRAINING_TIME`] are measured, without the first.
fn seconds_of(
    planned: &PlannedTrial,
    args: &Args,
    shared: &Shared,
) -> Result<f64, ExperimentError> {
    let began = Instant::now();
    let resources = args.running.resources(shared);
    let mut trial = StepwiseTrial::begin(planned.config.clone(), &resources)?;
    let (mut goes_on, _) = trial.advance(1)?;
    let loading = began.elapsed().as_secs_f64();
    let first = Instant::now();
    while goes_on && (first.elapsed() < TRAINING_TIME || trial.step() < LEAST_STEPS) {
        let num_steps = trial.steps_within(TRAINING_TIME / 10);
        (goes_on, _) = trial.advance(num_steps)?;
    }
    let num_steps = trial.steps_per_epoch() * planned.config.training.num_epochs;
    let measured = (first.elapsed().as_secs_f64(), trial.step() - 1);
    Ok(loading + seconds_of_steps(measured, num_steps.saturating_sub(1)))
}

/// The seconds that `num_steps` take, from the seconds and the number of those that were measured.
fn seconds_of_steps((seconds, num_measured): (f64, u64), num_steps: usize) -> f64 {
    match num_measured {
        0 => 0.0,
        num_measured => seconds * num_steps as f64 / num_measured as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_take_their_share_of_the_jobs_but_never_less_than_the_longest_of_them() {
        assert_eq!(seconds_at_once(&[6.0], 1), 6.0);
        assert_eq!(seconds_at_once(&[2.0, 2.0, 2.0, 2.0], 2), 4.0);
        assert_eq!(seconds_at_once(&[9.0, 1.0], 2), 9.0);
        assert_eq!(seconds_at_once(&[], 1), 0.0);
    }

    #[test]
    fn the_time_of_all_steps_follows_from_those_that_were_measured() {
        assert_eq!(seconds_of_steps((0.5, 10), 100), 5.0);
        assert_eq!(seconds_of_steps((0.0, 0), 0), 0.0, "a training of one step");
    }
}
