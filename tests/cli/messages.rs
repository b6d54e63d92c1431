//! Errors word for word: one line on stderr, exit code 2, nothing on stdout, and nothing sent to anybody.

use std::io;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;

use crate::support::program::{Ran, run, run_with_stdin};

/// A mail server and a resolver that would notice.
struct Watch {
    server: TcpListener,
    resolver: UdpSocket,
}

impl Watch {
    fn new() -> Self {
        let watch = Self {
            server: TcpListener::bind("127.0.0.1:0").unwrap(),
            resolver: UdpSocket::bind("127.0.0.1:0").unwrap(),
        };
        watch.server.set_nonblocking(true).unwrap();
        watch.resolver.set_nonblocking(true).unwrap();
        watch
    }

    /// Words that make a scan of the server.
    fn words(&self) -> [String; 5] {
        [
            "scan".to_owned(),
            "--allow-reserved".to_owned(),
            "127.0.0.1".to_owned(),
            format!("--port={}", self.server.local_addr().unwrap().port()),
            format!("--resolver={}", self.resolver.local_addr().unwrap()),
        ]
    }

    #[track_caller]
    fn assert_left_alone(&self, what: &str) {
        let nobody = |met: io::ErrorKind| met == io::ErrorKind::WouldBlock;
        assert!(self.server.accept().is_err_and(|error| nobody(error.kind())), "{what}: it connected");
        assert!(self.resolver.recv(&mut [0]).is_err_and(|error| nobody(error.kind())), "{what}: it asked");
    }
}

#[track_caller]
fn assert_refused(ran: Ran, message: &str) {
    let ran = ran.ends(2);
    assert_eq!((ran.err.as_str(), ran.out.as_str()), (format!("banneret: {message}\n").as_str(), ""));
}

#[track_caller]
fn assert_scan_refused(watch: &Watch, further: &[&str], message: &str) {
    let words = watch.words();
    let words: Vec<&str> = words.iter().map(String::as_str).chain(further.iter().copied()).collect();
    assert_refused(run(&words), message);
    watch.assert_left_alone(message);
}

/// Targets that are none, and what is said of them.
const BAD: &[(&str, &str)] = &[
    ("1.2.3", "is not an address: write it as `192.0.2.7` or `2001:db8::7`"),
    (
        "010.0.0.1",
        "is not an address: an octet has a leading zero, which some programs read as octal; write it without",
    ),
    ("10.0.0.0/33", "has a length over 32"),
    ("2001:db8::/129", "has a length over 128"),
    ("192.0.2.0/x", "has no length behind the `/`"),
    ("192.0.2.5/24", "has bits set behind the prefix; the network is `192.0.2.0/24`"),
    ("2001:db8::1/64", "has bits set behind the prefix; the network is `2001:db8::/64`"),
    ("192.0.2.20-192.0.2.10", "is a range that ends before it starts; write `192.0.2.10-192.0.2.20`"),
    ("192.0.2.1-2001:db8::1", "is a range from one address family into the other"),
    ("fe80::1%eth0", "is not an address: a zone (`%…`) means something on one machine only; leave it off"),
    ("[::1]:25", "has a port; leave it off and set the ports of the scan with `--port`"),
    ("mail.example.org:25", "has a port; leave it off and set the ports of the scan with `--port`"),
    ("https://example.org/", "is a URL; write the host alone"),
    (
        "postmaster@example.org",
        "is a mail address; for the mail servers of its domain write `mx:example.org`",
    ),
    ("mx:192.0.2.1", "asks for the mail servers of what is no domain: it looks like an address"),
    ("a..example.org", "is not a host name: it has an empty label"),
    ("AS4294967296", "is not the number of an autonomous system; write `AS64500`"),
];

#[test]
fn a_target_that_is_none_stops_a_scan_before_the_first_packet() {
    let watch = Watch::new();
    for (value, wrong) in BAD {
        assert_scan_refused(&watch, &[value], &format!("target `{value}` {wrong}"));
        assert_scan_refused(&watch, &["--exclude", value], &format!("exclusion `{value}` {wrong}"));
    }
}

#[test]
fn a_bad_line_is_named_by_file_line_value_and_fault() {
    let watch = Watch::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list");
    let list = path.to_str().unwrap();
    for (value, wrong) in BAD {
        std::fs::write(&path, format!("# ours\n\n192.0.2.1\n  {value} # theirs\n192.0.2.2\n")).unwrap();
        assert_scan_refused(
            &watch,
            &["-i", list],
            &format!("target list `{list}` line 4: `{value}` {wrong}"),
        );
        let message = format!("exclusion list `{list}` line 4: `{value}` {wrong}");
        assert_scan_refused(&watch, &["--exclude-file", list], &message);
        // A list of exclusions fails closed.
        assert_scan_refused(&watch, &["--exclude-file", list, "--skip-bad-targets"], &message);
    }
    let from_stdin = run_with_stdin(&["targets", "-i", "-"], b"192.0.2.0/24\r\n192.0.2.0/99\r\n");
    assert_refused(from_stdin, "target list `stdin` line 2: `192.0.2.0/99` has a length over 32");
}

