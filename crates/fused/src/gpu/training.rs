//! Many replicas that train on a GPU at once.

use std::sync::Arc;

use cubecl::prelude::*;

use super::actions::Actions;
use super::buffer::Buffer;
use super::device::Gpu;
use super::error::GpuError;
use super::kernel::{EVALUATE_TRAIN, EVALUATE_VALID, NOWHERE, STEP, copy};
use super::layout::{BYTES, CubeLimits, Layout, Measure};
use super::pace::{Pace, iterations, iterations_around};
use super::pack::{Packing, pack_samples};
use super::results::GpuResults;
use super::samples::{Samples, Splits, length};
use crate::{Plan, State};

/// The least and the most bytes that the epochs of one call may take: states at their ends, rows and outputs. In between
/// it is an eighth of the largest piece of memory that the device gives.
const MEMORY_OF_EPOCHS: [usize; 2] = [64 << 20, 1 << 30];

/// Units that copy a state.
const COPYING_UNITS: u32 = 64;

/// How outputs are measured, besides their losses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measurement {
    /// Not at all.
    Losses,
    /// All outputs are kept, for a regression.
    Outputs,
    /// Confusion counts of one output: class 1 above the threshold.
    Threshold(f64),
    /// Confusion counts of one output for each class: that of the largest, the first on ties.
    Classes,
}

impl From<Measurement> for Measure {
    fn from(measurement: Measurement) -> Self {
        match measurement {
            Measurement::Losses => Self::Losses,
            Measurement::Outputs => Self::Outputs,
            Measurement::Threshold(threshold) => Self::Threshold(threshold.into()),
            Measurement::Classes => Self::Classes,
        }
    }
}

/// A split of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// The samples that replicas train on.
    Train,
    /// The samples that they are validated on.
    Valid,
}

/// Everything that a training on a GPU is made from.
#[derive(Debug, Clone)]
pub struct GpuSetup {
    /// The network, its loss and its optimiser.
    pub plan: Plan,
    /// Rows of a step; the last of an epoch may have fewer.
    pub batch_size: usize,
    /// How outputs are measured.
    pub measurement: Measurement,
    /// Each replica at its start or at a checkpoint.
    pub replicas: Vec<GpuReplica>,
}

/// A replica at its start or at a checkpoint.
#[derive(Debug, Clone)]
pub struct GpuReplica {
    /// The network and its optimiser.
    pub state: State<f32>,
    /// The network that was [remembered](GpuTraining::remember) as the best.
    pub best: Option<Weights>,
    /// Its samples. All replicas have the same number of rows.
    pub splits: Splits,
}

/// The steps of all replicas.
#[derive(Debug, Clone, Copy)]
pub struct Steps<'a> {
    /// For each replica the rows of its batches, end to end. All replicas have the same number of rows. Replicas that
    /// borrow the same slice share the device's copy.
    pub rows: &'a [&'a [u32]],
    /// For each replica a learning rate for each batch; slices are shared in the same way.
    pub learning_rates: &'a [&'a [f64]],
}

/// An evaluation of a whole split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evaluation {
    /// The split.
    pub split: Split,
    /// Rows of a batch.
    pub batch_size: usize,
}

/// The numbers of a network, without its optimiser.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// The parameters, in the order of [`State::parameters`].
    pub parameters: Vec<f32>,
    /// The running statistics, in the order of [`State::running`].
    pub running: Vec<f32>,
}

/// A moment at which the device has the states of all replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// After the last step.
    Now,
    /// At the end of one of the epochs of the last call of [`GpuTraining::train_epochs`], counted from 0.
    EndOf(usize),
}

