//! Many replicas that train on a GPU at once.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use cubecl::bytes::Bytes;
use cubecl::prelude::*;
use cubecl::server::Handle;
use cubecl::zspace::{Shape, Strides, Tiling};

use super::epochs::{EpochPlan, EpochResult, EpochResults, Metric, Progress};
use super::error::GpuError;
use super::kernel::{
    ACTION, CallLaunch, END, EPOCH, EVALUATE_TRAIN, EVALUATE_VALID, InputsLaunch, NO_OBJECTIVE,
    OutputsLaunch, STEP, TABLE, TRACK, TRAIN_ACCURACY, TRAIN_LOSS, VALID_ACCURACY, VALID_LOSS,
    count_iterations, train,
};
use super::layout::{CubeLimits, Layout, Measure};
use super::pace::{Pace, iterations, iterations_around};
use super::pack::{Packing, pack_samples};
use super::samples::{Samples, Splits, length};
use crate::{Optimizer, Plan, State};

/// Iterations of the loop that finds out whether the device ends long loops.
const LONG_LOOP: u32 = 100_000;

/// No row of outputs is kept.
const NO_OUTPUTS: u32 = 0;

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
    /// The state of each replica.
    pub states: Vec<State<f32>>,
    /// The splits of each replica. All have the same number of rows.
    pub splits: Vec<Splits>,
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

/// The results of a replica's steps or of its evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct GpuResults {
    /// Rows of each batch.
    pub sizes: Vec<usize>,
    /// The loss of each batch, reduced; of a step that before its update.
    pub losses: Vec<f32>,
    /// Confusion counts of all batches, `[num_classes × num_classes]`: a row for each target, a column for each
    /// prediction. A row of outputs with a NaN is not counted. Empty unless classes are counted.
    pub counts: Vec<u32>,
    /// Outputs of all batches, `[num_rows × d_output]`. Empty unless outputs are kept.
    pub outputs: Vec<f32>,
}

/// The numbers of a network, without its optimiser.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// The parameters, in the order of [`State::parameters`].
    pub parameters: Vec<f32>,
    /// The running statistics, in the order of [`State::running`].
    pub running: Vec<f32>,
}

/// Replicas of one plan whose networks, optimisers and data live on a GPU.
///
/// Replicas never touch each other: each gets the bits that it would get alone. The same device gives the same bits for
/// the same steps, however they are cut into calls and launches.
pub struct GpuTraining {
    client: Client,
    plan: Plan,
    layout: Layout,
    packing: Packing,
    pace: Pace,
    splits: Vec<Splits>,
    /// Steps done by each replica.
    steps: Vec<u64>,
    /// For each replica the first rows of its splits.
    places: Vec<[u32; 2]>,
    data: Buffer,
    state: Buffer,
    best: Buffer,
    records: Buffer,
}

impl std::fmt::Debug for GpuTraining {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("GpuTraining");
        debug.field("plan", &self.plan);
        debug.field("steps", &self.steps).finish_non_exhaustive()
    }
}

/// Memory of the device.
#[derive(Debug, Clone)]
pub(super) struct Buffer {
    handle: Handle,
    /// Number of elements.
    length: usize,
}

impl Buffer {
    /// A buffer that holds `numbers`, or one element if there are none: a kernel takes no empty buffer.
    fn new<T: CubeElement>(client: &Client, numbers: &[T], zero: T, components: usize) -> Self {
        let empty = vec![zero; components];
        let numbers = if numbers.is_empty() {
            empty.as_slice()
        } else {
            numbers
        };
        Self {
            handle: client.create_from_slice(T::as_bytes(numbers)),
            length: numbers.len() / components,
        }
    }

    pub(super) fn vectors(client: &Client, numbers: &[f32]) -> Self {
        Self::new(client, numbers, 0.0, 4)
    }

    fn floats(client: &Client, numbers: &[f32]) -> Self {
        Self::new(client, numbers, 0.0, 1)
    }

    fn integers(client: &Client, numbers: &[u32]) -> Self {
        Self::new(client, numbers, 0, 1)
    }

