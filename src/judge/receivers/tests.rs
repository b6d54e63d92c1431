//! For every receiver whom its rule concerns, and whom not.

use super::*;
use crate::evidence::Status;
use crate::judge::fixture::{host, ptr};
use crate::judge::judge;

fn foretell(evidence: &Evidence, helo: Option<&str>) -> Forecast {
    let inventory = Inventory { helo_name: helo.map(str::to_owned), ..Inventory::default() };
    forecast(evidence, &inventory, &judge(evidence, &inventory))
}

fn effect(forecast: &Forecast, receiver: &str, rule: &str) -> Effect {
    let named = |reaction: &&Reaction| reaction.rule.receiver == receiver && reaction.rule.name == rule;
    forecast.reactions.iter().find(named).unwrap_or_else(|| panic!("no rule {rule} of {receiver}")).effect
}

const OWN: &str = "220 mail.kestrel.example ESMTP";

/// Receiver, rule, greeting, reverse answer, forward answer of the banner's name, observed HELO name, effect.
type Row =
    (&'static str, &'static str, &'static str, &'static str, &'static str, Option<&'static str>, Effect);

use Effect::{Defer, Pass, Reject, Score, Unknown};

const REVERSE: &[Row] = &[
    ("Gmail", "sender guidelines: PTR", OWN, "nxdomain", "here", None, Reject),
    ("Gmail", "sender guidelines: PTR", OWN, "a.example.net=elsewhere", "here", None, Reject),
    ("Gmail", "sender guidelines: PTR", OWN, "a.example.net=here", "here", None, Pass),
    ("Gmail", "sender guidelines: PTR", OWN, "a.example.net=servfail", "here", None, Unknown),
    ("Gmail", "sender guidelines: PTR", OWN, "servfail", "here", None, Unknown),
    ("Microsoft 365", "IPv6 senders need a PTR", OWN, "nxdomain", "here", None, Pass),
    ("Yahoo", "sender best practices", OWN, "mail.kestrel.example=here", "here", None, Pass),
    ("Yahoo", "sender best practices", OWN, "nxdomain", "here", None, Unknown),
    ("GMX", "PTR of the client", OWN, "nxdomain", "here", None, Reject),
    ("free.fr", "PTR resolves back", OWN, "a.example.net=elsewhere", "here", None, Defer),
    ("Cloudmark CSI", "generic PTR", OWN, "192-0-2-1.isp.example=here", "here", None, Reject),
    ("Cloudmark CSI", "generic PTR", OWN, "mail.isp.example=here", "here", None, Pass),
    ("Cloudmark CSI", "generic PTR", OWN, "timed_out", "here", None, Unknown),
    ("SpamRATS", "RATS-NoPtr", OWN, "no_data", "here", None, Reject),
    ("SpamRATS", "RATS-NoPtr", OWN, "a.example.net=servfail", "here", None, Pass),
    ("Postfix", "reject_unknown_client_hostname", OWN, "a.example.net=here", "here", None, Pass),
    (
        "Postfix",
        "reject_unknown_client_hostname",
        OWN,
        "a.example.net=here b.example.net=elsewhere",
        "here",
        None,
        Unknown,
    ),
    ("Postfix", "reject_unknown_client_hostname", OWN, "a.example.net=no_data", "here", None, Defer),
    ("Postfix", "reject_unknown_client_hostname", OWN, "nxdomain", "here", None, Defer),
    ("Postfix", "reject_unknown_reverse_client_hostname", OWN, "a.example.net=elsewhere", "here", None, Pass),
    (
        "Exim",
        "verify = reverse_host_lookup",
        OWN,
        "a.example.net=here b.example.net=elsewhere",
        "here",
        None,
        Pass,
    ),
    ("Exim", "verify = reverse_host_lookup", OWN, "a.example.net=elsewhere", "here", None, Reject),
    ("OpenSMTPD", "filter on !rdns", OWN, "a.example.net=elsewhere", "here", None, Pass),
    ("OpenSMTPD", "filter on !fcrdns", OWN, "a.example.net=elsewhere", "here", None, Reject),
    ("Haraka", "fcrdns", OWN, "a.example.net=elsewhere", "here", None, Reject),
    ("rspamd", "RDNS_NONE", OWN, "nxdomain", "here", None, Score(2.0, 2.0)),
    ("SpamAssassin", "RDNS_LOCALHOST", OWN, "localhost=here", "here", None, Score(0.0, 3.7)),
    ("SpamAssassin", "RDNS_LOCALHOST", OWN, "a.example.net=here", "here", None, Pass),
];

