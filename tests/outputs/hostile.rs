//! Greetings that mean harm do none: to a spreadsheet, to a terminal, to a reader of JSON.

use std::path::Path;

use crate::files::read;
use crate::support::hosts::RESOLVER;
use crate::support::namespace::alone;
use crate::support::program::command_under;
use crate::support::schema::assert_lines;
use crate::world::{self, HOSTILE};

#[test]
fn hostile_greetings_are_harmless_in_every_form_and_lossless_in_json() {
    alone("hostile::hostile_greetings_are_harmless_in_every_form_and_lossless_in_json", |work| {
        world::start(work);
        let path = |name: &str| work.join(name).to_str().unwrap().to_owned();
        let (json, csv, html) = (path("a.jsonl"), path("b.csv"), path("list.csv"));
        // What the user's own list says of a host is carried through all outputs, too.
        std::fs::write(
            &html,
            "target,expected_name,=note\n198.18.0.2,mail.h0x2.bv,\"=1+1\"\n198.18.0.3,,\"<b>@x\"\n",
        )
        .unwrap();
        world::scan(&["-i", &html, "-o", &json, "-o", &csv]).ends(0);
        let text = read(Path::new(&json));
        assert!(text.bytes().all(|byte| byte == b'\n' || byte >= b' '), "no control character");
        let records = assert_lines(&text);
        assert_eq!(records.len(), 2);
        let hostile = records.iter().find(|record| record["target"]["ip"] == "198.18.0.2").unwrap();
        let lines: Vec<Vec<u8>> = hostile["smtp"]["banner"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| unescape(line.as_str().unwrap()))
            .collect();
        let said: Vec<&[u8]> = HOSTILE
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| &line[4..line.len() - 1])
            .collect();
        assert_eq!(lines, said, "the bytes can be had back");
        assert_csv_harmless(&read(Path::new(&csv)));
    });
}

/// `\xHH` and `\\`, as the record has them.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, behind) {
            (b'\\', [b'\\', behind @ ..]) => {
                bytes.push(b'\\');
                rest = behind;
            }
            (b'\\', [b'x', high, low, behind @ ..]) => {
                bytes.push(u8::from_str_radix(std::str::from_utf8(&[*high, *low]).unwrap(), 16).unwrap());
                rest = behind;
            }
            (b'\\', _) => panic!("a bare backslash: {text}"),
            _ => bytes.push(byte),
        }
    }
    bytes
}

fn assert_csv_harmless(text: &str) {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    for row in reader.records() {
        for cell in &row.unwrap() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "a spreadsheet runs {cell:?}");
            assert!(!cell.contains(char::is_control), "{cell:?}");
        }
    }
    assert!(text.contains("=cmd|"), "it is there, and harmless");
}

#[test]
fn hostile_greetings_leave_a_terminal_as_it_was() {
    alone("hostile::hostile_greetings_leave_a_terminal_as_it_was", |work| {
        world::start(work);
        let shell = |colour: &str| {
            let line = format!(
                "stty cols 200; exec \"$0\" scan --allow-reserved --resolver {RESOLVER} --progress never --seed 7 -x 198.18.0.6-198.18.0.9 198.18.0.0/28"
            );
            // `script` runs a shell on a terminal of its own; the program's path comes last, as the shell's
            // `$0`.
            let mut command = command_under(
                &["bash", "-c", "exec script -qec \"bash -c '$1' $0\" /dev/null < /dev/null"],
                &[&line],
            );
            command
                .env("SHELL", "/bin/bash")
                .env("TERM", "xterm")
                .envs((!colour.is_empty()).then_some(("NO_COLOR", colour)));
            let ended = command.output().expect("`script` is there: run scripts/setup");
            String::from_utf8(ended.stdout).expect("a terminal is sent UTF-8")
        };
        let plain = shell("1");
        assert!(plain.contains("198.18.0.2") && plain.contains("banner name"), "a table: {plain}");
        let bad = |c: char| {
            c.is_control() && !matches!(c, '\r' | '\n')
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!plain.contains(bad), "{plain:?}");
        // With colours, all that is sent beside text are our own.
        let coloured = shell("");
        let without = ["\x1b[0m", "\x1b[1;31m", "\x1b[33m", "\x1b[36m"]
            .iter()
            .fold(coloured.clone(), |text, own| text.replace(own, ""));
        assert!(coloured.contains("\x1b[1;31m") && !without.contains(bad), "{coloured:?}");
    });
}
