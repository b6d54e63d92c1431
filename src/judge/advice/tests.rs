//! What is advised, for whom, and what no advice ever says.

use super::*;
use crate::judge::fixture::host;
use crate::judge::judge;

fn advised(greeting: &str, reverse: &str, banner: &str, inventory: &Inventory) -> Vec<Advice> {
    let evidence = host(greeting, reverse, banner);
    let judgement = judge(&evidence, inventory);
    advice(&Case {
        evidence: &evidence,
        inventory,
        judgement: &judgement,
        port: 25,
        providers: Providers::built_in(),
    })
}

fn for_code(list: &[Advice], code: Code) -> &Advice {
    list.iter()
        .find(|advice| advice.code == code)
        .unwrap_or_else(|| panic!("no advice for {}", code.as_str()))
}

fn tenancy(said: &str) -> Inventory {
    Inventory { tags: vec![("tenancy".into(), said.to_owned())], ..Inventory::default() }
}

const OWN: &str = "220 mail.kestrel.example ESMTP Postfix";

#[test]
fn the_records_to_publish_agree_with_each_other() {
    let list = advised(OWN, "nxdomain", "here", &Inventory::default());
    let advice = for_code(&list, Code::PtrMissing);
    assert_eq!(advice.fixer, Fixer::Provider);
    assert!(
        advice
            .todo
            .iter()
            .any(|line| line.contains("`1.2.0.192.in-addr.arpa. IN PTR mail.kestrel.example.`"))
    );
    assert_eq!(advice.todo.len(), 1, "the name leads here already: {:?}", advice.todo);
    assert_eq!(advice.check, ["dig -x 192.0.2.1 +short"]);
}

#[test]
fn the_fix_names_the_change_that_is_enough_and_no_other() {
    const PTR: &str = "Set one PTR record, in the place of any that are there: \
                       `1.2.0.192.in-addr.arpa. IN PTR mail.kestrel.example.`.";
    const FORWARD: &str =
        "Publish an address record, beside those that are there: `mail.kestrel.example. IN A 192.0.2.1`.";
    for (reverse, banner, code, lines) in [
        ("nxdomain", "here", Code::PtrMissing, &[PTR][..]),
        ("nxdomain", "elsewhere", Code::PtrMissing, &[FORWARD, PTR]),
        ("nxdomain", "servfail", Code::PtrMissing, &[FORWARD, PTR]),
        ("old.kestrel.example=elsewhere mail.kestrel.example=here", "here", Code::StalePtr, &[PTR]),
        ("old.kestrel.example=elsewhere", "here", Code::StalePtr, &[PTR]),
    ] {
        let list = advised(OWN, reverse, banner, &Inventory::default());
        assert_eq!(for_code(&list, code).todo, lines, "{reverse} {banner}");
    }
}

#[test]
fn a_stale_name_that_both_sides_give_is_not_set_once_more() {
    let reverse = "mail.kestrel.example=elsewhere";
    let list = advised(OWN, reverse, "elsewhere", &tenancy("dedicated"));
    let stale = for_code(&list, Code::StalePtr);
    assert_eq!(stale.fixer, Fixer::Customer, "the record to set is an address record");
    assert!(stale.todo[0].contains("`mail.kestrel.example. IN A 192.0.2.1`"), "{stale:?}");
    assert!(stale.todo[1].contains("PTR record and greeting are alike already"), "{stale:?}");
    assert!(!stale.todo.iter().any(|line| line.contains("IN PTR")), "{stale:?}");
}

#[test]
fn a_confirmed_ptr_name_that_is_the_fix_is_not_forbidden() {
    let own = advised("220 localhost ESMTP", "mail.kestrel.example=here", "not_asked", &tenancy(""));
    let own = for_code(&own, Code::BannerDefault);
    assert!(own.todo[0].contains("as `mail.kestrel.example`"), "{own:?}");
    assert!(!own.never.iter().any(|line| line.contains("copy")), "{own:?}");
}

#[test]
fn private_addresses_are_told_as_a_view_from_inside() {
    use crate::evidence::{Forward, Resolution, Status};
    let mut evidence = host(OWN, "mail.kestrel.example=elsewhere", "elsewhere");
    evidence.ip = Some("203.0.113.7".parse().unwrap());
    let inside = Forward { status: Status::Found, addresses: vec!["10.0.0.5".parse().unwrap()] };
    let resolution = evidence.resolution.take().unwrap();
    let names = resolution
        .names
        .iter()
        .map(|ptr| crate::evidence::PtrName { forward: inside.clone(), ..ptr.clone() });
    evidence.resolution =
        Some(Resolution { names: names.collect(), banner_forward: inside.clone(), ..resolution.clone() });
    let inventory = Inventory::default();
    let judgement = judge(&evidence, &inventory);
    let providers = Providers::built_in();
    let case =
        Case { evidence: &evidence, inventory: &inventory, judgement: &judgement, port: 25, providers };
    let list = advice(&case);
    assert!(for_code(&list, Code::PtrUnconfirmed).todo[0].contains("a view from inside"), "{list:?}");
}