#[test]
fn bytes_that_are_no_text_are_refused_in_bounded_memory() {
    let watch = Watch::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list");
    let list = path.to_str().unwrap();
    let utf16: Vec<u8> = "\u{feff}192.0.2.1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let long = [b"192.0.2.1\n".to_vec(), vec![b'a'; 32 << 20]].concat();
    let shown = format!("{}…", "a".repeat(60));
    for (bytes, message) in [
        (utf16, format!("target list `{list}` is UTF-16 text; save it as UTF-8")),
        (
            b"192.0.2.1\n192.0\0.2.2\n".to_vec(),
            format!(
                "target list `{list}` line 2: `192.0\\u{{0}}.2.2` holds a NUL byte; save the list as UTF-8 text"
            ),
        ),
        (
            b"caf\xe9.example\n".to_vec(),
            format!(
                "target list `{list}` line 1: `caf\\xe9.example` is not UTF-8; save the list as UTF-8 text"
            ),
        ),
        (long, format!("target list `{list}` line 2: `{shown}` is longer than 4096 bytes")),
    ] {
        std::fs::write(&path, bytes).unwrap();
        assert_scan_refused(&watch, &["-i", list], &message);
    }
}

#[test]
fn a_list_that_cannot_be_read_is_named() {
    let watch = Watch::new();
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().to_str().unwrap();
    for (path, wrong) in [
        (directory.to_owned(), "can't be read: Is a directory (os error 21)"),
        (format!("{directory}/none"), "can't be opened: No such file or directory (os error 2)"),
    ] {
        assert_scan_refused(&watch, &["-i", &path], &format!("target list `{path}` {wrong}"));
        assert_scan_refused(&watch, &["--exclude-file", &path], &format!("exclusion list `{path}` {wrong}"));
        assert_scan_refused(
            &watch,
            &["-i", &path, "--skip-bad-targets"],
            &format!("target list `{path}` {wrong}"),
        );
    }
}

#[test]
fn settings_that_make_no_sense_are_refused_in_one_line() {
    let watch = Watch::new();
    for (words, message) in [
        (
            &["-i", "-", "--exclude-file", "-"][..],
            "stdin can be read once only; `-` stands for more than one list",
        ),
        (&["--shard", "0/3"], "--shard `0/3` is no shard of 3; the first is `1/3`, the last `3/3`"),
        (&["--shard", "4/3"], "--shard `4/3` is no shard of 3; the first is `1/3`, the last `3/3`"),
        (&["--shard", "2"], "--shard `2` is not a shard; write `2/3` for the second of three"),
        (
            &["--shard", "1/4"],
            "--shard `1/4` needs `--seed N`, the same on every machine: each seed divides the targets in its own way",
        ),
        (
            &["--ehlo-name", "scanner"],
            "--ehlo-name `scanner` has one label; give the whole name, as `scan.example.org`",
        ),
        (
            &["--ehlo-name", "a_b.example.org"],
            "--ehlo-name `a_b.example.org` has a character that no host name may hold",
        ),
        (
            &["--greeting-timeout", "100s"],
            "--greeting-timeout is longer than --host-timeout, which bounds the whole conversation",
        ),
        (
            &["-o", "a.txt"],
            "`a.txt` has an ending that names no format; end it in `.jsonl` or `.csv`, or say `--format`",
        ),
        (
            &["-o", "a.jsonl", "-o", "a.jsonl"],
            "output `a.jsonl` is also the output `a.jsonl`; name another file",
        ),
        (&["--format", "xml"], "`xml` is no format; there are `jsonl` and `csv`"),
    ] {
        if message.contains("jsonl` or `.csv`") || message.contains("jsonl` and `csv`") {
            // Further formats may stand between these two.
            let words: Vec<String> =
                watch.words().into_iter().chain(words.iter().map(|&word| word.to_owned())).collect();
            let ran = run(&words.iter().map(String::as_str).collect::<Vec<_>>()).ends(2);
            assert!(ran.err.starts_with("banneret: `") && ran.err.lines().count() == 1, "{ran:?}");
            watch.assert_left_alone(message);
            continue;
        }
        assert_scan_refused(&watch, words, message);
    }
    assert_refused(run(&["scan", "-q"]), "no targets; name some, or a list with `--input FILE`");
    assert!(!Path::new("a.jsonl").exists() && !Path::new("a.txt").exists());
}

