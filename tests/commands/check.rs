//! `banneret check`, at the hosts of a simulated block.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use banneret::demo::{Block, Running, Truth};
use banneret::prefix::Prefix;
use serde_json::Value;

use crate::cli::{Ran, run};
use crate::support::schema::complaints;

/// Loopback answers in a moment; some hosts of the block never do.
const PATIENCE: [&str; 8] =
    ["--connect-timeout", "1s", "--greeting-timeout", "1s", "--host-timeout", "2s", "--dns-timeout", "1s"];

pub(crate) struct Town {
    pub(crate) block: Block,
    pub(crate) running: Running,
}

pub(crate) static TOWN: LazyLock<Town> = LazyLock::new(|| {
    let block = Block::new(Prefix::parse("127.27.0.0/22").unwrap(), 1).unwrap();
    let running = block.serve().unwrap();
    Town { block, running }
});

pub(crate) fn home(persona: &str) -> Truth {
    TOWN.block.truths().find(|truth| truth.persona == persona).unwrap()
}

/// Checks a target at the block's port with the block's resolver.
fn check(target: &str, flags: &[&str]) -> Ran {
    let (port, dns) = (TOWN.running.smtp_port().to_string(), TOWN.running.dns().to_string());
    let words = ["check", target, "--allow-reserved", "-p", &port, "--resolver", &dns];
    run(&[&words, &PATIENCE[..], flags].concat())
}

fn json(target: &str, flags: &[&str]) -> Value {
    let ran = check(target, &[flags, &["--format", "json"]].concat());
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    // Where nothing could be said of any server, it says so in its exit code.
    let verdicts = || told["servers"].as_array().unwrap().iter().map(|server| &server["record"]["verdict"]);
    let is_unknown = verdicts().all(|verdict| verdict.is_null() || verdict == "undetermined");
    assert_eq!(ran.code, if is_unknown { 4 } else { 0 }, "{ran:?}");
    told
}