#[test]
fn only_a_name_that_may_be_ones_own_is_proposed() {
    let expected =
        Inventory { expected_name: Some("MX.kestrel.example.".to_owned()), ..Inventory::default() };
    for (greeting, inventory, name) in [
        (OWN, &Inventory::default(), "mail.kestrel.example"),
        (OWN, &expected, "mx.kestrel.example"),
        ("220 localhost.localdomain ESMTP", &Inventory::default(), OWN_NAME),
        ("220 mx.google.com ESMTP", &Inventory::default(), OWN_NAME),
        ("220 static.1.2.0.192.clients.your-server.de ESMTP", &Inventory::default(), OWN_NAME),
        ("220 a_b.kestrel.example ESMTP", &Inventory::default(), OWN_NAME),
        ("220 ESMTP", &Inventory::default(), OWN_NAME),
    ] {
        let evidence = host(greeting, "nxdomain", "here");
        let judgement = judge(&evidence, inventory);
        let case = Case {
            evidence: &evidence,
            inventory,
            judgement: &judgement,
            port: 25,
            providers: Providers::built_in(),
        };
        let [reverse, forward] = zone_lines(&case).unwrap();
        assert_eq!(reverse, format!("1.2.0.192.in-addr.arpa. IN PTR {name}."), "{greeting}");
        assert_eq!(forward, format!("{name}. IN A 192.0.2.1"), "{greeting}");
    }
}

#[test]
fn who_can_fix_it_follows_tenancy() {
    for (said, code, greeting, fixer) in [
        ("dedicated", Code::PtrMissing, OWN, Fixer::Provider),
        ("dedicated", Code::PtrMalformed, OWN, Fixer::Provider),
        ("shared", Code::PtrMissing, OWN, Fixer::Provider),
        ("", Code::PtrMissing, OWN, Fixer::Provider),
        ("dedicated", Code::BannerDefault, "220 localhost ESMTP", Fixer::Customer),
        ("", Code::BannerDefault, "220 localhost ESMTP", Fixer::Customer),
        ("shared", Code::BannerDefault, "220 localhost ESMTP", Fixer::Provider),
    ] {
        let reverse = if code == Code::PtrMalformed { "localhost=elsewhere" } else { "nxdomain" };
        let list = advised(greeting, reverse, "here", &tenancy(said));
        assert_eq!(for_code(&list, code).fixer, fixer, "{said} {}", code.as_str());
    }
    let list = advised(OWN, "x.example.net=here", "here", &tenancy("shared"));
    let differs = for_code(&list, Code::BannerDiffers);
    assert_eq!(
        (differs.fixer, differs.todo.len()),
        (Fixer::Nobody, 0),
        "on a shared host a difference is expected"
    );
    let list =
        advised("220 mx.google.com ESMTP 1 - gsmtp", "x.1e100.net=here", "here", &Inventory::default());
    assert_eq!(for_code(&list, Code::PlatformIdentity).fixer, Fixer::Nobody);
}

#[test]
fn the_platforms_own_setting_is_named_and_doubtful_ones_only_as_a_hint() {
    let list = advised("220 localhost ESMTP Postfix", "nxdomain", "not_asked", &Inventory::default());
    let todo = &for_code(&list, Code::BannerDefault).todo;
    assert!(todo.iter().any(|line| line.contains("postconf -e 'myhostname = mail.your-domain'")), "{todo:?}");
    let list =
        advised("220 localhost ESMTP Haraka/3.0 ready", "nxdomain", "not_asked", &Inventory::default());
    let todo = &for_code(&list, Code::BannerDefault).todo;
    assert!(todo.iter().any(|line| line.contains("Haraka: `config/me`")), "{todo:?}");
}

#[test]
fn nobody_is_told_to_take_the_providers_name() {
    let list =
        advised("220 localhost ESMTP", "192-0-2-1.isp.example=here", "not_asked", &tenancy("dedicated"));
    for advice in &list {
        for line in &advice.todo {
            assert!(!line.contains("192-0-2-1"), "{line}");
        }
    }
    assert!(
        for_code(&list, Code::BannerDefault).never.iter().any(|line| line.contains("provider's PTR name"))
    );
}

#[test]
fn strangers_names_can_not_run_in_a_shell() {
    let list = advised(OWN, r"$(reboot)\;x.example.net=elsewhere", "elsewhere", &Inventory::default());
    let check = &for_code(&list, Code::PtrUnconfirmed).check;
    assert_eq!(check[1], r"dig '$(reboot)\059x.example.net' A +short");
}