    pub(super) fn argument(&self) -> BufferArg {
        let binding = TensorBinding {
            handle: self.handle.clone().binding(),
            strides: Strides::new(&[1]),
            shape: Shape::from(vec![self.length]),
            tiling: Tiling::UNTILED,
        };
        binding.into_buffer_arg()
    }

    pub(super) fn read<T: CubeElement>(&self, client: &Client) -> Result<Vec<T>, GpuError> {
        let bytes = read_all(client, &[self])?;
        Ok(T::from_bytes(&bytes[0]).to_vec())
    }
}

/// The bytes of some buffers, after all work that was asked for before.
fn read_all(client: &Client, buffers: &[&Buffer]) -> Result<Vec<Bytes>, GpuError> {
    let handles = buffers.iter().map(|buffer| buffer.handle.clone());
    let bytes = client.read(handles.collect());
    bytes.map_err(|error| GpuError::Device(format!("{error:?}")))
}

/// The actions of a call, and how many results they have.
#[derive(Default)]
struct Actions {
    numbers: Vec<u32>,
    sizes: Vec<usize>,
    num_epochs: usize,
    num_slots: usize,
    num_output_rows: usize,
    /// Iterations of each action.
    iterations: Vec<u64>,
}

impl Actions {
    /// Adds a step or an evaluation of some rows.
    fn push_batch(
        &mut self,
        layout: &Layout,
        kind: u32,
        rows: Range<usize>,
        slot: usize,
        output_row: usize,
    ) {
        let step = self.sizes.len() as u32;
        self.push(
            layout,
            [
                kind,
                rows.start as u32,
                rows.len() as u32,
                step,
                slot as u32,
                output_row as u32,
                self.sizes.len() as u32,
            ],
        );
        self.sizes.push(rows.len());
    }

    fn push(&mut self, layout: &Layout, action: [u32; ACTION]) {
        self.iterations
            .push(iterations(layout, action[0], action[2] as usize));
        self.numbers.extend(action);
    }
}

/// The results of the actions of a call.
struct ActionResults {
    losses: Vec<f32>,
    epochs: Vec<f32>,
    counts: Vec<u32>,
    outputs: Vec<f32>,
    track: Vec<f32>,
}

impl GpuTraining {
    /// Copies everything to the device of a client.
    ///
    /// # Errors
    /// [`GpuError`] if the kernel does not cover the plan, or if states, splits and plan do not fit together.
    pub fn new(client: Client, setup: GpuSetup) -> Result<Self, GpuError> {
        let hardware = &client.properties().hardware;
        let limits = CubeLimits {
            shared_memory: hardware.max_shared_memory_size,
            units: hardware.max_units_per_cube as usize,
        };
        Self::within(client, setup, limits)
    }

