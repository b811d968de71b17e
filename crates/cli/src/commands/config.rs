//! `emberlab config`: prints a configuration with every default, or the JSON schema of all configurations.

use std::io::Write;
use std::process::ExitCode;

use emberlab_config_source::ConfigSource;
use emberlab_experiments::ExperimentConfig;

use crate::arguments::{Config, ConfigAction};
use crate::failure::Failure;

/// Prints a configuration or the JSON schema.
///
/// # Errors
/// [`Failure`] if the configuration is wrong or the output cannot be written.
pub fn run(command: &Config) -> Result<ExitCode, Failure> {
    let text = match &command.action {
        ConfigAction::Show { config, overrides } => {
            let source = ConfigSource::load(config)?.with_overrides(overrides)?;
            let config = ExperimentConfig::from_source(&source)?;
            config
                .to_toml()
                .map_err(|error| Failure::Failed(error.to_string()))?
        }
        ConfigAction::Schema => {
            let schema = schemars::schema_for!(ExperimentConfig);
            let text = serde_json::to_string_pretty(&schema);
            text.map_err(|error| Failure::Failed(error.to_string()))? + "\n"
        }
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
