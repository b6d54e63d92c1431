//! A line of JSON back as a record: the evidence as it was seen, bytes of the banner included.
//!
//! Unknown fields are kept as they stand and optional ones may be missing, so that lines of older and newer
//! versions can be read. A word that is not known, and a number that its field can't hold, are left out and
//! told as [`Oddities`]: what is worked out anew is not needed, an unknown outcome or status is
//! [`Outcome::Other`] or [`Status::Other`], and the words of the evidence are kept to be written again.

mod tls;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

pub use super::field::ReadError;
use super::field::{self, known};
use super::foreign::{Foreign, Oddities};
use super::line::{
    AcceptedLine, DnsLine, ForwardLine, Line, NetworkLine, Number, RowLine, ScannerLine, SmtpLine, Str,
    TargetLine, UnresolvedLine,
};
use super::row::{PtrNames, Row, Tags};
use super::{AddressFamily, Network, Record, SCHEMA, Target, Unresolved, escape, extra, time};
use crate::evidence::{
    Engine, Evidence, Forward, Observation, Outcome, PtrName, Resolution, Scanner, Status,
};
use crate::judge::accept::Accepted;
use crate::judge::remedy::Change;
use crate::judge::what_if::{Remedies, Remedy};
use crate::judge::{
    Circumstances, Code, Fcrdns, Finding, Judgement, Platform, Relation, Severity, Tenancy, Verdict, platform,
};
use crate::name::{DnsName, HostName};
use crate::smtp::reply::{self, Reply};
use crate::targets::Inventory;

/// Reads one line, with or without its line feed.
///
/// Durations come back in tenths of a millisecond, the EHLO reply as its name and extensions. What each
/// finding weighs is not in the line: it follows from the code, tenancy, outcome and verdict. A platform that
/// this version does not know is left out.
pub fn decode(line: &str) -> Result<Record, ReadError> {
    Ok(decode_telling(line)?.0)
}

/// The same, with what of the line this version does not know.
pub fn decode_telling(line: &str) -> Result<(Record, Oddities), ReadError> {
    let mut odd = Oddities::default();
    let record = Line::parse(line)?.into_record(&mut odd)?;
    Ok((Record { foreign: Foreign::of(&odd, KEPT, extra::find(line)), ..record }, odd))
}

/// Fields of the evidence whose words are written again as they stood.
const KEPT: &[&str] = &[
    field::OUTCOME,
    field::PTR_STATUS,
    field::NAME_STATUS,
    field::BANNER_FORWARD,
    field::TLS_STATUS,
    field::X509_ERROR,
    field::ENGINE,
    field::UNRESOLVED_FAMILY,
    field::UNRESOLVED_STATUS,
];

impl<'a> Line<'a> {
    /// Reads the JSON and looks at the form.
    pub(super) fn parse(line: &'a str) -> Result<Self, ReadError> {
        let line: Self = serde_json::from_str(line)?;
        check_form(line.schema.as_ref())?;
        Ok(line)
    }

    fn into_record(self, odd: &mut Oddities) -> Result<Record, ReadError> {
        let told = self.time.ok_or(ReadError::Missing { field: "time" })?;
        let time = known("time", &told.0, time::parse(&told.0))?;
        let target = self.target.ok_or(ReadError::Missing { field: "target" })?.into_target(odd)?;
        let outcome = outcome(self.outcome, odd)?;
        let severity = severity(self.severity, odd);
        let tenancy = tenancy(self.tenancy, odd);
        let verdict = verdict(self.verdict, odd);
        let on = Circumstances { tenancy, outcome, verdict };
        let smtp = self.smtp.unwrap_or_default();
        let banner_name = smtp.banner_name.as_ref().map(|name| name.0.to_string());
        let ehlo_name = smtp.ehlo_name.as_ref().map(|name| name.0.to_string());
        let observation = smtp.into_observation(outcome, odd)?;
        let fcrdns = self.dns.as_ref().and_then(|dns| dns.fcrdns.as_ref());
        let findings = codes(self.findings.as_deref(), odd).into_iter();
        let judgement = Judgement {
            banner_name,
            ehlo_name,
            fcrdns: fcrdns.and_then(|word| fcrdns_of(word, odd)),
            relation: self.relation.and_then(|it| odd.word("relation", &it.0, Relation::parse(&it.0))),
            verdict,
            severity,
            findings: findings.map(|code| Finding { code, severity: code.severity_on(on) }).collect(),
            platform: self.platform.and_then(|it| {
                let version = it.version.map(|version| version.0.into_owned());
                platform::row(&it.name.0).map(|row| Platform { name: row.name, version })
            }),
            tenancy,
            accepted: accepted(self.accepted.as_deref(), odd),
            clears_by: clears_by(self.clears_by.as_deref(), odd),
            fix: fix(self.fix.as_deref(), odd),
        };
        let resolution = self.dns.map(|dns| dns.into_resolution(odd)).transpose()?;
        let scanner = self.scanner.map(|it| it.into_scanner(odd)).transpose()?.map(Arc::new);
        let network = self.network.and_then(|it| {
            let name = it.as_name.as_ref().map(|name| Arc::from(&*name.0));
            it.number(odd).map(|asn| Network { asn, name })
        });
        Ok(Record {
            time,
            evidence: Evidence { ip: target.ip, observation, resolution, scanner },
            target,
            judgement,
            network,
            foreign: Foreign::default(),
        })
    }
}

