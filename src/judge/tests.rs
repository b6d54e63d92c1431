//! Judgement as a whole: tables of evidence, each with its verdict and findings.

use super::fixture::{greeted, host};
use super::*;

mod findings;
mod unknown;
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
    let evidence = Evidence {
        ip: None,
        observation: greeted("220 localhost ESMTP Postfix"),
        resolution: None,
        scanner: None,
    };
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
