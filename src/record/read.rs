//! A line of JSON back as a record: the evidence as it was seen, bytes of the banner included.
//!
//! Unknown fields are passed over and optional ones may be missing, so that lines of older and newer versions can be
//! read; an unknown word in a known field is an error, because a report that leaves it out would count wrong.

mod tls;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::line::{
    AcceptedLine, DnsLine, ForwardLine, Line, NetworkLine, RowLine, ScannerLine, SmtpLine, Str, TargetLine,
    UnresolvedLine,
};
use super::row::{PtrNames, Row, Tags};
use super::{AddressFamily, Network, Record, SCHEMA, Target, Unresolved, escape, time};
use crate::evidence::{
    Engine, Evidence, Forward, Observation, Outcome, PtrName, Resolution, Scanner, Status,
};
use crate::judge::accept::Accepted;
use crate::judge::what_if::{Remedies, Remedy};
use crate::judge::{
    Circumstances, Code, Fcrdns, Finding, Judgement, Platform, Relation, Severity, Tenancy, Verdict, platform,
};
use crate::name::{DnsName, HostName};
use crate::record::neutral::Safe;
use crate::smtp::reply::{self, Reply};
use crate::targets::Inventory;

/// Why a line or a row is not a record.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not JSON, or a field of another kind.
    #[error("is not a record: {}", Safe(without_line(.0)))]
    Json(#[from] serde_json::Error),
    /// A record of another form.
    #[error("is of the form `{}`; this version reads `{SCHEMA}`", Safe(.0))]
    Schema(String),
    /// A field that can't be left out.
    #[error("has no `{field}`")]
    Missing {
        /// Which.
        field: &'static str,
    },
    /// A word or number that the field can't hold.
    #[error("has `{}` in `{field}`, which this version does not know", Safe(value))]
    Unknown {
        /// In which field.
        field: &'static str,
        /// What stands there, cut to a length fit for a message.
        value: String,
    },
}

/// Reads one line, with or without its line feed.
///
/// Durations come back in tenths of a millisecond, the EHLO reply as its name and extensions. What each finding weighs
/// is not in the line: it follows from the code, tenancy, outcome and verdict. A platform that this version does not know is left out.
pub fn decode(line: &str) -> Result<Record, ReadError> {
    Line::parse(line)?.into_record()
}

/// `value`, or what stands in `field` instead, as an error.
pub(crate) fn known<T>(field: &'static str, text: &str, value: Option<T>) -> Result<T, ReadError> {
    /// Enough to recognise a word by.
    const SHOWN: usize = 40;
    value.ok_or_else(|| ReadError::Unknown { field, value: text.chars().take(SHOWN).collect() })
}

/// The message of a JSON error without "at line 1": the line is counted by whoever reads the file.
fn without_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((message, _)) => format!("{message} at column {}", error.column()),
        None => text,
    }
}

impl<'a> Line<'a> {
    /// Reads the JSON and looks at the form.
    pub(super) fn parse(line: &'a str) -> Result<Self, ReadError> {
        let line: Self = serde_json::from_str(line)?;
        check_form(line.schema.as_ref())?;
        Ok(line)
    }

