//! The record's JSON Schema as a check on files: `assert_lines(&text)` after any run that wrote JSONL.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(banneret::record::JSON_SCHEMA).expect("the schema is JSON");
    jsonschema::draft202012::meta::validate(&schema).expect("the schema keeps the rules of draft 2020-12");
    jsonschema::draft202012::new(&schema).expect("the schema compiles")
});

/// What the schema has against a record; empty if it has nothing.
pub fn complaints(record: &Value) -> Vec<String> {
    SCHEMA.iter_errors(record).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Each line of a JSONL file as JSON; panics with the first line that is none or breaks the schema.
pub fn assert_lines(text: &str) -> Vec<Value> {
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is torn");
    let lines = text.lines().enumerate().map(|(index, line)| {
        let number = index + 1;
        let value: Value = serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("line {number} is not JSON: {error}\n{line}"));
        let complaints = complaints(&value);
        assert!(complaints.is_empty(), "line {number} breaks the schema: {complaints:#?}\n{line}");
        value
    });
    lines.collect()
}