impl NetworkLine<'_> {
    fn number(&self, odd: &mut Oddities) -> Option<u32> {
        natural("network.asn", self.asn, odd)
    }
}

impl<'a> RowLine<'a> {
    /// Reads the JSON and looks at the form.
    pub(super) fn parse(line: &'a str) -> Result<Self, ReadError> {
        let line: Self = serde_json::from_str(line)?;
        check_form(line.schema.as_ref())?;
        Ok(line)
    }

    /// The short view of the line.
    pub(super) fn into_row(self) -> Result<Row<'a>, ReadError> {
        let mut odd = Oddities::default();
        let told = self.time.ok_or(ReadError::Missing { field: "time" })?;
        let target = self.target.ok_or(ReadError::Missing { field: "target" })?;
        let network = self.network.unwrap_or(NetworkLine { asn: None, as_name: None });
        let fcrdns = self.dns.as_ref().and_then(|dns| dns.fcrdns.as_ref());
        let fcrdns = fcrdns.and_then(|word| fcrdns_of(word, &mut odd));
        let ptr = self.dns.and_then(|dns| dns.ptr);
        let ptr_status = ptr.as_ref().map(|ptr| status(field::PTR_STATUS, 0, ptr.status.as_ref(), &mut odd));
        natural::<u32>(PTR_COUNT, ptr.as_ref().and_then(|ptr| ptr.count), &mut odd);
        let names = ptr.and_then(|ptr| ptr.names).unwrap_or_default();
        let tags = target.tags.unwrap_or_default().0.into_iter();
        let smtp = self.smtp.unwrap_or_default();
        code("smtp.code", smtp.code, &mut odd);
        natural::<u8>("smtp.attempts", smtp.attempts, &mut odd);
        duration("smtp.connect_ms", smtp.connect_ms, &mut odd);
        duration("smtp.banner_ms", smtp.banner_ms, &mut odd);
        if let Some(tls) = smtp.tls {
            natural::<u8>("smtp.tls.alert", tls.alert, &mut odd);
            code("smtp.tls.code", tls.code, &mut odd);
            let count = tls.certificate.and_then(|certificate| certificate.count);
            natural::<u32>("smtp.tls.certificate.count", count, &mut odd);
        }
        Ok(Row {
            time: known("time", &told.0, time::parse(&told.0))?,
            ip: address(target.ip.as_ref())?,
            port: port(target.port, &mut odd)?,
            asked: target.asked.unwrap_or_default().0,
            outcome: outcome(self.outcome, &mut odd)?,
            verdict: verdict(self.verdict, &mut odd),
            severity: severity(self.severity, &mut odd),
            findings: codes(self.findings.as_deref(), &mut odd).into_iter().collect(),
            banner_name: smtp.banner_name.map(|name| name.0),
            ptr_status,
            ptr_names: PtrNames::Text(names.into_iter().map(|ptr| ptr.name.0).collect()),
            fcrdns,
            platform: self.platform.map(|platform| platform.name.0),
            tenancy: tenancy(self.tenancy, &mut odd),
            asn: network.number(&mut odd),
            as_name: network.as_name.map(|name| name.0),
            accepted: accepted(self.accepted.as_deref(), &mut odd).iter().map(|it| it.code).collect(),
            clears_by: clears_by(self.clears_by.as_deref(), &mut odd),
            fix: fix(self.fix.as_deref(), &mut odd),
            expected_name: target.expected_name.map(|name| name.0),
            tags: Tags::Text(tags.map(|(name, value)| (name.0, value.0)).collect()),
            unresolved: target.unresolved.map(|it| it.into_unresolved(&mut odd)),
            odd,
        })
    }
}

fn check_form(schema: Option<&Str<'_>>) -> Result<(), ReadError> {
    match schema {
        Some(Str(form)) if form == SCHEMA => Ok(()),
        Some(Str(form)) => Err(ReadError::Schema(form.chars().take(SCHEMA.len() * 2).collect())),
        None => Err(ReadError::Missing { field: "schema" }),
    }
}