#[test]
fn commands_fit_family_and_port() {
    let evidence = Evidence { ip: Some("2001:db8::1".parse().unwrap()), ..host(OWN, "nxdomain", "nxdomain") };
    let inventory = Inventory::default();
    let judgement = judge(&evidence, &inventory);
    let case = Case {
        evidence: &evidence,
        inventory: &inventory,
        judgement: &judgement,
        port: 465,
        providers: Providers::built_in(),
    };
    let list = advice(&case);
    assert_eq!(
        for_code(&list, Code::BannerUnresolvable).check,
        [
            "openssl s_client -quiet -connect [2001:db8::1]:465 -servername mail.kestrel.example",
            "dig mail.kestrel.example AAAA +short"
        ]
    );
    let [reverse, forward] = zone_lines(&case).unwrap();
    assert!(reverse.ends_with(".ip6.arpa. IN PTR mail.kestrel.example."), "{reverse}");
    assert_eq!(forward, "mail.kestrel.example. IN AAAA 2001:db8::1");
}

#[test]
fn what_is_for_information_only_asks_for_no_change() {
    for (greeting, reverse, code, why, todo) in [
        (
            "554 no",
            "mail.kestrel.example=here",
            Code::BannerAbsent,
            "does not show how the server greets clients that it accepts",
            "Look at the greeting once more from an address that the server accepts.",
        ),
        (
            "220 ex01.corp.local ESMTP",
            "ex01.corp.local=here",
            Code::BannerPrivateName,
            "inside its own network it is a name like any other",
            "Nothing has to be done, unless",
        ),
    ] {
        let list = advised(greeting, reverse, "not_asked", &Inventory::default());
        let advice = for_code(&list, code);
        assert!(advice.why.contains(why) && advice.severity == Severity::Info, "{advice:?}");
        assert!(advice.todo.len() == 1 && advice.todo[0].starts_with(todo), "{advice:?}");
    }
    let greeted = advised("220 ESMTP", "mail.kestrel.example=here", "not_asked", &Inventory::default());
    assert!(for_code(&greeted, Code::BannerAbsent).todo[0].starts_with("Let the server greet"));
}

#[test]
fn every_code_can_be_advised_on() {
    let inventory = Inventory::default();
    let evidence = host("220 localhost ESMTP Exim 4.96", "nxdomain", "here");
    for tenancy in super::super::Tenancy::ALL {
        let mut judgement = judge(&evidence, &inventory);
        judgement.tenancy = tenancy;
        judgement.findings =
            Code::ALL.map(|code| Finding { code, severity: code.severity(tenancy) }).to_vec();
        let case = Case {
            evidence: &evidence,
            inventory: &inventory,
            judgement: &judgement,
            port: 25,
            providers: Providers::built_in(),
        };
        for advice in advice(&case) {
            let code = advice.code.as_str();
            assert!(advice.why.ends_with('.') && advice.cares.ends_with('.'), "{code}");
            assert_eq!(advice.todo.is_empty(), advice.fixer == Fixer::Nobody, "{code}");
            assert!(!advice.check.is_empty(), "{code}");
        }
    }
}

#[test]
fn every_platform_has_its_own_word_on_where_its_name_is_set() {
    let inventory = Inventory::default();
    let evidence = host("220 localhost ESMTP", "x.example.net=here", "not_asked");
    for row in super::super::platform::rows() {
        let mut judgement = judge(&evidence, &inventory);
        judgement.platform = Some(super::super::Platform { name: row.name, version: None });
        let case = Case {
            evidence: &evidence,
            inventory: &inventory,
            judgement: &judgement,
            port: 25,
            providers: Providers::built_in(),
        };
        let list = advice(&case);
        let todo = &for_code(&list, Code::BannerDefault).todo;
        assert!(todo.iter().any(|line| line.contains(row.title)), "{}: {todo:?}", row.name);
    }
}

#[test]
fn a_finding_says_what_it_rests_on() {
    let seen = |greeting: &str, reverse: &str, banner: &str, code: Code| {
        for_code(&advised(greeting, reverse, banner, &Inventory::default()), code).evidence.clone()
    };
    for (greeting, reverse, banner, code, told) in [
        (OWN, "nxdomain", "here", Code::PtrMissing, None),
        (
            OWN,
            "a.example.net=elsewhere b.example.net=nxdomain",
            "here",
            Code::PtrUnconfirmed,
            Some("a.example.net leads to 198.51.100.7; b.example.net leads nowhere"),
        ),
        (
            OWN,
            "a.example.net=elsewhere b.example.net=nxdomain",
            "here",
            Code::StalePtr,
            Some("a.example.net leads to 198.51.100.7"),
        ),
        (
            OWN,
            "dyn-1.2.0.192.isp.example=here",
            "here",
            Code::PtrGeneric,
            Some("dyn-1.2.0.192.isp.example: the address, its end first and a word of dynamic lines"),
        ),
        (
            OWN,
            "a.example.net=here",
            "here",
            Code::TwoIdentities,
            Some("greeting mail.kestrel.example, PTR name a.example.net"),
        ),
        (
            OWN,
            "a.example.net=here",
            "elsewhere",
            Code::UnownedIdentity,
            Some("mail.kestrel.example leads to 198.51.100.7"),
        ),
        ("220 localhost ESMTP", "a.example.net=here", "not_asked", Code::BannerDefault, Some("localhost")),
    ] {
        assert_eq!(seen(greeting, reverse, banner, code).as_deref(), told, "{}", code.as_str());
    }
}
