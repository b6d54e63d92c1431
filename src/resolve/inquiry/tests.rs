//! What is asked for a host and what the answers come to.

use std::time::Duration;

use super::*;
use crate::resolve::question::{Exchange, Records};

const TTL: Duration = Duration::from_secs(300);
const HERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

fn host(text: &str) -> HostName {
    HostName::parse(text).unwrap()
}

fn names(list: &[&str]) -> Answer {
    Answer::found(Records::Names(list.iter().map(|text| name(text)).collect()), TTL)
}

fn leads_to(list: &[&str]) -> Answer {
    Answer::found(Records::Addresses(list.iter().map(|text| text.parse().unwrap()).collect()), TTL)
}

/// Answers every question by a table (`PTR`, `A mail.example.org`, …; nxdomain where none), and lists what
/// was asked.
fn run(want: &Want, table: &[(&str, Answer)]) -> (Vec<String>, Solution) {
    let mut inquiry = Inquiry::new(want);
    let mut log = Vec::new();
    while let Some((index, question)) = inquiry.next_question() {
        let key = match question.kind {
            Kind::Ptr => "PTR".to_owned(),
            kind => format!("{kind:?} {}", question.name),
        };
        let answer = table.iter().find(|(asked, _)| *asked == key).map(|(_, answer)| answer.clone());
        log.push(key);
        inquiry.learn(index, &Arc::new(answer.unwrap_or_else(|| Answer::bare(Status::NxDomain))));
    }
    assert!(inquiry.is_solved());
    (log, inquiry.solution())
}

fn identity(banner: Option<&str>, table: &[(&str, Answer)]) -> (Vec<String>, Resolution) {
    let want = Want::Identity { ip: "192.0.2.1".parse().unwrap(), banner: banner.map(host) };
    let (log, solution) = run(&want, table);
    let Solution::Identity(resolution) = solution else { panic!("{solution:?}") };
    (log, resolution)
}

#[test]
fn equal_names_are_asked_once_and_confirm_both() {
    let table = [
        ("PTR", names(&["mail.example.org"])),
        ("A mail.example.org", leads_to(&["192.0.2.9", "192.0.2.1"])),
    ];
    let (log, resolution) = identity(Some("mail.example.org"), &table);
    assert_eq!(log, ["PTR", "A mail.example.org"]);
    assert_eq!(resolution.names[0].forward.confirms(HERE), Some(true));
    assert_eq!(resolution.banner_forward.confirms(HERE), Some(true));
    assert_eq!((resolution.ptr, resolution.ptr_count), (Status::Found, 1));
}

#[test]
fn a_v6_target_asks_for_v6_addresses_only() {
    let want = Want::Identity { ip: "2001:db8::1".parse().unwrap(), banner: Some(host("a.example.org")) };
    let (log, _) = run(&want, &[("PTR", names(&["b.example.org"]))]);
    assert_eq!(log, ["PTR", "Aaaa a.example.org", "Aaaa b.example.org"]);
}

#[test]
fn banner_names_that_are_not_for_dns_are_not_asked() {
    for banner in
        ["mail.local", "localhost", "a.localhost", "x.invalid", "x.onion", "1.2.0.192.in-addr.arpa", "mail"]
    {
        let (log, resolution) = identity(Some(banner), &[("PTR", Answer::bare(Status::NoData))]);
        assert_eq!(log, ["PTR"], "{banner}");
        assert_eq!(resolution.banner_forward, Forward::not_asked(), "{banner}");
    }
    for banner in ["mail.internal", "mail.lan", "local.example", "a.arpa.example"] {
        let (log, _) = identity(Some(banner), &[]);
        assert_eq!(log.len(), 2, "{banner}");
    }
}

#[test]
fn a_ptr_name_of_any_bytes_is_asked_as_it_stands_and_can_confirm() {
    for odd in [r"a\.b\000\255.example.org", "under_score.example.org", "localhost", ".", "192.0.2.1"] {
        let question = format!("A {}", name(odd));
        let (log, resolution) =
            identity(None, &[("PTR", names(&[odd])), (&question, leads_to(&["192.0.2.1"]))]);
        assert_eq!(log, ["PTR", question.as_str()]);
        assert_eq!(resolution.names[0].forward.confirms(HERE), Some(true), "{odd}");
    }
}

