//! For every platform the greetings of its row: those that tell it and those that only come near.

use serde::Deserialize;

use super::table::{TEXT, parse};
use super::*;
use crate::evidence::{Certificate, Tls};
use crate::judge::fixture::{banner, greeted, reply};

/// The greetings of a row, each with the name of its host, and with the version or what it tells instead.
#[derive(Deserialize)]
struct Examples {
    name: String,
    fires: Vec<(String, String, String)>,
    near: Vec<(String, String, String)>,
}

fn examples() -> Vec<Examples> {
    #[derive(Deserialize)]
    struct File {
        platform: Vec<Examples>,
    }
    toml::from_str::<File>(TEXT).unwrap().platform
}

fn told(greeting: &str) -> Option<Platform> {
    let observation = greeted(greeting);
    let banner = banner(&observation);
    platform(&observation, &banner, Providers::built_in()).map(|(platform, _)| platform)
}

fn text(of: Option<&str>) -> &str {
    of.unwrap_or_default()
}

#[test]
fn the_table_is_read_whole() {
    assert_eq!(parse(TEXT).map(<[Row]>::len), Ok(examples().len()));
    assert!(rows().len() >= 110, "{}", rows().len());
}

#[test]
fn greetings_tell_their_platform_and_its_version() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in examples() {
        assert!(row.fires.len() >= 2, "{} needs two greetings that tell it", row.name);
        for (greeting, _, version) in row.fires {
            count += 1;
            let found = told(&greeting);
            let found = found.as_ref().map_or(("", ""), |it| (it.name, text(it.version.as_deref())));
            if found != (row.name.as_str(), version.as_str()) {
                wrong.push(format!("{}: `{greeting}` tells {found:?}, not version `{version}`", row.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 220, "{count}");
}

#[test]
fn greetings_that_only_come_near_tell_something_else_or_nothing() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in examples() {
        assert!(row.near.len() >= 2, "{} needs two greetings that come near", row.name);
        for (greeting, _, instead) in row.near {
            count += 1;
            let found = told(&greeting);
            let found = text(found.as_ref().map(|it| it.name));
            if found == row.name || found != instead {
                wrong.push(format!("{}: `{greeting}` tells `{found}`", row.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 220, "{count}");
}

#[test]
fn the_name_of_the_host_is_read_whatever_greets() {
    let mut wrong = Vec::new();
    for row in examples() {
        for (greeting, name, _) in row.fires.iter().chain(&row.near) {
            let read = banner(&greeted(greeting)).name;
            if text(read.as_deref()) != name {
                wrong.push(format!("{}: `{greeting}` names {read:?}, not `{name}`", row.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_row_with_a_mistake_is_an_error_that_names_it() {
    let row = |rules: &str, rest: &str| {
        let text = format!(
            "[[platform]]\nname = \"x\"\ntitle = \"X\"\nkind = \"software\"\nrules = [{rules}]\n{rest}\n\
             fires = []\nnear = []\n"
        );
        parse(&text).map(<[Row]>::len).map_err(|error| error.to_string())
    };
    assert_eq!(row("{ word = \"x\", line = [\" X\"] }", ""), Ok(1));
    for (rules, rest, said) in [
        ("{ word = \"x\" }", "", "`x`"),
        ("{ line = [\" X\"] }", "", "`x`"),
        ("{ word = \"x\", line = [\" X\"], ehlo = [\"X\"] }", "", "`x`"),
        ("{ word = \"x\", lines = [\" X\"] }", "", "lines"),
        ("{ word = \"x\", line = [\" X\"] }", "version = [\"X \"]", "version"),
        ("{ word = \"x\", line = [\" X\"] }", "settings = [{ by = \"a file\" }]", "source"),
    ] {
        let error = row(rules, rest).unwrap_err();
        assert!(error.contains(said), "{rules} {rest}: {error}");
    }
}

#[test]
fn every_word_has_room_in_the_index() {
    let words = |index: &Index| index.buckets.iter().map(Vec::len).sum::<usize>();
    let of = |place: Place| {
        let rules = rows().iter().flat_map(|row| row.rules).filter(|rule| rule.shape.place() == place);
        rules.map(|rule| rule.word).collect::<std::collections::HashSet<_>>().len()
    };
    assert_eq!((words(&GREETINGS), words(&EHLOS)), (of(Place::Greeting), of(Place::Ehlo)));
    let fullest = GREETINGS.buckets.iter().map(Vec::len).max();
    assert!(fullest <= Some(6), "{fullest:?} words are compared with one word of a greeting");
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
        }
    }
}

#[test]
fn a_masked_greeting_tells_the_firewall_unless_the_ehlo_reply_tells_the_server() {
    let mut observation = greeted("220 ****************************");
    assert_eq!(told_by(&observation), Some("cisco_asa"));
    observation.ehlo = Some(reply("250-h.kestrel.example Hello\n250-XXXXXXXA\n250 SIZE"));
    assert_eq!(told_by(&observation), Some("cisco_asa"));
    observation.ehlo = Some(reply("250-h.kestrel.example Hello\n250-X-EXPS GSSAPI NTLM\n250 SIZE"));
    assert_eq!(told_by(&observation), Some("exchange"));
    assert_eq!(told_by(&hidden("250-h.kestrel.example\n250-XXXXXXXA\n250 SIZE")), Some("cisco_asa"));
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
fn every_platform_that_is_promised_has_its_row() {
    for (called, name) in PROMISED {
        let row = row(name).unwrap_or_else(|| panic!("{called}"));
        assert!(
            row.title.contains(called) || *called == "Mailchimp" || row.name.contains("postscreen"),
            "{called}"
        );
    }
}

#[test]
fn every_platform_that_is_promised_is_a_product_that_a_greeting_may_name_in_place_of_its_host() {
    use crate::smtp::greeting::lists::is_product;
    for (_, name) in PROMISED {
        let first = name.split('_').next().unwrap();
        assert!(is_product(first) || is_product(&name.replace('_', "-")) || first == "microsoft", "{name}");
    }
}
