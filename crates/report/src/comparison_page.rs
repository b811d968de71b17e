//! The report of a comparison.

use std::cmp::Ordering;
use std::path::Path;

use emberlab_metrics::Metric;
use emberlab_run_format::files::comparison::CONFIG;
use emberlab_run_format::{
    BaselineComparison, ComparisonResult, Diagnosis, Environment, History, Importance, Outcome,
    RunFolder, Spread, TrialOutcome, VariantSummary, csv_text, read_text,
};
use serde::Serialize;

use crate::comparison::{best_variant, medians, reload};
use crate::comparison_predictions::{
    ShownVariants, VariantEvaluations, boundary_blocks, confusion_blocks, threshold_blocks,
};
use crate::comparison_tables::{
    baselines_table, difference_table, median_table, objective_table, threshold_table,
};
use crate::curves::Curve;
use crate::document::{Block, Document, Figure, Notice, Section, Weight};
use crate::findings::{capital, comparison_notices};
use crate::importance::comparison_blocks;
use crate::line_chart::{ChartLine, LineChart, epoch_axes};
use crate::numbers::count;
use crate::run_report::{config_block, environment_blocks, finding_blocks};
use crate::setting_importance::{SettingImportance, importance, setting_blocks};
use crate::settings::Settings;
use crate::shell::command_line;
use crate::statistics::median;
use crate::trade_offs::{VariantCost, costs, trade_off_blocks};
use crate::{ReportError, number};

/// Curves that can be told apart in one picture. With more variants, each also gets a picture of its own.
const MOST_IN_ONE: usize = 4;

/// Variants whose curves have names and pictures of their own. With more, these are the best ones.
const MOST_NAMED: usize = 16;

/// The report of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparisonPage {
    /// The command that repeats the comparison.
    pub command: String,
    /// The variants, their differences, and the conclusion.
    #[serde(flatten)]
    pub report: ComparisonResult,
    /// Every metric over the epochs, for each variant.
    pub curves: Vec<VariantCurves>,
    /// The runs that failed, each with its error message.
    pub failures: Vec<(String, String)>,
    /// Variant, run and findings of every trial that was diagnosed.
    pub diagnoses: Vec<(String, String, Diagnosis)>,
    /// The evaluations of each variant's networks.
    #[serde(skip)]
    evaluations: Vec<VariantEvaluations>,
    /// The importance of the columns for the networks of the best variant, by seed.
    #[serde(skip)]
    importances: Vec<(u64, Importance)>,
    /// The cost of each variant, in time and in parameters.
    pub costs: Vec<VariantCost>,
    /// The importance of each setting for the objective, if several vary.
    pub setting_importance: Option<SettingImportance>,
    /// The settings in which the variants differ.
    #[serde(skip)]
    settings: Settings,
    /// The environment of the first trial.
    pub environment: Option<Environment>,
    /// A sentence for each damaged file, without which the page does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub damage: Vec<String>,
    /// The configuration, as TOML.
    pub config: String,
}

/// The curves of one variant over its seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariantCurves {
    /// The variant's name.
    pub variant: String,
    /// A curve for each metric.
    pub curves: Vec<Curve>,
}

impl ComparisonPage {
    /// Reads the files of the comparison in `folder`.
    ///
    /// # Errors
    /// [`ReportError`] if it holds no comparison, or a file cannot be read.
    pub fn load(folder: &Path) -> Result<Self, ReportError> {
        let (report, damaged_baselines) = reload(folder)?;
        let path = folder.join(CONFIG);
        let mut page = Self {
            command: command_line(&["compare", &path.display().to_string()]),
            curves: Vec::new(),
            failures: Vec::new(),
            diagnoses: Vec::new(),
            evaluations: Vec::new(),
            importances: Vec::new(),
            costs: Vec::new(),
            setting_importance: None,
            settings: Settings::default(),
            environment: None,
            damage: damaged_baselines.into_iter().collect(),
            config: read_text(&path)?.unwrap_or_default(),
            report,
        };
        let files = |trial: &TrialOutcome| RunFolder::new(folder.join(&trial.run));
        for variant in &page.report.variants {
            let ours = page.report.trials.iter();
            let ours = ours.filter(|trial| trial.variant == variant.variant);
            let histories: Vec<History> = ours
                .map(|trial| files(trial).history())
                .collect::<Result<_, _>>()?;
            let histories: Vec<&History> = histories.iter().collect();
            let mut columns: Vec<&str> = histories.iter().flat_map(|h| h.metrics()).collect();
            columns.sort_unstable();
            columns.dedup();
            let curves = columns
                .into_iter()
                .filter_map(|column| Curve::of(&histories, column));
            page.curves.push(VariantCurves {
                variant: variant.variant.clone(),
                curves: curves.collect(),
            });
        }
        for variant in &page.report.variants {
            page.evaluations
                .push(evaluations(folder, &page.report, variant, &mut page.damage));
        }
        page.compare_settings(folder);
        let best = best_variant(&page.report).map(str::to_string);
        let objective = page.report.question.objective();
        for trial in &page.report.trials {
            let files = files(trial);
            if let Some(diagnosis) = files.unless_damaged(files.diagnosis(), &mut page.damage) {
                page.diagnoses
                    .push((trial.variant.clone(), trial.run.clone(), diagnosis));
            }
            if trial.outcome == Outcome::Failed
                && let Some(why) = files.unless_damaged(files.failure(), &mut page.damage)
            {
                page.failures.push((trial.run.clone(), why.message));
            }
            if Some(&trial.variant) == best.as_ref()
                && trial.finite(&objective).is_some()
                && let Some(importance) = files.unless_damaged(files.importance(), &mut page.damage)
            {
                page.importances.push((trial.seed, importance));
            }
            if page.environment.is_none() {
                page.environment = files.unless_damaged(files.environment(), &mut page.damage);
            }
        }
        Ok(page)
    }

