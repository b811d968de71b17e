//! One choice of a menu: how it is written, read and found.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, MapDeserializer, StrDeserializer};
use serde::de::{Deserializer, Error, MapAccess, Visitor};

/// A closed set of named choices; [`menu!`](crate::menu!) implements it.
pub trait Menu: Clone + Sized + 'static {
    /// The noun for one of them, as messages use it: `an activation`.
    const WHAT: &'static str;

    /// All names, in the order of the table.
    const NAMES: &'static [&'static str];

    /// The name it is written by, such as `leaky_relu`.
    fn name(&self) -> &'static str;

    /// One of each, with default parameters, in the order of the table.
    fn examples() -> Vec<Self>;

    /// The first sentence of each entry's documentation, in the order of the table.
    fn summaries() -> Vec<String>;
}

/// An entry as lists, pictures and tests show it: its default where it has one.
///
/// An entry with a key that must be written, such as the path of a table, implements this by hand.
pub trait Example {
    /// The entry.
    fn example() -> Self;
}

impl<T: Default> Example for T {
    fn example() -> Self {
        T::default()
    }
}

/// Whether an entry has no parameters, so that its name alone says everything.
pub const fn is_without_parameters<T>(_: &T) -> bool {
    size_of::<T>() == 0
}

/// Reads the table of a choice, or its bare name as a table that holds nothing else.
///
/// `table` reads the table; serde's derived reader is what [`menu!`](crate::menu!) gives.
pub struct TableOrName<M, F> {
    table: F,
    menu: PhantomData<M>,
}

impl<M, F> TableOrName<M, F> {
    /// A visitor that passes tables on to `table`.
    pub fn new(table: F) -> Self {
        Self {
            table,
            menu: PhantomData,
        }
    }
}

/// Reads a table from any deserializer of maps.
pub trait ReadTable<M> {
    /// Reads it.
    ///
    /// # Errors
    /// Those of the deserializer, and serde's own for names and keys that do not exist.
    fn read<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<M, D::Error>;
}

