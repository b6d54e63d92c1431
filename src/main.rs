//! The program: everything is in the library.

use std::process::ExitCode;

/// What a conversation allocates is freed on another thread, which costs the system's allocator a multiple.
/// Without huge pages: to clear two megabytes for the first octet of each is a tenth of a short scan.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    banneret::cli::run(&arguments).into()
}
