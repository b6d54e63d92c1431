//! Writes a simulated fleet into record files: `cargo bench --bench fleet -- HOSTS FILE…`, each file in the
//! form of its ending. `scripts/fleet` makes ten million of them and reports on them.

#![allow(clippy::print_stderr, reason = "a program for a terminal")]

use std::path::Path;
use std::process::ExitCode;

use banneret::report::{Form, OutputError, Sink, Start, parquet, sink};

#[path = "../../tests/support/fleet.rs"]
#[allow(unreachable_pub, reason = "shared with the tests")]
mod fleet;
#[path = "../../tests/support/records.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    reason = "shared with the tests, which use more of it"
)]
mod records;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let Some(count) = words.next().and_then(|word| word.parse().ok()) else {
        eprintln!("say how many hosts, then the files");
        return ExitCode::from(2);
    };
    let paths: Vec<String> = words.collect();
    match write(count, &paths) {
        Ok(()) => ExitCode::SUCCESS,
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::FAILURE
        }
    }
}

fn write(count: u32, paths: &[String]) -> Result<(), OutputError> {
    let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
    for path in paths.iter().map(Path::new) {
        let form = Form::of(path, None).map_err(|wrong| OutputError::Open {
            path: path.to_owned(),
            source: std::io::Error::other(wrong),
        })?;
        sinks.push(sink::open(path, form, &["customer".into()], Start::New)?);
    }
    for number in 0..count {
        let record = fleet::record(number);
        for sink in &mut sinks {
            sink.write(&record)?;
        }
    }
    for sink in sinks {
        let written = sink.finish()?;
        if written.path.extension().is_some_and(|ending| ending == "parquet") {
            parquet::forget(&written.path);
        }
    }
    Ok(())
}
