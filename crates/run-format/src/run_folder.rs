//! The folder of a run, for those who only read it.

use std::path::{Path, PathBuf};
use std::{fs, io};

use emberlab_storage::sha256;
use serde::de::DeserializeOwned;

use crate::files::{
    self, BASELINES, CONFIG, DIAGNOSIS, ENVIRONMENT, EVALUATION, FAILURE, FRAMES, IMPORTANCE,
    LAYERS, METRICS, MODEL, RESULT, THRESHOLD,
};
use crate::{
    Baselines, ChosenThreshold, Diagnosis, Environment, Failure, FormatError, Frame, FramesHeader,
    History, Importance, LayerHistory, ModelFile, RunEvaluation, RunResult, ThresholdInUse,
    Weights,
};

/// The folder of a run. Files that the run has not written yet are `None`, not errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// The run in the folder `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the run, which is the name of its folder.
    pub fn name(&self) -> String {
        file_name(Some(&self.place()))
    }

    /// The name of its experiment, which is the name of the folder above.
    pub fn experiment(&self) -> String {
        file_name(self.place().parent())
    }

    /// `experiment/run`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.experiment(), self.name())
    }

    /// The path with the names of both folders: a path such as `.` has neither.
    fn place(&self) -> PathBuf {
        let has_names = |path: &Path| {
            path.file_name().is_some() && path.parent().and_then(Path::file_name).is_some()
        };
        if has_names(&self.path) {
            return self.path.clone();
        }
        match std::path::absolute(&self.path) {
            Ok(path) if has_names(&path) => path,
            _ => fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone()),
        }
    }

    /// The metrics of every epoch; empty before the first epoch has ended.
    ///
    /// # Errors
    /// [`FormatError`] if `metrics.csv` is there but cannot be read.
    pub fn history(&self) -> Result<History, FormatError> {
        let path = self.path.join(METRICS);
        let text = read_text(&path)?.unwrap_or_default();
        History::parse(&text).map_err(|e| FormatError::malformed(&path, e))
    }

    /// The rows of its layers; empty if the network was not inspected.
    ///
    /// # Errors
    /// [`FormatError`] if `layers.csv` is there but cannot be read.
    pub fn layers(&self) -> Result<LayerHistory, FormatError> {
        let path = self.path.join(LAYERS);
        let text = read_text(&path)?.unwrap_or_default();
        LayerHistory::parse(&text).map_err(|e| FormatError::malformed(&path, e))
    }

    /// The pictures of the network while it learned. A last line without its end does not count.
    ///
    /// # Errors
    /// [`FormatError`] if `frames.jsonl` is there but cannot be read.
    pub fn frames(&self) -> Result<Option<(FramesHeader, Vec<Frame>)>, FormatError> {
        let path = self.path.join(FRAMES);
        let text = read_text(&path)?.unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let malformed = |e| FormatError::malformed(&path, e);
        let mut lines = whole.lines();
        let Some(header) = lines.next() else {
            return Ok(None);
        };
        let header = serde_json::from_str(header).map_err(malformed)?;
        let frames = lines.map(|line| serde_json::from_str(line).map_err(malformed));
        Ok(Some((header, frames.collect::<Result<_, _>>()?)))
    }

    /// How the training ended.
    ///
    /// # Errors
    /// [`FormatError`] if `result.json` is there but cannot be read.
    pub fn result(&self) -> Result<Option<RunResult>, FormatError> {
        self.json(RESULT)
    }

    /// A sentence for each file of a finished run that is not the one that its result has the checksum of.
    ///
    /// # Errors
    /// [`FormatError`] if `result.json` is there but cannot be read.
    pub fn changed_files(&self) -> Result<Vec<String>, FormatError> {
        let files = self.result()?.map_or_else(Vec::new, |result| result.files);
        let changed = files.iter().filter_map(|file| {
            let path = self.path.join(&file.name);
            let reason = match fs::read(&path) {
                Ok(content) => file.disagreement(&content)?,
                Err(error) => error.to_string(),
            };
            let path = path.display();
            Some(format!("{path} is damaged or was changed: {reason}"))
        });
        Ok(changed.collect())
    }

    /// The error that ended the training.
    ///
    /// # Errors
    /// [`FormatError`] if `failure.json` is there but cannot be read.
    pub fn failure(&self) -> Result<Option<Failure>, FormatError> {
        self.json(FAILURE)
    }

    /// The program and the machine that the run was trained with.
    ///
    /// # Errors
    /// [`FormatError`] if `environment.json` is there but cannot be read.
    pub fn environment(&self) -> Result<Option<Environment>, FormatError> {
        self.json(ENVIRONMENT)
    }

    /// Shapes, names and scaling of the network.
    ///
    /// # Errors
    /// [`FormatError`] if `model/model.json` is there but cannot be read.
    pub fn model(&self) -> Result<Option<ModelFile>, FormatError> {
        self.json(MODEL)
    }

    /// The evaluation of the last network.
    ///
    /// # Errors
    /// [`FormatError`] if `evaluation.json` is there but cannot be read.
    pub fn evaluation(&self) -> Result<Option<RunEvaluation>, FormatError> {
        self.json(EVALUATION)
    }

    /// The baselines on the run's data.
    ///
    /// # Errors
    /// [`FormatError`] if `baselines.json` is there but cannot be read.
    pub fn baselines(&self) -> Result<Option<Baselines>, FormatError> {
        self.json(BASELINES)
    }

    /// The importance of the columns for the last network.
    ///
    /// # Errors
    /// [`FormatError`] if `importance.json` is there but cannot be read.
    pub fn importance(&self) -> Result<Option<Importance>, FormatError> {
        self.json(IMPORTANCE)
    }

    /// The threshold that decides the predictions of one of its networks; `None` if no threshold was ever chosen.
    ///
    /// # Errors
    /// [`FormatError`] if `threshold.json` is there but cannot be read, or the network of a run with one cannot.
    pub fn threshold(&self, weights: Weights) -> Result<Option<ThresholdInUse>, FormatError> {
        let Some(stored) = self.json::<ChosenThreshold>(THRESHOLD)? else {
            return Ok(None);
        };
        let path = self.path.join(weights.file());
        let network = fs::read(&path).map_err(|source| FormatError::Io { path, source })?;
        let sha256 = sha256(&network);
        Ok(Some(ThresholdInUse::of(Some(stored), weights, &sha256)))
    }

    /// The findings about the run.
    ///
    /// # Errors
    /// [`FormatError`] if `diagnosis.json` is there but cannot be read.
    pub fn diagnosis(&self) -> Result<Option<Diagnosis>, FormatError> {
        self.json(DIAGNOSIS)
    }

    /// The configuration as TOML text.
    ///
    /// # Errors
    /// [`FormatError`] if `config.toml` is there but cannot be read.
    pub fn config(&self) -> Result<Option<String>, FormatError> {
        read_text(&self.path.join(CONFIG))
    }

    /// The value of a file of the run. If the file is damaged, there is none, and `damage` gets a sentence with the command
    /// that writes the file again.
    pub fn unless_damaged<T>(
        &self,
        value: Result<Option<T>, FormatError>,
        damage: &mut Vec<String>,
    ) -> Option<T> {
        let error = match value {
            Ok(value) => return value,
            Err(error) => error,
        };
        let name = error.path().strip_prefix(&self.path).ok();
        let name = name.and_then(Path::to_str).unwrap_or_default();
        damage.push(match files::rewritten_by(name, &self.id()) {
            Some(advice) => format!("{error}; {advice}"),
            None => error.to_string(),
        });
        None
    }

    fn json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, FormatError> {
        read_json(&self.path.join(name))
    }
}

fn file_name(path: Option<&Path>) -> String {
    let name = path.and_then(Path::file_name);
    name.map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The value in a JSON file; `None` if there is no such file.
///
/// # Errors
/// [`FormatError`].
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, FormatError> {
    let Some(text) = read_text(path)? else {
        return Ok(None);
    };
    let value = serde_json::from_str(&text);
    value.map(Some).map_err(|e| FormatError::malformed(path, e))
}

/// The text of a file; `None` if there is no such file.
///
/// # Errors
/// [`FormatError::Io`].
pub fn read_text(path: &Path) -> Result<Option<String>, FormatError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FormatError::Io {
            path: path.to_path_buf(),
            source,
        }),
    }
}
