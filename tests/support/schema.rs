//! The record's JSON Schema as a check on files: `assert_lines(&text)` after any run that wrote JSONL.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(banneret::record::JSON_SCHEMA).expect("the schema is JSON");
    jsonschema::draft202012::meta::validate(&schema).expect("the schema keeps the rules of draft 2020-12");
    jsonschema::draft202012::new(&schema).expect("the schema compiles")
});

/// The same, every field that it knows required and no other allowed: what this version writes.
static OWN: LazyLock<Validator> = LazyLock::new(|| {
    let mut schema: Value = serde_json::from_str(banneret::record::JSON_SCHEMA).expect("the schema is JSON");
    close(&mut schema);
    jsonschema::draft202012::new(&schema).expect("the schema compiles")
});

/// Requires each field of each object, and allows no others where nothing is said of them. Conditions are no
/// objects.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("type").is_some_and(|kind| kind == "object")
                && let Some(known) = fields.get("properties").and_then(Value::as_object)
            {
                let known: Vec<Value> = known.keys().map(|name| name.as_str().into()).collect();
                fields.insert("required".into(), known.into());
                fields.entry("additionalProperties").or_insert(false.into());
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// What the schema has against a record of whichever version; empty if it has nothing.
pub fn complaints(record: &Value) -> Vec<String> {
    SCHEMA.iter_errors(record).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// What it has against a record that this version wrote: fields left out or not described, too.
pub fn own_complaints(record: &Value) -> Vec<String> {
    OWN.iter_errors(record).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Each line of a JSONL file as JSON; panics with the first line that is none or breaks the schema.
pub fn assert_lines(text: &str) -> Vec<Value> {
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is torn");
    let lines = text.lines().enumerate().map(|(index, line)| {
        let number = index + 1;
        let value: Value = serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("line {number} is not JSON: {error}\n{line}"));
        let complaints = own_complaints(&value);
        assert!(complaints.is_empty(), "line {number} breaks the schema: {complaints:#?}\n{line}");
        value
    });
    lines.collect()
}