    /// Reads the settings and the numbers of parameters of the variants, each from the runs that are there.
    fn compare_settings(&mut self, folder: &Path) {
        let (mut configs, mut num_parameters) = (Vec::new(), Vec::new());
        for variant in &self.report.variants {
            let (mut config, mut sizes) = (None, Vec::new());
            for trial in self
                .report
                .trials
                .iter()
                .filter(|trial| trial.variant == variant.variant)
            {
                let files = RunFolder::new(folder.join(&trial.run));
                if config.is_none()
                    && let Some(text) = files.unless_damaged(files.config(), &mut self.damage)
                {
                    // A run whose configuration cannot be read has no settings to compare.
                    config = text.parse().ok();
                }
                let result = files.unless_damaged(files.result(), &mut self.damage);
                sizes.extend(result.map(|result| result.num_parameters as f64));
            }
            configs.extend(config);
            num_parameters.push(if sizes.is_empty() {
                f64::NAN
            } else {
                median(&sizes)
            });
        }
        self.costs = costs(&self.report, &num_parameters);
        // Without the settings of every variant there is nothing to compare.
        if configs.len() == self.report.variants.len() {
            self.settings = Settings::of(&configs);
            self.setting_importance = importance(&self.report, &self.settings);
        }
    }

    /// The report in a sentence or two.
    pub fn summary(&self) -> String {
        let report = &self.report;
        let num_done = report.trials.iter().filter(|t| t.is_done()).count();
        let num_seeds = {
            let mut seeds: Vec<u64> = report.trials.iter().map(|t| t.seed).collect();
            seeds.sort_unstable();
            seeds.dedup();
            seeds.len()
        };
        let what = format!(
            "{} with {}: {} of {} trials are done.",
            count(report.variants.len(), "variant"),
            count(num_seeds, "seed"),
            num_done,
            report.trials.len(),
        );
        let objective = report.question.objective();
        let best = report.differences.first().map(|d| &d.best);
        let best = report.variants.iter().find(|v| Some(&v.variant) == best);
        let best = best.and_then(|v| Some((v, v.figures.get(&objective)?)));
        match best {
            None => what,
            Some((variant, spread)) => format!(
                "{what} {} has the best median {}: {}.",
                variant.variant,
                objective.replace('_', " "),
                number(spread.median)
            ),
        }
    }

    /// The report's content, which HTML and Markdown are rendered from.
    ///
    /// # Errors
    /// [`ReportError::Picture`] if a picture cannot be drawn.
    pub fn document(&self) -> Result<Document, ReportError> {
        let section = |title, blocks| Section { title, blocks };
        let report = &self.report;
        let is_few = report.variants.len() <= MOST_IN_ONE;
        let has_looked = !self.diagnoses.is_empty();
        let findings = has_looked.then(|| comparison_notices(&self.diagnoses));
        let tables = [
            difference_table(report),
            median_table(report),
            threshold_table(report),
        ];
        let tables = tables.into_iter().flatten().map(Block::Table).collect();
        let importance = match best_variant(report) {
            Some(best) => comparison_blocks(best, &self.importances)?,
            None => Vec::new(),
        };
        let shown = self.shown_evaluations();
        let settings = setting_blocks(report, &self.settings, self.setting_importance.as_ref())?;
        let trade_offs = trade_off_blocks(&report.question.objective(), &self.costs)?;
        Ok(Document {
            title: report.question.experiment.clone(),
            kind: "comparison",
            summary: self.summary(),
            command: self.command.clone(),
            is_unfinished: false,
            sections: vec![
                section("Answer", self.answer_blocks()),
                section("Findings", finding_blocks(findings)),
                section("Settings", settings),
                section("Trade-offs", trade_offs),
                section("Learning curves", self.curve_blocks()?),
                section("Decision boundaries", boundary_blocks(&shown)?),
                section("Confusion matrices", confusion_blocks(&shown)),
                section("Important columns", importance),
                section("Thresholds", threshold_blocks(&shown, is_few)?),
                section("More figures", tables),
                section("Configuration", vec![config_block(CONFIG, &self.config)]),
                section("Environment", environment_blocks(self.environment.as_ref())),
            ],
        })
    }

