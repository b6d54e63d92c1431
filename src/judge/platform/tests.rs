//! For every platform a greeting that tells it and one that does not.

mod fires;
mod near_misses;

use super::*;
use crate::evidence::{Certificate, Tls};
use crate::judge::fixture::{banner, greeted, reply};
use fires::FIRES;
use near_misses::NEAR_MISSES;

/// A row's name, and greetings, each with the name of its host and with what it tells.
type Table<'a> = &'a [(&'a str, &'a [(&'a str, Option<&'a str>, Option<&'a str>)])];

fn told(greeting: &str) -> Option<Platform> {
    let observation = greeted(greeting);
    let banner = banner(&observation);
    platform(&observation, &banner, Providers::built_in()).map(|(platform, _)| platform)
}

#[test]
fn greetings_tell_their_platform_and_its_version() {
    for (name, greetings) in FIRES {
        for (greeting, _, version) in *greetings {
            let found = told(greeting);
            assert_eq!(found.as_ref().map(|p| p.name), Some(*name), "{greeting}");
            assert_eq!(found.unwrap().version.as_deref(), *version, "{greeting}");
        }
    }
}

#[test]
fn greetings_that_only_come_near_tell_something_else_or_nothing() {
    for (row, greetings) in NEAR_MISSES {
        for (greeting, _, instead) in *greetings {
            let found = told(greeting).map(|p| p.name);
            assert_ne!(found, Some(*row), "{greeting}");
            assert_eq!(found, *instead, "{greeting}");
        }
    }
}

#[test]
fn the_name_of_the_host_is_read_whatever_greets() {
    for (row, greetings) in FIRES.iter().chain(NEAR_MISSES) {
        for (greeting, name, _) in *greetings {
            assert_eq!(banner(&greeted(greeting)).name.as_deref(), *name, "{row}: {greeting}");
        }
    }
}

#[test]
fn every_row_has_two_greetings_that_fire_and_two_that_do_not() {
    for row in rows() {
        let count = |table: Table<'_>| {
            table.iter().find(|(name, _)| *name == row.name).map_or(0, |(_, greetings)| greetings.len())
        };
        assert!(count(FIRES) >= 2, "{} fires", row.name);
        assert!(count(NEAR_MISSES) >= 2, "{} near misses", row.name);
    }
    assert_eq!(FIRES.len(), rows().len());
    assert_eq!(NEAR_MISSES.len(), rows().len());
}

#[test]
fn every_word_has_room_in_the_index() {
    let words = |index: &Index| index.buckets.iter().map(Vec::len).sum::<usize>();
    let of = |of_ehlo: bool| {
        let rules = rows().iter().flat_map(|row| row.rules).filter(|rule| rule.shape.is_of_ehlo() == of_ehlo);
        rules.map(|rule| rule.word).collect::<std::collections::HashSet<_>>().len()
    };
    assert_eq!((words(&GREETINGS), words(&EHLOS)), (of(false), of(true)));
}

#[test]
fn every_platform_is_a_product_that_a_greeting_may_name_in_place_of_its_host() {
    use crate::smtp::greeting::lists::is_product;
    for row in rows() {
        let first = row.name.split('_').next().unwrap();
        assert!(
            is_product(first) || is_product(&row.name.replace('_', "-")) || first == "microsoft",
            "{}",
            row.name
        );
    }
}

#[test]
fn record_names_are_snake_case_and_unique() {
    for (at, row) in rows().iter().enumerate() {
        assert!(
            row.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
            "{}",
            row.name
        );
        assert!(rows()[..at].iter().all(|other| other.name != row.name), "{}", row.name);
        for rule in row.rules {
            assert!(rule.word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{}", row.name);
            assert!(!rule.word.is_empty(), "{}", row.name);
        }
    }
}

/// A host that hides what it is in its greeting.
fn hidden(ehlo: &str) -> Observation {
    let mut observation = greeted("220 mail.kestrel.example ESMTP ready");
    observation.ehlo = Some(reply(ehlo));
    observation
}

fn told_by(observation: &Observation) -> Option<&'static str> {
    platform(observation, &banner(observation), Providers::built_in()).map(|(found, _)| found.name)
}

#[test]
fn an_ehlo_reply_tells_what_a_hidden_greeting_does_not() {
    for (ehlo, name) in [
        ("250-h.kestrel.example\n250-PIPELINING\n250 8BITMIME", Some("qmail")),
        (
            "250-h.kestrel.example\n250-STARTTLS\n250-PIPELINING\n250-8BITMIME\n250-SIZE 0\n250 AUTH LOGIN PLAIN",
            Some("qmail"),
        ),
        ("250-h.kestrel.example\n250-PIPELINING\n250-8BITMIME\n250 ENHANCEDSTATUSCODES", None),
        ("250-h.kestrel.example\n250 8BITMIME", None),
        ("250-h.kestrel.example Ok.\n250-XVERP=Courier\n250-XEXDATA\n250 PIPELINING", Some("courier")),
        ("250-h.kestrel.example Ok.\n250-XVERP\n250 PIPELINING", None),
        (
            "250-h.kestrel.example Hello\n250-X-ANONYMOUSTLS\n250-AUTH NTLM\n250-X-EXPS GSSAPI NTLM\n250 XRDST",
            Some("exchange"),
        ),
        ("250-h.kestrel.example Hello\n250-SIZE\n250 XRDST", Some("exchange")),
        (
            "250-h.kestrel.example Hello\n250-TURN\n250-X-EXPS GSSAPI NTLM LOGIN\n250-X-LINK2STATE\n250 OK",
            Some("iis_smtp"),
        ),
        ("250-h.kestrel.example Hello X-EXPS\n250 SIZE", None),
        ("250-h.kestrel.example Hello\n250-SIZE 52428800\n250-PIPECONNECT\n250 HELP", Some("exim")),
        ("250-h.kestrel.example Hello\n250-SIZE 52428800\n250-X_PIPE_CONNECT\n250 HELP", Some("exim")),
        ("250-h.kestrel.example says hello\n250-XACK\n250-XMRG\n250 VERP", Some("powermta")),
        ("250-h.kestrel.example says hello\n250-XMRG\n250 VERP", None),
        ("250-mx.google.com at your service, [192.0.2.9]\n250 SIZE 157286400", Some("google")),
        ("250-DB5PEPF0001.mail.protection.outlook.com Hello [192.0.2.9]\n250 SIZE", Some("microsoft_365")),
        ("250-smtp.passthru\n250 SIZE 26214400", Some("mandrill")),
        ("250-mx0a-001b2d01.pphosted.com Hello\n250 SIZE", Some("proofpoint")),
        // In a provider's domain anybody's host may stand.
        ("250-ec2-192-0-2-1.compute-1.amazonaws.com\n250 SIZE", None),
        ("250-google.kestrel.example at your service\n250 SIZE", None),
        ("250 h.kestrel.example", None),
        ("500 mx.google.com\n500 what", None),
    ] {
        assert_eq!(told_by(&hidden(ehlo)), name, "{ehlo}");
    }
}

#[test]
fn the_greeting_is_asked_before_the_ehlo_reply() {
    let mut observation = hidden("250-h.kestrel.example\n250-PIPELINING\n250 8BITMIME");
    for (greeting, name) in [
        ("220 mail.kestrel.example ESMTP OpenSMTPD", "opensmtpd"),
        ("220 mail.kestrel.example ESMTP mox", "mox"),
        ("220 mail.kestrel.example ESMTP", "qmail"),
    ] {
        observation.greeting = Some(reply(greeting));
        assert_eq!(told_by(&observation), Some(name), "{greeting}");
    }
}

#[test]
fn the_reply_inside_tls_and_the_certificate_are_witnesses_too() {
    let with = |status, ehlo: Option<&str>, names: &[&str]| {
        let names = names.iter().map(|&name| name.into()).collect();
        let certificate = Some(Certificate { names, ..Certificate::default() });
        let mut observation = hidden("250-h.kestrel.example\n250 STARTTLS");
        observation.tls = Some(Box::new(Tls { ehlo: ehlo.map(reply), certificate, ..Tls::bare(status) }));
        told_by(&observation)
    };
    let inside = Some("250-h.kestrel.example Hello\n250 X-EXPS GSSAPI NTLM");
    assert_eq!(with(TlsStatus::Established, inside, &[]), Some("exchange"));
    for (names, name) in [
        (&["mail.kestrel.example", "mx.google.com"][..], Some("google")),
        (&["*.pphosted.com"], Some("proofpoint")),
        (&["MAIL.PROTECTION.OUTLOOK.COM"], Some("microsoft_365")),
        (&["mail.kestrel.example"], None),
        (&["*.google.com.kestrel.example"], None),
        (&["ip-192-0-2-1.eu-west-1.compute.amazonaws.com"], None),
        (&["*"], None),
    ] {
        assert_eq!(with(TlsStatus::Established, None, names), name, "{names:?}");
    }
    assert_eq!(with(TlsStatus::Alert(80), None, &["mx.google.com"]), None);
}

/// Every platform that is promised, as people call it, with the row that knows it.
const PROMISED: &[(&str, &str)] = &[
    ("Google", "google"),
    ("Microsoft 365", "microsoft_365"),
    ("Exchange", "exchange"),
    ("IIS SMTP", "iis_smtp"),
    ("Postfix", "postfix"),
    ("Postfix postscreen", "postscreen"),
    ("Exim", "exim"),
    ("cPanel", "cpanel"),
    ("Plesk", "plesk"),
    ("Sendmail", "sendmail"),
    ("qmail", "qmail"),
    ("OpenSMTPD", "opensmtpd"),
    ("Courier", "courier"),
    ("Haraka", "haraka"),
    ("Stalwart", "stalwart"),
    ("KumoMTA", "kumomta"),
    ("PowerMTA", "powermta"),
    ("Momentum", "momentum"),
    ("James", "james"),
    ("Mail-in-a-Box", "mail_in_a_box"),
    ("Barracuda", "barracuda"),
    ("Proofpoint", "proofpoint"),
    ("Mimecast", "mimecast"),
    ("AsyncOS", "asyncos"),
    ("IronPort", "asyncos"),
    ("FortiMail", "fortimail"),
    ("Symantec", "symantec"),
    ("SonicWall", "sonicwall"),
    ("SendGrid", "sendgrid"),
    ("Amazon SES", "amazon_ses"),
    ("Mandrill", "mandrill"),
    ("Mailchimp", "mandrill"),
    ("Yahoo", "yahoo"),
    ("Kerio", "kerio"),
    ("MDaemon", "mdaemon"),
    ("IceWarp", "icewarp"),
    ("MailEnable", "mailenable"),
    ("hMailServer", "hmailserver"),
    ("SmarterMail", "smartermail"),
    ("Axigen", "axigen"),
    ("CommuniGate", "communigate"),
    ("Domino", "domino"),
    ("GroupWise", "groupwise"),
    ("Zimbra", "zimbra"),
    ("Coremail", "coremail"),
    ("XMail", "xmail"),
    ("Zoho", "zoho"),
    ("mox", "mox"),
    ("DirectAdmin", "directadmin"),
];

#[test]
fn every_platform_that_is_promised_has_its_row_and_no_row_is_unpromised() {
    for (called, name) in PROMISED {
        let row = row(name).unwrap_or_else(|| panic!("{called}"));
        assert!(
            row.title.contains(called) || *called == "Mailchimp" || row.name.contains("postscreen"),
            "{called}"
        );
    }
    for row in rows() {
        assert!(PROMISED.iter().any(|(_, name)| *name == row.name), "{}", row.name);
    }
}
