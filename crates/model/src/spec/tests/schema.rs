//! The schema and the reference say what the reader does.

use serde_json::Value;

use super::examples::{COMPAT, EXAMPLES};
use crate::span::SourceId;
use crate::spec::tree::{Node, NodeKind, Scalar};
use crate::spec::{reference, schema, yaml};

/// Checks the part of JSON Schema that ours uses.
fn valid(schema: &Value, node: &Node) -> Result<(), String> {
    let Value::Object(fields) = schema else { return Ok(()) };
    for (word, rule) in fields {
        let fits = match word.as_str() {
            "$schema" | "title" | "description" | "additionalProperties" | "patternProperties" => {
                true
            }
            "type" => match rule {
                Value::Array(types) => types.iter().any(|one| is_type(node, one)),
                one => is_type(node, one),
            },
            "enum" => rule.as_array().unwrap().iter().any(|word| word.as_str() == node.text()),
            "minLength" => node.text().is_some_and(|text| !text.is_empty()),
            "pattern" => {
                let pattern = regex::Regex::new(rule.as_str().unwrap()).unwrap();
                node.text().is_none_or(|text| pattern.is_match(text))
            }
            "minimum" => integer(node) >= rule.as_i64(),
            "maximum" => integer(node) <= rule.as_i64(),
            "anyOf" => rule.as_array().unwrap().iter().any(|one| valid(one, node).is_ok()),
            "required" => {
                rule.as_array().unwrap().iter().all(|key| node.get(key.as_str().unwrap()).is_some())
            }
            "items" => {
                let NodeKind::List(items) = &node.kind else { return Err("no list".to_owned()) };
                return items.iter().try_for_each(|item| valid(rule, item));
            }
            "properties" => {
                let open = fields.contains_key("patternProperties");
                for entry in node.entries().unwrap_or_default() {
                    match rule.get(&entry.key) {
                        Some(inner) => valid(inner, &entry.value)?,
                        None if open && entry.key.starts_with("x-") => {}
                        None => return Err(format!("unknown {}", entry.key)),
                    }
                }
                true
            }
            other => panic!("the schema uses `{other}`, which this check does not know"),
        };
        if !fits {
            return Err(format!("{}: {word} {rule}", node.describe()));
        }
    }
    Ok(())
}

fn is_type(node: &Node, word: &Value) -> bool {
    match word.as_str().unwrap() {
        "object" => node.entries().is_some(),
        "array" => matches!(node.kind, NodeKind::List(_)),
        "string" => matches!(node.scalar(), Some(Scalar::Text(_) | Scalar::BooleanWord(..))),
        "integer" => integer(node).is_some(),
        "number" => matches!(node.scalar(), Some(Scalar::Integer(_) | Scalar::Number(_))),
        "boolean" => matches!(node.scalar(), Some(Scalar::Boolean(_))),
        other => panic!("{other}"),
    }
}

fn integer(node: &Node) -> Option<i64> {
    match node.scalar() {
        Some(Scalar::Integer(value)) => Some(value),
        _ => None,
    }
}

fn check(text: &str) -> Result<(), String> {
    let mut found = Vec::new();
    let node = yaml::parse(SourceId::default(), text, 0, &mut found).unwrap();
    valid(&schema(), &node)
}

#[test]
fn every_accepted_spec_fits_the_schema() {
    for (name, text) in EXAMPLES.iter().chain(COMPAT) {
        assert_eq!(check(text), Ok(()), "{name}");
    }
    for (name, cases) in super::CASES {
        for case in cases.split("=== ").skip(1) {
            let (input, said) = case.split_once("\n---\n").unwrap();
            let spec: String = input
                .split_inclusive('\n')
                .skip(1)
                .filter(|line| !line.starts_with("> "))
                .collect();
            if said.starts_with("accepted") && *name != "overrides" {
                assert_eq!(check(&spec), Ok(()), "{name}: {case}");
            }
        }
    }
}

#[test]
fn what_the_reader_refuses_by_shape_does_not_fit_the_schema() {
    for text in [
        "nodes: [{nodename: a, colour: red}]",
        "nodes: [{nodename: 5}]",
        "nodes: [{count: 1}]",
        "nodes: {nodename: a}",
        "cloud: {provider: azure}\nnodes: []",
        "cluster: {create_vpc: maybe}\nnodes: []",
        "nodes: [{nodename: a, count: 2.5}]",
        "nodes: [{nodename: a, image: {azure: b}}]",
        "cluster: {name: a}",
    ] {
        assert!(check(text).is_err(), "{text}");
    }
}

#[test]
fn the_reference_page_holds_what_the_declarations_say() {
    let page = include_str!("../../../../../docs/src/spec-reference.md");
    let wanted = reference();
    let (_, after) = page.split_once("<!-- made from the declarations of the keys -->\n").unwrap();
    if after.trim() != wanted.trim() {
        panic!("<<<<<<<< reference\n{wanted}>>>>>>>>");
    }
}
