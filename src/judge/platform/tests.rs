//! For every platform a greeting that tells it and one that does not.

mod fires;
mod near_misses;

use super::*;
use crate::judge::banner::banner;
use crate::judge::fixture::{greeted, reply};
use fires::FIRES;
use near_misses::NEAR_MISSES;

/// A row's name, and greetings, each with what it tells.
type Table<'a> = &'a [(&'a str, &'a [(&'a str, Option<&'a str>)])];

fn told(greeting: &str) -> Option<Platform> {
    let observation = greeted(greeting);
    let banner = banner(&observation);
    platform(&observation, &banner).map(|(platform, _)| platform)
}

#[test]
fn greetings_tell_their_platform_and_its_version() {
    for (name, greetings) in FIRES {
        for (greeting, version) in *greetings {
            let found = told(greeting);
            assert_eq!(found.as_ref().map(|p| p.name), Some(*name), "{greeting}");
            assert_eq!(found.unwrap().version.as_deref(), *version, "{greeting}");
        }
    }
}

#[test]
fn greetings_that_only_come_near_tell_something_else_or_nothing() {
    for (row, greetings) in NEAR_MISSES {
        for (greeting, instead) in *greetings {
            let found = told(greeting).map(|p| p.name);
            assert_ne!(found, Some(*row), "{greeting}");
            assert_eq!(found, *instead, "{greeting}");
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
fn record_names_are_snake_case_and_unique() {
    for (at, row) in rows().iter().enumerate() {
        assert!(
            row.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
            "{}",
            row.name
        );
        assert!(rows()[..at].iter().all(|other| other.name != row.name), "{}", row.name);
        for rule in row.rules {
            assert_eq!(rule.word, rule.word.to_ascii_lowercase(), "{}", row.name);
        }
    }
}

#[test]
fn an_ehlo_reply_tells_what_a_bare_greeting_does_not() {
    for (ehlo, name) in [
        ("250-mail.kestrel.example\n250-PIPELINING\n250 8BITMIME", Some("qmail")),
        (
            "250-mail.kestrel.example\n250-STARTTLS\n250-PIPELINING\n250-8BITMIME\n250-SIZE 0\n250 AUTH LOGIN PLAIN",
            Some("qmail"),
        ),
        ("250-mail.kestrel.example\n250-PIPELINING\n250-8BITMIME\n250 ENHANCEDSTATUSCODES", None),
        ("250-mail.kestrel.example\n250 8BITMIME", None),
        ("250-mail.kestrel.example Ok.\n250-XVERP=Courier\n250-XEXDATA\n250 PIPELINING", Some("courier")),
        ("250 mail.kestrel.example", None),
    ] {
        let mut observation = greeted("220 mail.kestrel.example ESMTP");
        observation.ehlo = Some(reply(ehlo));
        let banner = banner(&observation);
        assert_eq!(platform(&observation, &banner).map(|(p, _)| p.name), name, "{ehlo}");
    }
}