/// Replicas of one plan whose networks, optimisers and data live on a GPU.
///
/// Replicas never touch each other: each gets the bits that it would get alone. The same device gives the same bits for
/// the same steps, however they are cut into calls and launches.
pub struct GpuTraining {
    pub(super) client: Client,
    pub(super) plan: Plan,
    pub(super) layout: Layout,
    packing: Packing,
    pub(super) pace: Pace,
    splits: Vec<Splits>,
    /// Steps done by each replica.
    pub(super) steps: Vec<u64>,
    /// The seed of each replica's steps: of dropout and of noise on gradients.
    pub(super) step_seeds: Vec<u64>,
    /// For each replica the first rows of its splits.
    pub(super) places: Vec<[u32; 2]>,
    pub(super) data: Buffer,
    pub(super) state: Buffer,
    best: Buffer,
    pub(super) records: Buffer,
    epochs: Epochs,
}

/// The states at the ends of the epochs of the last call.
struct Epochs {
    /// `[epoch × replica]`, each the part of the state that lasts.
    snapshots: Buffer,
    count: usize,
    steps_per_epoch: u64,
    /// Steps done by each replica before the first of them.
    steps_before: Vec<u64>,
}

/// The states of all replicas at one moment, read from the device.
#[derive(Debug)]
pub struct ReadStates {
    packing: Packing,
    memory: Vec<f32>,
    steps: Vec<u64>,
    step_seeds: Vec<u64>,
}

impl ReadStates {
    /// The state of a replica.
    pub fn of(&self, replica: usize) -> State<f32> {
        let (step, step_seed) = (self.steps[replica], self.step_seeds[replica]);
        (self.packing).unpack(&self.memory, replica, step, step_seed)
    }
}

/// The best weights of all replicas, read from the device.
#[derive(Debug)]
pub struct ReadWeights {
    packing: Packing,
    memory: Vec<f32>,
}

impl ReadWeights {
    /// The weights of a replica; zeros if none were remembered.
    pub fn of(&self, replica: usize) -> Weights {
        self.packing.unpack_weights(&self.memory, replica)
    }
}

impl std::fmt::Debug for GpuTraining {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("GpuTraining");
        debug.field("plan", &self.plan);
        debug.field("steps", &self.steps).finish_non_exhaustive()
    }
}

impl GpuTraining {
    /// Checks that a GPU can train by a plan on so many samples, with steps and evaluations of so many rows.
    ///
    /// # Errors
    /// [`GpuError`] if the kernel does not cover the plan, if the device ends launches before a step is done, or if it has
    /// too little memory for the samples.
    pub fn check(
        gpu: &Gpu,
        plan: &Plan,
        num_samples: usize,
        batch_size: usize,
        evaluation_batch_size: usize,
    ) -> Result<(), GpuError> {
        // With everything that may be asked for, so that no setup of this plan needs more.
        let layout = Layout::new(plan, batch_size, true, Measure::Outputs, gpu.limits())?;
        let pace = Pace::new(gpu.loop_limit);
        for (kind, rows) in [(STEP, batch_size), (EVALUATE_VALID, evaluation_batch_size)] {
            pace.check(iterations_around(&layout) + iterations(&layout, kind, rows) + 1)?;
        }
        gpu.check_memory("the samples", (num_samples * layout.sample * BYTES) as u64)
    }

    /// Copies everything to a GPU.
    ///
    /// # Errors
    /// [`GpuError`] if the kernel does not cover the plan, if states, splits and plan do not fit together, or if the device
    /// has too little memory for the samples.
    pub fn new(gpu: Gpu, setup: GpuSetup) -> Result<Self, GpuError> {
        let limits = gpu.limits();
        Self::within(gpu, setup, limits)
    }