    fn into_record(self) -> Result<Record, ReadError> {
        let told = self.time.ok_or(ReadError::Missing { field: "time" })?;
        let time = known("time", &told.0, time::parse(&told.0))?;
        let target = self.target.ok_or(ReadError::Missing { field: "target" })?.into_target()?;
        let outcome = outcome(self.outcome)?;
        let severity = severity(self.severity)?;
        let tenancy = tenancy(self.tenancy)?;
        let verdict = verdict(self.verdict)?;
        let on = Circumstances { tenancy, outcome, verdict };
        let smtp = self.smtp.unwrap_or_default();
        let banner_name = smtp.banner_name.as_ref().map(|name| name.0.to_string());
        let ehlo_name = smtp.ehlo_name.as_ref().map(|name| name.0.to_string());
        let observation = smtp.into_observation(outcome)?;
        let fcrdns = self.dns.as_ref().and_then(|dns| dns.fcrdns.as_ref());
        let judgement = Judgement {
            banner_name,
            ehlo_name,
            fcrdns: fcrdns.map(|word| fcrdns_of(word)).transpose()?,
            relation: self.relation.map(|it| known("relation", &it.0, Relation::parse(&it.0))).transpose()?,
            verdict,
            severity,
            findings: codes(self.findings.as_deref())
                .map(|code| code.map(|code| Finding { code, severity: code.severity_on(on) }))
                .collect::<Result<_, _>>()?,
            platform: self.platform.and_then(|it| {
                let version = it.version.map(|version| version.0.into_owned());
                platform::row(&it.name.0).map(|row| Platform { name: row.name, version })
            }),
            tenancy,
            accepted: accepted(self.accepted.as_deref())?,
            clears_by: clears_by(self.clears_by.as_deref())?,
        };
        let resolution = self.dns.map(DnsLine::into_resolution).transpose()?;
        let scanner = self.scanner.map(ScannerLine::into_scanner).transpose()?.map(Arc::new);
        let network = self.network.and_then(|it| {
            it.asn.map(|asn| Network { asn, name: it.as_name.map(|name| Arc::from(&*name.0)) })
        });
        Ok(Record {
            time,
            evidence: Evidence { ip: target.ip, observation, resolution, scanner },
            target,
            judgement,
            network,
        })
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
        let told = self.time.ok_or(ReadError::Missing { field: "time" })?;
        let target = self.target.ok_or(ReadError::Missing { field: "target" })?;
        let network = self.network.unwrap_or(NetworkLine { asn: None, as_name: None });
        let fcrdns = self.dns.as_ref().and_then(|dns| dns.fcrdns.as_ref());
        let fcrdns = fcrdns.map(|word| fcrdns_of(word)).transpose()?;
        let ptr = self.dns.and_then(|dns| dns.ptr);
        let ptr_status = ptr.as_ref().map(|ptr| status("ptr", ptr.status.as_ref())).transpose()?;
        let names = ptr.and_then(|ptr| ptr.names).unwrap_or_default();
        let tags = target.tags.unwrap_or_default().0.into_iter();
        Ok(Row {
            time: known("time", &told.0, time::parse(&told.0))?,
            ip: address(target.ip.as_ref())?,
            port: target.port.ok_or(ReadError::Missing { field: "port" })?,
            asked: target.asked.unwrap_or_default().0,
            outcome: outcome(self.outcome)?,
            verdict: verdict(self.verdict)?,
            severity: severity(self.severity)?,
            findings: codes(self.findings.as_deref()).collect::<Result<_, _>>()?,
            banner_name: self.smtp.and_then(|smtp| smtp.banner_name).map(|name| name.0),
            ptr_status,
            ptr_names: PtrNames::Text(names.into_iter().map(|ptr| ptr.name.0).collect()),
            fcrdns,
            platform: self.platform.map(|platform| platform.name.0),
            tenancy: tenancy(self.tenancy)?,
            asn: network.asn,
            as_name: network.as_name.map(|name| name.0),
            accepted: accepted_codes(self.accepted.as_deref()).collect::<Result<_, _>>()?,
            clears_by: clears_by(self.clears_by.as_deref())?,
            tags: Tags::Text(tags.map(|(name, value)| (name.0, value.0)).collect()),
            unresolved: target.unresolved.map(UnresolvedLine::into_unresolved).transpose()?,
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
    fn into_target(self) -> Result<Target, ReadError> {
        let ip = address(self.ip.as_ref())?;
        let tags = self.tags.unwrap_or_default().0.into_iter();
        let inventory = Inventory {
            expected_name: self.expected_name.map(|name| name.0.into_owned()),
            helo_name: self.helo_name.map(|name| name.0.into_owned()),
            tags: tags.map(|(name, value)| (Arc::from(&*name.0), value.0.into_owned())).collect(),
        };
        Ok(Target {
            ip,
            port: self.port.ok_or(ReadError::Missing { field: "port" })?,
            asked: Box::from(&*self.asked.unwrap_or_default().0),
            inventory: (inventory != Inventory::default()).then(|| Arc::new(inventory)),
            unresolved: self.unresolved.map(UnresolvedLine::into_unresolved).transpose()?,
        })
    }
}

impl UnresolvedLine<'_> {
    fn into_unresolved(self) -> Result<Unresolved, ReadError> {
        let family = self.family.map(|word| known("family", &word.0, AddressFamily::parse(&word.0)));
        Ok(Unresolved { family: family.transpose()?, status: status("status", self.status.as_ref())? })
    }
}

impl ScannerLine<'_> {
    fn into_scanner(self) -> Result<Scanner, ReadError> {
        let name = |text: Str<'_>| known("scanner.name", &text.0, HostName::parse(&text.0).ok());
        let engine = |word: Str<'_>| known("scanner.engine", &word.0, Engine::parse(&word.0));
        Ok(Scanner {
            name: self.name.map(name).transpose()?,
            ip: self.ip,
            engine: self.engine.map(engine).transpose()?.unwrap_or_default(),
            own_addresses: self.own_addresses.unwrap_or_default().into(),
        })
    }
}

impl SmtpLine<'_> {
    fn into_observation(self, outcome: Outcome) -> Result<Observation, ReadError> {
        let code =
            self.code.map(|code| known("code", &code.to_string(), reply::Code::new(code))).transpose()?;
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
            tls: self.tls.map(|tls| tls.into_tls().map(Box::new)).transpose()?,
            samples: samples.map(|name| name.map(|name| Box::from(&*name.0))).collect(),
            truncated: self.truncated.unwrap_or(false),
            resent: false,
            attempts: self.attempts.unwrap_or(0),
            connect: duration("connect_ms", self.connect_ms)?,
            banner: duration("banner_ms", self.banner_ms)?,
        })
    }
}

