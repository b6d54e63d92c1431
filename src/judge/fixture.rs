//! Evidence for tests, written in one line.

use std::net::IpAddr;

use crate::evidence::resolution::MAX_KEPT_ADDRESSES;
use crate::evidence::{Evidence, Forward, GreetingSource, Observation, Outcome, PtrName, Resolution, Status};
use crate::name::DnsName;
use crate::smtp::greeting::Greeting;
use crate::smtp::reply::{Code, Reply, Text};

/// The address under test.
pub(crate) const HERE: [u8; 4] = [192, 0, 2, 1];
/// Another one.
pub(crate) const ELSEWHERE: [u8; 4] = [198, 51, 100, 7];

/// A forward answer: `here`, `elsewhere`, `unsure` (found, and cut before it could tell), or a status word.
pub(crate) fn forward(word: &str) -> Forward {
    let found = |addresses: Vec<IpAddr>| Forward { status: Status::Found, addresses };
    match word {
        "here" => found(vec![HERE.into()]),
        "elsewhere" => found(vec![ELSEWHERE.into()]),
        "unsure" => found(vec![ELSEWHERE.into(); MAX_KEPT_ADDRESSES]),
        other => {
            let status = Status::parse(other).unwrap_or_else(|| panic!("no such status: {other}"));
            Forward { status, addresses: Vec::new() }
        }
    }
}

/// A reverse answer: `name=forward …` where PTR names were found, else a status word; the banner's name is
/// not asked.
pub(crate) fn ptr(said: &str) -> Resolution {
    let status = Status::parse(said);
    let names: Vec<_> = said
        .split_whitespace()
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, to)| PtrName { name: DnsName::parse(name).unwrap(), forward: forward(to) })
        .collect();
    Resolution {
        ptr: status.unwrap_or(Status::Found),
        ptr_count: u32::try_from(names.len()).unwrap(),
        names,
        banner_forward: Forward::not_asked(),
    }
}

/// A whole target: greeting with its code (`220 mail.example.org ESMTP`, `\n` between lines), reverse answer,
/// forward answer of the banner's name.
pub(crate) fn host(greeting: &str, reverse: &str, banner: &str) -> Evidence {
    let mut resolution = ptr(reverse);
    resolution.banner_forward = forward(banner);
    Evidence {
        ip: Some(HERE.into()),
        observation: greeted(greeting),
        resolution: Some(resolution),
        scanner: None,
    }
}

/// What a host showed that sent a greeting.
pub(crate) fn greeted(greeting: &str) -> Observation {
    let reply = reply(greeting);
    let refused = reply.code.is_some_and(|code| code.get() >= 400);
    let outcome = if refused { Outcome::Rejected } else { Outcome::Greeted };
    Observation { greeting: Some(reply), ..Observation::bare(outcome, 1) }
}

/// A greeting as it is read where nobody knows who asked.
pub(crate) fn banner(observation: &Observation) -> Greeting {
    GreetingSource { ip: Some(HERE.into()), observation, scanner: None }.greeting()
}

/// A reply from its lines, each with its code.
pub(crate) fn reply(said: &str) -> Reply {
    let mut lines = said.split('\n');
    let first = lines.next().unwrap();
    let code = first.get(..3).and_then(|digits| digits.parse().ok()).and_then(Code::new);
    let cut = |line: &str| {
        if code.is_some() { line.get(4..).unwrap_or_default().to_owned() } else { line.to_owned() }
    };
    let text: Text = std::iter::once(first).chain(lines).map(cut).collect();
    Reply { code, text }
}
