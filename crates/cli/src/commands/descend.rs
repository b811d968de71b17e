//! `emberlab descend`: optimisers on a landscape, or the loss around a trained network.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use emberlab_analysis::{Descent, Landscape, LandscapeError, Pair, Surface, Waypoint, landscape};
use emberlab_experiments::{LoadedRun, Run, Weights};
use emberlab_pictures::{
    Axis, Bitmap, Chart, Contours, Field, HeatMap, Line, Marker, Picture, PictureError, Points,
    Rule, Svg, Tone,
};
use emberlab_training::optimizer::{Adam, RmsProp, Sgd};
use emberlab_training::scheduler::{Constant, Cosine, Cumulative, Exponential, Step};
use emberlab_training::{Interval, OptimizerConfig, SchedulerConfig, UpdateRule};
use serde_json::json;

use crate::arguments::{Descend, DescenderChoice, ScheduleChoice, Shared, SurfaceChoice};
use crate::commands::train::set_threads;
use crate::failure::Failure;
use crate::picture_files::{write, write_picture};
use crate::progress::number;
use crate::{data_dirs, tables};

/// Samples of the training split whose loss makes a landscape.
const MOST_SAMPLES: usize = 1000;

/// Descends, or looks around a trained network.
///
/// # Errors
/// [`Failure`] if a setting is out of its range, a run cannot be loaded, or pictures cannot be written.
pub fn run(command: &Descend, shared: &Shared) -> Result<ExitCode, Failure> {
    set_threads(&command.running)?;
    match &command.run {
        Some(name) => around_network(command, name, shared),
        None => descents(command),
    }
}

/// A descent with the name that tells it from the others.
struct Named {
    name: String,
    descent: Descent,
    path: Vec<Waypoint>,
}

impl Named {
    fn end(&self) -> Option<&Waypoint> {
        self.path.last()
    }

    /// Steps that were taken before a number was no longer finite.
    fn num_steps(&self) -> usize {
        self.path.len().saturating_sub(1)
    }

