//! `emberlab config`: prints a configuration with every default, or the JSON schema of all configurations.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use emberlab_config_source::ConfigSource;
use emberlab_experiments::ExperimentConfig;

use crate::failure::Failure;

/// Show a configuration with all defaults, or the schema of configurations.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// The actions of `emberlab config`.
#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print a configuration with all defaults written out.
    Show {
        /// The experiment's TOML file.
        config: PathBuf,
        /// Override a key, such as `model.activation=gelu`; may be repeated.
        #[arg(long = "set", value_name = "KEY=VALUE")]
        overrides: Vec<String>,
    },
    /// Print the JSON schema of configurations, for editors.
    Schema,
}

/// Prints a configuration or the JSON schema.
///
/// # Errors
/// [`Failure`] if the configuration is wrong or the output cannot be written.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    let text = match &args.action {
        Action::Show { config, overrides } => {
            let source = ConfigSource::load(config)?.with_overrides(overrides)?;
            let mut config = ExperimentConfig::from_source(&source)?;
            if config.comparison_keys().is_empty() {
                config = config.with_inspection();
            }
            config
                .to_toml()
                .map_err(|error| Failure::Failed(error.to_string()))?
        }
        Action::Schema => {
            let schema = schemars::schema_for!(ExperimentConfig);
            let text = serde_json::to_string_pretty(&schema);
            text.map_err(|error| Failure::Failed(error.to_string()))? + "\n"
        }
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
