//! The JSON Schema of a menu, with the description of each entry.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// The schema of one entry's table: that of its keys, and `name`.
pub fn table_schema<T: JsonSchema>(name: &str, generator: &mut SchemaGenerator) -> Schema {
    let mut schema = T::json_schema(generator);
    let table = schema.ensure_object();
    table.insert("type".into(), "object".into());
    let tag = json_schema!({ "type": "string", "const": name }).to_value();
    if let Some(properties) = table
        .entry("properties")
        .or_insert_with(|| serde_json::json!({}))
        .as_object_mut()
    {
        // The name stands first, as people write it.
        let keys = std::mem::take(properties);
        properties.insert("name".into(), tag);
        properties.extend(keys);
    }
    if let Some(required) = table
        .entry("required")
        .or_insert_with(|| serde_json::json!([]))
        .as_array_mut()
    {
        required.insert(0, "name".into());
    }
    table.insert("additionalProperties".into(), false.into());
    schema
}

/// The schema of a menu: one table for each entry, and its bare `names` where those may be written.
pub fn menu_schema<const N: usize>(
    help: &str,
    names: Option<&[&str]>,
    tables: [Schema; N],
) -> Schema {
    let lines: Vec<_> = help.lines().map(str::trim).collect();
    let help = lines.join("\n");
    match names {
        Some(names) => {
            let names = json_schema!({ "type": "string", "enum": names });
            let forms: Vec<Schema> = std::iter::once(names).chain(tables).collect();
            json_schema!({ "description": help.trim(), "anyOf": forms })
        }
        None => json_schema!({ "description": help.trim(), "oneOf": tables.to_vec() }),
    }
}

/// The first sentence of a type's documentation, without its full stop; empty without any.
pub fn summary<T: JsonSchema>() -> String {
    let schema = T::json_schema(&mut SchemaGenerator::default());
    let text = schema.get("description").and_then(|text| text.as_str());
    let first = text
        .unwrap_or_default()
        .split("\n\n")
        .next()
        .unwrap_or_default();
    let first = first.replace('\n', " ");
    match first.split_once(". ") {
        Some((sentence, _)) => sentence.to_owned(),
        None => first.trim_end_matches('.').to_owned(),
    }
}
