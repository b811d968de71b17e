//! Descents: the optimisers and schedules that train networks, on a function of two numbers in float64.

mod surfaces;

pub use surfaces::{LearningRates, Pair, SURFACES, Surface};

use burn::module::{Module, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Tensor, TensorData};
use emberlab_metrics::Metric;
use emberlab_training::{
    Optimizer, OptimizerConfig, Scheduler, SchedulerConfig, TrainingError, device, host,
};

/// A surface with an optimiser that descends it.
#[derive(Debug, Clone)]
pub struct Descent {
    /// The function to minimise.
    pub surface: &'static Surface,
    /// The optimiser, with its learning rate.
    pub optimizer: OptimizerConfig,
    /// The schedule of the learning rate. An epoch has one step.
    pub scheduler: SchedulerConfig,
    /// The first point.
    pub start: Pair,
    /// Number of steps.
    pub num_steps: usize,
}

/// A point of a descent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Waypoint {
    /// The point.
    pub at: Pair,
    /// The value of the surface there.
    pub value: f64,
    /// The learning rate of the next step.
    pub learning_rate: f64,
}

#[derive(Module, Debug)]
struct Point {
    at: Param<Tensor<1>>,
}

impl Descent {
    /// Every point from the start on: one more than steps, fewer if the value becomes NaN or infinite.
    ///
    /// # Errors
    /// [`TrainingError`] if a setting is out of its range, or the device fails.
    pub fn run(&self) -> Result<Vec<Waypoint>, TrainingError> {
        self.optimizer.validate()?;
        self.scheduler.validate()?;
        let device = device::open(device::DEFAULT)?;
        let mut scheduler = Scheduler::new(&self.scheduler, &self.optimizer, 1, self.num_steps);
        let tensor = |pair: Pair, device: &_| {
            Tensor::<1>::from_data(TensorData::from(pair), (device, DType::F64))
        };
        let id = ParamId::from(0);
        let start = tensor(self.start, &device.clone().autodiff()).require_grad();
        let mut point = Point {
            at: Param::initialized(id, start),
        };
        let mut optimizer = Optimizer::new(&self.optimizer, &point);
        let mut path = Vec::with_capacity(self.num_steps + 1);
        for step in 0..=self.num_steps {
            let numbers = host(point.at.val().inner())?;
            let at = [numbers[0], numbers[1]];
            let value = (self.surface.value)(at);
            if !value.is_finite() {
                break;
            }
            let learning_rate = scheduler.learning_rate(step as u64);
            path.push(Waypoint {
                at,
                value,
                learning_rate,
            });
            let mut gradients = GradientsParams::new();
            gradients.register(id, tensor((self.surface.gradient)(at), &device));
            point = optimizer.step(point, gradients, learning_rate);
            // For a schedule that follows results, each step is an epoch and the value is its loss.
            let metrics = [(Metric::Loss, value)].into_iter().collect();
            scheduler.end_epoch(step as u64 + 1, &metrics, None);
        }
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use emberlab_training::optimizer::Sgd;
    use emberlab_training::scheduler::{Exponential, Interval};

    use super::*;

    fn end(learning_rate: f64, num_steps: usize, scheduler: SchedulerConfig) -> f64 {
        let descent = Descent {
            surface: Surface::named("cosine_bowl").expect("a surface"),
            optimizer: OptimizerConfig::new(Sgd::default(), learning_rate),
            scheduler,
            start: [3.0, 2.0],
            num_steps,
        };
        let path = descent.run().expect("a path");
        assert_eq!(path.len(), num_steps + 1);
        path[num_steps].value
    }

    #[test]
    fn descents_of_the_course_end_at_its_values_exactly() {
        // From the course's notebook, and from the same recurrence with 60 digits; the learning rates are 0.1 · k.
        for (k, num_steps, expected, tolerance) in [
            (1.0, 10, 1.296_761_584_990_209_7, 1e-12),
            (2.0, 10, -1.819_240_328_427_473, 1e-12),
            (3.0, 10, 1.242_746_721_918_285_7, 1e-12),
            (4.0, 10, 0.166_134_455_224, 1e-11),
            (1.0, 30, 1.242_865_937_264_679, 1e-12),
            (2.0, 30, -1.837_021_966_052_810_2, 1e-12),
            (3.0, 30, 1.242_733_394_931_912, 1e-12),
            (4.0, 30, 0.032_745, 1e-5),
        ] {
            let found = end(0.1 * k, num_steps, SchedulerConfig::default());
            assert!(
                (found - expected).abs() < tolerance,
                "0.1·{k}, {num_steps}: {found}"
            );
        }
    }

    #[test]
    fn decay_by_steps_ends_where_the_course_does() {
        let scheduler = Exponential {
            gamma: 0.8,
            interval: Interval::Step,
        };
        let found = end(0.2, 10, scheduler.into());
        assert!((found - -2.164_152_518_45).abs() < 1e-8, "{found}");
    }

    #[test]
    fn a_descent_that_diverges_ends_at_its_last_finite_value() {
        let optimizer = OptimizerConfig::new(Sgd::default(), 1.0);
        let scheduler = SchedulerConfig::default();
        let surface = Surface::named("rosenbrock").expect("a surface");
        let descent = Descent {
            surface,
            optimizer,
            scheduler,
            start: surface.start,
            num_steps: 100,
        };
        let path = descent.run().expect("a path");
        assert!(path.len() < 20, "{}", path.len());
        assert!(path.iter().all(|point| point.value.is_finite()));
    }
}
