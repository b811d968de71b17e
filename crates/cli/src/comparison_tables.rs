//! A comparison's answer as tables and sentences.

use std::io::{self, Write};

use emberlab_report::{ComparisonReport, Spread, VariantSummary};

use crate::progress::{clock, number};
use crate::tables;

/// Writes the table of the objective, the medians of the other figures, and the conclusion.
///
/// # Errors
/// [`io::Error`] of the writer.
pub fn write(report: &ComparisonReport, out: &mut impl Write) -> io::Result<()> {
    let objective = report.question.objective();
    writeln!(out, "{}", headline(report))?;
    let mut header = vec!["variant", "n", "median", "95 %", "mean ± sd", "min", "max"];
    let has_target = report.question.target.is_some();
    if has_target {
        header.extend(["epochs to target", "reached"]);
    }
    header.push("time");
    let mut table = tables::table(header, 1);
    for variant in &report.variants {
        let mut row = vec![variant.variant.clone(), count(variant)];
        row.extend(spread(variant.figures.get(&objective), variant.interval));
        if has_target {
            let reached = variant.epochs_to_target.map_or(0, |spread| spread.n);
            let epochs = variant.epochs_to_target.map_or("never".to_string(), |s| {
                format!("{} [{}, {}]", s.median, s.min, s.max)
            });
            row.extend([epochs, format!("{reached}/{}", variant.num_done)]);
        }
        row.push(variant.seconds.map_or(String::new(), |s| seconds(s.median)));
        table.add_row(row);
    }
    writeln!(out, "{table}")?;
    medians(report, &objective, out)?;
    for sentence in &report.conclusion {
        writeln!(out, "{sentence}")?;
    }
    Ok(())
}

/// What is compared, and how a trial is read.
fn headline(report: &ComparisonReport) -> String {
    let question = &report.question;
    let target = question
        .target
        .as_ref()
        .map(|(metric, split, value)| format!("; the target is a {split} {metric} of {value}"));
    format!(
        "{}: {} {} of the last network{}",
        question.experiment,
        question.split,
        question.metric,
        target.unwrap_or_default()
    )
}

/// The medians of the figures that people look at first; `trials.csv` has all of them.
fn medians(report: &ComparisonReport, objective: &str, out: &mut impl Write) -> io::Result<()> {
    let mut names: Vec<&String> = report
        .variants
        .iter()
        .flat_map(|v| v.figures.keys())
        .collect();
    names.sort();
    names.dedup();
    names.retain(|name| *name != objective && is_looked_at(name));
    if names.is_empty() {
        return Ok(());
    }
    let titles = names.iter().map(|name| name.replace('_', " "));
    let header = ["medians".to_string()].into_iter().chain(titles);
    let mut table = tables::table(header, 1);
    for variant in &report.variants {
        let median = |name: &&String| {
            variant
                .figures
                .get(*name)
                .map_or(String::new(), |s| number(s.median))
        };
        let medians = names.iter().map(median);
        table.add_row([variant.variant.clone()].into_iter().chain(medians));
    }
    writeln!(out, "{table}")
}

/// Whether a figure such as `valid_accuracy@300` is a loss, an accuracy, a mean absolute error or an R², or
/// one at a threshold.
fn is_looked_at(figure: &str) -> bool {
    if figure.contains('>') {
        return true;
    }
    let name = figure.split('@').next().unwrap_or_default();
    let metric = name.split_once('_').map_or(name, |(_, metric)| metric);
    ["loss", "accuracy", "mae", "r2"].contains(&metric)
}

/// Trials that have come to their end, and what became of the others.
fn count(variant: &VariantSummary) -> String {
    let mut text = match variant.num_done == variant.num_trials {
        true => variant.num_done.to_string(),
        false => format!("{}/{}", variant.num_done, variant.num_trials),
    };
    if variant.num_failed > 0 {
        text.push_str(&format!(", {} failed", variant.num_failed));
    }
    if variant.num_not_finite > 0 {
        text.push_str(&format!(", {} NaN", variant.num_not_finite));
    }
    text
}

fn spread(spread: Option<&Spread>, interval: Option<(f64, f64)>) -> [String; 5] {
    let Some(s) = spread else {
        return std::array::from_fn(|_| String::new());
    };
    let interval = interval.map_or(String::new(), |(low, high)| {
        format!("[{}, {}]", number(low), number(high))
    });
    [
        number(s.median),
        interval,
        format!("{} ± {}", number(s.mean), number(s.standard_deviation)),
        number(s.min),
        number(s.max),
    ]
}

/// `0.35 s`, or minutes and seconds.
fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 60.0 => format!("{s:.2} s"),
        s => clock(std::time::Duration::from_secs_f64(s)),
    }
}
