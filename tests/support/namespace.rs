//! A namespace for one test: the test's own program is started again inside it, alone with a loopback that
//! owns all of 198.18.0.0/15. Nothing leaves it, and every process in it ends with it. Knows no server and no
//! protocol.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// Set inside, to the name of the test.
const INSIDE: &str = "TEST_INSIDE";
/// Set to 1 by who can have no namespaces or no servers, and accepts that these tests then prove nothing.
const SKIP: &str = "TEST_SKIP_REAL";
/// Between two looks at something that is about to happen.
const LOOK: Duration = Duration::from_millis(20);
/// Looks before it is given up: 60 s, ten times what the slowest needs here.
const LOOKS: usize = 3000;

/// Runs `body` in a namespace of its own; `name` is the test that calls. `body` is given a directory for its
/// files.
pub(crate) fn alone(name: &str, body: impl FnOnce(&Path)) {
    if std::env::var_os(INSIDE).is_some_and(|inside| inside == name) {
        prepare();
        let work = tempfile::Builder::new().prefix("banneret").tempdir().expect("a directory for the test");
        open_to_all(work.path());
        body(work.path());
        assert_all_ended();
        return;
    }
    if is_skipped(name) {
        return;
    }
    let inside = Command::new("unshare")
        .args(as_root())
        .args(["--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"])
        .arg(std::env::current_exe().expect("this program has a path"))
        .args(["--exact", name, "--nocapture", "--test-threads", "1"])
        .env(INSIDE, name)
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .output()
        .expect("`unshare` is there: run scripts/setup");
    let (out, err) = (String::from_utf8_lossy(&inside.stdout), String::from_utf8_lossy(&inside.stderr));
    assert!(
        !err.contains("unshare failed") && !err.contains("unshare: "),
        "no namespace of its own for {name}: run as root, or allow user namespaces, or set {SKIP}=1: {err}"
    );
    println!("{out}");
    assert!(inside.status.success() && out.contains("1 passed"), "inside the namespace:\n{out}\n{err}");
}

/// Whether the test of this name is to be left out because it needs a namespace. If so, it says so by name.
pub(crate) fn is_skipped(name: &str) -> bool {
    let is_skipped = std::env::var_os(SKIP).is_some_and(|value| value == "1");
    if is_skipped {
        // Not by `eprintln!`, which a test that passes does not show; and in one piece, for others write
        // there too.
        let line = format!("\nskipped: {name} needs a namespace\n");
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    is_skipped
}

/// Looks again and again until there is something to see; says `what` was awaited if it never comes.
pub(crate) fn await_some<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..LOOKS {
        if let Some(seen) = look() {
            return seen;
        }
        thread::park_timeout(LOOK);
    }
    panic!("{what}: not within {:?}", LOOK * u32::try_from(LOOKS).expect("it is small"));
}

/// What makes root of whoever calls `unshare`. Root needs no namespace of users, and gets none inside a
/// chroot.
pub(crate) fn as_root() -> &'static [&'static str] {
    if is_root() { &[] } else { &["--user", "--map-root-user"] }
}

/// Root can give servers accounts of their own; others have one account in their namespace.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn prepare() {
    for command in ["ip link set lo up", "ip route add local 198.18.0.0/15 dev lo"] {
        let words: Vec<&str> = command.split(' ').collect();
        let done =
            Command::new(words[0]).args(&words[1..]).status().expect("`ip` is there: run scripts/setup");
        assert!(done.success(), "`{command}` failed");
    }
}

/// Servers read it under accounts of their own.
fn open_to_all(directory: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).expect("the directory is ours");
}

/// Every server was ended, with all that it had started: nobody is left in the namespace but this program.
fn assert_all_ended() {
    await_some("every process of the servers has ended", || living().is_empty().then_some(()));
}

/// The names of the other processes, those that wait to be collected aside.
fn living() -> Vec<String> {
    let own = std::process::id().to_string();
    let processes = fs::read_dir("/proc").expect("/proc is mounted").filter_map(Result::ok);
    let ids = processes.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let others = ids.filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()) && *id != own);
    let states = others.filter_map(|id| fs::read_to_string(format!("/proc/{id}/stat")).ok());
    states.filter(|state| !state.contains(") Z ")).collect()
}
