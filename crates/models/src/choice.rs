//! Named choices, written as a name or as a table of that name and its parameters.
//!
//! `"gelu"` and `{ name = "leaky_relu", alpha = 0.2 }` are both an activation. Serde's internally tagged
//! enums come close, but read no bare names and let unknown keys pass beside a name without parameters.

use std::fmt;
use std::marker::PhantomData;

use schemars::{Schema, json_schema};
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serializer};

use crate::initializer::Fan;

/// A closed set of named choices.
pub(crate) trait Choice: Clone + 'static {
    /// What one of them is, for messages: `an activation`.
    const WHAT: &'static str;

    /// Every choice with its default parameters, in the order in which messages list them.
    fn choices() -> Vec<Self>;

    /// The name it is written by.
    fn name(&self) -> &'static str;

    /// Its parameters; none for most.
    fn parameters(&mut self) -> Vec<Parameter<'_>>;
}

/// A parameter of a choice, to be read or set.
pub(crate) struct Parameter<'a> {
    pub key: &'static str,
    pub help: &'static str,
    pub value: ParameterValue<'a>,
}

/// Where a parameter's value is saved.
pub(crate) enum ParameterValue<'a> {
    Number(&'a mut f64),
    Count(&'a mut usize),
    Fan(&'a mut Fan),
}

/// A parameter's value as written, before it is known which parameter it is for.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number or a name")]
enum Written {
    Count(usize),
    Number(f64),
    Text(String),
}

impl Parameter<'_> {
    /// Sets the value, or says what kind of value it should have been.
    fn set(self, written: Written) -> Result<(), String> {
        let expected = match (self.value, written) {
            (ParameterValue::Number(place), Written::Number(number)) => {
                *place = number;
                return Ok(());
            }
            (ParameterValue::Number(place), Written::Count(count)) => {
                *place = count as f64;
                return Ok(());
            }
            (ParameterValue::Count(place), Written::Count(count)) => {
                *place = count;
                return Ok(());
            }
            (ParameterValue::Fan(place), Written::Text(text)) => match Fan::from_name(&text) {
                Some(fan) => {
                    *place = fan;
                    return Ok(());
                }
                None => return Err(unknown("variant", &text, &Fan::NAMES)),
            },
            (ParameterValue::Number(_), _) => "a number",
            (ParameterValue::Count(_), _) => "a whole number, zero or more",
            (ParameterValue::Fan(_), _) => "`in` or `out`",
        };
        Err(format!(
            "wrong type for `{}`, expected {expected}",
            self.key
        ))
    }

    fn schema(self) -> Schema {
        let help = self.help;
        match self.value {
            ParameterValue::Number(default) => {
                json_schema!({ "type": "number", "description": help, "default": *default })
            }
            ParameterValue::Count(default) => {
                json_schema!({ "type": "integer", "minimum": 0, "description": help, "default": *default })
            }
            ParameterValue::Fan(default) => {
                json_schema!({ "enum": Fan::NAMES, "description": help, "default": default.name() })
            }
        }
    }
}

/// The names of all choices, in order.
fn names<T: Choice>() -> Vec<&'static str> {
    T::choices().iter().map(Choice::name).collect()
}

/// The choice of this name with its default parameters; serde's usual message otherwise.
fn find<T: Choice>(name: &str) -> Result<T, String> {
    T::choices()
        .into_iter()
        .find(|choice| choice.name() == name)
        .ok_or_else(|| unknown("variant", name, &names::<T>()))
}

/// Serde's words for a name that is not among those expected.
fn unknown(what: &str, name: &str, expected: &[&str]) -> String {
    let list: Vec<_> = expected.iter().map(|name| format!("`{name}`")).collect();
    match list.as_slice() {
        [one] => format!("unknown {what} `{name}`, expected {one}"),
        [one, other] => format!("unknown {what} `{name}`, expected {one} or {other}"),
        _ => format!(
            "unknown {what} `{name}`, expected one of {}",
            list.join(", ")
        ),
    }
}

/// Reads a choice from a name or a table.
pub(crate) fn deserialize<'de, T: Choice, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_any(ChoiceVisitor(PhantomData))
}

struct ChoiceVisitor<T>(PhantomData<T>);

impl<'de, T: Choice> Visitor<'de> for ChoiceVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "the name of {0}, or a table with it", T::WHAT)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
        find(name).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        // The name may stand after the parameters, so those wait until it is known.
        let mut choice = None;
        let mut written = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == "name" {
                choice = Some(find(&map.next_value::<String>()?).map_err(A::Error::custom)?);
            } else {
                written.push((key, map.next_value::<Written>()?));
            }
        }
        let mut choice: T = choice.ok_or_else(|| A::Error::missing_field("name"))?;
        for (key, value) in written {
            let mut parameters = choice.parameters();
            match parameters.iter().position(|parameter| parameter.key == key) {
                Some(index) => parameters
                    .swap_remove(index)
                    .set(value)
                    .map_err(A::Error::custom)?,
                None => {
                    let mut expected = vec!["name"];
                    expected.extend(parameters.iter().map(|parameter| parameter.key));
                    return Err(A::Error::custom(unknown("field", &key, &expected)));
                }
            }
        }
        Ok(choice)
    }
}

