//! The thread that draws the network over the plane, so that the training does not wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use emberlab_metrics::MOST_CLASSES;
use emberlab_models::{Mode, Network};
use emberlab_run_format::Cells;
use emberlab_training::inspection::layer_outputs;
use emberlab_training::{Task, TrainingError, cells, host};

use super::board::{Board, Topic};
use super::threads;
use super::view::{FIELD_SIDE, MAP_SIDE, View, unit_maps};
use crate::message::{Envelope, Field, Frame, ServerMessage, Weights};

/// The fewest points in a row of the prediction.
const LEAST_SIDE: usize = 20;
/// A picture that takes longer gets fewer points.
const SLOW: Duration = Duration::from_millis(60);
/// The most units of a layer that have maps and weights.
const MOST_UNITS: usize = 64;
/// Time from one picture to the next: with the time until it is asked for, about thirty a second.
const PERIOD: Duration = Duration::from_millis(27);
/// The pause after a picture, as a multiple of the time that the picture took. Painting then takes a twelfth of the
/// only core, or up to a third of a core that does not train.
const PAUSES: [u32; 2] = [11, 2];
/// Rows that are predicted at once.
const CHUNK: usize = 2048;

/// A network to draw.
pub(super) struct Sitting {
    pub(super) network: Network,
    pub(super) view: Arc<View>,
    pub(super) epoch: f64,
    pub(super) step: u64,
}

/// The painter, as the thread that trains sees it.
pub(super) struct Painter {
    sittings: SyncSender<Sitting>,
    is_busy: Arc<AtomicBool>,
}

impl Painter {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`rayon::ThreadPoolBuildError`] if it cannot be started.
    pub(super) fn start(board: Arc<Board>) -> Result<Self, rayon::ThreadPoolBuildError> {
        let (sittings, received) = sync_channel(1);
        let is_busy = Arc::new(AtomicBool::new(false));
        let flag = is_busy.clone();
        threads::spawn("painter", 1, move || paint_all(&received, &board, &flag))?;
        Ok(Self { sittings, is_busy })
    }

    /// Whether it can draw another network now.
    pub(super) fn is_free(&self) -> bool {
        !self.is_busy.load(Ordering::Acquire)
    }

    /// Draws a network, if it is free.
    pub(super) fn paint(&self, sitting: Sitting) {
        self.is_busy.store(true, Ordering::Release);
        if self.sittings.try_send(sitting).is_err() {
            self.is_busy.store(false, Ordering::Release);
        }
    }
}

fn paint_all(sittings: &Receiver<Sitting>, board: &Board, is_busy: &AtomicBool) {
    let mut frame = 0;
    let mut side = FIELD_SIDE;
    let has_own_core = std::thread::available_parallelism().is_ok_and(|n| n.get() > 1);
    let pause = PAUSES[usize::from(has_own_core)];
    while let Ok(sitting) = sittings.recv() {
        let began = Instant::now();
        frame += 1;
        // A device that fails is reported by the training, which uses it too.
        if let Ok(bytes) = picture(&sitting, frame, side) {
            board.publish(Topic::Frame, bytes);
        }
        let took = began.elapsed();
        if took > SLOW {
            side = (side / 2).max(LEAST_SIDE);
        }
        std::thread::sleep(
            PERIOD
                .saturating_sub(took)
                .max(took * pause)
                .min(Duration::from_secs(2)),
        );
        is_busy.store(false, Ordering::Release);
    }
}

/// The message with the picture.
fn picture(sitting: &Sitting, frame: u64, side: usize) -> Result<Vec<u8>, TrainingError> {
    let Sitting {
        network,
        view,
        epoch,
        step,
    } = sitting;
    let mut envelope = Envelope::default();
    let field = field(network, view, side, &mut envelope)?;
    let mut maps = vec![view.input_maps(&mut envelope)?];
    let rows = view.grid(MAP_SIDE);
    for (layer, _, outputs) in layer_outputs(network.stages(rows, Mode::Evaluation)) {
        let [num_rows, units] = outputs.dims();
        if num_rows != MAP_SIDE * MAP_SIDE {
            continue; // between convolutions, a row is a pixel
        }
        let values = host(outputs)?;
        maps.push(unit_maps(
            &layer,
            &values,
            units,
            MAP_SIDE,
            MOST_UNITS,
            &mut envelope,
        ));
    }
    let frame = Frame {
        frame,
        scene: view.scene,
        epoch: *epoch,
        step: *step,
        field,
        maps,
        weights: weights(network, &mut envelope),
    };
    let sealed = envelope.seal(&ServerMessage::Frame(frame));
    sealed.map_err(|e| TrainingError::Read(e.to_string()))
}

/// The prediction over the plane.
fn field(
    network: &Network,
    view: &View,
    side: usize,
    envelope: &mut Envelope,
) -> Result<Option<Field>, TrainingError> {
    let (task, width) = (view.task(), view.num_outputs());
    if task.num_classes().is_some_and(|n| n > MOST_CLASSES) {
        return Ok(None);
    }
    let grid = view.grid(side);
    let num_rows = grid.dims()[0];
    let mut outputs = Vec::with_capacity(num_rows * width);
    for from in (0..num_rows).step_by(CHUNK) {
        let rows = grid.clone().narrow(0, from, CHUNK.min(num_rows - from));
        outputs.extend(host(network.forward(rows))?);
    }
    if matches!(task, Task::Regression { .. }) {
        let values = task.in_units_of_the_data(outputs);
        if values.iter().any(|value| value.is_nan()) {
            return Ok(None);
        }
        let first = values.iter().step_by(width.max(1));
        let values = envelope.floats(first.map(|value| *value as f32));
        return Ok(Some(Field::Values { side, values }));
    }
    let found = cells(task, view.loss(), &outputs, width)?;
    Ok(found.map(|cells| match cells {
        Cells::Binary { probabilities } => Field::Binary {
            side,
            probabilities: envelope.bytes(&probabilities.0),
        },
        Cells::Multiclass {
            classes,
            probabilities,
        } => Field::Multiclass {
            side,
            classes: envelope.bytes(&classes.0),
            probabilities: envelope.bytes(&probabilities.0),
        },
    }))
}

/// The weights of dense layers between the units that are shown.
fn weights(network: &Network, envelope: &mut Envelope) -> Vec<Weights> {
    let tensors = network.named_tensors();
    let mut found = Vec::new();
    for (name, weights) in &tensors {
        let Some(layer) = name.strip_suffix(".weight") else {
            continue;
        };
        let &[num_inputs, num_units] = &weights.shape()[..] else {
            continue;
        };
        let (inputs, units) = (num_inputs.min(MOST_UNITS), num_units.min(MOST_UNITS));
        let numbers: Vec<f32> = weights.iter::<f32>().collect();
        let shown = numbers.chunks(num_units).take(inputs);
        let shown = shown.flat_map(|row| row[..units].iter().copied());
        let weights = envelope.floats(shown);
        let bias = format!("{layer}.bias");
        let bias = tensors.iter().find(|(name, _)| *name == bias);
        let biases = bias.map(|(_, data)| data.iter::<f32>().take(units).collect());
        let biases: Vec<f32> = biases.unwrap_or_default();
        found.push(Weights {
            layer: layer.to_string(),
            inputs,
            units,
            weights,
            biases: envelope.floats(biases),
        });
    }
    found
}