const HELO: &[Row] = &[
    ("Fastmail", "HELO is the PTR name", OWN, "mail.kestrel.example=here", "here", None, Pass),
    ("Fastmail", "HELO is the PTR name", OWN, "a.example.net=here", "here", None, Reject),
    ("Fastmail", "HELO is the PTR name", OWN, "a.example.net=here", "here", Some("a.example.net"), Pass),
    ("Fastmail", "HELO is the PTR name", OWN, "servfail", "here", None, Unknown),
    ("Fastmail", "HELO is the PTR name", "220 *****", "a.example.net=here", "here", None, Unknown),
    ("Postfix", "reject_unknown_helo_hostname", OWN, "nxdomain", "here", None, Pass),
    ("Postfix", "reject_unknown_helo_hostname", OWN, "nxdomain", "nxdomain", None, Unknown),
    ("Postfix", "reject_non_fqdn_helo_hostname", "220 mail ESMTP", "nxdomain", "here", None, Reject),
    ("Postfix", "reject_non_fqdn_helo_hostname", OWN, "nxdomain", "here", Some("[192.0.2.1]"), Pass),
    ("Postfix", "reject_non_fqdn_helo_hostname", OWN, "nxdomain", "here", Some("192.0.2.1"), Reject),
    ("Postfix", "reject_invalid_helo_hostname", OWN, "nxdomain", "here", Some("a_b.example.net"), Pass),
    ("Postfix", "reject_invalid_helo_hostname", OWN, "nxdomain", "here", Some("${x}"), Reject),
    ("Postfix", "reject_invalid_helo_hostname", OWN, "nxdomain", "here", None, Pass),
    ("Exim", "verify = helo", OWN, "a.example.net=here", "here", None, Pass),
    ("Exim", "verify = helo", OWN, "a.example.net=here", "elsewhere", None, Reject),
    ("Exim", "verify = helo", OWN, "a.example.net=here", "servfail", None, Unknown),
    ("Exim", "verify = helo", OWN, "a.example.net=here", "elsewhere", Some("a.example.net"), Pass),
    ("Exim", "verify = helo", OWN, "servfail", "elsewhere", None, Unknown),
    ("rspamd", "HFILTER_HELO_BAREIP", "220 192.0.2.1 ESMTP", "nxdomain", "here", None, Score(3.0, 3.0)),
    ("rspamd", "HFILTER_HELO_5", "220 mail.lan ESMTP", "nxdomain", "here", None, Score(3.0, 3.0)),
    ("rspamd", "HFILTER_HELO_5", OWN, "nxdomain", "here", None, Pass),
    ("rspamd", "HFILTER_HELO_IP_A", OWN, "nxdomain", "elsewhere", None, Score(1.0, 1.0)),
    (
        "SpamAssassin",
        "HELO_LOCALHOST",
        "220 localhost.localdomain ESMTP",
        "nxdomain",
        "here",
        None,
        Score(2.6, 3.8),
    ),
    ("SpamAssassin", "HELO_LOCALHOST", OWN, "nxdomain", "here", None, Pass),
    ("SpamAssassin", "KHOP_HELO_FCRDNS", OWN, "a.example.net=here", "here", None, Score(0.4, 0.4)),
    ("SpamAssassin", "KHOP_HELO_FCRDNS", OWN, "a.example.net=elsewhere", "here", None, Pass),
    (
        "SpamAssassin",
        "HELO_DYNAMIC_*",
        "220 192-0-2-1.isp.example ESMTP",
        "nxdomain",
        "here",
        None,
        Score(1.9, 4.2),
    ),
];

#[test]
fn each_rule_fires_on_its_hosts() {
    for (receiver, rule, greeting, reverse, banner, helo, expected) in REVERSE.iter().chain(HELO) {
        let forecast = foretell(&host(greeting, reverse, banner), *helo);
        assert_eq!(
            effect(&forecast, receiver, rule),
            *expected,
            "{receiver} {rule}: {greeting} {reverse} {banner} {helo:?}"
        );
        assert_eq!(forecast.helo_observed, helo.is_some());
    }
}

#[test]
fn sendmail_refuses_without_a_ptr_and_defers_a_forged_one() {
    let replies = |reverse: &str| -> Vec<_> {
        let forecast = foretell(&host(OWN, reverse, "here"), None);
        let sendmail = forecast.reactions.iter().filter(|reaction| reaction.rule.receiver == "Sendmail");
        sendmail.map(|reaction| reaction.effect).collect()
    };
    assert_eq!(replies("nxdomain"), [Reject, Pass]);
    assert_eq!(replies("a.example.net=elsewhere"), [Pass, Defer]);
    assert_eq!(replies("a.example.net=here"), [Pass, Pass]);
    assert_eq!(replies("servfail"), [Unknown, Unknown]);
}