    /// [`new`](Self::new) with bounds on what a cube uses.
    pub(super) fn within(gpu: Gpu, setup: GpuSetup, limits: CubeLimits) -> Result<Self, GpuError> {
        let (client, loop_limit) = (gpu.client.clone(), gpu.loop_limit);
        let GpuSetup {
            plan,
            batch_size,
            measurement,
            replicas,
        } = setup;
        let num_replicas = replicas.len();
        if num_replicas == 0 {
            return Err(GpuError::NoReplicas);
        }
        for replica in &replicas {
            plan.check(&replica.state)?;
        }
        let most = client.properties().hardware.max_cube_count.0 as usize;
        if num_replicas > most {
            return Err(GpuError::TooManyReplicas {
                found: num_replicas,
                most,
            });
        }
        let splits: Vec<Splits> = replicas.iter().map(|one| one.splits.clone()).collect();
        for split in &splits {
            for samples in std::iter::once(&split.train).chain(&split.valid) {
                samples.check(&plan)?;
            }
            let rows = |split: &Splits| {
                let valid = split.valid.as_ref().map(|samples| samples.len(&plan));
                (split.train.len(&plan), valid.unwrap_or(0))
            };
            length("training samples", rows(&splits[0]).0, rows(split).0)?;
            length("validation samples", rows(&splits[0]).1, rows(split).1)?;
        }
        if let Measurement::Threshold(_) = measurement {
            length("outputs of two classes", 1, plan.d_output())?;
        }
        let all = splits
            .iter()
            .flat_map(|s| std::iter::once(&s.train).chain(&s.valid));
        let has_sample_weights = all.into_iter().any(|samples| samples.weights.is_some());
        let layout = Layout::new(
            &plan,
            batch_size,
            has_sample_weights,
            measurement.into(),
            limits,
        )?;
        let packing = Packing::new(&layout);
        let (mut state, mut best) = (Vec::new(), Vec::new());
        for replica in &replicas {
            packing.pack(&replica.state, &mut state);
            packing.pack_weights(replica.best.as_ref(), &mut best);
        }
        let num_records = match layout.are_records_shared {
            true => 1,
            false => num_replicas * layout.tile * layout.record,
        };
        let (data, places) = upload_samples(&gpu, &layout, &plan, &splits)?;
        let pace = Pace::new(loop_limit);
        Ok(Self {
            data,
            places,
            state: Buffer::vectors(&client, &state),
            best: Buffer::vectors(&client, &best),
            records: Buffer::of_vectors(&client, num_records),
            steps: replicas.iter().map(|replica| replica.state.step).collect(),
            step_seeds: (replicas.iter().map(|replica| replica.state.step_seed)).collect(),
            epochs: Epochs::none(&client),
            plan,
            layout,
            packing,
            pace,
            splits,
            client,
        })
    }

    /// Iterations after which the device ends a launch.
    #[cfg(all(test, feature = "wgpu"))]
    pub(super) fn loop_limit(&self) -> Option<u64> {
        self.pace.limit()
    }

    /// Takes the device for one that ends launches after some iterations.
    #[cfg(all(test, feature = "wgpu"))]
    pub(super) fn set_loop_limit(&mut self, iterations: u64) {
        self.pace = Pace::new(Some(iterations));
    }

    /// Gives each launch so much work.
    #[cfg(all(test, feature = "wgpu"))]
    pub(super) fn set_launch_length(&mut self, iterations: u64) {
        self.pace.set(iterations);
    }

    /// Number of replicas.
    pub fn num_replicas(&self) -> usize {
        self.steps.len()
    }

    /// The number of steps that one launch of about 100 ms does, at the pace of the last ones; at least one.
    pub fn steps_of_a_launch(&self) -> usize {
        let work = iterations(&self.layout, STEP, self.batch_size()) + 1;
        let steps = self.pace.iterations() / work;
        usize::try_from(steps).unwrap_or(usize::MAX).max(1)
    }

    /// The number of epochs whose states, rows and outputs the device's memory should hold; at least one.
    pub fn most_epochs(&self) -> usize {
        let num_rows = self.num_rows(Split::Train) + self.num_rows(Split::Valid);
        let numbers_of_row = match self.layout.measure {
            Measure::Outputs => 1 + self.plan.d_output(),
            _ => 1,
        };
        let of_replica = self.layout.saved * BYTES + num_rows * numbers_of_row * size_of::<u32>();
        let [least, most] = MEMORY_OF_EPOCHS;
        let largest = self.client.properties().memory.max_page_size as usize;
        let memory = (largest / 8).clamp(least, most);
        (memory / (self.num_replicas() * of_replica).max(1)).max(1)
    }