#[test]
fn values_that_are_none_are_refused_before_anything_is_sent() {
    let watch = Watch::new();
    for (words, told) in [
        (["--rate", "0"], "`0` is not a rate; write a number above 0, as `1000` or `0.5`, or `unlimited`"),
        (["--rate", "-5"], ""),
        (["--prefix-rate", "1e3"], "`1e3` is not a rate"),
        (["--port", "0"], "0 is not in 1..=65535"),
        (["--port", "25,"], "invalid"),
        (["--port", "65536"], "65536 is not in 1..=65535"),
        (["--concurrency", "0"], "0 is not in 1.."),
        (["--connect-timeout", "5"], "is not a time; write it as `5s`, `500ms` or `2m`"),
        (["--host-timeout", "0s"], "must be above zero"),
        (["--dns-timeout", "500000000000y"], "is longer than a day"),
        (["--connect-timeout", "25h"], "is longer than a day"),
        (["--greeting-timeout", "1e400s"], "is not a time"),
        (["--host-timeout", "99999999999999999999y"], "is not a time"),
        (["--rate", "NaN"], "`NaN` is not a rate"),
        (["--rate", "99999999999999999999999999"], "is not a rate"),
        (["--concurrency", "18446744073709551615"], "number too large"),
        (["--seed", "18446744073709551616"], "number too large"),
        (["--samples", "0"], "number would be zero"),
        (["--resolver", "127.0.0.1:70000"], "127.0.0.1:70000"),
        (["--retries", "256"], "256 is not in 0..=255"),
        (["--dns-attempts", "0"], "0 is not in 1..=255"),
        (["--resolver", "ns.example.org"], "ns.example.org"),
        (["--seed", "-1"], ""),
        (["--max-targets", "many"], "many"),
        (["--source-ip", "localhost"], "localhost"),
        (["--source-ip", "0.0.0.0"], "--source-ip needs an address of this machine, not the unspecified one"),
        (["--keep", "some"], "[possible values: greeted, findings, all]"),
        (["--fail-on", "none"], "[possible values: info, low, medium, high]"),
    ] {
        let scan = watch.words();
        let words: Vec<&str> = scan.iter().map(String::as_str).chain(words).collect();
        let ran = run(&words).ends(2);
        assert!(ran.err.contains(told) && ran.out.is_empty(), "{words:?}: {ran:?}");
        watch.assert_left_alone(words[5]);
    }
}

#[test]
fn a_network_by_number_needs_to_be_known() {
    let ran = run(&["targets", "AS64500"]).ends(2);
    assert_eq!(
        ran.err,
        "banneret: target `AS64500` needs to know the prefixes of the network; add `--asn-db FILE`\n"
    );
}

#[test]
fn a_list_of_another_form_is_called_what_it_is() {
    let watch = Watch::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list");
    let list = path.to_str().unwrap();
    for (text, line, told) in [
        (
            "{\"ip\":\"192.0.2.1\"}\n",
            1,
            "`{\"ip\":\"192.0.2.1\"}` seems to be JSON; write one target a line, as `jq -r .ip` prints them, or CSV with a header",
        ),
        (
            "<?xml version=\"1.0\"?>\n",
            1,
            "`<?xml version=\"1.0\"?>` seems to be XML; write one target a line, or CSV with a header that has a column `ip`",
        ),
        (
            "# ours\n192.0.2.10,La Union (CCR1016)\n192.0.2.12,CCR1_CCR1016\n",
            2,
            "`192.0.2.10,La Union (CCR1016)` seems to be CSV without a header; put a header line above it, as `ip,name`, or write one target a line",
        ),
        (
            "name,comment\nmail.example.org,x\n",
            1,
            "`name,comment` seems to be a CSV header without a column of targets; name the column that holds them `target`",
        ),
        ("192.0.2.1 - 192.0.2.9\n", 1, "`192.0.2.1 - 192.0.2.9` holds blanks; write `192.0.2.1-192.0.2.9`"),
        (
            "daddr\n192.0.2.1\n",
            1,
            "`daddr` is one label: write a host name whole, as `mail.example.org`, or, if this is a header, call the column `target`",
        ),
    ] {
        std::fs::write(&path, text).unwrap();
        assert_scan_refused(&watch, &["-i", list], &format!("target list `{list}` line {line}: {told}"));
        assert_scan_refused(
            &watch,
            &["--exclude-file", list],
            &format!("exclusion list `{list}` line {line}: {told}"),
        );
    }
}

