//! `page/messages.js`: the types of all messages as JSDoc comments, written from their JSON Schema.

use std::fmt::Write;

use serde_json::Value;

use super::{ClientMessage, ServerMessage};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/page/messages.js");

/// The type of a schema in JSDoc.
fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.rsplit('/').next().unwrap_or_default().to_string();
    }
    if let Some(constant) = schema["const"].as_str() {
        return format!("\"{constant}\"");
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[key].as_array() {
            let choices: Vec<String> = choices.iter().map(type_of).collect();
            return format!("({})", choices.join("|"));
        }
    }
    let names: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => return "*".to_string(),
    };
    let one = |name: &str| match name {
        "integer" | "number" => "number".to_string(),
        "array" => format!("Array<{}>", type_of(&schema["items"])),
        "object" => match &schema["additionalProperties"] {
            values @ Value::Object(_) => format!("Object<string, {}>", type_of(values)),
            _ => "Object".to_string(),
        },
        name => name.to_string(),
    };
    let names: Vec<String> = names.into_iter().map(one).collect();
    match names.as_slice() {
        [name] => name.clone(),
        names => format!("({})", names.join("|")),
    }
}

fn in_one_line(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The comment of one type.
fn typedef(name: &str, schema: &Value) -> String {
    let mut text = format!(
        "/**\n * {}\n * @typedef {{Object}} {name}\n",
        in_one_line(schema)
    );
    let properties = schema["properties"].as_object().into_iter().flatten();
    for (property, schema) in properties {
        let _ = writeln!(
            text,
            " * @property {{{}}} {property} {}",
            type_of(schema),
            in_one_line(schema)
        );
    }
    text.replace(" \n", "\n") + " */\n\n"
}

/// The name of a message's type, such as `RunRequest` or `FrameMessage`.
fn message_name(kind: &str, suffix: &str) -> String {
    let words = kind.split('_');
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    words.map(capital).collect::<String>() + suffix
}

/// The comments of all types of a tagged enum, and of those that they use.
fn typedefs(schema: &Value, suffix: &str) -> String {
    let mut text = String::new();
    let definitions = schema["$defs"].as_object().into_iter().flatten();
    for (name, definition) in definitions {
        text += &match definition["oneOf"].as_array() {
            None => typedef(name, definition),
            Some(choices) => {
                let mut kinds = Vec::new();
                let mut all = String::new();
                for choice in choices {
                    let kind = choice["properties"]["kind"]["const"].as_str();
                    let kind = message_name(kind.unwrap_or_default(), name);
                    all += &typedef(&kind, choice);
                    kinds.push(kind);
                }
                all + &format!("/** @typedef {{({})}} {name} */\n\n", kinds.join("|"))
            }
        };
    }
    let messages = schema["oneOf"].as_array().into_iter().flatten();
    for message in messages {
        let kind = &message["properties"]["type"]["const"];
        let name = message_name(kind.as_str().unwrap_or_default(), suffix);
        match message["$ref"].as_str() {
            None => text += &typedef(&name, message),
            Some(_) => {
                let _ = write!(
                    text,
                    "/**\n * {}\n * @typedef {{{} & {{type: {kind}}}}} {name}\n */\n\n",
                    in_one_line(message),
                    type_of(message)
                );
            }
        }
    }
    text
}

#[test]
fn the_page_knows_the_types_of_all_messages() {
    let client = serde_json::to_value(schemars::schema_for!(ClientMessage)).expect("a schema");
    let server = serde_json::to_value(schemars::schema_for!(ServerMessage)).expect("a schema");
    let text = format!(
        "// The types of all messages. Written by the tests of the crate `live` with EMBERLAB_BLESS=1: do not edit.\n\n\
         {}{}export {{}};\n",
        typedefs(&client, "Request"),
        typedefs(&server, "Message")
    );
    if std::env::var_os("EMBERLAB_BLESS").is_some() {
        std::fs::write(FILE, &text).expect("a file that can be written");
    }
    let written = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        written == text,
        "page/messages.js is not current: run this test with EMBERLAB_BLESS=1"
    );
}