    /// The states of all replicas at a moment.
    ///
    /// # Errors
    /// [`GpuError`] if there was no such moment, or if the device failed.
    pub fn states(&self, moment: Moment) -> Result<ReadStates, GpuError> {
        let replicas: Vec<usize> = (0..self.num_replicas()).collect();
        let saved = self.layout.saved;
        let states = Buffer::of_vectors(&self.client, replicas.len() * saved);
        self.copy_states(&states, saved, &replicas, moment)?;
        Ok(ReadStates {
            packing: self.packing.clone(),
            memory: states.read(&self.client)?,
            steps: self.steps_at(moment),
            step_seeds: self.step_seeds.clone(),
        })
    }

    /// The weights of each replica that were [remembered](Self::remember) last.
    ///
    /// # Errors
    /// [`GpuError::Device`] if the device failed.
    pub fn best_weights(&self) -> Result<ReadWeights, GpuError> {
        Ok(ReadWeights {
            packing: self.packing.clone(),
            memory: self.best.read(&self.client)?,
        })
    }

    /// Remembers the weights of replicas at a moment as their best ones.
    ///
    /// # Errors
    /// [`GpuError::Length`] if there was no such moment or replica.
    pub fn remember(&mut self, moments: &[Option<Moment>]) -> Result<(), GpuError> {
        length("replicas", self.num_replicas(), moments.len())?;
        let weights = self.layout.weights;
        let is_now = |moment: &Option<Moment>| *moment == Some(Moment::Now);
        for is_of_now in [true, false] {
            let mut places = Vec::with_capacity(moments.len());
            for (replica, moment) in moments.iter().enumerate() {
                places.push(match moment {
                    Some(at) if is_now(moment) == is_of_now => self.place(replica, *at)?,
                    _ => NOWHERE,
                });
            }
            if places.iter().all(|&place| place == NOWHERE) {
                continue;
            }
            let source = match is_of_now {
                true => &self.state,
                false => &self.epochs.snapshots,
            };
            self.copy(source, &self.best, &places, weights, weights);
        }
        Ok(())
    }

    /// Goes on from a moment with some of the replicas, in this order, and drops the others.
    ///
    /// # Errors
    /// [`GpuError::Length`] if there was no such moment or replica.
    pub fn go_on(&mut self, replicas: &[usize], moment: Moment) -> Result<(), GpuError> {
        if moment == Moment::Now && replicas.iter().copied().eq(0..self.num_replicas()) {
            return Ok(());
        }
        let layout = &self.layout;
        let state = Buffer::of_vectors(&self.client, replicas.len() * layout.state);
        let best = Buffer::of_vectors(&self.client, replicas.len() * layout.weights);
        self.copy_states(&state, layout.state, replicas, moment)?;
        let places: Vec<u32> = replicas
            .iter()
            .map(|&replica| (replica * layout.weights) as u32)
            .collect();
        self.copy(&self.best, &best, &places, layout.weights, layout.weights);
        let steps = self.steps_at(moment);
        self.state = state;
        self.best = best;
        self.steps = replicas.iter().map(|&replica| steps[replica]).collect();
        self.step_seeds = replicas
            .iter()
            .map(|&replica| self.step_seeds[replica])
            .collect();
        self.places = replicas
            .iter()
            .map(|&replica| self.places[replica])
            .collect();
        self.splits = replicas
            .iter()
            .map(|&replica| self.splits[replica].clone())
            .collect();
        self.epochs = Epochs::none(&self.client);
        Ok(())
    }

    /// Trains all replicas, one step per batch. The results have one group of batches.
    ///
    /// # Errors
    /// [`GpuError`] if rows or learning rates do not fit, or if the device failed.
    pub fn train(&mut self, steps: Steps<'_>) -> Result<GpuResults, GpuError> {
        let num_rows = self.check_steps(steps, 1)?;
        let mut actions = Actions::default();
        actions.push_batches(&self.layout, STEP, 0..num_rows, self.batch_size());
        let num_steps = actions.num_steps();
        self.epochs = Epochs::none(&self.client);
        let none = self.epochs.snapshots.clone();
        let results = self.run(actions, Some(steps), &none)?;
        for step in &mut self.steps {
            *step += u64::from(num_steps);
        }
        Ok(results)
    }

