use super::fixture::{greeted, host};
use super::*;
use crate::evidence::{Observation, Outcome};

fn judged(greeting: &str, reverse: &str, banner: &str) -> Judgement {
    judge(&host(greeting, reverse, banner), &Inventory::default())
}

fn codes(judgement: &Judgement) -> Vec<&'static str> {
    judgement.findings.iter().map(|finding| finding.code.as_str()).collect()
}

#[test]
fn each_verdict_has_its_hosts() {
    let own = "220 mail.kestrel.example ESMTP Postfix";
    for (greeting, reverse, verdict) in [
        (own, "mail.kestrel.example=here", "match"),
        (own, "x.example.net=elsewhere mail.kestrel.example=here", "match"),
        (own, "x.example.net=servfail mail.kestrel.example=here", "match"),
        ("554-mail.kestrel.example ESMTP no", "mail.kestrel.example=here", "match"),
        ("220 mail.example.org ESMTP Postfix", "mail.example.org=here", "match"),
        (own, "out.kestrel.example=here", "related"),
        (own, "x.example.net=here out.kestrel.example=here", "related"),
        (own, "x.example.net=here", "mismatch"),
        (own, "x.example.net=here mail.kestrel.example=elsewhere", "mismatch"),
        (own, "x.example.net=here out.kestrel.example=nxdomain", "mismatch"),
        ("220 ESMTP ready", "x.example.net=here", "no_name"),
        ("220 ****************", "x.example.net=here", "no_name"),
        ("220 [192.0.2.1] ESMTP", "x.example.net=here", "no_name"),
        ("220 192.0.2.1 ESMTP", "x.example.net=here", "no_name"),
        ("220 mail ESMTP", "x.example.net=here", "no_name"),
        ("220 localhost.localdomain ESMTP", "x.example.net=here", "no_name"),
        ("220 mail.example.com ESMTP", "x.example.net=here", "no_name"),
        ("220 ex01.corp.local ESMTP", "x.example.net=here", "no_name"),
        ("220 %WPI_HOSTNAME% ESMTP", "x.example.net=here", "no_name"),
        ("220 mail_1.kestrel.example ESMTP", "mail_1.kestrel.example=here", "no_name"),
        (own, "mail.kestrel.example=elsewhere", "unconfirmed"),
        (own, "mail.kestrel.example=nxdomain x.example.net=no_data", "unconfirmed"),
        (own, "nxdomain", "no_ptr"),
        (own, "no_data", "no_ptr"),
        ("220 localhost ESMTP", "no_data", "no_ptr"),
        (own, "servfail", "undetermined"),
        (own, "not_asked", "undetermined"),
        (own, "mail.kestrel.example=timed_out", "undetermined"),
        (own, "x.example.net=elsewhere mail.kestrel.example=servfail", "undetermined"),
        (own, "x.example.net=here mail.kestrel.example=servfail", "undetermined"),
        (own, "x.example.net=elsewhere y.example.net=unsure", "undetermined"),
    ] {
        let said = judged(greeting, reverse, "here").verdict.map(Verdict::as_str);
        assert_eq!(said, Some(verdict), "{greeting} | {reverse}");
    }
}

#[test]
fn without_dns_a_host_is_undetermined_and_its_banner_is_still_read() {
    let evidence =
        Evidence { ip: None, observation: greeted("220 localhost ESMTP Postfix"), resolution: None };
    let judgement = judge(&evidence, &Inventory::default());
    assert_eq!(judgement.verdict, Some(Verdict::Undetermined));
    assert_eq!((judgement.fcrdns, judgement.relation), (None, Some(Relation::None)));
    assert_eq!(codes(&judgement), ["banner_unqualified", "banner_default"]);
    assert_eq!(judgement.severity, Some(Severity::Medium));
}

#[test]
fn only_hosts_that_greeted_are_judged() {
    for outcome in Outcome::ALL {
        let observation = Observation { outcome, ..greeted("220 localhost ESMTP Postfix") };
        let evidence = Evidence { observation, ..host("220 x", "nxdomain", "nxdomain") };
        let judgement = judge(&evidence, &Inventory::default());
        assert_eq!(judgement.verdict.is_some(), outcome.is_judged(), "{outcome:?}");
        if !outcome.is_judged() {
            assert_eq!((judgement.severity, judgement.relation, judgement.fcrdns), (None, None, None));
            assert!(judgement.findings.is_empty());
        }
    }
}