#[test]
fn a_sound_server_fits_on_one_screen() {
    let truth = home("postfix");
    let text = check(&truth.ip.to_string(), &[]).fine();
    let name = truth.banner_name.unwrap();
    for part in [
        &format!("FINE  {name} at {} port ", truth.ip),
        &format!("  greeting       220 {name} ESMTP Postfix"),
        &format!("  banner name    {name} (leads back to this address)"),
        &format!("  PTR names      {name} (leads back to this address)"),
        "Nothing has to be done.",
        "Codes      match, none\n",
        &format!("all: banneret check -v {}", truth.ip),
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(text.lines().count() < 24 && text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let all = check(&truth.ip.to_string(), &["-v"]).fine();
    assert!(all.contains("    outcome        greeted\n") && all.contains("    HELO name      "), "{all}");
}

#[test]
fn whatever_a_server_is_one_screen_tells_it() {
    let (mut told, mut wrong) = (Vec::new(), Vec::new());
    for truth in TOWN.block.truths() {
        if told.contains(&truth.persona) || OF_A_SCAN.contains(&truth.persona) {
            continue;
        }
        told.push(truth.persona);
        let text = on_a_terminal(80, 24, &truth.ip.to_string());
        let (lines, wide) = (text.lines().count(), text.lines().map(|line| line.chars().count()).max());
        // The last line is the prompt's.
        if lines >= 24 || wide > Some(80) {
            wrong.push(format!("{}, {lines} lines, {wide:?}:\n{text}", truth.persona));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(told.len() > 40, "{told:?}");
}

/// What a check shows on a terminal of this size.
fn on_a_terminal(columns: u16, rows: u16, target: &str) -> String {
    let (port, dns) = (TOWN.running.smtp_port().to_string(), TOWN.running.dns().to_string());
    let program = env!("CARGO_BIN_EXE_banneret");
    let words = PATIENCE.join(" ");
    let command = format!(
        "stty cols {columns} rows {rows}; exec {program} check {target} --allow-reserved -p {port} --resolver {dns} {words} 2>/dev/null"
    );
    let shown =
        Command::new("script").args(["-qec", &command, "/dev/null"]).stdin(Stdio::null()).output().unwrap();
    assert!(matches!(shown.status.code(), Some(0 | 4)), "{shown:?}");
    String::from_utf8(shown.stdout).unwrap().replace("\r\n", "\n")
}

/// Personas that take a timeout to show what they are.
const OF_A_SCAN: [&str; 2] = ["silent", "unreachable"];

#[test]
fn a_server_in_trouble_is_told_why_who_and_how() {
    let truth = home("no_ptr");
    let text = check(&truth.ip.to_string(), &[]).fine();
    let name = truth.banner_name.unwrap();
    let owner = banneret::name::DnsName::reverse(truth.ip.into());
    for part in [
        "URGENT  ",
        "The address has no PTR record",
        "The fix: one record, by the provider\n",
        &format!("\n  {owner}. IN PTR {name}.\n"),
        &format!("In a panel: reverse DNS (PTR) of {}: {name}", truth.ip),
        &format!("\n  dig +short -x {} ", truth.ip),
        "Who cares  refuse: Gmail",
        "rspamd 4.5 points",
        "Codes      no_ptr, high, ptr_missing\n",
        "More       banneret explain ptr_missing; all: banneret check -v ",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let all = check(&truth.ip.to_string(), &["-v"]).fine();
    for part in ["    who cares      ", "    Gmail          sender guidelines", "the banner's, as a stand-in"]
    {
        assert!(all.contains(part), "{part}\n{all}");
    }
    let observed = check(&truth.ip.to_string(), &["-v", "--helo-name", "helo.example.org"]).fine();
    assert!(observed.contains("    HELO name      helo.example.org, as observed\n"), "{observed}");
}

#[test]
fn the_object_holds_the_record_the_advice_and_the_receivers() {
    let truth = home("no_ptr");
    let told = json(&truth.ip.to_string(), &["--expected-name", "other.example.org"]);
    let server = &told["servers"][0];
    assert_eq!(complaints(&server["record"]), [""; 0]);
    assert_eq!(server["record"]["verdict"], "no_ptr");
    assert_eq!(server["record"]["target"]["expected_name"], "other.example.org");
    let codes: Vec<&str> =
        server["advice"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"ptr_missing") && codes.contains(&"expected_differs"), "{codes:?}");
    assert_eq!(server["record"]["findings"].as_array().unwrap().len(), codes.len());
    assert_eq!(server["receivers"]["helo_observed"], false);
    let steps = server["fix"]["steps"].as_array().unwrap();
    let sets: Vec<String> = steps
        .iter()
        .map(|step| format!("{}={}", step["set"].as_str().unwrap(), step["name"].as_str().unwrap()))
        .collect();
    assert_eq!(server["record"]["fix"], serde_json::json!(sets), "one source");
    assert!(
        steps
            .iter()
            .any(|step| step["record"].as_str().is_some_and(|it| it.contains(" IN PTR other.example.org.")))
    );
    let gmail = &server["receivers"]["rules"][0];
    assert_eq!((&gmail["receiver"], &gmail["effect"]), (&"Gmail".into(), &"reject".into()));
}

#[test]
fn a_name_is_checked_at_its_addresses() {
    let truth = home("postfix");
    let told = json(&truth.banner_name.clone().unwrap(), &[]);
    assert_eq!(told["asked"], truth.banner_name.unwrap());
    let ips: Vec<&Value> =
        told["servers"].as_array().unwrap().iter().map(|server| &server["record"]["target"]["ip"]).collect();
    assert_eq!(ips, [&Value::from(truth.ip.to_string())]);
}

#[test]
fn a_conversation_goes_as_far_and_as_often_as_asked() {
    let ip = home("postfix").ip.to_string();
    let name = home("postfix").banner_name.unwrap();
    let introduced = check(&ip, &["--probe", "ehlo", "--ehlo-name", "scan.example.org"]).fine();
    assert!(introduced.contains(&format!("  EHLO name      {name}\n")), "{introduced}");
    let secured = check(&ip, &["--probe", "tls", "--ehlo-name", "scan.example.org"]).fine();
    assert!(secured.contains("    TLS            "), "{secured}");
    let sampled = check(&ip, &["--samples", "3"]).fine();
    assert!(sampled.contains(&format!("    greetings      {name} (3 of 3)\n")), "{sampled}");
    let told = json(&ip, &["--samples", "2"]);
    assert_eq!(told["servers"][0]["record"]["smtp"]["samples"], serde_json::json!([name, name]));
    assert!(!check(&ip, &[]).fine().contains("    greetings "));
}

#[test]
fn whatever_a_server_does_is_an_outcome() {
    for (persona, outcome) in [("refused", "refused"), ("closes", "closed"), ("ssh", "not_smtp")] {
        let told = json(&home(persona).ip.to_string(), &[]);
        let record = &told["servers"][0]["record"];
        assert_eq!((&record["outcome"], &record["verdict"]), (&outcome.into(), &Value::Null), "{persona}");
    }
    for (persona, ways) in [
        ("refused", &["Ask from another network", "By hand: `nc -w 60 ", "`dig +short -x "][..]),
        ("closes", &["--greeting-timeout 5m", "By hand: `nc -w 60 "]),
        ("ssh", &["Another service answers there"]),
        ("ptr_servfail", &["ask another resolver", "banneret check --verify", "By hand: `dig -x "]),
    ] {
        let ran = check(&home(persona).ip.to_string(), &[]);
        assert!(ran.code == 4 && ran.out.starts_with("NOT KNOWN  "), "{ran:?}");
        for way in ways {
            assert!(ran.out.contains(way), "{persona}: {way}\n{}", ran.out);
        }
    }
    let masked = check(&home("masked").ip.to_string(), &[]).fine();
    assert!(masked.contains("banner_masked: A firewall on the way overwrites"), "{masked}");
    let gone = json("nobody.example.invalid", &[]);
    assert_eq!(gone["servers"][0]["record"]["outcome"], "unresolved");
    let ran = check("nobody.example.invalid", &[]);
    assert!(ran.code == 4 && ran.out.contains("unresolved: the name has no address"), "{ran:?}");
    assert!(ran.out.contains("By hand: `dig +short nobody.example.invalid`"), "{ran:?}");
}

#[test]
fn findings_fail_if_wished() {
    let (sound, bad) = (home("postfix").ip.to_string(), home("no_ptr").ip.to_string());
    assert_eq!(check(&sound, &["--fail-on", "info"]).code, 0);
    let ran = check(&bad, &["--fail-on", "high", "--format", "json"]);
    assert_eq!(ran.code, 1);
    let first = format!(
        "banneret: findings reached `--fail-on high`; the first: {bad}:{} ptr_missing (high)\n",
        TOWN.running.smtp_port()
    );
    assert_eq!(ran.err, first);
    assert_eq!(check(&bad, &[]).code, 0);
}

#[test]
fn a_monitoring_system_gets_one_line_and_a_state() {
    for (persona, code, state) in [("postfix", 0, "OK"), ("no_ptr", 2, "CRITICAL"), ("refused", 3, "UNKNOWN")]
    {
        let truth = home(persona);
        let ran = check(&truth.ip.to_string(), &["--nagios"]);
        assert_eq!(ran.code, code, "{ran:?}");
        assert_eq!(ran.out.lines().count(), 1, "{ran:?}");
        assert!(ran.out.starts_with(&format!("SMTP IDENTITY {state} - {}:", truth.ip)), "{ran:?}");
        assert!(ran.out.matches('|').count() <= 1, "{ran:?}");
    }
    let nowhere = run(&["check", "127.0.0.1", "--nagios", "--resolver", "127.0.0.1:9"]);
    assert_eq!(nowhere.code, 3);
    assert!(nowhere.out.starts_with("SMTP IDENTITY UNKNOWN - `127.0.0.1` is reserved"), "{nowhere:?}");
    let usage = run(&["check", "192.0.2.1", "--nagios", "--no-such-flag"]);
    assert_eq!(
        (usage.code, usage.out.as_str()),
        (3, "SMTP IDENTITY UNKNOWN - usage; see `banneret check --help`\n")
    );
}

#[test]
fn what_can_not_be_checked_is_a_usage_error() {
    for (words, told) in [
        (
            &["127.0.0.1"][..],
            "`127.0.0.1` is reserved: 127.0.0.0/8 (loopback, RFC 1122 §3.2.1.3); `--allow-reserved` checks it all the same",
        ),
        (&["192.0.2.0/24"], "`192.0.2.0/24` is more than one server; `banneret scan` looks at many"),
        (
            &["192.0.2.1-192.0.2.9"],
            "`192.0.2.1-192.0.2.9` is more than one server; `banneret scan` looks at many",
        ),
        (
            &["224.0.0.1", "--allow-reserved"],
            "`224.0.0.1` is reserved: 224.0.0.0/4 (multicast, RFC 5771); no host answers there",
        ),
        (&["127.0.0.1", "--expected-name", "a b"], "--expected-name `a b` "),
    ] {
        let words = [&["check", "--resolver", "127.0.0.1:9"], words].concat();
        let wrong = run(&words).wrong(2);
        assert!(wrong.starts_with(&format!("banneret: {told}")), "{wrong}");
    }
    // Nobody answers at this port of the loopback network.
    let words = ["check", "mail.example.org", "--resolver", "127.0.0.1:9", "--dns-timeout", "200ms"];
    let ran = run(&words);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.lines().count()), (4, "", 2), "{ran:?}");
    assert!(ran.err.starts_with("banneret: resolver `127.0.0.1:9` has not answered any of "), "{ran:?}");
    assert_eq!(
        ran.err.lines().last().unwrap(),
        "banneret: can't go on: `mail.example.org` could not be resolved (timed_out); name another resolver with `--resolver`, or let `--verify` ask its zone's own servers"
    );
}

#[test]
fn a_name_that_leads_only_to_reserved_space_is_not_spoken_to() {
    let truth = home("postfix");
    let (port, dns) = (TOWN.running.smtp_port().to_string(), TOWN.running.dns().to_string());
    let words = ["check", truth.banner_name.as_deref().unwrap(), "-p", &port, "--resolver", &dns];
    let ran = run(&words);
    assert!(
        ran.code == 4 && ran.out.contains("excluded: the name leads only to reserved addresses"),
        "{ran:?}"
    );
}

#[test]
fn nothing_that_a_server_says_acts_on_the_terminal() {
    for persona in
        ["hostile_bytes", "ptr_hostile", "placeholder", "international", "rejected_gateway", "long_line"]
    {
        let text = check(&home(persona).ip.to_string(), &[]).fine();
        let acts = |letter: char| letter != '\n' && banneret::record::neutral::acts(letter);
        assert!(!text.chars().any(acts), "{text:?}");
        assert!(text.lines().count() < 60, "{text}");
    }
}

#[test]
fn letters_that_turn_a_line_around_are_shown_not_done() {
    let listener = TcpListener::bind("127.28.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let greeting = "220 mail.example.org \u{202e}gpj.exe\u{2066} \u{200b}x\r\n";
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(greeting.as_bytes()).unwrap();
        // QUIT, or the end.
        let _ = stream.read(&mut [0; 64]);
    });
    let (port, dns) = (at.port().to_string(), TOWN.running.dns().to_string());
    let words = ["check", "127.28.0.1", "--allow-reserved", "-p", &port, "--resolver", &dns];
    let text = run(&[&words, &PATIENCE[..]].concat()).fine();
    server.join().unwrap();
    assert!(text.contains(r"220 mail.example.org \u{202e}gpj.exe\u{2066} \u{200b}x"), "{text}");
}

#[test]
fn a_scan_writes_its_page_at_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let page = directory.path().join("a.html");
    let (port, dns) = (TOWN.running.smtp_port().to_string(), TOWN.running.dns().to_string());
    let words = [
        "scan",
        "127.27.0.0/29",
        "--allow-reserved",
        "-q",
        "--retries",
        "0",
        "--resolver",
        &dns,
        "-p",
        &port,
    ];
    let html = ["--html", page.to_str().unwrap()];
    let records = run(&[&words, &html[..], &PATIENCE[..]].concat()).fine();
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("<title>banneret: 127.27.0.0/29</title>"), "{page}");
    let count = format!("<b class=\"\">{}</b><span>records</span>", records.lines().count());
    assert!(page.contains(&count), "{page}");
    assert!(page.contains("<dt>seed</dt>"), "the run is told");
}