    /// Evaluates all replicas on their samples of a split. The results have one group of batches.
    ///
    /// # Errors
    /// [`GpuError`] if the device failed.
    pub fn evaluate(&mut self, evaluation: Evaluation) -> Result<GpuResults, GpuError> {
        let mut actions = Actions::default();
        self.push_evaluation(&mut actions, evaluation);
        let none = Buffer::of_vectors(&self.client, 0);
        self.run(actions, None, &none)
    }

    /// Trains all replicas for whole epochs, each followed by evaluations. The results have for each epoch one group for
    /// its steps and one for each evaluation.
    ///
    /// The device keeps the states at the end of each epoch until the next call that trains, so that a training can
    /// [go on](Self::go_on) from any of them. `steps` holds rows and learning rates of all epochs, end to end; all
    /// epochs have the same number of rows.
    ///
    /// # Errors
    /// [`GpuError`] if rows or learning rates do not fit, or if the device failed.
    pub fn train_epochs(
        &mut self,
        steps: Steps<'_>,
        num_epochs: usize,
        evaluations: &[Evaluation],
    ) -> Result<GpuResults, GpuError> {
        let num_rows = self.check_steps(steps, num_epochs)? / num_epochs.max(1);
        let mut actions = Actions::default();
        for epoch in 0..num_epochs {
            let rows = epoch * num_rows..(epoch + 1) * num_rows;
            actions.push_batches(&self.layout, STEP, rows, self.batch_size());
            for &evaluation in evaluations {
                self.push_evaluation(&mut actions, evaluation);
            }
            actions.push_end(&self.layout);
        }
        let num_steps = u64::from(actions.num_steps());
        let saved = num_epochs * self.num_replicas() * self.layout.saved;
        self.epochs = Epochs {
            snapshots: Buffer::of_vectors(&self.client, saved),
            count: num_epochs,
            steps_per_epoch: num_steps / num_epochs.max(1) as u64,
            steps_before: self.steps.clone(),
        };
        let snapshots = self.epochs.snapshots.clone();
        let results = self.run(actions, Some(steps), &snapshots)?;
        for step in &mut self.steps {
            *step += num_steps;
        }
        Ok(results)
    }

    fn push_evaluation(&self, actions: &mut Actions, evaluation: Evaluation) {
        let kind = match evaluation.split {
            Split::Train => EVALUATE_TRAIN,
            Split::Valid => EVALUATE_VALID,
        };
        let rows = 0..self.num_rows(evaluation.split);
        actions.push_batches(&self.layout, kind, rows, evaluation.batch_size);
    }

    /// Where the state of a replica begins at a moment, among the states of now or those at the ends of epochs.
    fn place(&self, replica: usize, moment: Moment) -> Result<u32, GpuError> {
        if replica >= self.num_replicas() {
            length("replicas", replica + 1, self.num_replicas())?;
        }
        let place = match moment {
            Moment::Now => replica * self.layout.state,
            Moment::EndOf(epoch) => {
                if epoch >= self.epochs.count {
                    length("epochs in the last call", epoch + 1, self.epochs.count)?;
                }
                (epoch * self.num_replicas() + replica) * self.layout.saved
            }
        };
        Ok(place as u32)
    }

    /// Steps done by each replica at a moment.
    fn steps_at(&self, moment: Moment) -> Vec<u64> {
        let Moment::EndOf(epoch) = moment else {
            return self.steps.clone();
        };
        let done = (epoch as u64 + 1) * self.epochs.steps_per_epoch;
        let before = self.epochs.steps_before.iter();
        before.map(|before| before + done).collect()
    }

    /// Copies the states of some replicas at a moment, to parts of `stride` vectors.
    fn copy_states(
        &self,
        to: &Buffer,
        stride: usize,
        replicas: &[usize],
        moment: Moment,
    ) -> Result<(), GpuError> {
        let places = replicas.iter().map(|&replica| self.place(replica, moment));
        let places: Vec<u32> = places.collect::<Result<_, _>>()?;
        let source = match moment {
            Moment::Now => &self.state,
            Moment::EndOf(_) => &self.epochs.snapshots,
        };
        self.copy(source, to, &places, self.layout.saved, stride);
        Ok(())
    }