impl DnsLine<'_> {
    fn into_resolution(self) -> Result<Resolution, ReadError> {
        let Some(ptr) = self.ptr else {
            return Err(ReadError::Missing { field: "ptr" });
        };
        let names = ptr.names.unwrap_or_default();
        let names = names.into_iter().map(|line| {
            let name = known("names", &line.name.0, DnsName::parse(&line.name.0).ok())?;
            let forward = ForwardLine { status: line.status, addresses: line.addresses };
            Ok(PtrName { name, forward: forward.into_forward()? })
        });
        let names = names.collect::<Result<Vec<_>, ReadError>>()?;
        Ok(Resolution {
            ptr: status("ptr", ptr.status.as_ref())?,
            ptr_count: ptr.count.unwrap_or_else(|| u32::try_from(names.len()).unwrap_or(u32::MAX)),
            names,
            banner_forward: self
                .banner_forward
                .map_or_else(|| Ok(Forward::not_asked()), ForwardLine::into_forward)?,
        })
    }
}

impl ForwardLine<'_> {
    fn into_forward(self) -> Result<Forward, ReadError> {
        Ok(Forward {
            status: status("status", self.status.as_ref())?,
            addresses: self.addresses.unwrap_or_default(),
        })
    }
}

fn outcome(word: Option<Str<'_>>) -> Result<Outcome, ReadError> {
    let word = word.ok_or(ReadError::Missing { field: "outcome" })?;
    known("outcome", &word.0, Outcome::parse(&word.0))
}

fn verdict(word: Option<Str<'_>>) -> Result<Option<Verdict>, ReadError> {
    word.map(|it| known("verdict", &it.0, Verdict::parse(&it.0))).transpose()
}

fn severity(word: Option<Str<'_>>) -> Result<Option<Severity>, ReadError> {
    word.map(|it| known("severity", &it.0, Severity::parse(&it.0))).transpose()
}

fn fcrdns_of(word: &Str<'_>) -> Result<Fcrdns, ReadError> {
    known("fcrdns", &word.0, Fcrdns::parse(&word.0))
}

fn tenancy(word: Option<Str<'_>>) -> Result<Tenancy, ReadError> {
    word.map_or(Ok(Tenancy::Unknown), |it| known("tenancy", &it.0, Tenancy::parse(&it.0)))
}

fn status(field: &'static str, word: Option<&Str<'_>>) -> Result<Status, ReadError> {
    word.map_or(Ok(Status::NotAsked), |it| known(field, &it.0, Status::parse(&it.0)))
}

fn codes(words: Option<&[Str<'_>]>) -> impl Iterator<Item = Result<Code, ReadError>> {
    words.unwrap_or_default().iter().map(|word| known("findings", &word.0, Code::parse(&word.0)))
}

fn accepted_codes(lines: Option<&[AcceptedLine<'_>]>) -> impl Iterator<Item = Result<Code, ReadError>> {
    lines.unwrap_or_default().iter().map(|line| known("accepted", &line.code.0, Code::parse(&line.code.0)))
}

fn accepted(lines: Option<&[AcceptedLine<'_>]>) -> Result<Vec<Accepted>, ReadError> {
    let text = |text: Option<&Str<'_>>| text.map_or_else(|| Arc::from(""), |text| Arc::from(&*text.0));
    let read = |(line, code): (&AcceptedLine<'_>, Result<Code, ReadError>)| {
        Ok(Accepted { code: code?, reason: text(line.reason.as_ref()), until: text(line.until.as_ref()) })
    };
    lines.unwrap_or_default().iter().zip(accepted_codes(lines)).map(read).collect()
}

fn clears_by(words: Option<&[Str<'_>]>) -> Result<Option<Remedies>, ReadError> {
    let read = |word: &Str<'_>| known("clears_by", &word.0, Remedy::parse(&word.0));
    words.map(|words| words.iter().map(read).collect()).transpose()
}

fn bytes(field: &'static str, lines: &[Str<'_>]) -> Result<Vec<Vec<u8>>, ReadError> {
    lines.iter().map(|line| known(field, &line.0, escape::unescape(&line.0).ok())).collect()
}

/// Milliseconds as a duration, in tenths of a millisecond, the unit in which they were told.
fn duration(field: &'static str, milliseconds: Option<f64>) -> Result<Option<Duration>, ReadError> {
    let Some(milliseconds) = milliseconds else { return Ok(None) };
    let exact = Duration::try_from_secs_f64(milliseconds / 1000.0).ok();
    let exact = known(field, &milliseconds.to_string(), exact)?;
    Ok(Some(Duration::from_micros(super::json::tenths(exact).saturating_mul(100))))
}