fn address(text: Option<&Str<'_>>) -> Result<Option<IpAddr>, ReadError> {
    text.map(|text| known("ip", &text.0, text.0.parse().ok())).transpose()
}

impl TargetLine<'_> {
    fn into_target(self, odd: &mut Oddities) -> Result<Target, ReadError> {
        let ip = address(self.ip.as_ref())?;
        let tags = self.tags.unwrap_or_default().0.into_iter();
        let inventory = Inventory {
            expected_name: self.expected_name.map(|name| name.0.into_owned()),
            helo_name: self.helo_name.map(|name| name.0.into_owned()),
            tags: tags.map(|(name, value)| (Arc::from(&*name.0), value.0.into_owned())).collect(),
        };
        Ok(Target {
            ip,
            port: port(self.port, odd)?,
            asked: Box::from(&*self.asked.unwrap_or_default().0),
            inventory: (inventory != Inventory::default()).then(|| Arc::new(inventory)),
            unresolved: self.unresolved.map(|it| it.into_unresolved(odd)),
        })
    }
}

impl UnresolvedLine<'_> {
    fn into_unresolved(self, odd: &mut Oddities) -> Unresolved {
        let family = self
            .family
            .and_then(|word| odd.word(field::UNRESOLVED_FAMILY, &word.0, AddressFamily::parse(&word.0)));
        Unresolved { family, status: status(field::UNRESOLVED_STATUS, 0, self.status.as_ref(), odd) }
    }
}

impl ScannerLine<'_> {
    fn into_scanner(self, odd: &mut Oddities) -> Result<Scanner, ReadError> {
        let name = |text: Str<'_>| known("scanner.name", &text.0, HostName::parse(&text.0).ok());
        let engine = self.engine.and_then(|word| odd.word(field::ENGINE, &word.0, Engine::parse(&word.0)));
        Ok(Scanner {
            name: self.name.map(name).transpose()?,
            ip: self.ip,
            engine: engine.unwrap_or_default(),
            own_addresses: self.own_addresses.unwrap_or_default().into(),
        })
    }
}

impl SmtpLine<'_> {
    fn into_observation(self, outcome: Outcome, odd: &mut Oddities) -> Result<Observation, ReadError> {
        let code = code("smtp.code", self.code, odd);
        let greeting = match (self.banner, code) {
            (Some(lines), code) => Some(Reply { code, text: bytes("banner", &lines)?.iter().collect() }),
            (None, Some(code)) => Some(Reply { code: Some(code), text: reply::Text::default() }),
            (None, None) => None,
        };
        let samples = self.samples.unwrap_or_default().into_iter();
        Ok(Observation {
            outcome,
            greeting,
            ehlo: tls::ehlo_reply(self.ehlo_name, self.extensions)?,
            tls: self.tls.map(|tls| tls.into_tls(odd).map(Box::new)).transpose()?,
            samples: samples.map(|name| name.map(|name| Box::from(&*name.0))).collect(),
            truncated: self.truncated.unwrap_or(false),
            resent: false,
            attempts: natural("smtp.attempts", self.attempts, odd).unwrap_or(0),
            connect: duration("smtp.connect_ms", self.connect_ms, odd),
            banner: duration("smtp.banner_ms", self.banner_ms, odd),
        })
    }
}

impl DnsLine<'_> {
    fn into_resolution(self, odd: &mut Oddities) -> Result<Resolution, ReadError> {
        let Some(ptr) = self.ptr else {
            return Err(ReadError::Missing { field: "ptr" });
        };
        let names = ptr.names.unwrap_or_default();
        let names = names.into_iter().enumerate().map(|(place, line)| {
            let name = known("names", &line.name.0, DnsName::parse(&line.name.0).ok())?;
            let forward = ForwardLine { status: line.status, addresses: line.addresses };
            Ok(PtrName { name, forward: forward.into_forward((field::NAME_STATUS, place), odd) })
        });
        let names = names.collect::<Result<Vec<_>, ReadError>>()?;
        let banner_forward = self.banner_forward;
        Ok(Resolution {
            ptr: status(field::PTR_STATUS, 0, ptr.status.as_ref(), odd),
            ptr_count: natural(PTR_COUNT, ptr.count, odd)
                .unwrap_or_else(|| u32::try_from(names.len()).unwrap_or(u32::MAX)),
            names,
            banner_forward: banner_forward
                .map_or_else(Forward::not_asked, |it| it.into_forward((field::BANNER_FORWARD, 0), odd)),
        })
    }
}

impl ForwardLine<'_> {
    fn into_forward(self, (field, place): (&'static str, usize), odd: &mut Oddities) -> Forward {
        Forward {
            status: status(field, place, self.status.as_ref(), odd),
            addresses: self.addresses.unwrap_or_default(),
        }
    }
}