/// Writes a choice as its name when it has no parameters, else as a table with all of them.
pub(crate) fn serialize<T: Choice, S: Serializer>(
    choice: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut choice = choice.clone();
    let name = choice.name();
    let parameters = choice.parameters();
    if parameters.is_empty() {
        return serializer.serialize_str(name);
    }
    let mut map = serializer.serialize_map(Some(1 + parameters.len()))?;
    map.serialize_entry("name", name)?;
    for parameter in parameters {
        match parameter.value {
            ParameterValue::Number(value) => map.serialize_entry(parameter.key, value)?,
            ParameterValue::Count(value) => map.serialize_entry(parameter.key, value)?,
            ParameterValue::Fan(value) => map.serialize_entry(parameter.key, value.name())?,
        }
    }
    map.end()
}

/// The JSON schema: any of the names, or one table for each choice.
pub(crate) fn schema<T: Choice>(help: &str) -> Schema {
    let mut forms = vec![json_schema!({ "type": "string", "enum": names::<T>() })];
    for mut choice in T::choices() {
        let mut table = json_schema!({
            "type": "object",
            "properties": { "name": { "const": choice.name() } },
            "required": ["name"],
            "additionalProperties": false,
        });
        if let Some(properties) = table
            .get_mut("properties")
            .and_then(|properties| properties.as_object_mut())
        {
            for parameter in choice.parameters() {
                properties.insert(parameter.key.to_owned(), parameter.schema().to_value());
            }
        }
        forms.push(table);
    }
    json_schema!({ "description": help, "anyOf": forms })
}

/// Makes a [`Choice`] a wire type.
macro_rules! wire_choice {
    ($type:ident, $help:literal) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::choice::deserialize(deserializer)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::choice::serialize(self, serializer)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::choice::schema::<Self>($help)
            }
        }
    };
}
pub(crate) use wire_choice;

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use crate::{Activation, Fan, Initializer, Normalization};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder<T> {
        it: T,
    }

    fn read<T: for<'de> Deserialize<'de>>(toml: &str) -> Result<T, String> {
        toml::from_str::<Holder<T>>(toml)
            .map(|holder| holder.it)
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn names_and_tables_read_alike() {
        let leaky = Activation::LeakyRelu { alpha: 0.01 };
        assert_eq!(read("it = 'leaky_relu'"), Ok(leaky.clone()));
        assert_eq!(read("it = { name = 'leaky_relu' }"), Ok(leaky));
        assert_eq!(
            read("it = { alpha = 1, name = 'elu' }"),
            Ok(Activation::Elu { alpha: 1.0 })
        );
        assert_eq!(
            read("it = { name = 'kaiming_normal', fan = 'out', gain = 1.0 }"),
            Ok(Initializer::KaimingNormal {
                fan: Fan::Out,
                gain: 1.0
            })
        );
        assert_eq!(
            read("it = { name = 'group', num_groups = 4 }"),
            Ok(Normalization::Group {
                num_groups: 4,
                epsilon: 1e-5
            })
        );
    }

    #[test]
    fn unknown_names_and_keys_are_refused_in_serdes_words() {
        let error = read::<Activation>("it = 'gelo'").expect_err("no such activation");
        assert!(
            error.starts_with("unknown variant `gelo`, expected one of `linear`, `sigmoid`,"),
            "{error}"
        );
        for (toml, expected) in [
            (
                "it = { name = 'relu', alpha = 1.0 }",
                "unknown field `alpha`, expected `name`",
            ),
            (
                "it = { name = 'elu', beta = 1.0 }",
                "unknown field `beta`, expected `name` or `alpha`",
            ),
            ("it = { alpha = 1.0 }", "missing field `name`"),
            (
                "it = { name = 'elu', alpha = 'x' }",
                "wrong type for `alpha`, expected a number",
            ),
        ] {
            assert_eq!(read::<Activation>(toml), Err(expected.to_owned()));
        }
        assert_eq!(
            read::<Initializer>("it = { name = 'kaiming_normal', fan = 'on' }"),
            Err("unknown variant `on`, expected `in` or `out`".to_owned())
        );
        assert_eq!(
            read::<Normalization>("it = { name = 'group', num_groups = 1.5 }"),
            Err("wrong type for `num_groups`, expected a whole number, zero or more".to_owned())
        );
    }

    #[test]
    fn what_is_written_reads_back_equal() {
        for it in [
            Activation::Gelu,
            Activation::Elu { alpha: 0.5 },
            Activation::Softmax,
        ] {
            let holder = Holder { it };
            let toml = toml::to_string(&holder).expect("writes");
            assert_eq!(toml::from_str(&toml), Ok(holder));
        }
        let holder = Holder {
            it: Initializer::KaimingUniform {
                fan: Fan::Out,
                gain: 0.1,
            },
        };
        let toml = toml::to_string(&holder).expect("writes");
        assert_eq!(toml::from_str(&toml), Ok(holder));
    }

    #[test]
    fn the_schema_lists_every_name_and_parameter() {
        let schema = schemars::schema_for!(Activation).to_value();
        assert_eq!(
            schema["anyOf"][0]["enum"],
            serde_json::json!(Activation::NAMES)
        );
        let leaky = schema["anyOf"]
            .as_array()
            .and_then(|forms| {
                forms
                    .iter()
                    .find(|form| form["properties"]["name"]["const"] == "leaky_relu")
            })
            .expect("a form for leaky_relu");
        assert_eq!(leaky["properties"]["alpha"]["default"], 0.01);
    }
}