    fn answer_blocks(&self) -> Vec<Block> {
        let mut blocks = vec![Block::List(self.report.conclusion.clone())];
        let notice = |(run, why): &(String, String)| Notice {
            weight: Weight::Error,
            title: format!("{run} failed"),
            text: why.clone(),
            evidence: Vec::new(),
            details: Vec::new(),
        };
        if !self.failures.is_empty() {
            blocks.push(Block::Notices(self.failures.iter().map(notice).collect()));
        }
        blocks.push(Block::Table(objective_table(&self.report)));
        blocks.extend(baselines_table(&self.report).map(Block::Table));
        blocks
    }

    fn curve_blocks(&self) -> Result<Vec<Block>, ReportError> {
        let mut blocks = Vec::new();
        let columns = self.drawn_columns();
        let mut together = Vec::new();
        for column in &columns {
            let is_few = self.curves_of(column).len() <= MOST_IN_ONE;
            let caption = match is_few {
                true => {
                    "The median over the seeds, and the range from the smallest to the largest."
                }
                false => "The median over the seeds.",
            };
            let caption = match self.report.variants.len() {
                0..=MOST_NAMED => caption.to_owned(),
                all => format!("{caption} The {MOST_NAMED} best of {all} variants have colours."),
            };
            let chart = self.line_chart(column, is_few, &caption);
            together.push(chart.draw()?);
        }
        if together.is_empty() {
            return Ok(blocks);
        }
        blocks.push(Block::Figures(together));
        let objective = self.report.question.objective();
        let column = columns
            .iter()
            .find(|c| **c == objective)
            .or(columns.first());
        if let Some(column) = column
            && self.curves_of(column).len() > MOST_IN_ONE
        {
            blocks.push(Block::Text(format!(
                "Each variant by itself: the median of its {}, the range over its seeds, and behind it, in \
                 grey, the medians of the others.",
                column.replace('_', " ")
            )));
            blocks.push(Block::Figures(self.one_by_one(column)?));
        }
        Ok(blocks)
    }

    /// A small picture for each variant.
    fn one_by_one(&self, column: &str) -> Result<Vec<Figure>, ReportError> {
        let all = self.line_chart(column, true, "");
        let figure = |line: &ChartLine| {
            let others = all.lines.iter().filter(|other| other.series != line.series);
            let chart = LineChart {
                title: line.name.clone(),
                lines: vec![line.clone()],
                behind: (others.map(|other| other.points.clone()))
                    .chain(all.behind.iter().cloned())
                    .collect(),
                size: (320.0, 230.0),
                ..self.line_chart(column, true, "")
            };
            chart.draw()
        };
        all.lines.iter().map(figure).collect()
    }

    /// The curves of all variants in one picture.
    fn line_chart(&self, column: &str, has_bands: bool, caption: &str) -> LineChart {
        let found = self.curves_of(column);
        let curves: Vec<&Curve> = found.iter().map(|(_, _, curve)| *curve).collect();
        let metric = column.split_once('_').map_or(column, |(_, metric)| metric);
        let (x, y) = epoch_axes(metric, &curves);
        let named = self.named_variants();
        let (lines, others): (Vec<_>, Vec<_>) = found
            .iter()
            .partition(|(_, place, _)| named.contains(place));
        let behind = others
            .iter()
            .map(|(v, i, c)| ChartLine::of_curve(v, *i, c, false).points);
        LineChart {
            title: capital(&format!("{} over the epochs", column.replace('_', " "))),
            x,
            y,
            caption: caption.to_string(),
            lines: lines
                .into_iter()
                .map(|(v, i, c)| ChartLine::of_curve(v, i, c, has_bands))
                .collect(),
            behind: behind.collect(),
            size: (480.0, 360.0),
            ..LineChart::new("epoch")
        }
    }