const PTR_COUNT: &str = "dns.ptr.count";

fn outcome(word: Option<Str<'_>>, odd: &mut Oddities) -> Result<Outcome, ReadError> {
    let word = word.ok_or(ReadError::Missing { field: "outcome" })?;
    Ok(odd.word(field::OUTCOME, &word.0, Outcome::parse(&word.0)).unwrap_or(Outcome::Other))
}

fn verdict(word: Option<Str<'_>>, odd: &mut Oddities) -> Option<Verdict> {
    word.and_then(|it| odd.word("verdict", &it.0, Verdict::parse(&it.0)))
}

fn severity(word: Option<Str<'_>>, odd: &mut Oddities) -> Option<Severity> {
    word.and_then(|it| odd.word("severity", &it.0, Severity::parse(&it.0)))
}

fn fcrdns_of(word: &Str<'_>, odd: &mut Oddities) -> Option<Fcrdns> {
    odd.word("dns.fcrdns", &word.0, Fcrdns::parse(&word.0))
}

fn tenancy(word: Option<Str<'_>>, odd: &mut Oddities) -> Tenancy {
    word.and_then(|it| odd.word("tenancy", &it.0, Tenancy::parse(&it.0))).unwrap_or(Tenancy::Unknown)
}

fn status(field: &'static str, place: usize, word: Option<&Str<'_>>, odd: &mut Oddities) -> Status {
    let Some(Str(word)) = word else { return Status::NotAsked };
    odd.word_at(field, place, word, Status::parse(word)).unwrap_or(Status::Other)
}

fn codes(words: Option<&[Str<'_>]>, odd: &mut Oddities) -> Vec<Code> {
    let words = words.unwrap_or_default().iter();
    words.filter_map(|word| odd.word("findings", &word.0, Code::parse(&word.0))).collect()
}

fn accepted(lines: Option<&[AcceptedLine<'_>]>, odd: &mut Oddities) -> Vec<Accepted> {
    let text = |text: Option<&Str<'_>>| text.map_or_else(|| Arc::from(""), |text| Arc::from(&*text.0));
    let read = |line: &AcceptedLine<'_>| {
        let code = odd.word("accepted", &line.code.0, Code::parse(&line.code.0))?;
        Some(Accepted { code, reason: text(line.reason.as_ref()), until: text(line.until.as_ref()) })
    };
    lines.unwrap_or_default().iter().filter_map(read).collect()
}

/// The remedies. A list of none but words that are not known says nothing; one without any says that nothing
/// helps.
fn clears_by(words: Option<&[Str<'_>]>, odd: &mut Oddities) -> Option<Remedies> {
    let words = words?;
    let known: Vec<Remedy> =
        words.iter().filter_map(|word| odd.word("clears_by", &word.0, Remedy::parse(&word.0))).collect();
    (words.is_empty() || !known.is_empty()).then(|| known.into_iter().collect())
}

/// The proposed changes.
fn fix(words: Option<&[Str<'_>]>, odd: &mut Oddities) -> Vec<Change> {
    let words = words.unwrap_or_default().iter();
    words.filter_map(|word| odd.word("fix", &word.0, Change::parse(&word.0))).collect()
}

fn bytes(field: &'static str, lines: &[Str<'_>]) -> Result<Vec<Vec<u8>>, ReadError> {
    lines.iter().map(|line| known(field, &line.0, escape::unescape(&line.0).ok())).collect()
}

fn natural<T: TryFrom<u64>>(field: &'static str, number: Option<Number>, odd: &mut Oddities) -> Option<T> {
    number.and_then(|number| odd.number(field, &number, number.natural()))
}

fn code(field: &'static str, number: Option<Number>, odd: &mut Oddities) -> Option<reply::Code> {
    number.and_then(|number| odd.number(field, &number, number.natural().and_then(reply::Code::new)))
}

/// The port; one that is none is 0, which no host has.
fn port(number: Option<Number>, odd: &mut Oddities) -> Result<u16, ReadError> {
    let number = number.ok_or(ReadError::Missing { field: "port" })?;
    Ok(odd.number("target.port", &number, number.natural()).unwrap_or(0))
}

/// Milliseconds as a duration, in tenths of a millisecond, the unit in which they were told.
fn duration(field: &'static str, milliseconds: Option<Number>, odd: &mut Oddities) -> Option<Duration> {
    let milliseconds = milliseconds?;
    let exact = Duration::try_from_secs_f64(milliseconds.real() / 1000.0).ok();
    let exact = odd.number(field, &milliseconds, exact)?;
    Some(Duration::from_micros(super::json::tenths(exact).saturating_mul(100)))
}
