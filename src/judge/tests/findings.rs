//! Every finding: hosts that have it, and hosts that come near.

use super::{codes, judged};
use crate::evidence::{Certificate, Observation, Tls, TlsStatus};
use crate::judge::fixture::{greeted, host, reply};
use crate::judge::{Code, Severity, Tenancy, judge};
use crate::targets::Inventory;

/// A greeting, a reverse answer, and the forward answer of the banner's name.
type Host = (&'static str, &'static str, &'static str);

/// A code, a host that has it, a host that has it not.
type Row = (Code, Host, Host);

const OWN: &str = "220 mail.kestrel.example ESMTP";
const GOOGLE: &str = "220 mx.google.com ESMTP 192si278251wma.146 - gsmtp";

const REVERSE: &[Row] = &[
    (Code::PtrMissing, (OWN, "no_data", "here"), (OWN, "servfail", "here")),
    (Code::PtrMissing, (OWN, "nxdomain", "here"), (OWN, "mail.kestrel.example=here", "here")),
    (
        Code::PtrUnconfirmed,
        (OWN, "a.kestrel.example=elsewhere", "here"),
        (OWN, "a.kestrel.example=timed_out", "here"),
    ),
    (
        Code::PtrPartlyUnconfirmed,
        (OWN, "a.kestrel.example=here b.kestrel.example=nxdomain", "here"),
        (OWN, "a.kestrel.example=here b.kestrel.example=servfail", "here"),
    ),
    (
        Code::PtrMultiple,
        (OWN, "a.kestrel.example=here b.kestrel.example=here", "here"),
        (OWN, "a.kestrel.example=here", "here"),
    ),
    (
        Code::PtrGeneric,
        (OWN, "192-0-2-1.isp.example=here", "here"),
        (OWN, "198-51-100-7.isp.example=here", "here"),
    ),
    (
        Code::PtrMalformed,
        (OWN, "a_b.kestrel.example=here", "here"),
        (OWN, "a-b.kestrel.example=here", "here"),
    ),
    (Code::PtrMalformed, (OWN, "mail.lan=nxdomain", "here"), (OWN, "mail.lan.example=nxdomain", "here")),
];

const LOOKS: &[Row] = &[
    (Code::BannerAbsent, ("220 ESMTP ready", "a.kestrel.example=here", "here"), (OWN, "servfail", "here")),
    (Code::BannerMasked, ("220 ******", "a.kestrel.example=here", "here"), (OWN, "servfail", "here")),
    (
        Code::BannerLiteral,
        ("220 [192.0.2.1] ESMTP", "servfail", "not_asked"),
        ("220 192.0.2.1 ESMTP", "servfail", "not_asked"),
    ),
    (
        Code::BannerBareAddress,
        ("220 192.0.2.1 ESMTP", "servfail", "not_asked"),
        ("220 [192.0.2.1] ESMTP", "servfail", "not_asked"),
    ),
    (Code::BannerUnqualified, ("220 kestrel ESMTP", "servfail", "here"), (OWN, "servfail", "here")),
    (
        Code::BannerDefault,
        ("220 ubuntu ESMTP", "servfail", "here"),
        ("220 kestrel ESMTP", "servfail", "here"),
    ),
    (
        Code::BannerDefault,
        ("220 (none) ESMTP", "servfail", "here"),
        ("220 (kestrel.example) ESMTP", "servfail", "here"),
    ),
    (
        Code::BannerDefault,
        ("220 mail.example.com ESMTP", "x.example.net=here", "here"),
        ("220 mail.kestrel.example ESMTP", "mx.kestrel.example=here", "here"),
    ),
    (
        Code::BannerPrivateName,
        ("220 mail.lan ESMTP", "servfail", "here"),
        ("220 mail.lan.example ESMTP", "servfail", "here"),
    ),
    (
        Code::BannerPlaceholder,
        ("220 a_b.kestrel.example ESMTP", "servfail", "here"),
        (OWN, "servfail", "here"),
    ),
    (
        Code::BannerPlaceholder,
        ("220 %WPI_HOSTNAME% ESMTP", "servfail", "here"),
        ("220 (none) ESMTP", "servfail", "here"),
    ),
];

const FORWARD: &[Row] = &[
    (
        Code::BannerUnresolvable,
        (OWN, "a.kestrel.example=here", "nxdomain"),
        (OWN, "a.kestrel.example=here", "servfail"),
    ),
    (Code::BannerUnresolvable, (OWN, "servfail", "no_data"), (OWN, "servfail", "elsewhere")),
    (Code::BannerUnresolvable, (OWN, "servfail", "no_data"), ("220 ESMTP ready", "servfail", "no_data")),
    (Code::BannerResolvesElsewhere, (OWN, "servfail", "elsewhere"), (OWN, "servfail", "unsure")),
    (Code::BannerDiffers, (OWN, "x.example.net=here", "here"), (OWN, "a.kestrel.example=here", "here")),
    (Code::BannerDiffers, (OWN, "x.example.net=here", "here"), (OWN, "x.example.net=elsewhere", "here")),
    (
        Code::BannerDiffers,
        (OWN, "x.example.net=here", "here"),
        ("220 mail.lan ESMTP", "x.example.net=here", "here"),
    ),
    (Code::BannerDiffers, (OWN, "x.example.net=here", "here"), (GOOGLE, "x.1e100.net=here", "here")),
    (Code::BrandClaim, (GOOGLE, "x.example.net=here", "here"), (GOOGLE, "x.1e100.net=here", "here")),
    (
        Code::BrandClaim,
        (GOOGLE, "nxdomain", "here"),
        (GOOGLE, "x.example.net=here y.1e100.net=servfail", "here"),
    ),
];

const CAUSES: &[Row] = &[
    (
        Code::StalePtr,
        (OWN, "a.kestrel.example=elsewhere", "here"),
        (OWN, "a.kestrel.example=nxdomain", "here"),
    ),
    (Code::TwoIdentities, (OWN, "x.example.net=here", "here"), (OWN, "x.example.net=here", "elsewhere")),
    (Code::TwoIdentities, (OWN, "x.example.net=here", "here"), (OWN, "x.example.net=elsewhere", "here")),
    (
        Code::UnownedIdentity,
        (OWN, "x.example.net=here", "elsewhere"),
        (OWN, "x.example.net=here a.kestrel.example=servfail", "elsewhere"),
    ),
    (Code::UnownedIdentity, (OWN, "nxdomain", "nxdomain"), (OWN, "servfail", "nxdomain")),
    (Code::UnownedIdentity, (OWN, "nxdomain", "nxdomain"), (OWN, "nxdomain", "servfail")),
    (Code::PlatformIdentity, (GOOGLE, "x.1e100.net=here", "here"), (GOOGLE, "x.example.net=here", "here")),
    (Code::PlatformIdentity, (GOOGLE, "x.1e100.net=here", "here"), (GOOGLE, "x.1e100.net=elsewhere", "here")),
];

#[test]
fn each_finding_fires_and_does_not_fire() {
    for (code, with, without) in [REVERSE, LOOKS, FORWARD, CAUSES].into_iter().flatten() {
        let has = |(greeting, reverse, banner): &Host| {
            codes(&judged(greeting, reverse, banner)).contains(&code.as_str())
        };
        assert!(has(with), "{} on {with:?}", code.as_str());
        assert!(!has(without), "{} on {without:?}", code.as_str());
    }
}

#[test]
fn the_names_of_one_host_are_compared_with_each_other_and_with_the_inventory() {
    let mut evidence = host(OWN, "mail.kestrel.example=here", "here");
    for (ehlo, differs) in
        [("250 mail.kestrel.example", false), ("250 mx.kestrel.example", true), ("502 no", false)]
    {
        evidence.observation.ehlo = Some(reply(ehlo));
        let judgement = judge(&evidence, &Inventory::default());
        assert_eq!(codes(&judgement).contains(&"ehlo_differs"), differs, "{ehlo}");
    }
    evidence.observation = greeted(OWN);
    for (samples, rotates) in [
        (&[][..], false),
        (&[Some("mail.kestrel.example"), Some("mail.kestrel.example")][..], false),
        (&[Some("mail.kestrel.example"), None], false),
        (&[None, None], false),
        (&[Some("mail.kestrel.example"), None, Some("mx.kestrel.example")], true),
        (&[None, Some("a.kestrel.example"), Some("b.kestrel.example")], true),
    ] {
        evidence.observation.samples = samples.iter().map(|name| name.map(Box::from)).collect();
        let judgement = judge(&evidence, &Inventory::default());
        assert_eq!(codes(&judgement).contains(&"banner_rotates"), rotates, "{samples:?}");
    }
    for (name, differs) in
        [("mail.kestrel.example", false), ("*.kestrel.example", false), ("mx.kestrel.example", true)]
    {
        let certificate = Certificate { names: vec![name.into()], count: 1, ..Certificate::default() };
        let tls = Tls { certificate: Some(certificate), ..Tls::bare(TlsStatus::Established) };
        evidence.observation = Observation { tls: Some(Box::new(tls)), ..greeted(OWN) };
        let judgement = judge(&evidence, &Inventory::default());
        assert_eq!(codes(&judgement).contains(&"certificate_differs"), differs, "{name}");
    }
    for (greeting, expected, differs) in [
        (OWN, "mail.kestrel.example", false),
        (OWN, "MAIL.Kestrel.Example.", false),
        (OWN, "mx.kestrel.example", true),
        (OWN, "", false),
        ("220 [192.0.2.1] ESMTP", "mail.kestrel.example", true),
        ("220 *****", "mail.kestrel.example", false),
        ("220 ESMTP", "mail.kestrel.example", false),
    ] {
        let inventory = Inventory { expected_name: Some(expected.to_owned()), ..Inventory::default() };
        evidence.observation = greeted(greeting);
        let judgement = judge(&evidence, &inventory);
        assert_eq!(codes(&judgement).contains(&"expected_differs"), differs, "{greeting} {expected}");
    }
}

fn with_tenancy(
    said: &str,
    (greeting, reverse, banner): Host,
) -> (Tenancy, Option<Severity>, Vec<&'static str>) {
    let tags = vec![("Tenancy".into(), said.to_owned())];
    let judgement = judge(&host(greeting, reverse, banner), &Inventory { tags, ..Inventory::default() });
    (judgement.tenancy, judgement.severity, codes(&judgement))
}

#[test]
fn a_default_name_on_a_dedicated_address_with_the_providers_ptr_is_an_unfinished_setup() {
    let unfinished = ("220 localhost.localdomain ESMTP Postfix", "192-0-2-1.isp.example=here", "not_asked");
    assert!(with_tenancy("dedicated", unfinished).2.contains(&"unfinished_setup"));
    assert!(!with_tenancy("shared", unfinished).2.contains(&"unfinished_setup"));
    let chosen = (OWN, "192-0-2-1.isp.example=here", "here");
    assert!(!with_tenancy("dedicated", chosen).2.contains(&"unfinished_setup"));
    let custom = ("220 localhost ESMTP", "mail.kestrel.example=here", "here");
    assert!(!with_tenancy("dedicated", custom).2.contains(&"unfinished_setup"));
}

#[test]
fn a_difference_weighs_by_tenancy() {
    let differing = (OWN, "x.kestrel-hosting.example=here", "not_asked");
    for (said, tenancy, severity) in [
        ("dedicated", Tenancy::Dedicated, Severity::Low),
        (" Shared ", Tenancy::Shared, Severity::None),
        ("unknown", Tenancy::Unknown, Severity::Info),
        ("perhaps", Tenancy::Unknown, Severity::Info),
    ] {
        assert_eq!(
            with_tenancy(said, differing),
            (tenancy, Some(severity), vec!["banner_differs"]),
            "{said}"
        );
    }
}

#[test]
fn a_platform_that_names_itself_otherwise_by_design_has_nothing_against_it() {
    let microsoft =
        "220 CH3PEPF00000015.mail.protection.outlook.com Microsoft ESMTP MAIL Service ready at Tue";
    for (greeting, reverse, banner, verdict) in [
        (GOOGLE, "wr-in-f26.1e100.net=here", "not_asked", "mismatch"),
        (GOOGLE, "wr-in-f26.1e100.net=here", "nxdomain", "mismatch"),
        (GOOGLE, "wr-in-f26.1e100.net=here", "elsewhere", "mismatch"),
        (GOOGLE, "wr-in-f26.1e100.net=here", "here", "mismatch"),
        (GOOGLE, "wr-192-0-2-1.1e100.net=here", "here", "mismatch"),
        (microsoft, "mail-x.inbound.protection.outlook.com=here", "nxdomain", "related"),
        (microsoft, "mail-x.protection.office365.us=here", "nxdomain", "mismatch"),
        (microsoft, "mail-x.prod.hotmail.com=here", "nxdomain", "mismatch"),
    ] {
        let judgement = judged(greeting, reverse, banner);
        assert_eq!(judgement.verdict.map(super::Verdict::as_str), Some(verdict), "{reverse}");
        assert_eq!(codes(&judgement), ["platform_identity"], "{greeting} {reverse} {banner}");
        assert_eq!(judgement.severity, Some(Severity::None));
        assert_eq!(judgement.tenancy, Tenancy::Shared);
    }
}

#[test]
fn findings_stand_in_the_order_of_the_codes_and_the_highest_gives_the_severity() {
    let judgement = judged(
        "220 localhost ESMTP",
        "a_b.isp.example=elsewhere 192-0-2-1.isp.example=nxdomain",
        "elsewhere",
    );
    assert_eq!(
        codes(&judgement),
        [
            "ptr_unconfirmed",
            "ptr_multiple",
            "ptr_generic",
            "ptr_malformed",
            "banner_unqualified",
            "banner_default",
            "banner_resolves_elsewhere",
            "stale_ptr"
        ]
    );
    assert_eq!(judgement.severity, Some(Severity::High));
    let sound = judged(OWN, "mail.kestrel.example=here", "here");
    assert_eq!((sound.severity, codes(&sound)), (Some(Severity::None), vec![]));
}