impl<'de, M: Menu, F: ReadTable<M>> Visitor<'de> for TableOrName<M, F> {
    type Value = M;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "the name of {}, or a table with it", M::WHAT)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<M, E> {
        let name = StrDeserializer::<E>::new(name);
        self.table
            .read(MapDeserializer::new([("name", name)].into_iter()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<M, A::Error> {
        self.table.read(MapAccessDeserializer::new(map))
    }
}

/// Makes the type of a choice from a table of its entries.
///
/// ```
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// /// `max(x, 0)`.
/// #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// pub struct Relu {}
///
/// /// `x` above zero, else `alpha x`.
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
/// #[serde(default, deny_unknown_fields)]
/// pub struct LeakyRelu {
///     /// Slope below zero.
///     pub alpha: f64,
/// }
///
/// impl Default for LeakyRelu {
///     fn default() -> Self {
///         Self { alpha: 0.01 }
///     }
/// }
///
/// trait Slope {
///     fn slope_at(&self, x: f64) -> f64;
/// }
/// impl Slope for Relu {
///     fn slope_at(&self, x: f64) -> f64 {
///         if x > 0.0 { 1.0 } else { 0.0 }
///     }
/// }
/// impl Slope for LeakyRelu {
///     fn slope_at(&self, x: f64) -> f64 {
///         if x > 0.0 { 1.0 } else { self.alpha }
///     }
/// }
///
/// emberlab_menu::menu! {
///     /// An activation function: its name, or a table of its name and parameters.
///     pub enum Activation("an activation"), written as a name or a table, dispatched by with_activation!($) {
///         "relu" => Relu(Relu),
///         "leaky_relu" => LeakyRelu(LeakyRelu),
///     }
/// }
///
/// impl Activation {
///     fn slope_at(&self, x: f64) -> f64 {
///         with_activation!(self, entry => entry.slope_at(x))
///     }
/// }
///
/// let activation: Activation = serde_json::from_str(r#""leaky_relu""#)?;
/// assert_eq!(activation.slope_at(-1.0), 0.01);
/// assert_eq!(Activation::NAMES, ["relu", "leaky_relu"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// `written as a table` leaves the bare name out. The macro that follows `dispatched by` calls the same method on
/// whichever entry is chosen; an entry is reached as `Activation::Relu(entry)`.
#[macro_export]
macro_rules! menu {
    (
        $(#[doc = $doc:literal])+
        $vis:vis enum $Menu:ident($what:literal), written as $($written:ident)+, dispatched by $dispatch:ident!($d:tt) {
            $( $name:literal => $Variant:ident($Entry:ty) ),+ $(,)?
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(tag = "name", remote = "Self")]
        $vis enum $Menu {
            $(
                #[doc = concat!("`", $name, "`: see [`", stringify!($Entry), "`].")]
                #[serde(rename = $name)]
                $Variant($Entry),
            )+
        }

        impl $Menu {
            /// All names, in the order of the table.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The name it is written by.
            pub fn name(&self) -> &'static str {
                match self {
                    $( Self::$Variant(_) => $name, )+
                }
            }
        }

        impl $crate::Menu for $Menu {
            const WHAT: &'static str = $what;
            const NAMES: &'static [&'static str] = Self::NAMES;

            fn name(&self) -> &'static str {
                self.name()
            }

            fn examples() -> ::std::vec::Vec<Self> {
                vec![$( Self::$Variant(<$Entry as $crate::Example>::example()) ),+]
            }

            fn summaries() -> ::std::vec::Vec<::std::string::String> {
                vec![$( $crate::summary::<$Entry>() ),+]
            }
        }

        $(
            impl From<$Entry> for $Menu {
                fn from(entry: $Entry) -> Self {
                    Self::$Variant(entry)
                }
            }
        )+

        impl<'de> ::serde::Deserialize<'de> for $Menu {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::menu!(@deserialize $Menu, deserializer, $($written)+)
            }
        }

        impl ::serde::Serialize for $Menu {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::menu!(@serialize $Menu [$($Variant)+], self, serializer, $($written)+)
            }
        }

        impl ::schemars::JsonSchema for $Menu {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($Menu).into()
            }

            fn json_schema(generator: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                let tables = [$( $crate::table_schema::<$Entry>($name, generator) ),+];
                let help = concat!($($doc, "\n"),+);
                $crate::menu!(@schema $Menu, help, tables, $($written)+)
            }
        }

        #[allow(unused_macros)]
        macro_rules! $dispatch {
            ($d menu:expr, $d entry:ident => $d body:expr) => {
                match $d menu {
                    $( $Menu::$Variant($d entry) => $d body, )+
                }
            };
        }
    };
    (@deserialize $Menu:ident, $deserializer:ident, a name or a table) => {{
        struct Table;
        impl $crate::ReadTable<$Menu> for Table {
            fn read<'de, D: ::serde::Deserializer<'de>>(self, deserializer: D) -> Result<$Menu, D::Error> {
                $Menu::deserialize(deserializer)
            }
        }
        $deserializer.deserialize_any($crate::TableOrName::new(Table))
    }};
    (@deserialize $Menu:ident, $deserializer:ident, a table) => {
        Self::deserialize($deserializer)
    };
    (@serialize $Menu:ident [$($Variant:ident)+], $self:ident, $serializer:ident, a name or a table) => {{
        let is_without_parameters = match $self {
            $( Self::$Variant(entry) => $crate::is_without_parameters(entry), )+
        };
        match is_without_parameters {
            true => $serializer.serialize_str($self.name()),
            false => Self::serialize($self, $serializer),
        }
    }};
    (@serialize $Menu:ident [$($Variant:ident)+], $self:ident, $serializer:ident, a table) => {
        Self::serialize($self, $serializer)
    };
    (@schema $Menu:ident, $help:ident, $tables:ident, a name or a table) => {
        $crate::menu_schema($help, Some($Menu::NAMES), $tables)
    };
    (@schema $Menu:ident, $help:ident, $tables:ident, a table) => {
        $crate::menu_schema($help, None, $tables)
    };
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use crate::Menu as _;

    /// Returns its input. Nothing else.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Linear {}

    /// Bends at zero.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(default, deny_unknown_fields)]
    struct Elu {
        /// Minus the value far below zero.
        alpha: f64,
    }

    impl Default for Elu {
        fn default() -> Self {
            Self { alpha: 1.0 }
        }
    }

    /// Needs a key.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Csv {
        path: String,
    }

    impl crate::Example for Csv {
        fn example() -> Self {
            Self {
                path: "table.csv".into(),
            }
        }
    }

    menu! {
        /// A function.
        enum Function("a function"), written as a name or a table, dispatched by with_function!($) {
            "linear" => Linear(Linear),
            "elu" => Elu(Elu),
        }
    }

    menu! {
        /// A source.
        enum Source("a source"), written as a table, dispatched by with_source!($) {
            "linear" => Linear(Linear),
            "csv" => Csv(Csv),
        }
    }

    /// A choice beside keys that all choices share.
    #[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[schemars(extend("unevaluatedProperties" = false))]
    struct Shared {
        #[serde(flatten)]
        source: Source,
        #[serde(default)]
        rate: f64,
    }

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
        let elu = Function::Elu(Elu { alpha: 1.0 });
        assert_eq!(read("it = 'elu'"), Ok(elu.clone()));
        assert_eq!(read("it = { name = 'elu' }"), Ok(elu));
        let slow = Function::Elu(Elu { alpha: 2.0 });
        assert_eq!(read("it = { alpha = 2, name = 'elu' }"), Ok(slow));
        assert_eq!(read("it = 'linear'"), Ok(Function::Linear(Linear {})));
    }

    #[test]
    fn unknown_names_and_keys_are_refused_in_serdes_words() {
        for (toml, expected) in [
            (
                "it = 'gelo'",
                "unknown variant `gelo`, expected `linear` or `elu`",
            ),
            (
                "it = { name = 'linear', alpha = 1.0 }",
                "unknown field `alpha`, there are no fields",
            ),
            (
                "it = { name = 'elu', beta = 1.0 }",
                "unknown field `beta`, expected `alpha`",
            ),
            ("it = { alpha = 1.0 }", "missing field `name`"),
            (
                "it = { name = 'elu', alpha = 'x' }",
                "invalid type: string \"x\", expected f64",
            ),
            (
                "it = true",
                "invalid type: boolean `true`, expected the name of a function, or a table with it",
            ),
        ] {
            assert_eq!(read::<Function>(toml), Err(expected.to_owned()), "{toml}");
        }
    }

    #[test]
    fn an_entry_without_parameters_is_written_as_its_name() {
        let written = |it: Function| toml::to_string(&Holder { it }).expect("writes");
        assert_eq!(written(Linear {}.into()), "it = \"linear\"\n");
        let elu = written(Elu::default().into());
        assert_eq!(elu, "[it]\nname = \"elu\"\nalpha = 1.0\n");
        assert_eq!(read(&elu), Ok(Function::Elu(Elu::default())));
        let table = toml::to_string(&Holder {
            it: Source::from(Linear {}),
        });
        assert_eq!(table.expect("writes"), "[it]\nname = \"linear\"\n");
    }

    #[test]
    fn keys_that_all_entries_share_stand_beside_a_flattened_menu() {
        let csv = Source::Csv(Csv { path: "a".into() });
        let shared = Shared {
            source: csv,
            rate: 2.0,
        };
        assert_eq!(
            read("it = { rate = 2.0, name = 'csv', path = 'a' }"),
            Ok(shared)
        );
        let refused = read::<Shared>("it = { name = 'csv', path = 'a', rat = 2.0 }");
        assert_eq!(
            refused,
            Err("unknown field `rat`, expected `path`".to_owned())
        );
        let missing = read::<Shared>("it = { name = 'csv' }");
        assert_eq!(missing, Err("missing field `path`".to_owned()));
    }

    #[test]
    fn the_schema_has_a_closed_table_for_each_entry() {
        let schema = schemars::schema_for!(Function).to_value();
        assert_eq!(schema["description"], "A function.");
        assert_eq!(
            schema["anyOf"][0]["enum"],
            serde_json::json!(["linear", "elu"])
        );
        let elu = &schema["anyOf"][2];
        assert_eq!(elu["properties"]["name"]["const"], "elu");
        assert_eq!(elu["properties"]["alpha"]["default"], 1.0);
        assert_eq!(elu["required"], serde_json::json!(["name"]));
        assert_eq!(elu["additionalProperties"], false);
        assert_eq!(elu["description"], "Bends at zero.");
    }

    #[test]
    fn the_schema_of_shared_keys_is_closed_where_the_struct_says_so() {
        let schema = schemars::schema_for!(Shared).to_value();
        assert_eq!(schema["properties"]["rate"]["default"], 0.0);
        assert_eq!(schema["oneOf"][1]["properties"]["name"]["const"], "csv");
        assert_eq!(schema["unevaluatedProperties"], false);
    }

    #[test]
    fn every_entry_has_an_example_and_a_summary() {
        let names: Vec<_> = Function::examples().iter().map(Function::name).collect();
        assert_eq!(names, Function::NAMES);
        assert_eq!(
            Function::summaries(),
            ["Returns its input", "Bends at zero"]
        );
        let csv = Source::examples().pop().expect("an example");
        let path = with_function_of(&csv);
        assert_eq!(path, "table.csv");
    }

    fn with_function_of(source: &Source) -> String {
        trait Path {
            fn path(&self) -> String;
        }
        impl Path for Linear {
            fn path(&self) -> String {
                String::new()
            }
        }
        impl Path for Csv {
            fn path(&self) -> String {
                self.path.clone()
            }
        }
        with_source!(source, entry => entry.path())
    }
}