#[test]
fn ptr_names_that_nobody_asked_leave_it_open() {
    let mut evidence = host(OWN, "a.example.net=here b.example.net=here", "here");
    let rule = |evidence: &Evidence, name| effect(&foretell(evidence, None), "Postfix", name);
    assert_eq!(rule(&evidence, "reject_unknown_client_hostname"), Pass);
    evidence.resolution.as_mut().unwrap().ptr_count = 17;
    assert_eq!(rule(&evidence, "reject_unknown_client_hostname"), Unknown);
    assert_eq!(rule(&evidence, "reject_unknown_reverse_client_hostname"), Pass);
}

#[test]
fn an_ipv6_sender_without_a_ptr_is_deferred_by_microsoft() {
    for (reverse, expected) in [("nxdomain", Defer), ("a.example.net=elsewhere", Pass), ("servfail", Unknown)]
    {
        let evidence = Evidence { ip: Some("2001:db8::1".parse().unwrap()), ..host(OWN, reverse, "here") };
        assert_eq!(
            effect(&foretell(&evidence, None), "Microsoft 365", "IPv6 senders need a PTR"),
            expected,
            "{reverse}"
        );
    }
}

#[test]
fn where_dns_is_silent_no_rule_on_reverse_dns_fires() {
    for status in Status::ALL.into_iter().filter(|status| !status.is_definite()) {
        for evidence in [
            host(OWN, status.as_str(), "here"),
            host(OWN, &format!("a.kestrel.example={}", status.as_str()), "here"),
            Evidence { resolution: None, ..host(OWN, "nxdomain", "here") },
        ] {
            for Reaction { rule, effect } in foretell(&evidence, None).reactions {
                if rule.condition.about() == About::Reverse {
                    assert!(matches!(effect, Unknown | Pass), "{} {}: {effect:?}", rule.receiver, rule.name);
                }
            }
        }
    }
    let mut evidence = host(OWN, "nxdomain", "here");
    evidence.resolution = Some(ptr("nxdomain"));
    assert_eq!(
        effect(&foretell(&evidence, None), "rspamd", "RDNS_NONE"),
        Score(2.0, 2.0),
        "and this one does"
    );
}

#[test]
fn a_sound_host_meets_no_objection() {
    let forecast = foretell(&host(OWN, "mail.kestrel.example=here", "here"), None);
    for Reaction { rule, effect } in &forecast.reactions {
        assert_eq!(*effect, Pass, "{} {}", rule.receiver, rule.name);
    }
    assert_eq!(forecast.helo_name.as_deref(), Some("mail.kestrel.example"));
}

#[test]
fn every_receiver_that_is_promised_has_a_rule() {
    for receiver in [
        "Gmail",
        "Microsoft 365",
        "Yahoo",
        "Fastmail",
        "GMX",
        "freenet",
        "free.fr",
        "Cloudmark CSI",
        "SpamRATS",
        "Postfix",
        "Exim",
        "Sendmail",
        "OpenSMTPD",
        "Haraka",
        "rspamd",
        "SpamAssassin",
    ] {
        assert!(RULES.iter().any(|rule| rule.receiver == receiver), "{receiver}");
    }
}

#[test]
fn every_rule_acts_on_some_host_and_lets_another_pass() {
    let v6 =
        |reverse: &str| Evidence { ip: Some("2001:db8::1".parse().unwrap()), ..host(OWN, reverse, "here") };
    let hosts = [
        (host(OWN, "mail.kestrel.example=here", "here"), None),
        (host(OWN, "nxdomain", "here"), None),
        (v6("nxdomain"), None),
        (host(OWN, "a.example.net=elsewhere", "elsewhere"), None),
        (host(OWN, "localhost=here", "here"), None),
        (host(OWN, "dyn-192-0-2-1.isp.example=here", "here"), Some("192.0.2.1")),
        (host("220 localhost ESMTP", "a.example.net=here", "here"), None),
        (host(OWN, "a.example.net=here", "here"), Some("${x}")),
        (host(OWN, "a.example.net=here", "here"), Some("dyn-192-0-2-1.isp.example")),
    ];
    for (at, rule) in RULES.iter().enumerate() {
        let effects: Vec<_> =
            hosts.iter().map(|(evidence, helo)| foretell(evidence, *helo).reactions[at].effect).collect();
        assert!(effects.contains(&Pass), "{} {}", rule.receiver, rule.name);
        // What one family of addresses lacks, the other or an MX record may have: never certain.
        let is_certain = rule.condition != Condition::HeloWithoutAOrMx;
        assert_eq!(
            effects.contains(&rule.effect),
            is_certain || rule.effect == Unknown,
            "{} {}",
            rule.receiver,
            rule.name
        );
    }
}