    /// The evaluations of the [named variants](Self::named_variants).
    fn shown_evaluations(&self) -> ShownVariants<'_> {
        let places = self.named_variants().into_iter();
        ShownVariants {
            shown: places.map(|i| (i, &self.evaluations[i])).collect(),
            num_all: self.evaluations.len(),
        }
    }

    /// The places of the variants whose curves have names: all, or the best by the median of the objective.
    fn named_variants(&self) -> Vec<usize> {
        let direction = self.report.question.metric.direction();
        let medians = medians(&self.report);
        let median = |place: &usize| medians[*place];
        let mut places: Vec<usize> = (0..self.report.variants.len()).collect();
        if places.len() > MOST_NAMED {
            places.sort_by(|a, b| match (median(a), median(b)) {
                (a, b) if direction.is_improvement(a, b) => Ordering::Less,
                (a, b) if direction.is_improvement(b, a) => Ordering::Greater,
                _ => Ordering::Equal,
            });
            places.truncate(MOST_NAMED);
        }
        places
    }

    /// The curves of a column, each with the name and index of its variant.
    fn curves_of(&self, column: &str) -> Vec<(&str, usize, &Curve)> {
        let variants = self.curves.iter().enumerate();
        let found = variants.filter_map(|(place, variant)| {
            let curve = variant.curves.iter().find(|curve| curve.column == column)?;
            Some((variant.variant.as_str(), place, curve))
        });
        found.collect()
    }

    /// The columns that are drawn: the headline metrics and the objective.
    fn drawn_columns(&self) -> Vec<String> {
        let objective = self.report.question.metric;
        let metrics = Metric::ALL.into_iter();
        let metrics = metrics.filter(|metric| metric.is_headline() || *metric == objective);
        let columns = metrics.flat_map(|m| ["train", "valid"].map(|split| format!("{split}_{m}")));
        columns
            .filter(|column| !self.curves_of(column).is_empty())
            .collect()
    }

    /// The report as JSON; NaN and infinities are `null`.
    ///
    /// # Errors
    /// [`ReportError::Format`] if it has no JSON form.
    pub fn to_json(&self) -> Result<String, ReportError> {
        crate::to_json(self, &self.report.question.experiment)
    }

    /// One row per variant and figure, as CSV: number of trials, median, mean, standard deviation, minimum and maximum.
    /// The row of the objective also has the 95 % interval of its median.
    ///
    /// # Errors
    /// [`ReportError::Csv`].
    pub fn to_csv(&self) -> Result<String, ReportError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record([
            "variant",
            "figure",
            "n",
            "median",
            "mean",
            "standard_deviation",
            "min",
            "max",
            "interval_low",
            "interval_high",
        ])?;
        let objective = self.report.question.objective();
        // A row of a baseline is named like a variant; its interval is that of the figure that is compared.
        let compared = self.report.baselines.as_ref();
        let baselines = compared.iter().flat_map(|compared| &compared.baselines);
        for VariantSummary {
            variant,
            figures,
            interval,
            ..
        } in self.report.variants.iter().chain(baselines)
        {
            for (figure, spread) in figures {
                let Spread {
                    n,
                    median,
                    mean,
                    standard_deviation,
                    min,
                    max,
                } = spread;
                let is_baseline =
                    |c: &&BaselineComparison| c.baselines.iter().any(|b| b.variant == *variant);
                let own = match compared.filter(is_baseline) {
                    Some(compared) => &compared.figure,
                    None => &objective,
                };
                let interval = interval.filter(|_| figure == own);
                let end = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
                writer.write_record([
                    variant.clone(),
                    figure.clone(),
                    n.to_string(),
                    median.to_string(),
                    mean.to_string(),
                    standard_deviation.to_string(),
                    min.to_string(),
                    max.to_string(),
                    end(interval.map(|(low, _)| low)),
                    end(interval.map(|(_, high)| high)),
                ])?;
            }
        }
        Ok(csv_text(writer)?)
    }
}

/// The evaluations of a variant's trials. `damage` gets a sentence for each that cannot be read.
fn evaluations(
    folder: &Path,
    report: &ComparisonResult,
    variant: &VariantSummary,
    damage: &mut Vec<String>,
) -> VariantEvaluations {
    let objective = report.question.objective();
    let median = variant
        .figures
        .get(&objective)
        .map_or(f64::NAN, |spread| spread.median);
    let mut trials = Vec::new();
    let mut distances = Vec::new();
    for trial in report
        .trials
        .iter()
        .filter(|trial| trial.variant == variant.variant)
    {
        let files = RunFolder::new(folder.join(&trial.run));
        if let Some(evaluation) = files.unless_damaged(files.evaluation(), damage) {
            let value = trial.finite(&objective).unwrap_or(f64::INFINITY);
            trials.push((trial.seed, evaluation));
            distances.push((value - median).abs());
        }
    }
    let nearest = (0..distances.len()).min_by(|&a, &b| distances[a].total_cmp(&distances[b]));
    VariantEvaluations {
        variant: variant.variant.clone(),
        trials,
        typical: nearest.unwrap_or(0),
    }
}
