//! Errors of broken configurations: message, key, place and help.

#![allow(clippy::unwrap_used)]
use super::blame::EXCLUDE;
use super::*;
use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::num::NonZeroUsize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read for its errors")]
struct Experiment {
    #[serde(default)]
    seed: u64,
    model: Model,
    #[serde(default)]
    training: Option<Training>,
    #[serde(default)]
    losses: Vec<Loss>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
#[expect(dead_code, reason = "read for its errors")]
enum Model {
    Mlp {
        hidden: Vec<usize>,
        #[serde(default)]
        activation: Option<Activation>,
        #[serde(default)]
        dropout: f64,
        #[serde(default)]
        norm: Option<Norm>,
        #[serde(default)]
        rate: Option<Rate>,
    },
    Perceptron {},
}

#[derive(Debug, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
#[expect(dead_code, reason = "read for its errors")]
enum Norm {
    Batch {
        #[serde(default)]
        epsilon: f64,
    },
    Group {
        groups: usize,
    },
}

/// A name, or a table with a name and parameters.
#[derive(Debug)]
#[expect(dead_code, reason = "read for its errors")]
struct Activation(ActivationTable);

#[derive(Debug, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
#[expect(dead_code, reason = "read for its errors")]
enum ActivationTable {
    Relu {},
    Gelu {},
    LeakyRelu {
        #[serde(default)]
        slope: f64,
    },
}

impl<'de> Deserialize<'de> for Activation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrTable;
        impl<'de> Visitor<'de> for NameOrTable {
            type Value = Activation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of an activation or a table")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Activation, E> {
                let table = MapDeserializer::new([("name", name)].into_iter());
                ActivationTable::deserialize(table).map(Activation)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Activation, A::Error> {
                ActivationTable::deserialize(MapAccessDeserializer::new(map)).map(Activation)
            }
        }
        deserializer.deserialize_any(NameOrTable)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read for its errors")]
struct Training {
    epochs: NonZeroUsize,
    #[serde(default)]
    batch: Option<Batch>,
    #[serde(default)]
    shuffle: bool,
    #[serde(default)]
    loss: Option<Loss>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "must be a number of samples or \"full\"")]
#[expect(dead_code, reason = "read for its errors")]
enum Batch {
    Size(usize),
    Full(Full),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Full {
    Full,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "read for its errors")]
