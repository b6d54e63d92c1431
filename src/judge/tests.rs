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
        // Inside a network of its own, a name that DNS confirms is a name like any other.
        ("220 mail ESMTP", "mail=here", "match"),
        ("220 localhost.localdomain ESMTP", "localhost.localdomain=here", "match"),
        ("220 mail.example.com ESMTP", "mail.example.com=here", "match"),
        ("220 ex01.corp.local ESMTP", "ex01.corp.local=here", "match"),
        ("220 ex01.corp.local ESMTP", "ex02.corp.local=here", "no_name"),
        ("220 ex01.corp.local ESMTP", "x.example.net=here ex01.corp.local=servfail", "undetermined"),
        ("220 ex01.corp.local ESMTP", "x.example.net=here ex02.corp.local=servfail", "no_name"),
        ("220 mail.example.com ESMTP", "mx.example.com=here", "no_name"),
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
        (own, "x.example.net=here out.kestrel.example=servfail", "undetermined"),
        (own, "x.example.net=here out.kestrel.example=unsure", "undetermined"),
        (own, "x.example.net=here y.example.net=servfail", "mismatch"),
        (own, "a.kestrel.example=here out.kestrel.example=servfail", "related"),
        (own, "mail.kestrel.example=here out.kestrel.example=servfail", "match"),
        ("220 ESMTP ready", "x.example.net=here y.example.net=servfail", "no_name"),
        ("220 mail_1.kestrel.example ESMTP", "x.example.net=here mail_1.kestrel.example=servfail", "no_name"),
        (own, "x.example.net=elsewhere y.example.net=unsure", "undetermined"),
    ] {
        let said = judged(greeting, reverse, "here").verdict.map(Verdict::as_str);
        assert_eq!(said, Some(verdict), "{greeting} | {reverse}");
    }
}

#[test]
fn the_findings_of_a_confirmed_name_and_of_a_nameless_refusal_are_for_information() {
    let low = Some(Severity::Low);
    let info = Some(Severity::Info);
    for (greeting, reverse, found, severity, clears) in [
        ("220 mail ESMTP", "mail=here", &["banner_unqualified", "banner_default"][..], info, false),
        ("220 mail.example.com ESMTP", "mail.example.com=here", &["banner_default"], info, false),
        ("220 ex01.corp.local ESMTP", "ex01.corp.local=here", &["banner_private_name"], info, false),
        ("220 ESMTP ready", "mail.kestrel.example=here", &["banner_absent"], low, true),
        ("554 no mail from you", "mail.kestrel.example=here", &["banner_absent"], info, false),
        ("421 4.7.0 try again later", "mail.kestrel.example=here", &["banner_absent"], info, false),
        (
            "554 no mail from you",
            "a.kestrel.example=here b.kestrel.example=nxdomain",
            &["ptr_partly_unconfirmed", "ptr_multiple", "banner_absent"],
            low,
            false,
        ),
        ("554 mail.kestrel.example no", "mail.kestrel.example=here", &[], Some(Severity::None), false),
    ] {
        let judgement = judged(greeting, reverse, "not_asked");
        assert_eq!((codes(&judgement), judgement.severity), (found.to_vec(), severity), "{greeting}");
        assert_eq!(judgement.clears_by.is_some(), clears, "{greeting}");
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
