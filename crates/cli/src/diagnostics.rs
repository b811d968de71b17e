//! Shows errors on the terminal: the message, the line of the file with the wrong part marked, and a suggestion.

use emberlab_config_source::ConfigError;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, NamedSource, SourceSpan};
use std::error::Error;

use crate::terminal;

/// An error as text for stderr, in colour if stderr is a terminal and `NO_COLOR` is not set.
///
/// If the error or one of its causes is a [`ConfigError`], the text shows its place in the file.
pub fn report(error: &(dyn Error + 'static)) -> String {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if terminal::can_draw(&std::io::stderr()) && !no_color {
        render(error, GraphicalTheme::unicode())
    } else {
        render(error, GraphicalTheme::unicode_nocolor())
    }
}

fn render(error: &(dyn Error + 'static), theme: GraphicalTheme) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let Some(config) = causes.clone().find_map(|e| e.downcast_ref::<ConfigError>()) else {
        return format!(
            "error: {}",
            message_with_causes(causes.map(ToString::to_string))
        );
    };
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_wrap_lines(false)
        .without_cause_chain();
    match handler.render_report(&mut text, &Report::from(config)) {
        Ok(()) => text,
        // The message matters more than the picture of the place.
        Err(_) => format!("error: {config}"),
    }
}

/// The messages of an error and its causes. A cause that is already part of the message is left out.
fn message_with_causes(messages: impl Iterator<Item = String>) -> String {
    messages.fold(String::new(), |text, cause| match text.as_str() {
        "" => cause,
        text if text.contains(&cause) => text.to_owned(),
        text => format!("{text}: {cause}"),
    })
}

/// A configuration error in the form that miette draws.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{message}")]
struct Report {
    message: String,
    #[source_code]
    file: Option<NamedSource<String>>,
    #[label]
    place: Option<SourceSpan>,
    #[help]
    help: Option<String>,
}

impl From<&ConfigError> for Report {
    fn from(error: &ConfigError) -> Self {
        let source = &error.source;
        let place = error.span.clone().map(SourceSpan::from);
        // Without a place no part of the file is shown, so the message names the file.
        let message = match place {
            Some(_) => error.message.clone(),
            None => format!("{}: {}", source.name, error.message),
        };
        Self {
            message,
            file: place.map(|_| NamedSource::new(&source.name, source.text.clone())),
            place,
            help: error.help.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::failure::Failure;
    use emberlab_config_source::ConfigSource;
    use emberlab_experiments::ExperimentError;

    fn source() -> ConfigSource {
        ConfigSource::new("moons.toml", "[model]\nactivation = \"geluu\"\n")
    }

    fn plain(error: &(dyn Error + 'static)) -> String {
        render(error, GraphicalTheme::unicode_nocolor())
    }

    fn config_error() -> ConfigError {
        ConfigError::at_key(&source(), "model.activation", "unknown name `geluu`")
            .with_help("did you mean `gelu`?")
    }

    #[test]
    fn a_config_error_shows_its_place_and_help() {
        let text = plain(&config_error());
        for part in [
            "unknown name `geluu`",
            "moons.toml:2:14",
            "activation = \"geluu\"",
            "help: did you mean `gelu`?",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn a_report_contains_the_suggestion() {
        let text = report(&config_error());
        assert!(text.contains("did you mean `gelu`?"), "{text}");
    }

    #[test]
    fn a_colour_theme_adds_colour() {
        let text = render(&config_error(), GraphicalTheme::unicode());
        assert!(text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn an_error_without_place_names_its_file() {
        let error = ConfigSource::load("no/such.toml").unwrap_err();
        let text = plain(&error);
        assert!(text.contains("cannot read no/such.toml"), "{text}");
    }

    #[test]
    fn a_config_error_that_caused_a_failure_still_shows_its_place() {
        let experiment = ExperimentError::from(config_error());
        for failure in [Failure::from(config_error()), Failure::from(experiment)] {
            let text = plain(&failure);
            assert!(text.contains("activation = \"geluu\""), "{text}");
        }
    }

    #[test]
    fn other_errors_are_shown_with_their_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot write result.json")]
        struct Outer(#[source] std::io::Error);
        let text = plain(&Outer(std::io::Error::other("disk full")));
        assert!(
            text.contains("cannot write result.json: disk full"),
            "{text}"
        );
    }
}
