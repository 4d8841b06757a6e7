//! JSON Schema (2020-12) of the spec, made from the declarations of its keys.

use serde_json::{Map, Value, json};

use super::read::{About, Section, Shape};
use super::section::TOP;
use crate::resolved::ProviderKind;

/// The schema, for editors that check YAML while it is typed.
#[must_use]
pub fn schema() -> Value {
    let mut schema = section(&TOP);
    if let Value::Object(fields) = &mut schema {
        fields.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        fields.insert("title".to_owned(), json!("Squall cluster"));
    }
    schema
}

fn section(section: &Section) -> Value {
    let mut properties = Map::new();
    for about in section.keys {
        properties.insert(about.name.to_owned(), key(about));
    }
    let required: Vec<&str> =
        section.keys.iter().filter(|about| about.required).map(|about| about.name).collect();
    let mut fields = Map::new();
    fields.insert("description".to_owned(), json!(section.doc));
    fields.insert("type".to_owned(), json!("object"));
    fields.insert("properties".to_owned(), Value::Object(properties));
    if let Some(prefix) = section.holder_prefix {
        fields.insert("patternProperties".to_owned(), json!({ format!("^{prefix}"): true }));
    }
    fields.insert("additionalProperties".to_owned(), json!(false));
    if !required.is_empty() {
        fields.insert("required".to_owned(), json!(required));
    }
    Value::Object(fields)
}

fn key(about: &About) -> Value {
    let mut value = shape(&about.shape);
    if let Value::Object(fields) = &mut value {
        let later =
            about.later.map(|what| format!(" (This build cannot {what} yet.)")).unwrap_or_default();
        fields.insert("description".to_owned(), json!(format!("{}{later}", about.doc)));
    }
    value
}

fn shape(shape: &Shape) -> Value {
    match shape {
        Shape::Text { pattern: Some(pattern), .. } => json!({"type": "string", "pattern": pattern}),
        Shape::Text { pattern: None, .. } => json!({"type": "string", "minLength": 1}),
        Shape::Scalar => json!({"type": ["string", "number", "boolean"]}),
        Shape::Boolean => json!({"anyOf": [
            {"type": "boolean"},
            {"enum": ["yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF"]},
        ]}),
        Shape::Integer { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Shape::Words(words) => json!({"enum": words}),
        Shape::List(item) => json!({"type": "array", "items": self::shape(item)}),
        Shape::OneOrList(item) => {
            json!({"anyOf": [self::shape(item), {"type": "array", "items": self::shape(item)}]})
        }
        Shape::MapOf(value) => {
            json!({"type": "object", "additionalProperties": self::shape(value)})
        }
        Shape::PerProvider(value) => {
            let names = ProviderKind::ALL.map(ProviderKind::as_str);
            let each: Map<String, Value> =
                names.iter().map(|name| ((*name).to_owned(), self::shape(value))).collect();
            json!({"anyOf": [
                self::shape(value),
                {"type": "object", "properties": each, "additionalProperties": false},
            ]})
        }
        Shape::Section(inner) => section(inner),
        Shape::Either(shapes) => {
            let each: Vec<Value> = shapes.iter().map(self::shape).collect();
            json!({"anyOf": each})
        }
    }
}
