//! The program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    banneret::cli::run(std::env::args_os().collect()).into()
}
