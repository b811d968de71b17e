//! Optimisers that descend a function of two numbers.

use std::io::Write;
use std::process::ExitCode;

use emberlab_analysis::{Descent, Pair, Waypoint};
use serde_json::json;

use super::choices::DESCENDERS;
use super::pictures::{map, values};
use super::{Args, save};
use crate::failure::Failure;
use crate::progress::number;
use crate::tables;

/// A descent with its name, such as `sgd 0.1`, and the points it went through.
pub(super) struct NamedDescent {
    pub(super) name: String,
    descent: Descent,
    pub(super) path: Vec<Waypoint>,
}

impl NamedDescent {
    pub(super) fn end(&self) -> Option<&Waypoint> {
        self.path.last()
    }

    /// Steps that were taken before the value became NaN or infinite.
    fn num_steps(&self) -> usize {
        self.path.len().saturating_sub(1)
    }

    /// The minimum nearest to the end, and its distance.
    fn nearest_minimum(&self) -> Option<(Pair, f64)> {
        let [x, y] = self.end()?.at;
        let distances = self
            .descent
            .surface
            .minima
            .iter()
            .map(|at| (*at, (at[0] - x).hypot(at[1] - y)));
        distances.min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// Descends the surface with every optimiser, learning rate and schedule, and shows the paths.
pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let surface = args.surface;
    let paths = named_descents(args)?;
    let files = save(
        args,
        &[
            ("map", map(surface, &paths)?),
            ("values", values(surface, &paths)?),
        ],
        ("paths.csv", csv(&paths)),
    )?;
    let mut out = std::io::stdout();
    if args.json {
        let list: Vec<_> = paths.iter().map(as_value).collect();
        writeln!(
            out,
            "{:#}",
            json!({ "surface": surface.name, "descents": list })
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "f(x, y) = {}\n{}", surface.formula, table(&paths))?;
    for path in &files {
        writeln!(out, "{}", path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Every optimiser with every learning rate and every schedule.
fn named_descents(args: &Args) -> Result<Vec<NamedDescent>, Failure> {
    let surface = args.surface;
    let start = args.start.unwrap_or(surface.start);
    let descenders = match args.optimizer.as_slice() {
        [] => DESCENDERS.iter().collect(),
        chosen => chosen.to_vec(),
    };
    let num_steps = args.steps.map_or(surface.num_steps, |steps| steps as usize);
    let is_constant = matches!(args.schedule.as_slice(), [only] if only.is_constant());
    let mut all = Vec::new();
    for descender in descenders {
        let rates = match args.learning_rate.as_slice() {
            [] => vec![descender.suitable_rate(surface)],
            given => given.to_vec(),
        };
        for rate in rates {
            for schedule in &args.schedule {
                let mut name = format!("{} {rate}", descender.name);
                if !is_constant {
                    name += &format!(" {}", schedule.name());
                }
                let descent = Descent {
                    surface,
                    optimizer: descender.optimizer(rate),
                    scheduler: schedule.scheduler(args.decay, num_steps),
                    start,
                    num_steps,
                };
                let path = descent.run()?;
                all.push(NamedDescent {
                    name,
                    descent,
                    path,
                });
            }
        }
    }
    Ok(all)
}

fn table(paths: &[NamedDescent]) -> comfy_table::Table {
    let header = [
        "optimiser",
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
            exact(end.value),
            format!("({:.3}, {:.3})", minimum[0], minimum[1]),
            format!("{distance:.1e}"),
        ]);
    }
    table
}

/// A value with twelve digits after the point, or in scientific notation if it is large.
fn exact(value: f64) -> String {
    match value.abs() < 1e6 {
        true => format!("{value:.12}"),
        false => number(value),
    }
}

fn as_value(path: &NamedDescent) -> serde_json::Value {
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

fn csv(paths: &[NamedDescent]) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_near_a_minimum_have_many_digits_and_large_ones_few() {
        assert_eq!(exact(1e-10), "0.000000000100");
        assert_eq!(exact(1.5e300), "1.50e300");
        assert_eq!(exact(f64::INFINITY), "inf");
    }
}