#[test]
fn sixteen_names_are_asked_and_the_banner_s_is_among_them() {
    let all: Vec<String> = (0..1000).map(|n| format!("h{n}.example.org")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let (log, resolution) = identity(Some("h777.example.org"), &[("PTR", names(&all))]);
    assert_eq!((log.len(), resolution.names.len(), resolution.ptr_count), (1 + 16, 16, 1000));
    assert_eq!(resolution.names[14].name, name("h14.example.org"));
    assert_eq!(resolution.names[15].name, name("h777.example.org"));
    let (log, resolution) = identity(Some("other.example.org"), &[("PTR", names(&all))]);
    assert_eq!((log.len(), resolution.names.len()), (1 + 1 + 16, 16));
}

#[test]
fn of_too_many_names_those_nearest_to_the_banner_s_are_asked() {
    let all: Vec<String> = (0..40)
        .map(|n| format!("h{n}.example.net"))
        .chain(["b.example.org".into(), "mail.example.org".into(), r"a\.b.example.org".into()])
        .collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let (log, resolution) = identity(Some("mail.example.org"), &[("PTR", names(&all))]);
    let asked: Vec<String> = resolution.names.iter().map(|ptr| ptr.name.to_string()).collect();
    assert_eq!((log.len(), asked.len()), (1 + 16, 16));
    assert_eq!(asked[12..], ["h12.example.net", "b.example.org", "mail.example.org", r"a\.b.example.org"]);
    // A name that is not asked for itself still chooses.
    let all: Vec<String> = (0..40).map(|n| format!("h{n}.corp.local")).chain(["mail.local".into()]).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let (_, resolution) = identity(Some("mail.local"), &[("PTR", names(&all))]);
    assert_eq!(resolution.names[15].name, name("mail.local"));
}

#[test]
fn of_a_single_host_every_name_is_asked_up_to_a_bound() {
    for (count, asked) in [(17, 17), (128, 128), (129, 128), (1000, 128)] {
        let all: Vec<String> = (0..count).map(|n| format!("h{n}.example.org")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let want = Want::WholeIdentity { ip: "192.0.2.1".parse().unwrap(), banner: None };
        let (log, solution) = run(&want, &[("PTR", names(&all))]);
        let Solution::Identity(resolution) = solution else { panic!("{solution:?}") };
        assert_eq!((log.len(), resolution.names.len()), (1 + asked, asked));
        assert_eq!(resolution.ptr_count, count);
    }
}

#[test]
fn the_own_address_is_kept_of_a_list_that_is_cut() {
    let many: Vec<String> =
        (0..1000).map(|n| format!("198.51.{}.{}", n / 250, n % 250)).chain(["192.0.2.1".into()]).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let (_, resolution) =
        identity(None, &[("PTR", names(&["m.example.org"])), ("A m.example.org", leads_to(&many))]);
    let forward = &resolution.names[0].forward;
    assert_eq!((forward.confirms(HERE), forward.addresses.len()), (Some(true), MAX_KEPT_ADDRESSES));
    assert!(forward.addresses.contains(&"192.0.2.1".parse().unwrap()));

    for status in Status::ALL.into_iter().filter(|status| *status != Status::Found) {
        let table = [("PTR", names(&["m.example.org"])), ("A m.example.org", Answer::bare(status))];
        let (_, resolution) = identity(Some("m.example.org"), &table);
        let forward = Forward { status, addresses: Vec::new() };
        assert_eq!(resolution.names[0].forward, forward);
        assert_eq!(resolution.banner_forward, forward);
    }
}

#[test]
fn without_a_definite_ptr_answer_nothing_is_asked_forward() {
    for status in Status::ALL.into_iter().filter(|status| *status != Status::Found) {
        let (log, resolution) = identity(None, &[("PTR", Answer::bare(status))]);
        assert_eq!((log.len(), resolution.ptr, resolution.ptr_count), (1, status, 0));
    }
}

#[test]
fn a_mapped_address_is_asked_for_as_the_v4_one() {
    let want = Want::Identity { ip: "::ffff:192.0.2.1".parse().unwrap(), banner: None };
    let mut inquiry = Inquiry::new(&want);
    assert_eq!(inquiry.next_question().unwrap().1.name, name("1.2.0.192.in-addr.arpa"));
}

#[test]
fn addresses_of_both_families_come_to_one_status() {
    let (a, aaaa) = ("A m.example.org", "Aaaa m.example.org");
    let bare = Answer::bare;
    for (v4, v6, status, whole) in [
        (leads_to(&["192.0.2.1"]), bare(Status::NoData), Status::Found, true),
        (leads_to(&["192.0.2.1"]), bare(Status::ServFail), Status::Found, false),
        (bare(Status::TimedOut), leads_to(&["2001:db8::1"]), Status::Found, false),
        (bare(Status::NoData), bare(Status::NoData), Status::NoData, true),
        (bare(Status::NxDomain), bare(Status::NxDomain), Status::NxDomain, true),
        (bare(Status::NoData), bare(Status::TimedOut), Status::TimedOut, false),
        (bare(Status::ServFail), bare(Status::NoData), Status::ServFail, false),
    ] {
        let (_, solution) =
            run(&Want::Addresses(host("m.example.org")), &[(a, v4.clone()), (aaaa, v6.clone())]);
        let Solution::Addresses(addresses) = solution else { panic!() };
        assert_eq!((addresses.status, addresses.whole), (status, whole), "{v4:?} {v6:?}");
    }
}

#[test]
fn mail_hosts_follow_preference_the_implicit_rule_and_the_null_mx() {
    let exchange = |preference, host: &str| Exchange { preference, host: name(host) };
    let mx = |list: Vec<Exchange>| Answer::found(Records::Exchanges(list), TTL);
    let want = Want::MailHosts(host("example.org"));
    let address = leads_to(&["192.0.2.1"]);
    let a = ["A mx1.example.org", "A mx2.example.org", "A example.org"];
    for (answer, status, hosts) in [
        (
            mx(vec![exchange(20, "mx2.example.org"), exchange(10, "mx1.example.org")]),
            Status::Found,
            vec!["mx1.example.org", "mx2.example.org"],
        ),
        (mx(vec![exchange(0, ".")]), Status::NoData, vec![]),
        (mx(vec![exchange(0, "."), exchange(5, "mx1.example.org")]), Status::Found, vec!["mx1.example.org"]),
        (Answer::bare(Status::NoData), Status::Found, vec!["example.org"]),
        (Answer::bare(Status::NxDomain), Status::NxDomain, vec![]),
        (Answer::bare(Status::ServFail), Status::ServFail, vec![]),
        (Answer::bare(Status::TimedOut), Status::TimedOut, vec![]),
    ] {
        let mut table = vec![("Mx example.org", answer.clone())];
        table.extend(a.map(|key| (key, address.clone())));
        let (_, solution) = run(&want, &table);
        let Solution::MailHosts(found) = solution else { panic!() };
        let names: Vec<String> = found.hosts.iter().map(|host| host.name.to_string()).collect();
        assert_eq!(
            (found.status, names),
            (status, hosts.into_iter().map(str::to_owned).collect()),
            "{answer:?}"
        );
        assert!(found.hosts.iter().all(|host| host.addresses.addresses.len() == 1));
    }
    let (_, solution) = run(&want, &[("Mx example.org", Answer::bare(Status::NoData))]);
    let Solution::MailHosts(found) = solution else { panic!() };
    assert_eq!(found.status, Status::NxDomain, "an implicit host without an address is no host");
}

fn rest(known: Resolution, banner: Option<&str>, table: &[(&str, Answer)]) -> (Vec<String>, Resolution) {
    let want =
        Want::Rest { ip: "192.0.2.1".parse().unwrap(), banner: banner.map(host), known: Box::new(known) };
    let (log, solution) = run(&want, table);
    let Solution::Identity(resolution) = solution else { panic!("{solution:?}") };
    (log, resolution)
}

#[test]
fn of_earlier_answers_the_definite_ones_stand_and_the_rest_is_asked() {
    let whole = [
        ("PTR", names(&["a.example.org", "b.example.org"])),
        ("A a.example.org", leads_to(&["192.0.2.9"])),
        ("A b.example.org", leads_to(&["192.0.2.1"])),
        ("A mail.example.org", leads_to(&["192.0.2.7"])),
    ];
    let (_, undisturbed) = identity(Some("mail.example.org"), &whole);
    for lost in 0..whole.len() {
        for status in [Status::ServFail, Status::Refused, Status::TimedOut, Status::Malformed] {
            let mut table = whole.clone();
            table[lost].1 = Answer::bare(status);
            let (_, known) = identity(Some("mail.example.org"), &table);
            let (log, resolution) = rest(known, Some("mail.example.org"), &whole);
            let wanted = if lost == 0 { vec!["PTR", whole[1].0, whole[2].0] } else { vec![whole[lost].0] };
            assert_eq!(log, wanted, "{status:?}");
            assert_eq!(resolution, undisturbed, "{status:?} {lost}");
        }
    }
    let (log, resolution) = rest(undisturbed.clone(), Some("mail.example.org"), &[]);
    assert_eq!((log, resolution), (Vec::new(), undisturbed), "nothing is open");
}

#[test]
fn a_count_beyond_the_names_kept_outlives_the_rest() {
    let many: Vec<String> = (0..20).map(|n| format!("n{n}.example.org")).collect();
    let list: Vec<&str> = many.iter().map(String::as_str).collect();
    let (_, mut known) =
        identity(None, &[("PTR", names(&list)), ("A n3.example.org", Answer::bare(Status::ServFail))]);
    let (log, resolution) = rest(known.clone(), None, &[("A n3.example.org", leads_to(&["192.0.2.1"]))]);
    assert_eq!((log, resolution.ptr_count), (vec!["A n3.example.org".to_owned()], 20));
    known.names[3].forward = resolution.names[3].forward.clone();
    assert_eq!(resolution, known);
    assert_eq!(resolution.names[3].forward.confirms(HERE), Some(true));
}
