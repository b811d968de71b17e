//! Errors for people: what is wrong, the place in the file, and what might be meant.

use emberlab_config_source::ConfigError;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, NamedSource, SourceSpan};
use std::error::Error;
use std::io::IsTerminal;

/// Renders an error for stderr, with colour if that is a terminal and `NO_COLOR` is not set.
///
/// A [`ConfigError`], whether it is the error or one of its causes, is shown with its place in the text.
pub fn report(error: &(dyn Error + 'static)) -> String {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if std::io::stderr().is_terminal() && !no_color {
        render(error, GraphicalTheme::unicode())
    } else {
        render(error, GraphicalTheme::unicode_nocolor())
    }
}

fn render(error: &(dyn Error + 'static), theme: GraphicalTheme) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let Some(config) = causes.clone().find_map(|e| e.downcast_ref::<ConfigError>()) else {
        return format!("error: {}", told_once(causes.map(ToString::to_string)));
    };
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(100)
        .without_cause_chain();
    match handler.render_report(&mut text, &Report::from(config)) {
        Ok(()) => text,
        // Nothing of the picture matters as much as the message.
        Err(_) => format!("error: {config}"),
    }
}

/// An error and its causes, each said once: many errors repeat their cause in their own message.
fn told_once(messages: impl Iterator<Item = String>) -> String {
    messages.fold(String::new(), |told, cause| match told.as_str() {
        "" => cause,
        told if told.contains(&cause) => told.to_owned(),
        told => format!("{told}: {cause}"),
    })
}

/// An error in the form that miette draws.
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
        // Without a place there is no picture to carry the file's name.
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
    use emberlab_config_source::ConfigSource;

    fn source() -> ConfigSource {
        ConfigSource {
            name: "moons.toml".into(),
            text: "[model]\nactivation = \"geluu\"\n".into(),
        }
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
    fn a_report_says_what_is_wrong_wherever_it_goes() {
        let text = report(&config_error());
        assert!(text.contains("did you mean `gelu`?"), "{text}");
    }

    #[test]
    fn colour_is_for_terminals() {
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
    fn a_config_error_behind_another_still_shows_its_place() {
        #[derive(Debug, thiserror::Error)]
        #[error("the experiment is not valid")]
        struct Outer(#[source] ConfigError);
        let text = plain(&Outer(config_error()));
        assert!(text.contains("moons.toml:2:14"), "{text}");
    }

    #[test]
    fn other_errors_are_told_with_their_causes() {
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
