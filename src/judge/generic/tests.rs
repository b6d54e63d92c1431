//! Names that look assigned by a provider, and names that only come near.

use std::net::IpAddr;

use super::*;

/// Names that providers assign, for the address beside them.
const GENERIC: &[(&str, &str)] = &[
    ("192.0.2.1", "192-0-2-1.kestrel.example"),
    ("192.0.2.1", "192.0.2.1.kestrel.example"),
    ("192.0.2.1", "1.2.0.192.kestrel.example"),
    ("192.0.2.1", "1-2-0-192.kestrel.example"),
    ("192.0.2.1", "ip-192-0-2-1.kestrel.example"),
    ("192.0.2.1", "ip192-0-2-1.kestrel.example"),
    ("192.0.2.1", "host-192-0-2-1.city.kestrel.example"),
    ("192.0.2.1", "h192x0x2x1.kestrel.example"),
    ("192.0.2.1", "192_0_2_1.kestrel.example"),
    ("192.0.2.1", "192000002001.kestrel.example"),
    ("192.0.2.1", "001002000192.kestrel.example"),
    ("192.0.2.1", "192-000-002-001.kestrel.example"),
    ("192.0.2.1", "c0000201.kestrel.example"),
    ("192.0.2.1", "ipc0000201.kestrel.example"),
    ("192.0.2.1", "host-010200c0.kestrel.example"),
    ("192.0.2.1", "3221225985.kestrel.example"),
    ("192.0.2.1", "2-1.kestrel.example"),
    ("192.0.2.1", "host-2-1.kestrel.example"),
    ("192.0.2.1", "0-2-1.city.kestrel.example"),
    ("198.51.100.7", "static.7.100.51.198.clients.your-server.de"),
    ("198.51.100.7", "7-100-51-198.static.kestrel.example"),
    ("198.51.100.7", "c-198-51-100-7.hsd1.ma.kestrel.example"),
    ("198.51.100.7", "pool-198-51-100-7.nycmny.kestrel.example"),
    ("198.51.100.7", "ec2-198-51-100-7.eu-west-1.compute.amazonaws.com"),
    ("198.51.100.7", "7.100.51.198.bc.googleusercontent.com"),
    ("198.51.100.7", "198-51-100-7.ip.linodeusercontent.com"),
    ("198.51.100.7", "li123-7.members.kestrel.example"),
    ("198.51.100.7", "vmi123456.contaboserver.net"),
    ("198.51.100.7", "vps12345.kestrel.example"),
    ("198.51.100.7", "hwsrv-123456.kestrel.example"),
    ("198.51.100.7", "host7.ip-198-51-100.example"),
    ("198.51.100.7", "dyn7.kestrel.example"),
    ("198.51.100.7", "dynamic-100-7.kestrel.example"),
    ("198.51.100.7", "adsl-7.kestrel.example"),
    ("198.51.100.7", "dsl.kestrel.example"),
    ("198.51.100.7", "cpe-0014bf-1.kestrel.example"),
    ("198.51.100.7", "cable-12.kestrel.example"),
    ("198.51.100.7", "dhcp-17.kestrel.example"),
    ("198.51.100.7", "dialup-42.kestrel.example"),
    ("198.51.100.7", "ppp-7.kestrel.example"),
    ("198.51.100.7", "customer-7.kestrel.example"),
    ("198.51.100.7", "static-7.kestrel.example"),
    ("198.51.100.7", "pd9e4c3a1.dip0.kestrel.example"),
    ("198.51.100.7", "unassigned-7.kestrel.example"),
    ("198.51.100.7", "mail.dyn-198-51-100-7.kestrel.example"),
    ("198.51.100.7", "smtp.dynamic.kestrel.example"),
    ("198.51.100.7", "198-51-100-7.kestrel.co.uk"),
    ("203.0.113.45", "dslb-203-000-113-045.pools.kestrel.example"),
    ("203.0.113.45", "pcb00712d.dip0.kestrel.example"),
    ("203.0.113.45", "host45-113-static.0-203-b.business.kestrel.example"),
    ("203.0.113.45", "45.red-203-0-113.staticip.kestrel.example"),
    ("203.0.113.45", "45.203-0-113.kestrel.example"),
    ("203.0.113.45", "unassigned.kestrel.example"),
    ("203.0.113.45", "node-xyz.pool-203-0.kestrel.example"),
    ("2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.kestrel.example"),
    ("2001:db8::1", "2001-db8-0-0-0-0-0-1.kestrel.example"),
    ("2001:db8::1", "2001-0db8-0000-0000-0000-0000-0000-0001.kestrel.example"),
    ("2001:db8::1", "2001-db8--1.kestrel.example"),
    ("2001:db8::1", "ip-2001-db8--1.kestrel.example"),
    ("2001:db8::1", "20010db8000000000000000000000001.kestrel.example"),
    ("2001:db8:1:2:a:b:c:d", "a-b-c-d.kestrel.example"),
    ("2001:db8:1:2:a:b:c:d", "d.0.0.0.c.0.0.0.b.0.0.0.a.0.0.0.ip6.kestrel.example"),
    ("2001:db8:1:2:a:b:c:d", "dyn-7.ip6.kestrel.example"),
];

