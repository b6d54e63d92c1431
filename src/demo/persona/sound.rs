//! Hosts in good order: the banner's name is the address's own, however the greeting is shaped.

use std::time::Duration;

use super::super::script::{Act, EXCHANGE, EXIM, End, Manner, PLAIN, POSTFIX, Script};
use super::{Life, MATCH, MISMATCH, Persona, RELATED, dns};
use crate::demo::zone::{Answer, Data};
use crate::name::HostName;

/// What postscreen's clients wait for here; the real one waits up to 6 s.
const TEASE: Duration = Duration::from_millis(250);
/// What cPanel's Exim lets pass before it greets; the real one takes longer.
const DELAY: Duration = Duration::from_millis(150);
/// A slow greeter, still far below what any sender waits (RFC 5321 §4.5.3.2.1: 5 minutes).
const SLOW: Duration = Duration::from_millis(600);

pub(super) const ROWS: &[Persona] = &[
    Persona {
        code: "postfix",
        about: "Postfix, named as its PTR says",
        shares: [330, 110, 30],
        truth: MATCH,
        live: |host| {
            let own = host.own("mail");
            Life::says(format!("220 {own} ESMTP Postfix (Debian/GNU)"), &own, POSTFIX).known_as(host, &own)
        },
    },
    Persona {
        code: "exim",
        about: "Exim with version and date behind its name",
        shares: [130, 60, 20],
        truth: MATCH,
        live: |host| {
            let own = host.own("mx");
            let greeting = format!("220 {own} ESMTP Exim 4.96 Fri, 02 Jan 2026 03:04:05 +0000");
            Life::says(greeting, &own, EXIM).known_as(host, &own)
        },
    },
    Persona {
        code: "cpanel",
        about: "cPanel's Exim: three lines, after a delay",
        shares: [60, 60, 20],
        truth: MATCH,
        live: |host| {
            let own = host.own("server");
            let greeting = format!(
                "220-{own} ESMTP Exim 4.98 #2 Fri, 02 Jan 2026 03:04:05 +0000 \r\n\
                 220-We do not authorize the use of this system to transport unsolicited, \r\n\
                 220 and/or bulk e-mail."
            );
            let mut life = Life::says(greeting, &own, EXIM).known_as(host, &own);
            life.script = life.script.after(Act::Wait(DELAY));
            life
        },
    },
    Persona {
        code: "postscreen",
        about: "Postfix postscreen: a teaser line, a wait, then the greeting",
        shares: [20, 8, 2],
        truth: MATCH,
        live: |host| {
            let own = host.own("mail");
            let mut life = Life::says(format!("220 {own} ESMTP Postfix"), &own, POSTFIX).known_as(host, &own);
            let teaser = format!("220-{own} ESMTP\r\n").into_bytes();
            life.script = life.script.after(Act::Wait(TEASE)).after(Act::Send(teaser.into()));
            life
        },
    },
    Persona {
        code: "sendmail",
        about: "Sendmail, which repeats the client's name and address",
        shares: [10, 6, 2],
        truth: MATCH,
        live: |host| {
            let own = host.own("relay");
            let greeting = format!(
                "220 {own} ESMTP Sendmail 8.17.1/8.17.1; Fri, 2 Jan 2026 03:04:05 GMT; (No UCE/UBE) \
                 logging access from: localhost(OK)-localhost [127.0.0.1]"
            );
            Life::says(greeting, &own, PLAIN).known_as(host, &own)
        },
    },
    Persona {
        code: "opensmtpd",
        about: "OpenSMTPD",
        shares: [10, 5, 1],
        truth: MATCH,
        live: |host| {
            let own = host.own("mail");
            Life::says(format!("220 {own} ESMTP OpenSMTPD"), &own, PLAIN).known_as(host, &own)
        },
    },
    Persona {
        code: "qmail",
        about: "qmail: name and ESMTP, no more",
        shares: [6, 6, 4],
        truth: MATCH,
        live: |host| {
            let own = host.own("mail");
            Life::says(format!("220 {own} ESMTP"), &own, PLAIN).known_as(host, &own)
        },
    },
    Persona {
        code: "kumomta",
        about: "KumoMTA, which leaves the word ESMTP out",
        shares: [4, 2, 0],
        truth: MATCH,
        live: |host| {
            let own = host.own("out");
            Life::says(format!("220 {own} KumoMTA"), &own, PLAIN).known_as(host, &own)
        },
    },
    Persona {
        code: "momentum",
        about: "Momentum: an enhanced code stands before the name",
        shares: [4, 2, 0],
        truth: MATCH,
        live: |host| {
            let own = host.own("out");
            let greeting =
                format!("220 2.0.0 {own} ESMTP ecelerity 4.2.38.62370 r(:) Fri, 02 Jan 2026 03:04:05 +0000");
            Life::says(greeting, &own, PLAIN).known_as(host, &own)
        },
    },
    Persona {
        code: "courier",
        about: "Courier: the name stands in brackets",
        shares: [3, 2, 1],
        truth: MATCH,
        live: |host| {
            let own = host.own("mail");
            Life::says(format!("220 [{own}] Courier Mail Server ESMTP ready"), &own, PLAIN)
                .known_as(host, &own)
        },
    },
    Persona {
        code: "mailinabox",
        about: "Mail-in-a-Box: a URL follows the name",
        shares: [6, 4, 1],
        truth: MATCH,
        live: |host| {
            let own = host.own("box");
            let greeting = format!(
                "220 {own} ESMTP Hi, I'm a Mail-in-a-Box (Ubuntu/Postfix; see https://mailinabox.email/)"
            );
            Life::says(greeting, &own, POSTFIX).known_as(host, &own)
        },
    },
    Persona {
        code: "capitals",
        about: "The banner in capitals, with a trailing dot",
        shares: [4, 3, 2],
        truth: MATCH,
        live: |host| {
            let own = host.own("mail");
            let shouted = own.to_uppercase();
            Life::says(format!("220 {shouted}. ESMTP ready"), &own, PLAIN).known_as(host, &own)
        },
    },
    Persona {
        code: "international",
        about: "The banner in UTF-8, the PTR in A-labels",
        shares: [1, 1, 0],
        truth: MATCH,
        live: |host| {
            let said = host.own("post.grün");
            let own = HostName::parse(&said).map_or_else(|_| said.clone(), |name| name.to_string());
            Life::says(format!("220 {said} ESMTP ready"), &own, PLAIN).known_as(host, &own)
        },
    },
    Persona {
        code: "bare_line_feed",
        about: "A greeting that ends in a bare line feed",
        shares: [1, 2, 2],
        truth: MATCH,
        live: |host| {
            let own = host.own("mail");
            let end = End::Converse(Manner::Serving { name: own.as_str().into(), extensions: PLAIN });
            let bytes = format!("220 {own} ESMTP\n").into_bytes();
            Life::plays(Script::raw(bytes, end)).named(&own).known_as(host, &own)
        },
    },
    Persona {
        code: "slow",
        about: "A healthy host that takes its time to greet",
        shares: [10, 10, 6],
        truth: MATCH,
        live: |host| {
            let own = host.own("mail");
            let mut life = Life::says(format!("220 {own} ESMTP"), &own, PLAIN).known_as(host, &own);
            life.script = life.script.after(Act::Wait(SLOW));
            life
        },
    },
    Persona {
        code: "classless_reverse",
        about: "The PTR is delegated by an alias (RFC 2317)",
        shares: [20, 10, 2],
        truth: MATCH,
        live: |host| {
            let own = host.own("mail");
            let [a, b, c, d] = host.ip.octets();
            let delegated = format!("{d}.{}/26.{c}.{b}.{a}.in-addr.arpa", d & 0xc0);
            let target = dns(&delegated);
            Life::says(format!("220 {own} ESMTP Postfix"), &own, POSTFIX)
                .reverse(host, Answer::Alias(target.clone()))
                .entry(target, super::Kind::Ptr, Answer::Records(vec![Data::Ptr(dns(&own))]))
                .at(&own, host.ip)
        },
    },
    Persona {
        code: "forward_alias",
        about: "The PTR name is an alias of the name that has the address",
        shares: [3, 3, 1],
        truth: MATCH,
        live: |host| {
            let (own, real) = (host.own("mail"), host.own("node"));
            Life::says(format!("220 {own} ESMTP Postfix"), &own, POSTFIX)
                .ptr(host, &[&own])
                .forward(&own, Answer::Alias(dns(&real)))
                .at(&real, host.ip)
        },
    },
    Persona {
        code: "two_ptr_names",
        about: "Two PTR names, both lead back; the banner has the second",
        shares: [4, 4, 1],
        truth: MATCH.must(&["ptr_multiple"]).never(&[
            "ptr_partly_unconfirmed",
            "ptr_unconfirmed",
            "banner_differs",
        ]),
        live: |host| {
            let (own, second) = (host.own("mail"), host.other("mx"));
            Life::says(format!("220 {second} ESMTP Postfix"), &second, POSTFIX)
                .ptr(host, &[&own, &second])
                .at(&own, host.ip)
                .at(&second, host.ip)
        },
    },
    Persona {
        code: "forty_ptr_names",
        about: "Forty PTR names, too many for a datagram; the banner has the last",
        shares: [0, 1, 0],
        truth: MATCH.must(&["ptr_multiple"]).never(&["ptr_missing", "ptr_unconfirmed", "banner_differs"]),
        live: |host| {
            let names: Vec<String> =
                (b'a'..).take(40).map(|n| host.own(&format!("web-{}", letters(n)))).collect();
            let own = names.last().cloned().unwrap_or_default();
            let records = names.iter().map(|name| Data::Ptr(dns(name))).collect();
            let life = Life::says(format!("220 {own} ESMTP Postfix"), &own, POSTFIX)
                .reverse(host, Answer::Records(records));
            names.iter().fold(life, |life, name| life.at(name, host.ip))
        },
    },
    Persona {
        code: "related",
        about: "Banner and PTR differ within one domain",
        shares: [70, 40, 10],
        truth: RELATED,
        live: |host| {
            let (own, limiter) = (host.own("mail"), host.own("limiter"));
            Life::says(format!("220 {own} ESMTP Postfix"), &own, POSTFIX)
                .known_as(host, &limiter)
                .at(&own, host.ip)
        },
    },
    Persona {
        code: "google",
        about: "Google: one banner name on all addresses, PTR names under another domain",
        shares: [4, 2, 0],
        truth: MISMATCH.must(&["platform_identity"]).never(&[
            "ptr_missing",
            "ptr_unconfirmed",
            "banner_differs",
        ]),
        live: |host| {
            let [_, _, c, d] = host.ip.octets();
            let ptr = format!("{}-in-f{d}.1e100.net", letters_of(u32::from(c)));
            let mark = host.pick("google", 1_000_000);
            let greeting = format!("220 mx.google.com ESMTP 192si{mark}wma.146 - gsmtp");
            Life::says(greeting, "mx.google.com", PLAIN)
                .known_as(host, &ptr)
                .at("mx.google.com", std::net::Ipv4Addr::new(192, 0, 2, 25))
        },
    },
    Persona {
        code: "microsoft",
        about: "Microsoft 365: a name for each front end, the PTR beside it",
        shares: [4, 2, 0],
        truth: RELATED,
        live: |host| {
            let front = format!("am0pepf{:08x}", host.ip.to_bits());
            let own = format!("{front}.mail.protection.outlook.com");
            let greeting = format!(
                "220 {}.mail.protection.outlook.com Microsoft ESMTP MAIL Service ready at Fri, 2 Jan 2026 03:04:05 \
                 +0000 [08DDB07650EC6878]",
                front.to_uppercase()
            );
            Life::says(greeting, &own, EXCHANGE)
                .known_as(host, &format!("mail-{front}.inbound.protection.outlook.com"))
                .at(&own, host.ip)
        },
    },
    Persona {
        code: "sendgrid",
        about: "SendGrid: the name stands last",
        shares: [2, 2, 0],
        truth: RELATED,
        live: |host| {
            let mark = letters_of(host.ip.to_bits());
            let own = format!("ismtpd-{mark}.las.sendgrid.net");
            Life::says(format!("220 SG ESMTP service ready at {own}"), &own, PLAIN)
                .known_as(host, &format!("{mark}.outbound-mail.sendgrid.net"))
                .at(&own, host.ip)
        },
    },
];

/// `a`, `b`, … `z`, `za`, … : a label's end without a digit.
fn letters(from: u8) -> String {
    let step = from - b'a';
    let last = char::from(b'a' + step % 26);
    if step < 26 { last.to_string() } else { format!("z{last}") }
}

/// A number as letters, `a` for 0 to `p` for 15 in each place.
pub(crate) fn letters_of(number: u32) -> String {
    format!("{number:x}").bytes().map(|digit| char::from(b'a' + hex_value(digit))).collect()
}

fn hex_value(digit: u8) -> u8 {
    if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 }
}