    /// [`new`](Self::new) with bounds on what a cube uses.
    pub(super) fn within(
        client: Client,
        setup: GpuSetup,
        limits: CubeLimits,
    ) -> Result<Self, GpuError> {
        let GpuSetup {
            plan,
            batch_size,
            measurement,
            states,
            splits,
        } = setup;
        if states.is_empty() {
            return Err(GpuError::NoReplicas);
        }
        for state in &states {
            plan.check(state)?;
        }
        let most = client.properties().hardware.max_cube_count.0 as usize;
        if states.len() > most {
            return Err(GpuError::TooManyReplicas {
                found: states.len(),
                most,
            });
        }
        length("splits", states.len(), splits.len())?;
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
        let measure = match measurement {
            Measurement::Losses => Measure::Losses,
            Measurement::Outputs => Measure::Outputs,
            Measurement::Threshold(threshold) => {
                length("outputs of two classes", 1, plan.d_output())?;
                Measure::Threshold(threshold.into())
            }
            Measurement::Classes => Measure::Classes,
        };
        let all = splits
            .iter()
            .flat_map(|s| std::iter::once(&s.train).chain(&s.valid));
        let has_sample_weights = all.into_iter().any(|samples| samples.weights.is_some());
        let layout = Layout::new(&plan, batch_size, has_sample_weights, measure, limits)?;
        let packing = Packing::new(&layout);
        let mut memory = Vec::new();
        for state in &states {
            packing.pack(state, &mut memory);
        }
        let num_replicas = states.len();
        let num_records = match layout.are_records_shared {
            true => 1,
            false => num_replicas * layout.tile * layout.record,
        };
        let (data, places) = upload_samples(&client, &layout, &plan, &splits);
        let pace = Pace::new(loop_limit(&client)?);
        Ok(Self {
            data,
            places,
            state: Buffer::vectors(&client, &memory),
            best: Buffer::vectors(&client, &vec![0.0; 4 * num_replicas * layout.weights]),
            records: Buffer::vectors(&client, &vec![0.0; 4 * num_records]),
            steps: states.iter().map(|state| state.step).collect(),
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

    /// The state of each replica.
    ///
    /// # Errors
    /// [`GpuError::Device`] if the device failed.
    pub fn states(&self) -> Result<Vec<State<f32>>, GpuError> {
        let memory = self.state.read(&self.client)?;
        Ok(self.packing.unpack(&memory, &self.steps))
    }

    /// The weights of each replica at the best of its epochs, and zeros where no epoch was the best yet.
    ///
    /// # Errors
    /// [`GpuError::Device`] if the device failed.
    pub fn best_weights(&self) -> Result<Vec<Weights>, GpuError> {
        let memory = self.best.read(&self.client)?;
        Ok(self.packing.unpack_weights(&memory))
    }

    /// Keeps the replicas at these places, in this order, and drops the others.
    ///
    /// # Errors
    /// [`GpuError::Length`] if a place does not exist, [`GpuError::Device`] if the device failed.
    pub fn keep(&mut self, places: &[usize]) -> Result<(), GpuError> {
        if let Some(&place) = places.iter().find(|&&place| place >= self.num_replicas()) {
            return length("replicas", place + 1, self.num_replicas());
        }
        let state: Vec<f32> = self.state.read(&self.client)?;
        let best: Vec<f32> = self.best.read(&self.client)?;
        let of_kept = |memory: &[f32], size: usize| -> Vec<f32> {
            let parts = places
                .iter()
                .map(|place| &memory[place * size..(place + 1) * size]);
            parts.flatten().copied().collect()
        };
        let layout = &self.layout;
        self.state = Buffer::vectors(&self.client, &of_kept(&state, 4 * layout.state));
        self.best = Buffer::vectors(&self.client, &of_kept(&best, 4 * layout.weights));
        self.steps = places.iter().map(|&place| self.steps[place]).collect();
        self.places = places.iter().map(|&place| self.places[place]).collect();
        self.splits = places
            .iter()
            .map(|&place| self.splits[place].clone())
            .collect();
        Ok(())
    }

    /// Trains all replicas, one step per batch.
    ///
    /// # Errors
    /// [`GpuError`] if rows or learning rates do not fit, or if the device failed.
    pub fn train(&mut self, steps: Steps<'_>) -> Result<Vec<GpuResults>, GpuError> {
        let num_rows = self.check_steps(steps, 1)?;
        let mut actions = Actions {
            num_slots: 1,
            num_output_rows: num_rows,
            ..Actions::default()
        };
        for start in (0..num_rows).step_by(self.batch_size()) {
            let end = num_rows.min(start + self.batch_size());
            actions.push_batch(&self.layout, STEP, start..end, 0, start);
        }
        let num_steps = actions.sizes.len() as u64;
        let left = self.run(&actions, Some(steps), None)?;
        for step in &mut self.steps {
            *step += num_steps;
        }
        Ok(self.results(&actions, &left))
    }

    /// Evaluates all replicas on their samples of a split, in batches of `batch_size` rows.
    ///
    /// # Errors
    /// [`GpuError`] if the device failed.
    pub fn evaluate(
        &mut self,
        split: Split,
        batch_size: usize,
    ) -> Result<Vec<GpuResults>, GpuError> {
        let num_rows = self.num_rows(split);
        let mut actions = Actions {
            num_slots: 1,
            num_output_rows: num_rows,
            ..Actions::default()
        };
        let kind = match split {
            Split::Train => EVALUATE_TRAIN,
            Split::Valid => EVALUATE_VALID,
        };
        for start in (0..num_rows).step_by(batch_size.max(1)) {
            let end = num_rows.min(start + batch_size.max(1));
            actions.push_batch(&self.layout, kind, start..end, 0, start);
        }
        let left = self.run(&actions, None, None)?;
        Ok(self.results(&actions, &left))
    }

    /// Trains all replicas for whole epochs, each followed by an evaluation on the validation split.
    ///
    /// # Errors
    /// [`GpuError`] if rows or learning rates do not fit, or if the device failed.
    pub fn train_epochs(&mut self, plan: &EpochPlan<'_>) -> Result<EpochResults, GpuError> {
        let num_epochs = plan.num_epochs;
        let num_rows = self.check_steps(plan.steps, num_epochs)? / num_epochs.max(1);
        length(
            "replicas with progress",
            self.num_replicas(),
            plan.progress.len(),
        )?;
        let num_valid = self.num_rows(Split::Valid);
        let rows_of_epoch = num_rows + num_valid;
        let mut actions = Actions {
            num_epochs,
            num_slots: 2 * num_epochs,
            num_output_rows: num_epochs * rows_of_epoch,
            ..Actions::default()
        };
        let mut num_steps = 0u32;
        let mut batches_of_epoch = Vec::new();
        for epoch in 0..num_epochs {
            let first_output = epoch * rows_of_epoch;
            for start in (0..num_rows).step_by(self.batch_size()) {
                let end = num_rows.min(start + self.batch_size());
                let rows = epoch * num_rows + start..epoch * num_rows + end;
                actions.push_batch(&self.layout, STEP, rows, 2 * epoch, first_output + start);
                // The steps of all epochs are counted on; evaluations have none.
                let step = actions.numbers.len() - ACTION + 3;
                actions.numbers[step] = num_steps;
                num_steps += 1;
            }
            for start in (0..num_valid).step_by(plan.evaluation_batch_size.max(1)) {
                let end = num_valid.min(start + plan.evaluation_batch_size.max(1));
                let output_row = first_output + num_rows + start;
                let slot = 2 * epoch + 1;
                actions.push_batch(&self.layout, EVALUATE_VALID, start..end, slot, output_row);
            }
            batches_of_epoch.push(num_steps);
            let end = [END, epoch as u32, 0, 0, 2 * epoch as u32, NO_OUTPUTS, 0];
            actions.push(&self.layout, end);
        }
        let left = self.run(&actions, Some(plan.steps), Some(plan))?;
        let mut results = EpochResults {
            epochs: Vec::new(),
            progress: Vec::new(),
        };
        let cells = self.cells();
        let d_output = self.plan.d_output();
        for replica in 0..self.num_replicas() {
            let mut epochs = Vec::new();
            for epoch in 0..num_epochs {
                let place = (replica * num_epochs + epoch) * EPOCH;
                let numbers = &left.epochs[place..place + EPOCH];
                if numbers[3] == 0.0 {
                    break;
                }
                let counts = |split: usize| {
                    let slot = replica * actions.num_slots + 2 * epoch + split;
                    left.counts[slot * cells..(slot + 1) * cells].to_vec()
                };
                let outputs = |first: usize, rows: usize| {
                    let first = replica * actions.num_output_rows + epoch * rows_of_epoch + first;
                    match self.layout.measure {
                        Measure::Outputs => {
                            left.outputs[first * d_output..(first + rows) * d_output].to_vec()
                        }
                        _ => Vec::new(),
                    }
                };
                epochs.push(EpochResult {
                    train_loss: numbers[0],
                    valid_loss: (num_valid > 0).then_some(numbers[1]),
                    train_counts: counts(0),
                    valid_counts: counts(1),
                    train_outputs: outputs(0, num_rows),
                    valid_outputs: outputs(num_rows, num_valid),
                    is_best: numbers[2] != 0.0,
                });
            }
            if let Some(&steps) = epochs
                .len()
                .checked_sub(1)
                .and_then(|e| batches_of_epoch.get(e))
            {
                self.steps[replica] += u64::from(steps);
            }
            results.epochs.push(epochs);
            let track = &left.track[replica * TRACK..(replica + 1) * TRACK];
            results.progress.push(Progress::from_track(
                track,
                plan.objective,
                self.accuracy_rows(plan),
            ));
        }
        Ok(results)
    }

    /// Rows that an accuracy is a share of.
    fn accuracy_rows(&self, plan: &EpochPlan<'_>) -> usize {
        match plan.objective.map(|objective| objective.split) {
            Some(Split::Train) => {
                plan.steps.rows.first().map_or(0, |rows| rows.len()) / plan.num_epochs.max(1)
            }
            Some(Split::Valid) => self.num_rows(Split::Valid),
            None => 0,
        }
    }

    fn batch_size(&self) -> usize {
        self.layout.batch_size
    }

    fn cells(&self) -> usize {
        self.layout.measure.cells(self.plan.d_output())
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

    /// The results of each replica's batches.
    fn results(&self, actions: &Actions, left: &ActionResults) -> Vec<GpuResults> {
        let num_batches = actions.sizes.len();
        let cells = self.cells();
        let outputs = match self.layout.measure {
            Measure::Outputs => actions.num_output_rows * self.plan.d_output(),
            _ => 0,
        };
        let replica = |replica: usize| GpuResults {
            sizes: actions.sizes.clone(),
            losses: left.losses[replica * num_batches..(replica + 1) * num_batches].to_vec(),
            counts: left.counts[replica * cells..(replica + 1) * cells].to_vec(),
            outputs: left.outputs[replica * outputs..(replica + 1) * outputs].to_vec(),
        };
        (0..self.num_replicas()).map(replica).collect()
    }

    /// Runs actions in as many launches as they need, and reads what they left.
    fn run(
        &mut self,
        actions: &Actions,
        steps: Option<Steps<'_>>,
        epochs: Option<&EpochPlan<'_>>,
    ) -> Result<ActionResults, GpuError> {
        let num_replicas = self.num_replicas();
        let num_actions = actions.iterations.len();
        if num_replicas == 0 || num_actions == 0 {
            return Ok(self.nothing(actions));
        }
        let client = self.client.clone();
        let num_losses = actions.sizes.len();
        let output_length = match self.layout.measure {
            Measure::Outputs => num_replicas * actions.num_output_rows * self.plan.d_output(),
            _ => 0,
        };
        let num_counts = num_replicas * actions.num_slots * self.cells();
        let (rates, first_rates) = self.rates(steps);
        let (orders, first_rows) = match steps {
            Some(steps) => shared(
                num_replicas,
                |a, b| std::ptr::eq(steps.rows[a], steps.rows[b]),
                |replica, all| {
                    let first = all.len();
                    all.extend_from_slice(steps.rows[replica]);
                    first
                },
            ),
            None => (Vec::new(), vec![0; num_replicas]),
        };
        let mut table = Vec::with_capacity(num_replicas * TABLE);
        for replica in 0..num_replicas {
            table.extend(self.places[replica]);
            table.extend([first_rates[replica], first_rows[replica]]);
        }
        let track = match epochs {
            Some(plan) => {
                let rows = self.accuracy_rows(plan);
                let of_replica = |progress: &Progress| progress.to_track(plan.objective, rows);
                plan.progress.iter().flat_map(of_replica).collect()
            }
            None => vec![0.0; num_replicas * TRACK],
        };
        let actions_buffer = Buffer::integers(&client, &actions.numbers);
        let orders = Buffer::integers(&client, &orders);
        let table = Buffer::integers(&client, &table);
        let rates = Buffer::vectors(&client, &rates);
        let losses = Buffer::floats(&client, &vec![0.0; num_replicas * num_losses]);
        let epoch_numbers = Buffer::floats(
            &client,
            &vec![0.0; num_replicas * actions.num_epochs * EPOCH],
        );
        let counts = Buffer::integers(&client, &vec![0; num_counts]);
        let outputs = Buffer::floats(&client, &vec![0.0; output_length]);
        let track = Buffer::floats(&client, &track);
        let done = Buffer::integers(&client, &vec![0; num_replicas]);
        let mut first = 0;
        let mut read = Vec::new();
        while first < num_actions {
            let (last, work) = self.next_launch(actions, first)?;
            let start = Instant::now();
            train::launch(
                &client,
                CubeCount::Static(num_replicas as u32, 1, 1),
                CubeDim::new_1d(self.layout.units as u32),
                InputsLaunch::new(
                    self.data.argument(),
                    orders.argument(),
                    actions_buffer.argument(),
                    table.argument(),
                    rates.argument(),
                ),
                OutputsLaunch::new(
                    self.state.argument(),
                    self.best.argument(),
                    self.records.argument(),
                    losses.argument(),
                    epoch_numbers.argument(),
                    counts.argument(),
                    outputs.argument(),
                    track.argument(),
                    done.argument(),
                ),
                CallLaunch::new(
                    first as u32,
                    last as u32,
                    num_losses as u32,
                    actions.num_epochs as u32,
                    actions.num_slots as u32,
                    actions.num_output_rows as u32,
                    epochs.map_or(NO_OBJECTIVE, objective_number),
                    epochs.and_then(|plan| plan.patience).unwrap_or(0),
                    2,
                ),
                self.layout.clone(),
            );
            let buffers = [&done, &losses, &epoch_numbers, &counts, &outputs, &track];
            // All results come with the last launch: each read waits for the device.
            let num_read = if last == num_actions {
                buffers.len()
            } else {
                1
            };
            read = read_all(&client, &buffers[..num_read])?;
            let expected = last - first;
            let done: &[u32] = u32::from_bytes(&read[0]);
            if let Some(replica) = done.iter().position(|&done| done as usize != expected) {
                return Err(GpuError::Stopped {
                    replica,
                    expected,
                    done: done[replica] as usize,
                });
            }
            self.pace.observe(work, start.elapsed());
            first = last;
        }
        let floats = |bytes: &[u8]| f32::from_bytes(bytes).to_vec();
        let mut left = ActionResults {
            losses: floats(&read[1]),
            epochs: floats(&read[2]),
            counts: u32::from_bytes(&read[3]).to_vec(),
            outputs: floats(&read[4]),
            track: floats(&read[5]),
        };
        left.losses.truncate(num_replicas * num_losses);
        left.counts.truncate(num_counts);
        left.outputs.truncate(output_length);
        Ok(left)
    }

    /// The results before any action.
    fn nothing(&self, actions: &Actions) -> ActionResults {
        let num_replicas = self.num_replicas();
        ActionResults {
            losses: Vec::new(),
            epochs: vec![0.0; num_replicas * actions.num_epochs * EPOCH],
            counts: vec![0; num_replicas * actions.num_slots * self.cells()],
            outputs: Vec::new(),
            track: vec![0.0; num_replicas * TRACK],
        }
    }

    /// The end of the next launch's actions, and its iterations.
    fn next_launch(&self, actions: &Actions, first: usize) -> Result<(usize, u64), GpuError> {
        let around = iterations_around(&self.layout);
        let mut work = around;
        let mut last = first;
        for &iterations in &actions.iterations[first..] {
            let next = work + iterations + 1;
            if next > self.pace.iterations() && last > first {
                break;
            }
            work = next;
            last += 1;
        }
        match self.pace.limit() {
            Some(limit) if work > limit => Err(GpuError::StepTooLong {
                iterations: work,
                limit,
            }),
            _ => Ok((last, work)),
        }
    }

    /// The learning rate of each step and what follows from it, and the first step of each replica. Replicas with the
    /// same rates share them.
    fn rates(&self, steps: Option<Steps<'_>>) -> (Vec<f32>, Vec<u32>) {
        let Some(steps) = steps else {
            return (Vec::new(), vec![0; self.num_replicas()]);
        };
        let rates = steps.learning_rates;
        let is_same =
            |a: usize, b: usize| std::ptr::eq(rates[a], rates[b]) && self.steps[a] == self.steps[b];
        shared(self.num_replicas(), is_same, |replica, numbers| {
            let first = numbers.len() / 4;
            for (step, &rate) in (self.steps[replica] + 1..).zip(rates[replica]) {
                numbers.extend(rate_numbers(self.plan.optimizer, rate, step));
            }
            first
        })
    }
}

/// Numbers of all replicas, and where those of each begin. Replicas share them with the first replica or with the one
/// before, if they borrow the same. `append` adds the numbers of a replica and says where they begin.
fn shared<T>(
    num_replicas: usize,
    is_same: impl Fn(usize, usize) -> bool,
    append: impl Fn(usize, &mut Vec<T>) -> usize,
) -> (Vec<T>, Vec<u32>) {
    let mut numbers = Vec::new();
    let mut firsts: Vec<u32> = Vec::with_capacity(num_replicas);
    for replica in 0..num_replicas {
        let candidates = [replica.checked_sub(1), (replica > 0).then_some(0)];
        let other = candidates
            .into_iter()
            .flatten()
            .find(|&other| is_same(replica, other));
        firsts.push(match other {
            Some(other) => firsts[other],
            None => append(replica, &mut numbers) as u32,
        });
    }
    (numbers, firsts)
}

/// The learning rate, Adam's step size, the root of Adam's second correction, and the factor of decoupled decay.
fn rate_numbers(optimizer: Optimizer, rate: f64, step: u64) -> [f32; 4] {
    match optimizer {
        Optimizer::Adam {
            beta_1,
            beta_2,
            decoupled_decay,
            ..
        } => {
            let step = step as f64;
            let size = rate / (1.0 - beta_1.powf(step));
            let root = (1.0 - beta_2.powf(step)).sqrt();
            [rate, size, root, 1.0 - rate * decoupled_decay].map(|number| number as f32)
        }
        Optimizer::Sgd { .. }
        | Optimizer::RmsProp { .. }
        | Optimizer::NAdam { .. }
        | Optimizer::AdaGrad { .. } => [rate as f32, 0.0, 1.0, 1.0],
    }
}

/// The kernel's number of an objective.
fn objective_number(plan: &EpochPlan<'_>) -> u32 {
    let Some(objective) = plan.objective else {
        return NO_OBJECTIVE;
    };
    match (objective.metric, objective.split) {
        (Metric::Loss, Split::Train) => TRAIN_LOSS,
        (Metric::Loss, Split::Valid) => VALID_LOSS,
        (Metric::Accuracy, Split::Train) => TRAIN_ACCURACY,
        (Metric::Accuracy, Split::Valid) => VALID_ACCURACY,
    }
}

/// Copies all samples to the device, those that replicas share once, and gives the first rows of each replica's splits.
fn upload_samples(
    client: &Client,
    layout: &Layout,
    plan: &Plan,
    splits: &[Splits],
) -> (Buffer, Vec<[u32; 2]>) {
    let mut memory = Vec::new();
    let mut num_rows = 0u32;
    let mut known: std::collections::HashMap<*const Samples, u32> = Default::default();
    let mut place_of = |samples: &Arc<Samples>| {
        *known.entry(Arc::as_ptr(samples)).or_insert_with(|| {
            pack_samples(samples, layout, &mut memory);
            num_rows += samples.len(plan) as u32;
            num_rows - samples.len(plan) as u32
        })
    };
    let places = splits.iter().map(|split| {
        let train = place_of(&split.train);
        [train, split.valid.as_ref().map_or(0, &mut place_of)]
    });
    let places = places.collect();
    (Buffer::vectors(client, &memory), places)
}

/// Iterations after which the device ends the loops of a kernel without a word, if it does.
fn loop_limit(client: &Client) -> Result<Option<u64>, GpuError> {
    let count = Buffer::integers(client, &[0]);
    count_iterations::launch(
        client,
        CubeCount::Static(1, 1, 1),
        CubeDim::new_1d(1),
        count.argument(),
        LONG_LOOP,
    );
    let count: Vec<u32> = count.read(client)?;
    let done = count.first().copied().unwrap_or(0);
    Ok((done < LONG_LOOP).then_some(u64::from(done)))
}