/// Names that operators chose, for the address beside them.
const GENUINE: &[(&str, &str)] = &[
    ("192.0.2.1", "mail.kestrel.example"),
    ("192.0.2.1", "mx1.kestrel.example"),
    ("192.0.2.1", "mx2-1.kestrel.example"),
    ("192.0.2.1", "mail-192-0-2-1.kestrel.example"),
    ("192.0.2.1", "mta-192-0-2-1.kestrel.example"),
    ("192.0.2.1", "smtp.192-0-2-1.kestrel.example"),
    ("192.0.2.1", "a2-1.smtp-out.kestrel.example"),
    ("192.0.2.1", "o1.ptr1234.out.kestrel.example"),
    ("192.0.2.1", "mail2-1.atl11.kestrel.example"),
    ("192.0.2.1", "server1.kestrel.example"),
    ("192.0.2.1", "host1.kestrel.example"),
    ("192.0.2.1", "web2.kestrel.example"),
    ("192.0.2.1", "ns1.kestrel.example"),
    ("192.0.2.1", "kestrel.example"),
    ("192.0.2.1", "www.kestrel.example"),
    ("192.0.2.1", "gateway.kestrel.example"),
    ("192.0.2.1", "relay3.kestrel.example"),
    ("192.0.2.1", "out12.kestrel.example"),
    ("192.0.2.1", "mx-2024-01.kestrel.example"),
    ("192.0.2.1", "dynamics.kestrel.example"),
    ("192.0.2.1", "pooler.kestrel.example"),
    ("192.0.2.1", "mail.dyn.com"),
    ("192.0.2.1", "mail.dynamic.example"),
    ("192.0.2.1", "mail.cable-company.example"),
    ("192.0.2.1", "staticmedia.kestrel.example"),
    ("192.0.2.1", "static.kestrel.example"),
    ("192.0.2.1", "cloud.kestrel.example"),
    ("192.0.2.1", "clients.kestrel.example"),
    ("192.0.2.1", "customer.kestrel.example"),
    ("192.0.2.1", "vps.kestrel.example"),
    ("192.0.2.1", "mail.vps7.kestrel.example"),
    ("192.0.2.1", "smtp.customer-7.kestrel.example"),
    ("192.0.2.1", "198-51-100-7.kestrel.example"),
    ("192.0.2.1", "cafebabe.kestrel.example"),
    ("192.0.2.1", "mail.xn--bcher-kva.example"),
    ("192.0.2.1", "eu-smtp-inbound-1.kestrel.example"),
    ("192.0.2.1", "mx0b-001b2d01.kestrel.example"),
    ("192.0.2.1", "mail-wr1-f54.kestrel.example"),
    ("192.0.2.1", "wr-in-f26.kestrel.example"),
    ("192.0.2.1", "mail-am6eur05on2054.outbound.kestrel.example"),
    ("192.0.2.1", "sonic303-21.consmr.mail.kestrel.example"),
    ("192.0.2.1", "box.kestrel.example"),
    ("192.0.2.1", "fileserver-22-11.kestrel.example"),
    ("192.0.2.1", "plesk12.kestrel.example"),
    ("192.0.2.1", "cp-7.kestrel.example"),
    ("192.0.2.1", "exchange2016.kestrel.example"),
    ("192.0.2.1", "spool2.kestrel.example"),
    ("192.0.2.1", "kiosk.pooling.kestrel.example"),
    ("192.0.2.1", "w3.kestrel.example"),
    ("192.0.2.1", "fec0000201.kestrel.example"),
    ("192.0.2.1", "rack2srv1.kestrel.example"),
    ("192.0.2.1", "cloud1.kestrel.example"),
    ("192.0.2.1", "vps7.kestrel.example"),
    ("192.0.2.1", "users2.kestrel.example"),
    ("192.0.2.1", "hosting3.kestrel.example"),
    ("192.0.2.1", "ads7.kestrel.example"),
    ("192.0.2.1", "smtp-pool-2.kestrel.example"),
    ("192.0.2.1", "pool1.mta.kestrel.example"),
    ("192.0.2.1", "mail.static-7.kestrel.example"),
    ("192.0.2.1", "dedicated.kestrel.example"),
    ("2001:db8::1", "mail.kestrel.example"),
    ("2001:db8::1", "mx-1.v6.kestrel.example"),
    ("2001:db8::1", "a-b-c-d.kestrel.example"),
    ("2001:db8::1", "web-0-0-1.kestrel.example"),
    ("2001:db8::1", "ip6-mail.kestrel.example"),
];