    /// Where it is going: the nearest minimum, and how far that is.
    fn nearest_minimum(&self) -> Option<(Pair, f64)> {
        let [x, y] = self.end()?.at;
        let distances = self
            .descent
            .surface
            .minima()
            .iter()
            .map(|at| (*at, (at[0] - x).hypot(at[1] - y)));
        distances.min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

fn descents(command: &Descend) -> Result<ExitCode, Failure> {
    let surface = surface(command.surface);
    let paths = named_descents(command, surface)?;
    let files = save(
        command,
        &[
            ("map", map(surface, &paths)?),
            ("values", values(surface, &paths)?),
        ],
        ("paths.csv", csv(&paths)),
    )?;
    let mut out = std::io::stdout();
    if command.json {
        let list: Vec<_> = paths.iter().map(as_value).collect();
        writeln!(
            out,
            "{:#}",
            json!({ "surface": surface.name(), "descents": list })
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "f(x, y) = {}\n{}", surface.formula(), table(&paths))?;
    for path in &files {
        writeln!(out, "{}", path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Every optimiser with every learning rate and every schedule.
fn named_descents(command: &Descend, surface: Surface) -> Result<Vec<Named>, Failure> {
    let start = match command.start.as_slice() {
        [x, y] => [*x, *y],
        _ => surface.start(),
    };
    let descenders = match command.optimizer.as_slice() {
        [] => vec![
            DescenderChoice::Sgd,
            DescenderChoice::Momentum,
            DescenderChoice::Nesterov,
            DescenderChoice::Rmsprop,
            DescenderChoice::Adam,
        ],
        chosen => chosen.to_vec(),
    };
    let num_steps = command
        .steps
        .map_or(surface.num_steps(), |steps| steps as usize);
    let mut all = Vec::new();
    for descender in descenders {
        let rates = match command.learning_rate.as_slice() {
            [] => vec![suitable_rate(descender, surface)],
            given => given.to_vec(),
        };
        for rate in rates {
            for schedule in &command.schedule {
                let mut name = format!("{} {rate}", descender_name(descender));
                if command.schedule.len() > 1 || *schedule != ScheduleChoice::Constant {
                    name += &format!(" {}", schedule_name(*schedule));
                }
                let descent = Descent {
                    surface,
                    optimizer: optimizer(descender, rate),
                    scheduler: scheduler(*schedule, command.decay, num_steps),
                    start,
                    num_steps,
                };
                let path = descent.run()?;
                all.push(Named {
                    name,
                    descent,
                    path,
                });
            }
        }
    }
    Ok(all)
}

fn table(paths: &[Named]) -> comfy_table::Table {
    let header = [
        "optimizer",
        "steps",
        "x",
        "y",
        "f(x, y)",
        "nearest minimum",
        "distance",
    ];
    let mut table = tables::table(header, 1);
    for path in paths {
        let Some(end) = path.end() else {
            continue;
        };
        let steps = match path.num_steps() {
            steps if steps < path.descent.num_steps => format!("{steps}, then diverges"),
            steps => steps.to_string(),
        };
        let (minimum, distance) = path.nearest_minimum().unwrap_or((end.at, 0.0));
        table.add_row([
            path.name.clone(),
            steps,
            number(end.at[0]),
            number(end.at[1]),
            format!("{:.12}", end.value),
            format!("({:.3}, {:.3})", minimum[0], minimum[1]),
            format!("{distance:.1e}"),
        ]);
    }
    table
}

fn as_value(path: &Named) -> serde_json::Value {
    json!({
        "name": path.name,
        "optimizer": path.descent.optimizer,
        "scheduler": path.descent.scheduler,
        "steps": path.num_steps(),
        "end": path.end().map(|end| end.at),
        "value": path.end().map(|end| end.value),
        "distance": path.nearest_minimum().map(|(_, distance)| distance),
    })
}

fn csv(paths: &[Named]) -> String {
    let mut text = String::from("descent,step,x,y,value,learning_rate\n");
    for path in paths {
        for (step, point) in path.path.iter().enumerate() {
            let [x, y] = point.at;
            text += &format!(
                "{},{step},{x},{y},{},{}\n",
                path.name, point.value, point.learning_rate
            );
        }
    }
    text
}

/// Contours with every path.
fn map(surface: Surface, paths: &[Named]) -> Result<Svg, PictureError> {
    let (x, y) = surface.view();
    let height = |x: f64, y: f64| surface.value([x, y]);
    let field = Field::of((x[0], x[1]), (y[0], y[1]), 160, 140, height);
    // Steep walls would leave the valleys without shade: the logarithm of the height above the lowest.
    let lowest = surface
        .minima()
        .iter()
        .map(|at| surface.value(*at))
        .fold(f64::INFINITY, f64::min);
    let shade = field.clone().map(|value| (value - lowest + 0.1).ln());
    let mut chart = Chart::new(
        format!("f(x, y) = {}", surface.formula()),
        Axis::new("x").range(x[0], x[1]),
        Axis::new("y").range(y[0], y[1]),
    )
    .size(560.0, 520.0)
    .with(HeatMap::of(&shade, Bitmap::shades(&shade, None)))
    .with(Contours::even(&field, 16).tone(Tone::Muted).width(0.8));
    for (i, path) in paths.iter().enumerate() {
        let points = path.path.iter().map(|point| (point.at[0], point.at[1]));
        let line = Line::new(&path.name, points).tone(Tone::Series(i));
        chart = chart.with(if path.path.len() <= 60 {
            line.marker(Marker::of_series(i)).width(1.6)
        } else {
            // Long paths run along the same valley: those below look out on both sides of those above.
            line.width(1.6 + 0.8 * (paths.len() - 1 - i) as f64)
        });
    }
    let minima = surface.minima().iter().map(|at| (at[0], at[1]));
    chart = chart.with(
        Points::new("minimum", minima)
            .marker(Marker::Star)
            .tone(Tone::Ink)
            .radius(5.0),
    );
    let ends: Vec<String> = paths
        .iter()
        .filter_map(|path| {
            let end = path.end()?;
            Some(format!(
                "{} ends at ({:.3}, {:.3}) with {:.4}",
                path.name, end.at[0], end.at[1], end.value
            ))
        })
        .collect();
    chart
        .describe(format!(
            "Contours with {} paths. {}.",
            paths.len(),
            ends.join("; ")
        ))
        .render()
}

/// The height against the step.
fn values(surface: Surface, paths: &[Named]) -> Result<Svg, PictureError> {
    let lowest = surface.value(surface.minima()[0]);
    let start = paths
        .iter()
        .filter_map(|path| path.path.first())
        .map(|point| point.value)
        .fold(lowest, f64::max);
    let mut chart = Chart::new(
        "Value against step",
        Axis::new("step").whole(),
        // Paths that diverge would flatten all others.
        Axis::new("f(x, y)").range(
            lowest - 0.05 * (start - lowest),
            start + 0.05 * (start - lowest),
        ),
    )
    .size(560.0, 340.0);
    for (i, path) in paths.iter().enumerate() {
        let points = path
            .path
            .iter()
            .enumerate()
            .map(|(step, point)| (step as f64, point.value));
        chart = chart.with(Line::new(&path.name, points).tone(Tone::Series(i)));
    }
    chart.with(Rule::level("lowest", lowest)).render()
}

fn around_network(command: &Descend, name: &str, shared: &Shared) -> Result<ExitCode, Failure> {
    if !(command.reach.is_finite() && command.reach > 0.0) {
        return Err(Failure::Usage(format!(
            "`--reach {}` must be positive",
            command.reach
        )));
    }
    let run = Run::find(&shared.artifacts, name)?;
    let device = &command.running.device;
    let loaded = LoadedRun::load(&run, Weights::Last, device, &data_dirs::all(shared))?;
    let batch = loaded
        .prepared
        .first_of_train(MOST_SAMPLES, &loaded.device)?;
    let num_samples = loaded.prepared.splits.train.len().min(MOST_SAMPLES);
    let loss = &loaded.prepared.config.loss;
    let nodes = usize::from(command.nodes);
    let found = landscape(
        &loaded.network,
        loss,
        &batch,
        nodes,
        command.reach,
        command.seed,
    );
    let found = found.map_err(|error| match error {
        LandscapeError::Training(error) => error.into(),
        LandscapeError::Model(error) => Failure::Failed(error.to_string()),
    })?;
    let svg = landscape_map(&run.id(), &found)?;
    let files = save(
        command,
        &[("landscape", svg)],
        ("landscape.csv", landscape_csv(&found)),
    )?;
    let finite: Vec<f64> = found
        .losses
        .iter()
        .copied()
        .filter(|loss| loss.is_finite())
        .collect();
    let lowest = finite.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut out = std::io::stdout();
    if command.json {
        let value = json!({
            "run": run.id(), "samples": num_samples, "center": found.center, "lowest": lowest, "highest": highest,
            "reach": found.reach, "nodes": found.num_nodes, "losses": found.losses,
        });
        writeln!(out, "{value:#}")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(
        out,
        "{}: {} of {num_samples} training samples around the trained network, along two random directions as long \
         as its weights, unit by unit (Li et al. 2018)",
        run.id(),
        loss.name()
    )?;
    let mut table = tables::table(["where", "loss"], 1);
    for (place, loss) in [
        ("the trained network", found.center),
        ("lowest seen", lowest),
        ("highest seen", highest),
    ] {
        table.add_row([place.to_string(), number(loss)]);
    }
    writeln!(out, "{table}")?;
    for path in &files {
        writeln!(out, "{}", path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn landscape_map(run: &str, found: &Landscape) -> Result<Svg, PictureError> {
    let side = (-found.reach, found.reach);
    let field = Field::new(
        side,
        side,
        found.num_nodes,
        found.num_nodes,
        found.losses.clone(),
    )?;
    let map = HeatMap::values(&field, "loss");
    let chart = Chart::new(
        format!("Loss around {run}"),
        Axis::new("first random direction [lengths of the weights]"),
        Axis::new("second random direction"),
    )
    .size(560.0, 500.0)
    .with(map)
    .with(Contours::even(&field, 14).tone(Tone::Series(0)).width(1.2))
    .with(
        Points::new("the trained network", [(0.0, 0.0)])
            .marker(Marker::Star)
            .tone(Tone::Ink)
            .radius(5.0),
    );
    chart.render()
}

fn landscape_csv(found: &Landscape) -> String {
    let at = |i: usize| found.reach * (2.0 * i as f64 / (found.num_nodes - 1) as f64 - 1.0);
    let mut text = String::from("first,second,loss\n");
    for (i, loss) in found.losses.iter().enumerate() {
        text += &format!(
            "{},{},{loss}\n",
            at(i % found.num_nodes),
            at(i / found.num_nodes)
        );
    }
    text
}

/// Writes pictures and numbers into the command's folder; returns the files.
fn save(
    command: &Descend,
    pictures: &[(&str, Svg)],
    (csv_name, csv): (&str, String),
) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for (name, svg) in pictures {
        files.extend(write_picture(&command.out.join(name), svg, command.png)?);
    }
    let csv_path = command.out.join(csv_name);
    write(&csv_path, csv.as_bytes())?;
    files.push(csv_path);
    Ok(files)
}

fn surface(choice: SurfaceChoice) -> Surface {
    match choice {
        SurfaceChoice::CosineBowl => Surface::CosineBowl,
        SurfaceChoice::Rosenbrock => Surface::Rosenbrock,
        SurfaceChoice::Himmelblau => Surface::Himmelblau,
        SurfaceChoice::Rastrigin => Surface::Rastrigin,
        SurfaceChoice::Beale => Surface::Beale,
    }
}

fn descender_name(choice: DescenderChoice) -> &'static str {
    match choice {
        DescenderChoice::Sgd => "sgd",
        DescenderChoice::Momentum => "momentum",
        DescenderChoice::Nesterov => "nesterov",
        DescenderChoice::Rmsprop => "rmsprop",
        DescenderChoice::Adam => "adam",
    }
}

fn suitable_rate(choice: DescenderChoice, surface: Surface) -> f64 {
    let [plain, momentum, scaled] = surface.learning_rates();
    match choice {
        DescenderChoice::Sgd => plain,
        DescenderChoice::Momentum | DescenderChoice::Nesterov => momentum,
        DescenderChoice::Rmsprop | DescenderChoice::Adam => scaled,
    }
}

fn optimizer(choice: DescenderChoice, learning_rate: f64) -> OptimizerConfig {
    let with_momentum = |nesterov| Sgd {
        momentum: 0.9,
        nesterov,
        weight_decay: 0.0,
    };
    let rule: UpdateRule = match choice {
        DescenderChoice::Sgd => Sgd::default().into(),
        DescenderChoice::Momentum => with_momentum(false).into(),
        DescenderChoice::Nesterov => with_momentum(true).into(),
        DescenderChoice::Rmsprop => RmsProp::default().into(),
        DescenderChoice::Adam => Adam::default().into(),
    };
    OptimizerConfig::new(rule, learning_rate)
}

fn schedule_name(choice: ScheduleChoice) -> &'static str {
    match choice {
        ScheduleChoice::Constant => "constant",
        ScheduleChoice::Exponential => "exponential",
        ScheduleChoice::Cumulative => "cumulative",
        ScheduleChoice::Cosine => "cosine",
        ScheduleChoice::Step => "step",
    }
}

fn scheduler(choice: ScheduleChoice, gamma: f64, num_steps: usize) -> SchedulerConfig {
    let interval = Interval::Step;
    match choice {
        ScheduleChoice::Constant => Constant {}.into(),
        ScheduleChoice::Exponential => Exponential { gamma, interval }.into(),
        ScheduleChoice::Cumulative => Cumulative { gamma, interval }.into(),
        ScheduleChoice::Cosine => Cosine {
            interval,
            ..Cosine::default()
        }
        .into(),
        ScheduleChoice::Step => {
            let step_size = num_steps.div_ceil(3).max(1);
            let gamma = 0.1;
            Step {
                step_size,
                gamma,
                interval,
            }
            .into()
        }
    }
}