#[test]
fn each_finding_fires_and_does_not_fire() {
    let own = "220 mail.kestrel.example ESMTP";
    let table: &[(&str, &str, (&str, &str, &str), (&str, &str, &str))] = &[
        // code, what is new, a host with it, a host without it
        ("ptr_missing", "no data", (own, "no_data", "here"), (own, "servfail", "here")),
        (
            "ptr_missing",
            "no such name",
            (own, "nxdomain", "here"),
            (own, "mail.kestrel.example=here", "here"),
        ),
        (
            "ptr_unconfirmed",
            "elsewhere",
            (own, "a.kestrel.example=elsewhere", "here"),
            (own, "a.kestrel.example=timed_out", "here"),
        ),
        (
            "ptr_partly_unconfirmed",
            "one of two",
            (own, "a.kestrel.example=here b.kestrel.example=nxdomain", "here"),
            (own, "a.kestrel.example=here b.kestrel.example=servfail", "here"),
        ),
        (
            "ptr_multiple",
            "two",
            (own, "a.kestrel.example=here b.kestrel.example=here", "here"),
            (own, "a.kestrel.example=here", "here"),
        ),
        (
            "ptr_generic",
            "address",
            (own, "192-0-2-1.isp.example=here", "here"),
            (own, "198-51-100-7.isp.example=here", "here"),
        ),
        (
            "ptr_malformed",
            "underscore",
            (own, "a_b.kestrel.example=here", "here"),
            (own, "a-b.kestrel.example=here", "here"),
        ),
        (
            "banner_absent",
            "no token",
            ("220 ESMTP ready", "a.kestrel.example=here", "here"),
            (own, "servfail", "here"),
        ),
        (
            "banner_masked",
            "asterisks",
            ("220 ******", "a.kestrel.example=here", "here"),
            (own, "servfail", "here"),
        ),
        (
            "banner_literal",
            "brackets",
            ("220 [192.0.2.1] ESMTP", "servfail", "here"),
            ("220 192.0.2.1 ESMTP", "servfail", "here"),
        ),
        (
            "banner_bare_address",
            "none",
            ("220 192.0.2.1 ESMTP", "servfail", "here"),
            ("220 [192.0.2.1] ESMTP", "servfail", "here"),
        ),
        (
            "banner_unqualified",
            "one label",
            ("220 kestrel ESMTP", "servfail", "here"),
            (own, "servfail", "here"),
        ),
        (
            "banner_default",
            "list",
            ("220 ubuntu ESMTP", "servfail", "here"),
            ("220 kestrel ESMTP", "servfail", "here"),
        ),
        (
            "banner_private_name",
            "lan",
            ("220 mail.lan ESMTP", "servfail", "here"),
            ("220 mail.lan.example ESMTP", "servfail", "here"),
        ),
        (
            "banner_placeholder",
            "underscore",
            ("220 a_b.kestrel.example ESMTP", "servfail", "here"),
            (own, "servfail", "here"),
        ),
        (
            "banner_unresolvable",
            "nxdomain",
            (own, "a.kestrel.example=here", "nxdomain"),
            (own, "a.kestrel.example=here", "servfail"),
        ),
        ("banner_unresolvable", "no data", (own, "servfail", "no_data"), (own, "servfail", "elsewhere")),
        ("banner_resolves_elsewhere", "other", (own, "servfail", "elsewhere"), (own, "servfail", "unsure")),
        (
            "banner_differs",
            "unrelated",
            (own, "x.example.net=here", "here"),
            (own, "a.kestrel.example=here", "here"),
        ),
        (
            "banner_differs",
            "confirmed only",
            (own, "x.example.net=here", "here"),
            (own, "x.example.net=elsewhere", "here"),
        ),
        (
            "banner_differs",
            "usable only",
            (own, "x.example.net=here", "here"),
            ("220 mail.lan ESMTP", "x.example.net=here", "here"),
        ),
        (
            "brand_claim",
            "google",
            ("220 mx.google.com ESMTP - gsmtp", "x.example.net=here", "here"),
            ("220 mx.google.com ESMTP - gsmtp", "x.1e100.net=here", "here"),
        ),
        (
            "brand_claim",
            "unknown is open",
            ("220 mx.google.com ESMTP", "nxdomain", "here"),
            ("220 mx.google.com ESMTP", "x.example.net=here y.1e100.net=servfail", "here"),
        ),
        (
            "stale_ptr",
            "elsewhere",
            (own, "a.kestrel.example=elsewhere", "here"),
            (own, "a.kestrel.example=nxdomain", "here"),
        ),
        (
            "two_identities",
            "both",
            (own, "x.example.net=here", "here"),
            (own, "x.example.net=here", "elsewhere"),
        ),
        (
            "unowned_identity",
            "neither",
            (own, "x.example.net=here", "elsewhere"),
            (own, "x.example.net=here a.kestrel.example=servfail", "elsewhere"),
        ),
        ("unowned_identity", "not known", (own, "nxdomain", "nxdomain"), (own, "servfail", "nxdomain")),
        (
            "platform_identity",
            "google",
            ("220 mx.google.com ESMTP 1 - gsmtp", "x.1e100.net=here", "here"),
            ("220 mx.google.com ESMTP 1 - gsmtp", "x.example.net=here", "here"),
        ),
    ];
    for (code, what, (greeting, reverse, banner), (other_greeting, other_reverse, other_banner)) in table {
        let with = judged(greeting, reverse, banner);
        assert!(codes(&with).contains(code), "{code} ({what}): {:?}", codes(&with));
        let without = judged(other_greeting, other_reverse, other_banner);
        assert!(!codes(&without).contains(code), "{code} ({what}): {:?}", codes(&without));
    }
}