fn says(name: &str, ip: &str) -> bool {
    sign(name, ip.parse::<IpAddr>().unwrap()).is_some()
}

#[test]
fn assigned_names_are_told_from_chosen_ones() {
    let missed: Vec<_> = GENERIC.iter().filter(|(ip, name)| !says(name, ip)).collect();
    let accused: Vec<_> = GENUINE.iter().filter(|(ip, name)| says(name, ip)).collect();
    assert!(GENERIC.len() >= 40 && GENUINE.len() >= 40);
    assert!(
        missed.is_empty() && accused.is_empty(),
        "of {} assigned names missed {missed:?}; of {} chosen ones accused {accused:?}",
        GENERIC.len(),
        GENUINE.len()
    );
}

#[test]
fn the_sign_names_the_class_and_the_form() {
    for (ip, name, class, form) in [
        ("192.0.2.1", "192-0-2-1.kestrel.example", Class::Unnamed, Form::Decimal),
        ("192.0.2.1", "1.2.0.192.kestrel.example", Class::Unnamed, Form::Reversed),
        ("192.0.2.1", "c0000201.kestrel.example", Class::Unnamed, Form::Hex),
        ("192.0.2.1", "3221225985.kestrel.example", Class::Unnamed, Form::Packed),
        ("192.0.2.1", "192000002001.kestrel.example", Class::Unnamed, Form::Packed),
        ("192.0.2.1", "ec2-192-0-2-1.eu-west-1.compute.amazonaws.com", Class::Cloud, Form::Decimal),
        ("192.0.2.1", "dyn-2-1.kestrel.example", Class::Dynamic, Form::Partial),
        ("192.0.2.1", "pool-192-0-2-1.kestrel.example", Class::Pool, Form::Decimal),
        ("192.0.2.1", "static.1.2.0.192.kestrel.example", Class::Static, Form::Reversed),
        ("192.0.2.1", "vps1234.kestrel.example", Class::Hosting, Form::None),
    ] {
        assert_eq!(sign(name, ip.parse().unwrap()), Some(Sign { class, form }), "{name}");
    }
    let told = |name: &str| sign(name, "192.0.2.1".parse().unwrap()).unwrap().to_string();
    assert_eq!(told("dyn-2-1.kestrel.example"), "a part of the address and a word of dynamic lines");
    assert_eq!(told("1.2.0.192.kestrel.example"), "the address, its end first");
    assert_eq!(told("vps1234.kestrel.example"), "a word of hosting");
}