enum Rate {
    Constant(f64),
    PerLayer(Vec<f64>),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Loss {
    Mse,
    CrossEntropy,
}

fn error(text: &str) -> ConfigError {
    let source = ConfigSource::new("moons.toml", text);
    parse::<Experiment>(&source).unwrap_err()
}

/// Asserts message, key, line and column, the marked text, and the help.
#[track_caller]
fn assert_error(
    text: &str,
    message: &str,
    key: &str,
    (place, marked): ((usize, usize), &str),
    help: Option<&str>,
) {
    let error = error(text);
    assert_eq!(error.message, message);
    assert_eq!(error.key.as_deref(), Some(key));
    assert_eq!(error.line_column(), Some(place));
    assert_eq!(&text[error.span.clone().unwrap()], marked);
    assert_eq!(error.help.as_deref(), help);
}

const MLP: &str = "[model]\nname = \"mlp\"\nhidden = [16]\n";

#[test]
fn a_valid_file_is_read() {
    let text = format!(
        "{MLP}activation = \"gelu\"\nnorm = {{ name = \"group\", groups = 2 }}\n\
         [training]\nepochs = 3\nbatch = \"full\"\nloss = \"cross_entropy\"\n"
    );
    let source = ConfigSource::new("moons.toml", text);
    let experiment: Experiment = parse(&source).unwrap();
    let shown = format!("{experiment:?}");
    assert!(shown.contains("Activation(Gelu)"), "{shown}");
    assert!(shown.contains("Group { groups: 2 }"), "{shown}");
    assert!(shown.contains("batch: Some(Full(Full))"), "{shown}");
}

#[test]
fn broken_toml_has_the_place_where_it_breaks() {
    let error = error("seed = 1\nmodel = [1, 2\n[training]\n");
    assert_eq!(error.line_column().map(|(line, _)| line), Some(3));
    assert_eq!(error.key, None);
    assert!(!error.message.is_empty());
}

#[test]
fn a_key_given_twice_is_broken_toml() {
    let error = error("seed = 1\nseed = 2\n");
    assert_eq!(error.message, "duplicate key");
    assert_eq!(error.line_column(), Some((2, 1)));
}

#[test]
fn an_unknown_key_at_the_top_suggests_the_nearest() {
    assert_error(
        &format!("sed = 1\n{MLP}"),
        "unknown key `sed` at the top level",
        "sed",
        ((1, 1), "sed"),
        Some("did you mean `seed`?"),
    );
    assert_error(
        &format!("{MLP}\n[trainig]\nepochs = 1\n"),
        "unknown key `trainig` at the top level",
        "trainig",
        ((5, 2), "trainig"),
        Some("did you mean `training`?"),
    );
}

#[test]
fn an_unknown_key_in_a_plain_table_is_found() {
    assert_error(
        &format!("{MLP}[training]\nepochs = 1\nshufle = true\n"),
        "unknown key `shufle` in `[training]`",
        "training.shufle",
        ((6, 1), "shufle"),
        Some("did you mean `shuffle`?"),
    );
}

#[test]
fn an_unknown_key_in_a_tagged_table_is_found() {
    assert_error(
        &format!("{MLP}dropuot = 0.5\n"),
        "unknown key `dropuot` in `[model]`",
        "model.dropuot",
        ((4, 1), "dropuot"),
        Some("did you mean `dropout`?"),
    );
    assert_error(
        "model = { name = \"perceptron\", bias = true }\n",
        "unknown key `bias` in `[model]`",
        "model.bias",
        ((1, 32), "bias"),
        Some("no other key can be set here"),
    );
}

#[test]
fn a_key_far_from_all_lists_the_valid_ones() {
    assert_error(
        &format!("{MLP}norm = {{ name = \"batch\", xyz = 1 }}\n"),
        "unknown key `xyz` in `[model.norm]`",
        "model.norm.xyz",
        ((4, 26), "xyz"),
        Some("valid names: `epsilon`"),
    );
}

#[test]
fn of_two_keys_with_the_same_name_the_misplaced_one_is_marked() {
    // `slope` belongs to the activation and not to the model, in either order.
    assert_error(
        &format!("{MLP}slope = 1\nactivation = {{ name = \"leaky_relu\", slope = 1 }}\n"),
        "unknown key `slope` in `[model]`",
        "model.slope",
        ((4, 1), "slope"),
        Some("valid names: `hidden`, `activation`, `dropout`, `norm`, `rate`"),
    );
    assert_error(
        &format!("{MLP}activation = {{ name = \"leaky_relu\", slope = 1 }}\nslope = 1\n"),
        "unknown key `slope` in `[model]`",
        "model.slope",
        ((5, 1), "slope"),
        Some("valid names: `hidden`, `activation`, `dropout`, `norm`, `rate`"),
    );
}

#[test]
fn an_unknown_name_suggests_the_nearest() {
    assert_error(
        "[model]\nname = \"mpl\"\n",
        "unknown name `mpl` for `model.name`",
        "model.name",
        ((2, 8), "\"mpl\""),
        Some("did you mean `mlp`?"),
    );
    assert_error(
        &format!("{MLP}[training]\nepochs = 1\nloss = \"cross-entropy\"\n"),
        "unknown name `cross-entropy` for `training.loss`",
        "training.loss",
        ((6, 8), "\"cross-entropy\""),
        Some("did you mean `cross_entropy`?"),
    );
}

#[test]
fn an_unknown_name_is_found_in_a_string_and_in_a_table() {
    assert_error(
        &format!("{MLP}activation = \"geluu\"\n"),
        "unknown name `geluu` for `model.activation`",
        "model.activation",
        ((4, 14), "\"geluu\""),
        Some("did you mean `gelu`?"),
    );
    assert_error(
        &format!("{MLP}[model.activation]\nname = \"swish\"\n"),
        "unknown name `swish` for `model.activation.name`",
        "model.activation.name",
        ((5, 8), "\"swish\""),
        Some("valid names: `relu`, `gelu`, `leaky_relu`"),
    );
}

#[test]
fn a_name_in_a_list_is_found_by_its_index() {
    assert_error(
        &format!("losses = [\"mse\", \"mae\"]\n{MLP}"),
        "unknown name `mae` for `losses[1]`",
        "losses[1]",
        ((1, 18), "\"mae\""),
        Some("did you mean `mse`?"),
    );
}

#[test]
fn a_wrong_type_is_named_in_the_words_of_toml() {
    assert_error(
        &format!("{MLP}dropout = \"fast\"\n"),
        "`model.dropout` must be a number, not the string \"fast\"",
        "model.dropout",
        ((4, 11), "\"fast\""),
        None,
    );
    assert_error(
        &format!("{MLP}[training]\nepochs = 1\nshuffle = 1\n"),
        "`training.shuffle` must be true or false, not 1",
        "training.shuffle",
        ((6, 11), "1"),
        None,
    );
    assert_error(
        "model = 3\n",
        "`model` must be a table, not 3",
        "model",
        ((1, 9), "3"),
        None,
    );
    assert_error(
        &format!("{MLP}activation = 3\n"),
        "`model.activation` must be the name of an activation or a table, not 3",
        "model.activation",
        ((4, 14), "3"),
        None,
    );
    assert_error(
        "[model]\nname = \"mlp\"\nhidden = [16, 0.5]\n",
        "`model.hidden[1]` must be an integer of at least 0, not 0.5",
        "model.hidden[1]",
        ((3, 15), "0.5"),
        None,
    );
    assert_error(
        &format!("{MLP}[training]\nepochs = 1\nloss = 3\n"),
        "`training.loss`: must be a name or a table",
        "training.loss",
        ((6, 8), "3"),
        None,
    );
}

#[test]
fn a_number_out_of_range_is_refused() {
    assert_error(
        "[model]\nname = \"mlp\"\nhidden = [16, -3]\n",
        "`model.hidden[1]` must be an integer of at least 0, not -3",
        "model.hidden[1]",
        ((3, 15), "-3"),
        None,
    );
    assert_error(
        &format!("{MLP}[training]\nepochs = 0\n"),
        "`training.epochs` must be an integer of at least 1, not 0",
        "training.epochs",
        ((5, 10), "0"),
        None,
    );
}

#[test]
fn of_two_equal_values_the_wrong_one_is_marked() {
    // The first table is right where the second is wrong.
    assert_error(
        "[model]\nname = \"mlp\"\ndropout = {}\nhidden = {}\n",
        "`model.dropout` must be a number, not a table",
        "model.dropout",
        ((3, 11), "{}"),
        None,
    );
    assert_error(
        "[model]\nname = \"mlp\"\nhidden = [4]\ndropout = 4\nactivation = 4\n",
        "`model.activation` must be the name of an activation or a table, not 4",
        "model.activation",
        ((5, 14), "4"),
        None,
    );
}

#[test]
fn a_missing_name_lists_the_valid_ones() {
    assert_error(
        "[model]\nhidden = [16]\n",
        "`[model]` needs `name`",
        "model",
        ((1, 1), "[model]"),
        Some("valid names: `mlp`, `perceptron`"),
    );
    assert_error(
        &format!("{MLP}norm = {{ groups = 2 }}\n"),
        "`[model.norm]` needs `name`",
        "model.norm",
        ((4, 8), "{ groups = 2 }"),
        Some("valid names: `batch`, `group`"),
    );
}

#[test]
fn a_mistyped_name_key_is_recognised() {
    assert_error(
        "[model]\nnam = \"mlp\"\n",
        "`[model]` needs `name`",
        "model",
        ((1, 1), "[model]"),
        Some("did you mean `name` where you wrote `nam`?"),
    );
}

#[test]
fn a_missing_key_is_placed_at_its_table() {
    assert_error(
        &format!("{MLP}[training]\nshuffle = true\n"),
        "`[training]` needs `epochs`",
        "training",
        ((4, 1), "[training]"),
        None,
    );
    assert_error(
        &format!("{MLP}[model.norm]\nname = \"group\"\n"),
        "`[model.norm]` needs `groups`",
        "model.norm",
        ((4, 1), "[model.norm]"),
        None,
    );
}

#[test]
fn a_missing_table_has_no_place() {
    let error = error("seed = 1\n");
    assert_eq!(error.message, "the file needs `model`");
    assert_eq!((error.key, error.span, error.help), (None, None, None));
}

#[test]
fn an_untagged_value_says_what_it_expects() {
    assert_error(
        &format!("{MLP}[training]\nepochs = 1\nbatch = \"half\"\n"),
        "`training.batch`: must be a number of samples or \"full\"",
        "training.batch",
        ((6, 9), "\"half\""),
        None,
    );
}

#[test]
fn an_untagged_value_inside_a_tagged_table_is_found() {
    assert_error(
        &format!("{MLP}dropout = 0.5\nrate = \"slow\"\n"),
        "`model.rate`: does not have any of the accepted forms",
        "model.rate",
        ((5, 8), "\"slow\""),
        None,
    );
}

#[test]
fn quoted_keys_are_shown_quoted() {
    assert_error(
        &format!("{MLP}\"a b\" = 1\n"),
        "unknown key `a b` in `[model]`",
        "model.\"a b\"",
        ((4, 1), "\"a b\""),
        Some("valid names: `hidden`, `activation`, `dropout`, `norm`, `rate`"),
    );
}

#[test]
fn an_error_in_an_override_is_marked_in_the_override() {
    let source = ConfigSource::new("moons.toml", MLP);
    for (text, message, marked) in [
        (
            "model.activation=geluu",
            "unknown name `geluu` for `model.activation`",
            "geluu",
        ),
        (
            "model.hidden=[8, -2]",
            "`model.hidden[1]` must be an integer of at least 0, not -2",
            "-2",
        ),
        (
            "model.hiden=[8]",
            "unknown key `hiden` in `[model]`",
            "hiden",
        ),
        (
            "modle.hidden=[8]",
            "unknown key `modle` at the top level",
            "modle",
        ),
        (
            "model.hiden=eight",
            "unknown key `hiden` in `[model]`",
            "model.hiden",
        ),
        ("training.batch=8", "`[training]` needs `epochs`", "8"),
    ] {
        let changed = source.with_overrides(&[text.to_owned()]).unwrap();
        let error = parse::<Experiment>(&changed).unwrap_err();
        assert_eq!(error.message, message);
        assert_eq!(error.source.name, "--set");
        assert_eq!(error.source.text, text);
        assert_eq!(&text[error.span.unwrap()], marked);
    }
}

#[test]
fn an_error_in_the_file_is_marked_there_whatever_is_overridden() {
    let text = format!("{MLP}dropout = 0.5\nrate = \"slow\"\n");
    let source = ConfigSource::new("moons.toml", &text);
    let overrides = [
        "model.name=\"mlp\"".to_owned(),
        "model.hidden=[1, 2, 3]".to_owned(),
    ];
    let changed = source.with_overrides(&overrides).unwrap();
    let error = parse::<Experiment>(&changed).unwrap_err();
    assert_eq!(error.source.text, text);
    assert_eq!(error.line_column(), Some((5, 8)));
    assert_eq!(&text[error.span.unwrap()], "\"slow\"");
}

#[test]
fn a_value_in_another_notation_is_answered_with_how_to_write_it() {
    let source = ConfigSource::new("moons.toml", format!("{MLP}[training]\nepochs = 1\n"));
    for (text, help) in [
        ("model=mlp", "write `model.name=mlp`"),
        ("training.shuffle=True", "write `true`"),
        ("model.dropout=.5", "write `0.5`"),
        ("model.hidden=8,8", "write `[8, 8]`"),
        ("seed=\"3\"", "write `3`"),
        (
            "model.activation=[relu,gelu]",
            "texts in a list need quotes: `[\"relu\", \"gelu\"]`",
        ),
    ] {
        let changed = source.with_overrides(&[text.to_owned()]).unwrap();
        let keys = || vec!["model.name".to_owned()];
        let error = parse_with_keys::<Experiment>(&changed, keys).unwrap_err();
        assert_eq!(error.help.as_deref(), Some(help), "{error}");
    }
    let file = ConfigSource::new("moons.toml", "model = \"mlp\"\n");
    let error = parse_with_keys::<Experiment>(&file, || vec!["model.name".to_owned()]);
    let help = error.unwrap_err().help;
    assert_eq!(help.as_deref(), Some("write `model.name = \"mlp\"`"));
}

#[test]
fn a_choice_without_its_value_and_two_choices_at_once_are_answered_with_their_form() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "read for its errors")]
    struct Averaged {
        average: Average,
    }
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[expect(dead_code, reason = "read for its errors")]
    enum Average {
        Ema(f64),
        Swa(u64),
    }
    let help = |text: &str, set: &str| {
        let source = ConfigSource::new("a.toml", text);
        let changed = source.with_overrides(&[set.to_owned()]).unwrap();
        let error = parse::<Averaged>(&changed).unwrap_err();
        (error.message, error.help.unwrap_or_default())
    };
    let (message, said) = help("", "average=ema");
    assert_eq!(message, "`average` needs a value for `ema`");
    assert_eq!(said, "write `average.ema = VALUE`");
    let (message, said) = help("average = { swa = 3 }", "average.ema=0.9");
    assert!(message.ends_with(EXCLUDE), "{message}");
    assert!(said.ends_with("`average={ ema = 0.9 }`"), "{said}");
}