#[test]
fn dns_is_added_to_stored_records_in_their_order() {
    let (port, dns) = (TOWN.running.smtp_port().to_string(), TOWN.running.dns().to_string());
    let range = "127.27.0.0/26";
    let scan =
        ["scan", range, "--allow-reserved", "--keep", "all", "-o", "-", "-q", "--retries", "0", "--resolver"];
    let rest =
        [dns.as_str(), "-p", &port, "--rate", "unlimited", "--prefix-rate", "unlimited", "--seed", "7"];
    let scanned = run(&[&scan, &rest[..], &PATIENCE[..]].concat()).fine();
    let strip = |line: &str| -> String {
        let mut record: Value = serde_json::from_str(line).unwrap();
        record["dns"] = Value::Null;
        format!("{record}\n")
    };
    let stripped: String = scanned.lines().map(strip).collect();
    let bare = crate::cli::run_with(&["judge", "-"], stripped.as_bytes()).fine();
    assert!(bare.contains(r#""verdict":"undetermined""#) && !bare.contains(r#""verdict":"match""#));
    let words = ["judge", "-", "--resolve", "--resolver", &dns, "--dns-timeout", "1s"];
    let resolved = crate::cli::run_with(&words, stripped.as_bytes()).fine();
    let told = |text: &str| -> Vec<(String, String)> {
        let word = |record: &Value, field: &str| record[field].to_string();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|record| (record["target"]["ip"].to_string(), word(&record, "verdict"))).collect()
    };
    assert_eq!(told(&resolved), told(&scanned));
}