/// Names that hosters give, of the forms that are the hardest to tell: none of them may be missed.
const OF_HOSTERS: &str = include_str!("tests/hosters.txt");
/// Names of mail servers as people choose them: none of them may be accused.
const ORDINARY: &str = include_str!("tests/ordinary.txt");

fn names(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

#[test]
fn placeholders_and_serial_names_of_hosters_are_all_told() {
    let missed: Vec<_> = names(OF_HOSTERS).filter(|name| !says(name, "203.0.113.45")).collect();
    assert!(missed.is_empty(), "{missed:?}");
    assert!(names(OF_HOSTERS).count() >= 54);
}

#[test]
fn ordinary_names_of_mail_servers_are_never_told() {
    for ip in ["203.0.113.45", "192.0.2.1", "198.51.100.77", "2001:db8::25"] {
        let accused: Vec<_> = names(ORDINARY).filter(|name| says(name, ip)).collect();
        assert!(accused.is_empty(), "{ip}: {accused:?}");
    }
    assert!(names(ORDINARY).count() >= 100);
}

#[test]
fn a_word_of_mail_with_any_number_is_never_told() {
    let words =
        ["mail", "mx", "smtp", "out", "mta", "relay", "mout", "mailgw", "outbound", "send", "webmail"];
    for word in words {
        for number in (0..=300).chain([999, 2016, 2019, 20_240_412]) {
            for name in [
                format!("{word}{number}.kestrel.example"),
                format!("{word}-{number}.kestrel.example"),
                format!("{number}.{word}.kestrel.example"),
                format!("a{number}.{word}-out.kestrel.example"),
                format!("{word}{number}.contaboserver.net"),
            ] {
                assert!(!says(&name, "203.0.113.45"), "{name}");
            }
        }
    }
}

/// Names gathered from public documentation, each with the source of its form.
const ASSIGNED: &str = include_str!("tests/assigned.tsv");
/// The same of names that somebody chose.
const CHOSEN: &str = include_str!("tests/chosen.tsv");

fn gathered(list: &'static str) -> Vec<(&'static str, &'static str)> {
    let rows = list.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| match row.split('\t').collect::<Vec<_>>()[..] {
        [name, ip, source] if !source.is_empty() => (name, ip),
        _ => panic!("{row}"),
    })
    .collect()
}

#[test]
fn gathered_names_are_told_apart_with_few_mistakes() {
    let (assigned, chosen) = (gathered(ASSIGNED), gathered(CHOSEN));
    let told: Vec<_> = assigned.iter().filter(|(name, ip)| says(name, ip)).collect();
    let missed: Vec<_> =
        assigned.iter().filter(|(name, ip)| !says(name, ip)).map(|(name, _)| *name).collect();
    let accused: Vec<_> = chosen.iter().filter(|(name, ip)| says(name, ip)).map(|(name, _)| *name).collect();
    let precision = told.len() as f64 / (told.len() + accused.len()) as f64;
    let recall = told.len() as f64 / assigned.len() as f64;
    eprintln!(
        "{} assigned names, {} chosen: precision {precision:.3}, recall {recall:.3}; missed {missed:?}; accused {accused:?}",
        assigned.len(),
        chosen.len()
    );
    assert!(precision >= 0.99, "accused {accused:?}");
    assert!(recall >= 0.92, "missed {missed:?}");
}