    /// Copies `length` vectors from each place to parts of `stride` vectors.
    fn copy(&self, from: &Buffer, to: &Buffer, places: &[u32], length: usize, stride: usize) {
        if places.is_empty() {
            return;
        }
        let client = &self.client;
        copy::launch(
            client,
            CubeCount::Static(places.len() as u32, 1, 1),
            CubeDim::new_1d(COPYING_UNITS.min(client.properties().hardware.max_units_per_cube)),
            from.argument(),
            to.argument(),
            Buffer::integers(client, places).argument(),
            length as u32,
            stride as u32,
        );
    }

    fn batch_size(&self) -> usize {
        self.layout.batch_size
    }

    fn num_rows(&self, split: Split) -> usize {
        let Some(first) = self.splits.first() else {
            return 0;
        };
        let samples = match split {
            Split::Train => Some(&first.train),
            Split::Valid => first.valid.as_ref(),
        };
        samples.map_or(0, |samples| samples.len(&self.plan))
    }

    /// Checks rows and learning rates, and gives the number of rows of one replica.
    fn check_steps(&self, steps: Steps<'_>, num_epochs: usize) -> Result<usize, GpuError> {
        let num_replicas = self.num_replicas();
        length("orders of rows", num_replicas, steps.rows.len())?;
        length(
            "replicas with learning rates",
            num_replicas,
            steps.learning_rates.len(),
        )?;
        let num_samples = self.num_rows(Split::Train);
        let num_rows = steps.rows.first().map_or(0, |rows| rows.len());
        let of_epoch = num_rows / num_epochs.max(1);
        length(
            "rows in epochs of equal length",
            of_epoch * num_epochs,
            num_rows,
        )?;
        let mut checked: Option<&[u32]> = None;
        for (&rows, rates) in steps.rows.iter().zip(steps.learning_rates) {
            length("rows of an order", num_rows, rows.len())?;
            let num_batches = num_epochs * of_epoch.div_ceil(self.batch_size());
            length("learning rates", num_batches, rates.len())?;
            if checked.is_some_and(|other| std::ptr::eq(other, rows)) {
                continue;
            }
            checked = Some(rows);
            if let Some(&row) = rows.iter().find(|&&row| row as usize >= num_samples) {
                return Err(GpuError::Row {
                    row,
                    num_rows: num_samples,
                });
            }
        }
        Ok(num_rows)
    }
}

impl Epochs {
    /// No epochs.
    fn none(client: &Client) -> Self {
        Self {
            snapshots: Buffer::of_vectors(client, 0),
            count: 0,
            steps_per_epoch: 0,
            steps_before: Vec::new(),
        }
    }
}

/// Copies all samples to the device, those that replicas share once, and gives the first rows of each replica's splits.
fn upload_samples(
    gpu: &Gpu,
    layout: &Layout,
    plan: &Plan,
    splits: &[Splits],
) -> Result<(Buffer, Vec<[u32; 2]>), GpuError> {
    let mut memory = Vec::new();
    let mut num_rows = 0u32;
    let mut known: std::collections::HashMap<*const Samples, u32> = Default::default();
    let mut place_of = |samples: &Arc<Samples>| {
        *known.entry(Arc::as_ptr(samples)).or_insert_with(|| {
            pack_samples(samples, plan.loss, layout, &mut memory);
            num_rows += samples.len(plan) as u32;
            num_rows - samples.len(plan) as u32
        })
    };
    let places = splits.iter().map(|split| {
        let train = place_of(&split.train);
        [train, split.valid.as_ref().map_or(0, &mut place_of)]
    });
    let places = places.collect();
    gpu.check_memory("the samples", (memory.len() * size_of::<f32>()) as u64)?;
    Ok((Buffer::vectors(&gpu.client, &memory), places))
}
