//! `banneret check` at each real server: what it is, what is wrong, why, and what to do about it, as it was
//! configured; and a fix that a cache still hides.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::block::{self, address};
use super::dns::{self, CACHING, Dns};
use super::support::namespace::alone;
use super::support::schema::complaints;

/// What a check of one host must say.
struct Told {
    /// The last octet.
    last: u8,
    /// How far to go.
    depth: &'static str,
    platform: Option<&'static str>,
    version: Option<&'static str>,
    verdict: &'static str,
    /// Findings that stand, causes among them; more may.
    findings: &'static [&'static str],
    /// TLS status and the code of the reply to STARTTLS, where it was gone so far.
    tls: Option<(&'static str, Option<u16>)>,
    /// Parts of the text, spaces and breaks aside.
    text: &'static [&'static str],
}

const NOTHING: Told = Told {
    last: 0,
    depth: "banner",
    platform: None,
    version: None,
    verdict: "match",
    findings: &[],
    tls: None,
    text: &[],
};

const CHECKS: [Told; 14] = [
    Told {
        last: 1,
        depth: "tls",
        platform: Some("postfix"),
        findings: &["certificate_differs"],
        tls: Some(("established", Some(220))),
        text: &[
            "TLS established, TLSv1.3",
            "certificate mx.example.cloud; valid until 2",
            "platform postfix;",
        ],
        ..NOTHING
    },
    Told {
        last: 2,
        depth: "ehlo",
        platform: Some("postfix"),
        verdict: "mismatch",
        findings: &["banner_differs", "two_identities"],
        text: &["EHLO name mx2.example.cloud", "two_identities (info)", "KHOP_HELO_FCRDNS"],
        ..NOTHING
    },
    Told {
        last: 3,
        platform: Some("postfix"),
        verdict: "no_ptr",
        findings: &["ptr_missing"],
        text: &[
            "ptr_missing (high); who can fix it: provider",
            "in the place of any that are there: `3.1.18.198.in-addr.arpa. IN PTR mx3.example.cloud.`",
            "by hand dig -x 198.18.1.3 +short",
        ],
        ..NOTHING
    },
    Told {
        last: 4,
        depth: "tls",
        platform: Some("exim"),
        version: Some("4.96"),
        verdict: "unconfirmed",
        findings: &["ptr_unconfirmed", "stale_ptr", "banner_resolves_elsewhere"],
        tls: Some(("refused", Some(454))),
        text: &[
            "TLS refused: STARTTLS is offered, and turned down by 454",
            "stale_ptr (low)",
            "exim.example.cloud (leads elsewhere: 198.18.1.99)",
        ],
    },
    Told {
        last: 5,
        depth: "tls",
        platform: Some("opensmtpd"),
        tls: Some(("alert", Some(220))),
        text: &[
            "TLS alert 80 (internal_error): STARTTLS is accepted, then the server breaks the handshake off",
            "There is nothing to repair.",
        ],
        ..NOTHING
    },
    Told {
        last: 6,
        depth: "tls",
        platform: Some("sendmail"),
        version: Some("8.17.1.9"),
        findings: &["ptr_partly_unconfirmed", "ptr_multiple", "stale_ptr"],
        tls: Some(("not_offered", None)),
        text: &["TLS not_offered: the reply to EHLO does not name STARTTLS", "Set one PTR record"],
        ..NOTHING
    },
    Told {
        last: 7,
        depth: "tls",
        platform: Some("courier"),
        verdict: "related",
        findings: &["banner_unresolvable"],
        tls: Some(("timed_out", Some(220))),
        text: &[
            "TLS timed_out: STARTTLS is accepted, then nothing more comes back: it stalls",
            "greet, and introduce itself when it sends (HELO), as",
            "Courier: the `esmtpgreeting` file",
        ],
        ..NOTHING
    },
    Told {
        last: 8,
        depth: "ehlo",
        verdict: "undetermined",
        text: &["mail.example.systems (unknown: servfail)", "nothing is held against it"],
        ..NOTHING
    },
    Told {
        last: 9,
        depth: "tls",
        verdict: "no_name",
        findings: &["banner_unqualified"],
        tls: Some(("established", Some(220))),
        text: &["introduce itself when it sends (HELO), as"],
        ..NOTHING
    },
    Told { last: 10, depth: "ehlo", text: &["EHLO name mx10.example.cloud", "findings none"], ..NOTHING },
    Told {
        last: 12,
        verdict: "no_name",
        findings: &["banner_absent"],
        text: &["outcome rejected: the greeting turns us away", "greeting 554 5.7.1 <unknown["],
        ..NOTHING
    },
    Told {
        last: 14,
        depth: "ehlo",
        platform: Some("postscreen"),
        text: &["greeting 220 mx14.example.cloud ESMTP wait 220 mx14.example.cloud ESMTP Postfix"],
        ..NOTHING
    },
    Told {
        last: 15,
        depth: "tls",
        platform: Some("haraka"),
        version: Some("3.3.4"),
        verdict: "mismatch",
        findings: &["banner_differs", "two_identities"],
        tls: Some(("established", Some(220))),
        text: &["platform haraka 3.3.4", "haraka.example.email (leads back to this address)"],
    },
    Told {
        last: 16,
        platform: Some("postfix"),
        verdict: "no_name",
        findings: &["banner_default", "ptr_generic"],
        text: &[
            "greeting 220 vps-16.localdomain ESMTP Postfix",
            "Postfix: `myhostname` for both directions",
            "`16.1.18.198.in-addr.arpa. IN PTR mail.your-domain.`",
        ],
        ..NOTHING
    },
];

