//! Unknown is not wrong: over all that DNS can say, nothing is held against a host without a definite answer.

use proptest::prelude::*;

use super::super::fixture::{HERE, forward, greeted, host, ptr};
use super::super::*;
use super::codes;
use crate::evidence::{Forward, Outcome, Resolution, Status};

/// Every forward answer.
const FORWARDS: [&str; 11] = [
    "here",
    "elsewhere",
    "unsure",
    "no_data",
    "nxdomain",
    "servfail",
    "refused",
    "timed_out",
    "malformed",
    "untrusted",
    "not_asked",
];

/// Names of which a host may give one and DNS may hold others, each with how it looks.
const NAMES: [&str; 8] = [
    "mail.kestrel.example",
    "out.kestrel.example",
    "x.example.net",
    "mail.corp.local",
    "out.corp.local",
    "localhost.localdomain",
    "mail",
    "mail_1.kestrel.example",
];

/// Every way in which the open answers may come out, one for each name that DNS holds: where it leads.
fn completions(names: &[(&str, &'static str)]) -> Vec<Vec<&'static str>> {
    names.iter().fold(vec![Vec::new()], |ways, (_, to)| {
        let ends: &[&'static str] = if is_definite(to) { &[] } else { &["here", "elsewhere", "nxdomain"] };
        let ends = if ends.is_empty() { std::slice::from_ref(to) } else { ends };
        let longer = |way: &Vec<&'static str>| {
            ends.iter().map(|end| way.iter().copied().chain([*end]).collect()).collect::<Vec<_>>()
        };
        ways.iter().flat_map(longer).collect()
    })
}

/// Who wrote the record: this version, or one of before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Now,
    Before,
}

fn verdict_of(banner: &str, names: &[(&str, &str)], unasked: u32, written: Written) -> Verdict {
    let said = names.iter().map(|(name, to)| format!("{name}={to}")).collect::<Vec<_>>().join(" ");
    let mut evidence = host(&format!("220 {banner} ESMTP"), &said, "not_asked");
    evidence.scanner = (written == Written::Now).then(std::sync::Arc::default);
    if let Some(resolution) = &mut evidence.resolution {
        resolution.ptr = Status::Found;
        resolution.ptr_count += unasked;
    }
    judge(&evidence, &Inventory::default()).verdict.unwrap()
}

/// What all completions agree on. Of names that nobody asked, and that the record does not hold, one thing is
/// known: they are no nearer to the banner than those that were asked. In a record of before, they are only
/// not equal to it.
fn agreed(banner: &str, names: &[(&str, &'static str)], unasked: u32, written: Written) -> Option<Verdict> {
    let mut verdicts = Vec::new();
    let relative = crate::name::registrable(banner).map(|domain| format!("unasked.{domain}"));
    let relative = relative.as_deref().filter(|_| written == Written::Before);
    let hidden: Vec<&str> = ["unasked.example.com"].into_iter().chain(relative).collect();
    for way in completions(names) {
        let closed: Vec<(&str, &str)> = names.iter().zip(&way).map(|((name, _), to)| (*name, *to)).collect();
        if unasked == 0 {
            verdicts.push(verdict_of(banner, &closed, 0, written));
            continue;
        }
        for further in hidden.iter().flat_map(|name| ["here", "elsewhere", "nxdomain"].map(|to| (*name, to)))
        {
            let all: Vec<(&str, &str)> = closed.iter().copied().chain([further]).collect();
            verdicts.push(verdict_of(banner, &all, 0, written));
        }
    }
    let first = verdicts.first().copied()?;
    verdicts.iter().all(|verdict| *verdict == first).then_some(first)
}

fn is_definite(forward: &str) -> bool {
    matches!(forward, "here" | "elsewhere" | "no_data" | "nxdomain")
}

/// The verdict by the letter of the documentation, for a usable banner name.
fn by_the_letter(banner: &str, names: &[(&str, &str)], unasked: u32) -> &'static str {
    let confirmed: Vec<_> = names.iter().filter(|(_, to)| *to == "here").map(|(name, _)| *name).collect();
    let open: Vec<_> = names.iter().filter(|(_, to)| !is_definite(to)).map(|(name, _)| *name).collect();
    let related = |names: &[&str]| names.iter().any(|name| name.ends_with(".kestrel.example"));
    if confirmed.is_empty() {
        if open.is_empty() && unasked == 0 { "unconfirmed" } else { "undetermined" }
    } else if confirmed.contains(&banner) {
        "match"
    } else if open.contains(&banner) || related(&open) && !related(&confirmed) {
        "undetermined"
    } else if related(&confirmed) {
        "related"
    } else {
        "mismatch"
    }
}

#[test]
fn over_all_answers_the_verdict_is_the_documented_one() {
    const BANNER: &str = "mail.kestrel.example";
    let pairs = [
        ["mail.kestrel.example", "out.kestrel.example"],
        ["mail.kestrel.example", "x.example.net"],
        ["out.kestrel.example", "x.example.net"],
        ["y.example.net", "x.example.net"],
    ];
    for [first, second] in pairs {
        for to_first in FORWARDS {
            for to_second in FORWARDS {
                for unasked in [0, 1] {
                    let names = [(first, to_first), (second, to_second)];
                    let expected = by_the_letter(BANNER, &names, unasked);
                    let mut resolution = ptr(&format!("{first}={to_first} {second}={to_second}"));
                    resolution.ptr_count += unasked;
                    for banner in FORWARDS {
                        resolution.banner_forward = forward(banner);
                        let judgement = judged(&resolution);
                        let verdict = judgement.verdict.map(Verdict::as_str);
                        assert_eq!(verdict, Some(expected), "{names:?} unasked {unasked} banner {banner}");
                        check(&judgement, &resolution, Some(HERE.into()));
                    }
                }
            }
        }
    }
}

#[test]
fn over_all_reverse_answers_nothing_is_missing_but_what_dns_denies() {
    for status in Status::ALL {
        for banner in FORWARDS {
            let mut resolution = ptr(if status == Status::Found { "" } else { status.as_str() });
            resolution.banner_forward = forward(banner);
            let judgement = judged(&resolution);
            let expected = if status.is_absent() { Verdict::NoPtr } else { Verdict::Undetermined };
            assert_eq!(judgement.verdict, Some(expected), "{status:?}");
            assert_eq!(codes(&judgement).contains(&"ptr_missing"), status.is_absent(), "{status:?}");
            check(&judgement, &resolution, Some(HERE.into()));
        }
    }
}

fn judged(resolution: &Resolution) -> Judgement {
    let evidence = Evidence {
        resolution: Some(resolution.clone()),
        scanner: Some(std::sync::Arc::default()),
        ..host("220 mail.kestrel.example ESMTP", "nxdomain", "here")
    };
    let judgement = judge(&evidence, &Inventory::default());
    assert_eq!(judgement, judge(&evidence, &Inventory::default()), "twice the same");
    judgement
}

/// No finding without the answers that it needs.
fn check(judgement: &Judgement, resolution: &Resolution, ip: Option<std::net::IpAddr>) {
    let definite = |forward: &Forward| {
        forward.status.is_absent() || forward.status == Status::Found && forward.confirms(ip).is_some()
    };
    let has = |code: Code| judgement.findings.iter().any(|finding| finding.code == code);
    let all = resolution.names.iter().all(|name| definite(&name.forward));
    let whole = resolution.names.len() as u64 == u64::from(resolution.ptr_count);
    if has(Code::PtrMissing) {
        assert!(resolution.ptr.is_absent());
    }
    if has(Code::PtrUnconfirmed) {
        assert!(resolution.ptr == Status::Found && all && whole);
    }
    if has(Code::PtrPartlyUnconfirmed) || has(Code::StalePtr) {
        let away = |forward: &Forward| definite(forward) && forward.confirms(ip) != Some(true);
        assert!(resolution.names.iter().any(|name| away(&name.forward)));
    }
    if has(Code::BannerUnresolvable) || has(Code::BannerResolvesElsewhere) || has(Code::UnownedIdentity) {
        assert!(definite(&resolution.banner_forward));
    }
    if has(Code::BannerDiffers) || has(Code::TwoIdentities) {
        assert_eq!(judgement.verdict, Some(Verdict::Mismatch));
    }
    let no_ptr_names = resolution.ptr != Status::Found;
    if no_ptr_names {
        for code in [Code::PtrMultiple, Code::PtrGeneric, Code::PtrMalformed, Code::PtrPartlyUnconfirmed] {
            assert!(!has(code), "{}", code.as_str());
        }
    }
    let highest = judgement.findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::None);
    assert_eq!(judgement.severity, Some(highest));
    assert!(judgement.findings.is_sorted_by_key(|finding| finding.code));
}

fn any_forward() -> impl Strategy<Value = Forward> {
    prop::sample::select(&FORWARDS[..]).prop_map(forward)
}

fn any_resolution() -> impl Strategy<Value = Resolution> {
    let name = prop::collection::vec(any::<u8>(), 1..40).prop_filter_map("a name", |bytes| {
        let labels =
            bytes.chunks(7).flat_map(|label| [&[u8::try_from(label.len()).unwrap_or(0)][..], label].concat());
        crate::name::DnsName::from_wire(&labels.chain([0]).collect::<Vec<_>>())
    });
    let names = prop::collection::vec((name, any_forward()), 0..4);
    (prop::sample::select(&Status::ALL[..]), names, any_forward(), 0u32..20).prop_map(
        |(status, names, banner_forward, more)| {
            let names: Vec<_> =
                names.into_iter().map(|(name, forward)| crate::evidence::PtrName { name, forward }).collect();
            let ptr_count = u32::try_from(names.len()).unwrap_or(0) + more;
            Resolution { ptr: status, ptr_count, names, banner_forward }
        },
    )
}

#[test]
fn the_name_of_a_set_too_large_to_ask_can_still_confirm() {
    for (names, verdict) in [
        (&[("x.example.net", "elsewhere")][..], Verdict::Undetermined),
        (&[("x.example.net", "here")], Verdict::Mismatch),
        (&[("out.kestrel.example", "here")], Verdict::Related),
        (&[("mail.kestrel.example", "here")], Verdict::Match),
    ] {
        assert_eq!(verdict_of("mail.kestrel.example", names, 1, Written::Now), verdict, "{names:?}");
        let before = if verdict == Verdict::Mismatch { Verdict::Undetermined } else { verdict };
        assert_eq!(verdict_of("mail.kestrel.example", names, 1, Written::Before), before, "{names:?}");
    }
}

proptest! {
    #![proptest_config(crate::property_tests::cases(512))]

    /// The rule of `undetermined`: some answer to a question still open could give another verdict.
    #[test]
    fn the_verdict_is_what_every_answer_still_open_leaves_it(
        banner in prop::sample::select([&NAMES[..], &["%HOST%", "[192.0.2.1]", "ESMTP"]].concat()),
        names in prop::collection::vec(
            (prop::sample::select(&NAMES[..]), prop::sample::select(&FORWARDS[..])),
            1..4,
        ),
        unasked in 0u32..2,
        written in prop::sample::select(&[Written::Now, Written::Before][..]),
    ) {
        let mut names = names;
        names.sort_unstable_by_key(|(name, _)| *name);
        names.dedup_by_key(|(name, _)| *name);
        let expected = agreed(banner, &names, unasked, written).unwrap_or(Verdict::Undetermined);
        let verdict = verdict_of(banner, &names, unasked, written);
        prop_assert_eq!(verdict, expected, "{} {:?} {} {:?}", banner, names, unasked, written);
    }

    #[test]
    fn whatever_is_seen_has_one_judgement(
        banner in prop::collection::vec(any::<u8>(), 0..80),
        code in 0u16..1000,
        outcome in prop::sample::select(&Outcome::ALL[..]),
        resolution in prop::option::of(any_resolution()),
        ip in any::<Option<std::net::IpAddr>>(),
    ) {
        let mut observation = greeted("220 x");
        observation.outcome = outcome;
        observation.greeting = Some(crate::smtp::reply::Reply {
            code: crate::smtp::reply::Code::new(code),
            text: [banner].into_iter().collect(),
        });
        let evidence = Evidence { ip, observation, resolution, scanner: None };
        let judgement = judge(&evidence, &Inventory::default());
        prop_assert_eq!(&judgement, &judge(&evidence, &Inventory::default()));
        prop_assert_eq!(judgement.verdict.is_some(), outcome.is_judged());
        if let (Some(resolution), true) = (&evidence.resolution, outcome.is_judged()) {
            check(&judgement, resolution, ip);
        }
    }
}