#[test]
fn an_opt_out_is_never_swallowed_by_a_quote() {
    let watch = Watch::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("opt-outs.csv");
    let list = path.to_str().unwrap();
    std::fs::write(&path, "ip,reason\n9.9.9.1,\"asked us by mail\n9.9.9.2,abuse desk\n9.9.9.3,legal\n")
        .unwrap();
    assert_scan_refused(
        &watch,
        &["--exclude-file", list],
        &format!(
            "exclusion list `{list}` line 2: a `\"` is left open; close it, or double it if it is part of a text"
        ),
    );
    std::fs::write(&path, "ip,reason\n9.9.9.1,\"asked us\n9.9.9.2,on paper\"\n9.9.9.3,legal\n").unwrap();
    assert_scan_refused(
        &watch,
        &["--exclude-file", list],
        &format!(
            "exclusion list `{list}` line 2: a quoted cell goes on over the line end and may hide rows; is a `\"` left \
             open? if not, put every name of the header in quotes, as `\"ip\",\"reason\"`, to say that cells may hold line \
             ends"
        ),
    );
}

#[test]
fn the_first_twenty_bad_lines_are_told_and_all_are_counted() {
    let watch = Watch::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list");
    let list = path.to_str().unwrap();
    for (bad, last) in
        [(2, "2 lines can't be read"), (30, "30 lines can't be read, of which the first 20 are told")]
    {
        let lines = (0..bad).map(|at| format!("192.0.2.1\n1.2.{at}\n")).collect::<Vec<_>>().concat();
        std::fs::write(&path, &lines).unwrap();
        for (flag, purpose) in [("-i", "target"), ("--exclude-file", "exclusion")] {
            let words = watch.words();
            let words: Vec<&str> = words.iter().map(String::as_str).chain([flag, list]).collect();
            let ran = run(&words).ends(2);
            let told: Vec<&str> = ran.err.lines().collect();
            assert_eq!(told.len(), bad.min(20) + 1, "{ran:?}");
            for (at, line) in told[..told.len() - 1].iter().enumerate() {
                let place =
                    format!("banneret: {purpose} list `{list}` line {}: `1.2.{at}` is not an", 2 * at + 2);
                assert!(line.starts_with(&place), "{line}");
            }
            assert_eq!(*told.last().unwrap(), format!("banneret: {last}"));
            watch.assert_left_alone(last);
        }
        let ran = run(&["targets", "--allow-reserved", "--skip-bad-targets", "-i", list]).ends(0);
        assert_eq!(ran.out, "192.0.2.1\n");
        assert_eq!(
            ran.err.lines().filter(|line| line.starts_with("banneret: skipped: target")).count(),
            bad.min(20)
        );
        let more = ran.err.lines().last().unwrap();
        assert_eq!(more == "banneret: skipped: 10 more lines, 30 in all", bad == 30, "{more}");
    }
}

#[test]
fn a_scan_of_nothing_but_what_is_excluded_says_so() {
    let reserved = "no target is left, for all are excluded: 256 addresses by reserved addresses; `--allow-reserved` scans \
                    reserved addresses, too";
    // A resolver that can't be asked matters less.
    for resolver in ["127.0.0.1:9", "fe80::1%none"] {
        assert_refused(run(&["scan", "192.0.2.0/24", "--resolver", resolver]), reserved);
    }
    let listed = run(&["targets", "192.0.2.0/24"]).ends(0);
    assert_eq!((listed.out, listed.err), (String::new(), format!("banneret: {reserved}\n")));
    assert_refused(
        run(&["scan", "192.0.2.7", "-x", "192.0.2.0/24", "--allow-reserved", "--resolver", "127.0.0.1:9"]),
        "no target is left, for all are excluded: 1 address by --exclude",
    );
    let dry = run(&["scan", "192.0.2.0/24", "--dry-run"]).ends(0);
    assert!(dry.out.contains("256 addresses excluded by reserved addresses"), "{dry:?}");
    assert_refused(
        run_with_stdin(&["scan", "-i", "-", "--resolver", "127.0.0.1:9"], b"# none\n"),
        "no targets: the lists hold none",
    );
}

#[test]
fn too_few_open_files_are_told_with_the_number_needed() {
    let program = crate::support::program::program();
    let scan = "ulimit -n 32; exec \"$0\" scan 127.0.0.1 --allow-reserved --port 1 --resolver 127.0.0.1:9";
    let ended = std::process::Command::new("sh").args(["-c", scan]).arg(program).output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(4), "{told}");
    assert!(
        told.contains("the limit of open files is 32, and a scan needs ")
            && told.contains("; raise it with `ulimit -n "),
        "{told}"
    );
}
