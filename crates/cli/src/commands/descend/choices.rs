//! The surfaces, optimisers and schedules that `emberlab descend` offers.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use emberlab_analysis::{LearningRates, SURFACES, Surface};
use emberlab_training::optimizer::{Adam, RmsProp, Sgd};
use emberlab_training::scheduler::{Constant, Cosine, Cumulative, Exponential, Step};
use emberlab_training::{Interval, OptimizerConfig, SchedulerConfig};

/// An optimiser with the settings it descends with.
#[derive(Debug)]
pub(super) struct Descender {
    pub(super) name: &'static str,
    about: &'static str,
    /// Chooses the learning rate by default.
    pub(super) suitable_rate: fn(&LearningRates) -> f64,
    /// Makes the optimiser, with a learning rate.
    pub(super) optimizer: fn(f64) -> OptimizerConfig,
}

/// A schedule with the settings it has here.
#[derive(Debug)]
pub(super) struct Schedule {
    pub(super) name: &'static str,
    about: &'static str,
    /// Makes the schedule, with the value of `--decay` and the number of steps.
    pub(super) scheduler: fn(f64, usize) -> SchedulerConfig,
}

pub(super) const DESCENDERS: [Descender; 5] = [
    Descender {
        name: "sgd",
        about: "steps along the gradient",
        suitable_rate: |rates| rates.plain,
        optimizer: |learning_rate| sgd(learning_rate, 0.0, false),
    },
    Descender {
        name: "momentum",
        about: "sgd with momentum 0.9",
        suitable_rate: |rates| rates.momentum,
        optimizer: |learning_rate| sgd(learning_rate, 0.9, false),
    },
    Descender {
        name: "nesterov",
        about: "sgd with Nesterov momentum 0.9",
        suitable_rate: |rates| rates.momentum,
        optimizer: |learning_rate| sgd(learning_rate, 0.9, true),
    },
    Descender {
        name: "rmsprop",
        about: "RMSprop",
        suitable_rate: |rates| rates.scaled,
        optimizer: |learning_rate| OptimizerConfig::new(RmsProp::default(), learning_rate),
    },
    Descender {
        name: "adam",
        about: "Adam",
        suitable_rate: |rates| rates.scaled,
        optimizer: |learning_rate| OptimizerConfig::new(Adam::default(), learning_rate),
    },
];

fn sgd(learning_rate: f64, momentum: f64, nesterov: bool) -> OptimizerConfig {
    let rule = Sgd {
        momentum,
        nesterov,
        ..Sgd::default()
    };
    OptimizerConfig::new(rule, learning_rate)
}

const SCHEDULES: [Schedule; 5] = [
    Schedule {
        name: "constant",
        about: "always the same learning rate",
        scheduler: |_, _| Constant {}.into(),
    },
    Schedule {
        name: "exponential",
        about: "times `--decay` after every step",
        scheduler: |gamma, _| {
            let interval = Interval::Step;
            Exponential { gamma, interval }.into()
        },
    },
    Schedule {
        name: "cumulative",
        about: "times `--decay` to the power of the number of steps so far, after every step",
        scheduler: |gamma, _| {
            let interval = Interval::Step;
            Cumulative { gamma, interval }.into()
        },
    },
    Schedule {
        name: "cosine",
        about: "half a cosine down to zero",
        scheduler: |_, _| {
            let cosine = Cosine {
                interval: Interval::Step,
                ..Cosine::default()
            };
            cosine.into()
        },
    },
    Schedule {
        name: "step",
        about: "a tenth after every third of the steps",
        scheduler: |_, num_steps| {
            let step = Step {
                step_size: num_steps.div_ceil(3).max(1),
                gamma: 0.1,
                interval: Interval::Step,
            };
            step.into()
        },
    },
];

/// Reads the name of a surface, written with hyphens or underscores.
pub(super) fn surface_parser() -> impl TypedValueParser<Value = &'static Surface> {
    let values = SURFACES.iter().map(|surface| {
        PossibleValue::new(surface.name.replace('_', "-"))
            .alias(surface.name)
            .help(format!("{}: {}", surface.formula, surface.about))
    });
    PossibleValuesParser::new(values).try_map(|name| {
        let surface = Surface::named(&name.replace('-', "_"));
        surface.ok_or("no such surface")
    })
}

/// Reads the name of an optimiser.
pub(super) fn descender_parser() -> impl TypedValueParser<Value = &'static Descender> {
    let values = DESCENDERS
        .iter()
        .map(|descender| PossibleValue::new(descender.name).help(descender.about));
    PossibleValuesParser::new(values).try_map(|name| {
        let found = DESCENDERS.iter().find(|descender| descender.name == name);
        found.ok_or("no such optimizer")
    })
}

/// Reads the name of a schedule.
pub(super) fn schedule_parser() -> impl TypedValueParser<Value = &'static Schedule> {
    let values = SCHEDULES
        .iter()
        .map(|schedule| PossibleValue::new(schedule.name).help(schedule.about));
    PossibleValuesParser::new(values).try_map(|name| {
        let found = SCHEDULES.iter().find(|schedule| schedule.name == name);
        found.ok_or("no such schedule")
    })
}