#[test]
fn a_check_tells_what_each_server_is_what_is_wrong_and_what_to_do() {
    alone("check::a_check_tells_what_each_server_is_what_is_wrong_and_what_to_do", |work| {
        let _dns = Dns::start(work);
        let _servers = block::start(work, &block::HOSTS);
        // All at once, for one of them stalls until its time is over.
        let running: Vec<_> = CHECKS
            .iter()
            .map(|told| [&["-v"][..], &["--format", "json"]].map(|flags| check(told.last, told.depth, flags)))
            .collect();
        for (told, [text, json]) in CHECKS.iter().zip(running) {
            // Where nothing could be said, that is what the exit code says.
            let code = if told.verdict == "undetermined" { 4 } else { 0 };
            let text = said_with(code, &text.wait_with_output().unwrap());
            println!("{text}");
            told.assert_text(&text);
            let json = said_with(code, &json.wait_with_output().unwrap());
            told.assert_record(&serde_json::from_str(&json).unwrap());
        }
    });
}

impl Told {
    fn assert_text(&self, text: &str) {
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in self.text.iter().chain(self.findings) {
            assert!(flat.contains(part), "{part}\n{text}");
        }
    }

    fn assert_record(&self, told: &Value) {
        let (record, advice) = (&told["servers"][0]["record"], &told["servers"][0]["advice"]);
        assert_eq!(complaints(record), [""; 0]);
        assert_eq!(record["platform"]["name"].as_str(), self.platform, "{record}");
        assert_eq!(record["platform"]["version"].as_str(), self.version, "{record}");
        assert_eq!(record["verdict"], self.verdict, "{record}");
        let tls = &record["smtp"]["tls"];
        let went = tls["status"].as_str().map(|status| (status, tls["code"].as_u64()));
        assert_eq!(went, self.tls.map(|(status, code)| (status, code.map(u64::from))), "{record}");
        for code in self.findings {
            let stands = advice.as_array().unwrap().iter().any(|one| one["code"] == **code);
            assert!(stands, "{code}: {record}");
        }
    }
}

#[test]
fn a_changed_ptr_behind_a_cache_is_told_as_fixed_and_hidden_for_so_long() {
    alone("check::a_changed_ptr_behind_a_cache_is_told_as_fixed_and_hidden_for_so_long", |work| {
        let mut dns = Dns::start(work);
        let _servers = block::start(work, &block::hosts_of(block::Kind::Exim));
        let before = verify(4);
        // Unbound is told where these zones are, below a root that nobody serves here.
        assert_eq!(before["verify"]["outlook"], "partly_answered", "{before:#}");
        assert!(before["verify"]["reasons"].to_string().contains("could not be asked"), "{before:#}");
        assert_eq!(before["record"]["verdict"], "unconfirmed");
        // The host's operator names it anew, in both directions; Unbound has the old PTR record from the
        // check before.
        dns.replace("PTR exim.example.cloud.", "PTR mx13.example.cloud.");
        dns.replace(
            &format!("mx13.example.cloud. A {}", address(13)),
            &format!("mx13.example.cloud. A {}", address(4)),
        );
        let after = verify(4);
        let verify = &after["verify"];
        assert_eq!(verify["outlook"], "fixed_pending_cache", "{verify:#}");
        let ptr = &verify["questions"][0];
        assert_eq!((&ptr["type"], &ptr["standing"]), (&"PTR".into(), &"pending_cache".into()), "{verify:#}");
        assert_eq!(ptr["cached"]["found"][0], "exim.example.cloud");
        assert_eq!(ptr["servers"][0]["answer"]["found"][0], "mx13.example.cloud");
        let left = ptr["ttl"].as_u64().unwrap();
        assert!(left > 0 && left <= u64::from(dns::TIME_TO_LIVE), "{left}");
        let text = said(&check(4, "banner", &["--verify"]).wait_with_output().unwrap());
        println!("{text}");
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            flat.contains("fixed: the fix is published, and the resolver keeps the old answer for "),
            "{text}"
        );
        assert!(flat.contains("ns.example.cloud (198.18.0.53): mx13.example.cloud"), "{text}");
    });
}

/// The one server that a check with `--verify` tells of.
fn verify(last: u8) -> Value {
    let told = said(&check(last, "banner", &["--verify", "--format", "json"]).wait_with_output().unwrap());
    let told: Value = serde_json::from_str(&told).unwrap();
    told["servers"][0].clone()
}

fn check(last: u8, depth: &str, flags: &[&str]) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_banneret"))
        .args([
            "check",
            &address(last).to_string(),
            "--allow-reserved",
            "--resolver",
            &format!("{CACHING}:53"),
        ])
        .args(["--probe", depth, "--ehlo-name", "scanner.example.email", "--greeting-timeout", "15s"])
        .args(flags)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn said(output: &Output) -> String {
    said_with(0, output)
}

fn said_with(code: i32, output: &Output) -> String {
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "the check ended with {}: {words}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
