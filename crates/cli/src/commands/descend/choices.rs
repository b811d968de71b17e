//! The surfaces, optimisers and schedules that `emberlab descend` offers.

use std::sync::LazyLock;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use emberlab_analysis::{LearningRates, SURFACES, Surface};
use emberlab_menu::Menu as _;
use emberlab_training::optimizer::{Sgd, UpdateRule};
use emberlab_training::{OptimizerConfig, SchedulerConfig, scheduler};

/// An update rule with the settings it descends with.
#[derive(Debug)]
pub(super) struct Descender {
    pub(super) name: &'static str,
    about: String,
    rule: UpdateRule,
    /// Chooses the learning rate by default.
    suitable_rate: fn(&LearningRates) -> f64,
}

/// Every update rule of the menu, and two variants of SGD.
pub(super) static DESCENDERS: LazyLock<Vec<Descender>> = LazyLock::new(|| {
    let plain = UpdateRule::from(Sgd::default());
    let menu = UpdateRule::examples().into_iter();
    let mut all: Vec<Descender> = menu
        .zip(UpdateRule::summaries())
        .map(|(rule, about)| Descender {
            name: rule.name(),
            about,
            suitable_rate: match rule == plain {
                true => |rates| rates.plain,
                false => |rates| rates.scaled,
            },
            rule,
        })
        .collect();
    let with_momentum = |name, about: &str, nesterov| {
        let momentum = Sgd {
            momentum: 0.9,
            nesterov,
            ..Sgd::default()
        };
        Descender {
            name,
            about: about.to_string(),
            rule: momentum.into(),
            suitable_rate: |rates| rates.momentum,
        }
    };
    all.push(with_momentum("momentum", "SGD with momentum 0.9", false));
    all.push(with_momentum(
        "nesterov",
        "SGD with Nesterov momentum 0.9",
        true,
    ));
    all
});

impl Descender {
    /// The learning rate that suits a surface.
    pub(super) fn suitable_rate(&self, surface: &Surface) -> f64 {
        (self.suitable_rate)(&surface.learning_rates)
    }

    /// The optimiser with a learning rate.
    pub(super) fn optimizer(&self, learning_rate: f64) -> OptimizerConfig {
        OptimizerConfig::new(self.rule.clone(), learning_rate)
    }
}

/// A schedule of the menu.
#[derive(Debug)]
pub(super) struct Schedule {
    example: scheduler::Schedule,
    about: String,
}

static SCHEDULES: LazyLock<Vec<Schedule>> = LazyLock::new(|| {
    let menu = scheduler::Schedule::examples().into_iter();
    menu.zip(scheduler::Schedule::summaries())
        .map(|(example, about)| Schedule { example, about })
        .collect()
});

impl Schedule {
    pub(super) fn name(&self) -> &'static str {
        self.example.name()
    }

    /// Whether the learning rate never changes.
    pub(super) fn is_constant(&self) -> bool {
        self.example.is_constant()
    }

    /// The schedule with parameters that suit a descent of `num_steps` steps; `decay` is its factor if it has one for every
    /// step or milestone.
    pub(super) fn scheduler(&self, decay: f64, num_steps: usize) -> SchedulerConfig {
        self.example.for_descent(decay, num_steps).into()
    }
}

/// Reads the name of a surface, written with hyphens or underscores.
pub(super) fn surface_parser() -> impl TypedValueParser<Value = &'static Surface> {
    let values = SURFACES.iter().map(|surface| {
        possible_value(surface.name).help(format!("{}: {}", surface.formula, surface.about))
    });
    PossibleValuesParser::new(values).try_map(|name| {
        let surface = Surface::named(&with_underscores(&name));
        surface.ok_or("no such surface")
    })
}

/// Reads the name of an optimiser.
pub(super) fn descender_parser() -> impl TypedValueParser<Value = &'static Descender> {
    let values = DESCENDERS
        .iter()
        .map(|descender| PossibleValue::new(descender.name).help(&descender.about));
    PossibleValuesParser::new(values).try_map(|name| {
        let found = DESCENDERS.iter().find(|descender| descender.name == name);
        found.ok_or("no such optimiser")
    })
}

/// Reads the name of a schedule, written with hyphens or underscores.
pub(super) fn schedule_parser() -> impl TypedValueParser<Value = &'static Schedule> {
    let values = SCHEDULES
        .iter()
        .map(|schedule| possible_value(schedule.name()).help(&schedule.about));
    PossibleValuesParser::new(values).try_map(|name| {
        let name = with_underscores(&name);
        let found = SCHEDULES.iter().find(|schedule| schedule.name() == name);
        found.ok_or("no such schedule")
    })
}

/// A name of a menu as a value of an option: with hyphens, and accepted with underscores too.
fn possible_value(name: &'static str) -> PossibleValue {
    PossibleValue::new(name.replace('_', "-")).alias(name)
}

/// The name as a menu has it.
fn with_underscores(name: &str) -> String {
    name.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use emberlab_menu::Example as _;
    use emberlab_training::Interval;
    use emberlab_training::scheduler::{
        Cosine, CosineRestarts, Exponential, Milestone, Piecewise, ReduceOnPlateau, Step,
    };

    #[test]
    fn schedules_count_steps_and_take_the_decay() {
        let of = |name: &str| {
            let schedule = SCHEDULES.iter().find(|schedule| schedule.name() == name);
            schedule.expect("a schedule").scheduler(0.8, 30)
        };
        let interval = Interval::Step;
        let exponential = Exponential {
            gamma: 0.8,
            interval,
        };
        assert_eq!(of("exponential"), exponential.into());
        let step = Step {
            step_size: 10,
            gamma: 0.1,
            interval,
        };
        assert_eq!(of("step"), step.into());
        let cosine = Cosine {
            interval,
            ..Cosine::default()
        };
        assert_eq!(of("cosine"), cosine.into());
        let milestone = |at, factor| Milestone { at, factor };
        let piecewise = Piecewise {
            milestones: vec![milestone(10, 0.8), milestone(20, 0.8 * 0.8)],
            interval,
        };
        assert_eq!(of("piecewise"), piecewise.into());
        let restarts = CosineRestarts {
            num_steps: 10,
            interval,
            ..CosineRestarts::example()
        };
        assert_eq!(of("cosine_restarts"), restarts.into());
        let plateau = ReduceOnPlateau {
            factor: 0.8,
            ..ReduceOnPlateau::default()
        };
        assert_eq!(of("reduce_on_plateau"), plateau.into());
        assert_eq!(of("constant"), SchedulerConfig::default());
    }

    #[test]
    fn schedules_are_named_with_hyphens_or_underscores() {
        let command = clap::Command::new("descend");
        let command = command.arg(clap::Arg::new("schedule").value_parser(schedule_parser()));
        for name in ["reduce-on-plateau", "reduce_on_plateau"] {
            let matches = command.clone().try_get_matches_from(["descend", name]);
            let matches = matches.expect("a schedule");
            let schedule = matches.get_one::<&Schedule>("schedule");
            assert_eq!(schedule.map(|one| one.name()), Some("reduce_on_plateau"));
        }
    }

    #[test]
    fn every_optimiser_and_schedule_of_the_menus_is_offered() {
        for name in UpdateRule::NAMES {
            assert!(
                DESCENDERS.iter().any(|descender| descender.name == *name),
                "{name}"
            );
        }
        for name in scheduler::Schedule::NAMES {
            assert!(
                SCHEDULES.iter().any(|schedule| schedule.name() == *name),
                "{name}"
            );
        }
    }
}
