//! Metrics whose values the training loop has computed, as burn-train's dashboard takes them.

use std::sync::Arc;

use burn::tensor::TensorReadError;
use burn::train::metric::{
    Adaptor, Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes,
    NumericEntry, SerializedEntry,
};

use super::placeholders::DashboardItem;

/// Metric values by name, as a display takes them.
pub(crate) type Shown = Vec<(&'static str, f64)>;

impl Adaptor<Shown> for DashboardItem {
    fn adapt(&self) -> Shown {
        self.shown.clone()
    }
}

/// A metric whose value the loop has already computed.
#[derive(Clone)]
pub(crate) struct ShownMetric {
    name: &'static str,
    title: MetricName,
    higher_is_better: bool,
    value: Option<f64>,
}

impl ShownMetric {
    pub(crate) fn new(name: &'static str, title: &str, higher_is_better: bool) -> Self {
        Self {
            name,
            title: Arc::new(title.to_string()),
            higher_is_better,
            value: None,
        }
    }

    fn entry(&self) -> SerializedEntry {
        self.value.map_or_else(
            || SerializedEntry::not_available(None),
            |value| {
                let text = match value.abs() {
                    x if x != 0.0 && !(1e-3..1e5).contains(&x) => format!("{value:.3e}"),
                    _ => format!("{value:.4}"),
                };
                SerializedEntry::new(text, value.to_string())
            },
        )
    }
}

impl Metric for ShownMetric {
    type Input = Shown;

    fn name(&self) -> MetricName {
        self.title.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        MetricAttributes::Numeric(NumericAttributes {
            unit: None,
            higher_is_better: self.higher_is_better,
        })
    }

    fn update(
        &mut self,
        shown: &Shown,
        _: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let found = shown.iter().find(|(name, _)| *name == self.name);
        self.value = found.map(|(_, value)| *value);
        Ok(self.entry())
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.entry())
    }

    // The last value stays on the screen between epochs.
    fn clear(&mut self) {}
}

impl Numeric for ShownMetric {
    fn value(&self) -> Option<NumericEntry> {
        self.value
            .filter(|v| v.is_finite())
            .map(NumericEntry::Value)
    }

    fn running_value(&self) -> Option<NumericEntry> {
        self.value()
    }

    fn final_value(&self) -> NumericEntry {
        NumericEntry::Final(self.value.unwrap_or(f64::NAN))
    }
}

/// The problems found so far, as text among the numbers.
#[derive(Clone, Default)]
pub(crate) struct FindingsMetric(Vec<String>);

/// The input of [`FindingsMetric`].
pub(crate) struct Found(Vec<String>);

impl Adaptor<Found> for DashboardItem {
    fn adapt(&self) -> Found {
        Found(self.found.clone())
    }
}

impl FindingsMetric {
    fn entry(&self) -> SerializedEntry {
        let text = match self.0.is_empty() {
            true => "nothing so far".to_string(),
            false => self.0.join(", "),
        };
        SerializedEntry::new(text.clone(), text)
    }
}

impl Metric for FindingsMetric {
    type Input = Found;

    fn name(&self) -> MetricName {
        Arc::new("Found".to_string())
    }

    fn update(
        &mut self,
        found: &Found,
        _: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.0 = found.0.clone();
        Ok(self.entry())
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.entry())
    }

    fn clear(&mut self) {}
}
