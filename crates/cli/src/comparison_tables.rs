//! A comparison's answer as tables and sentences.

use std::collections::BTreeSet;
use std::io::{self, Write};

use emberlab_report::{ComparisonReport, Spread, VariantSummary};

use crate::progress::{clock, number};
use crate::tables;

/// Writes the table of the objective, the medians of the other figures, those at thresholds, and the
/// conclusion.
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
    thresholds(report, out)?;
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
    let names = figures(report).filter(|name| *name != objective && is_looked_at(name));
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        return Ok(());
    }
    let titles = names.iter().map(|name| name.replace('_', " "));
    let header = ["medians".to_string()].into_iter().chain(titles);
    let mut table = tables::table(header, 1);
    for variant in &report.variants {
        let medians = names.iter().map(|name| median(variant, name));
        table.add_row([variant.variant.clone()].into_iter().chain(medians));
    }
    writeln!(out, "{table}")
}

/// The medians of the scores of class 1 at each threshold, a row each.
fn thresholds(report: &ComparisonReport, out: &mut impl Write) -> io::Result<()> {
    const SCORES: [&str; 4] = ["accuracy", "precision", "recall", "f1"];
    let accuracies = figures(report).filter_map(|name| name.split_once("_accuracy>"));
    let mut places: Vec<(&str, &str)> = accuracies.collect();
    let value = |threshold: &str| threshold.parse().unwrap_or(f64::NAN);
    places.sort_by(|a, b| a.0.cmp(b.0).then(value(a.1).total_cmp(&value(b.1))));
    if places.is_empty() {
        return Ok(());
    }
    let mut table = tables::table(
        ["medians", "split", "threshold"].into_iter().chain(SCORES),
        2,
    );
    for variant in &report.variants {
        for (split, threshold) in &places {
            let scores =
                SCORES.map(|score| median(variant, &format!("{split}_{score}>{threshold}")));
            let place = [&variant.variant, *split, *threshold].map(ToString::to_string);
            table.add_row(place.into_iter().chain(scores));
        }
    }
    writeln!(out, "{table}")
}

/// The names of all figures, in order.
fn figures(report: &ComparisonReport) -> impl Iterator<Item = &str> {
    let names = report.variants.iter().flat_map(|v| v.figures.keys());
    names
        .map(String::as_str)
        .collect::<BTreeSet<&str>>()
        .into_iter()
}

fn median(variant: &VariantSummary, figure: &str) -> String {
    let spread = variant.figures.get(figure);
    spread.map_or(String::new(), |s| number(s.median))
}

/// Whether a figure such as `valid_accuracy@300` is a loss, an accuracy, a mean absolute error or an R².
fn is_looked_at(figure: &str) -> bool {
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
