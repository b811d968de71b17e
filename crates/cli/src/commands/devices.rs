//! `emberlab devices`: what this build can compute on, and what would add the rest.

use std::io::Write;
use std::process::ExitCode;

use emberlab_training::device;
use serde_json::json;

use crate::arguments::Devices;
use crate::failure::Failure;
use crate::tables;

/// Lists the devices.
///
/// # Errors
/// [`Failure`] if the output cannot be written.
pub fn run(command: &Devices) -> Result<ExitCode, Failure> {
    let devices = device::list();
    let mut out = std::io::stdout();
    if command.json {
        let list: Vec<_> = devices
            .iter()
            .map(|d| {
                json!({
                    "name": d.name,
                    "is_compiled": d.is_compiled,
                    "is_default": d.name == device::DEFAULT,
                    "hardware": d.adapters,
                    "purpose": d.purpose,
                })
            })
            .collect();
        writeln!(out, "{:#}", json!(list))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = tables::table(["device", "in this build", "hardware", "what it is for"], 4);
    for info in &devices {
        let state = match (info.is_compiled, info.name == device::DEFAULT) {
            (true, true) => "yes, the default".to_string(),
            (true, false) => "yes".to_string(),
            (false, _) => format!("--features {}", info.name),
        };
        table.add_row([info.name, &state, &info.adapters.join("\n"), info.purpose]);
    }
    writeln!(out, "{table}")?;
    Ok(ExitCode::SUCCESS)
}
