//! No normalisation.

use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Norm, NormParameters, NormalizationKind};
use crate::parameters::Parameters;

/// No normalisation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoNormalization {}

impl NormalizationKind for NoNormalization {
    fn validate(&self, _: &str, _: &[usize]) -> Result<(), Problem> {
        Ok(())
    }

    fn fits_images(&self) -> bool {
        true
    }

    fn init(&self, _: usize, _: &mut Parameters) -> Option<Norm> {
        None
    }

    fn layer(&self, _: NormParameters) -> Option<Norm> {
        None
    }
}
