//! The file of `--accept`: which findings are accepted, each with a reason and an expiry. A mistake in it is
//! an error with file, line and value, for a misread entry would hide what nobody accepted.

use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, anyhow};
use serde::Deserialize;
use toml::{Spanned, Value};

use super::small_file;
use crate::judge::Code;
use crate::judge::accept::{Acceptance, Acceptances, Names};
use crate::prefix::{Prefix, parse_address};
use crate::record::neutral::Safe;
use crate::record::time;

const DAY: Duration = Duration::from_secs(86_400);

/// The file as it stands.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    accept: Vec<Spanned<Entry>>,
}

/// One entry as it stands; what each value means is settled one by one, so that a message can say which is
/// wrong.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    code: Option<Spanned<Value>>,
    address: Option<Spanned<Value>>,
    name: Option<Spanned<Value>>,
    #[serde(default)]
    tag: toml::Table,
    reason: Option<Spanned<Value>>,
    until: Option<Spanned<Value>>,
}

/// Reads the file, and says on stderr which of its entries accept nothing any more.
pub(super) fn load(path: Option<&Path>, now: SystemTime) -> anyhow::Result<Acceptances> {
    let Some(path) = path else { return Ok(Acceptances::default()) };
    let shown = path.display();
    let text = small_file::text(path, small_file::BY_HAND)
        .with_context(|| format!("accepted findings `{shown}` can't be read"))?;
    let entries = read(&text)
        .map_err(|Wrong { line, what }| anyhow!("accepted findings `{shown}` line {line}: {what}"))?;
    for (line, acceptance) in entries.iter().filter(|(_, acceptance)| acceptance.is_expired(now)) {
        let _ = writeln!(
            io::stderr(),
            "banneret: accepted findings `{shown}` line {line}: `{}` was accepted until {} and is not any more",
            acceptance.code.as_str(),
            acceptance.until
        );
    }
    Ok(Acceptances::new(entries.into_iter().map(|(_, acceptance)| acceptance).collect()))
}

/// What is wrong, and in which line.
#[derive(Debug)]
struct Wrong {
    line: usize,
    what: String,
}

/// The entries, each with its line.
fn read(text: &str) -> Result<Vec<(usize, Acceptance)>, Wrong> {
    let file: File = toml::from_str(text).map_err(|wrong| Wrong {
        line: line(text, &wrong.span().unwrap_or_default()),
        what: wrong.message().lines().collect::<Vec<_>>().join(" "),
    })?;
    file.accept
        .into_iter()
        .map(|entry| {
            let at = line(text, &entry.span());
            settle(text, entry).map(|acceptance| (at, acceptance))
        })
        .collect()
}

fn line(text: &str, span: &Range<usize>) -> usize {
    text.bytes().take(span.start).filter(|&byte| byte == b'\n').count() + 1
}

fn settle(file: &str, entry: Spanned<Entry>) -> Result<Acceptance, Wrong> {
    let head = line(file, &entry.span());
    let missing = |what: &str| Wrong { line: head, what: what.to_owned() };
    let wrong = |value: &Spanned<Value>, what: &str| Wrong {
        line: line(file, &value.span()),
        what: format!("`{}` {what}", Safe(bare(value.get_ref()))),
    };
    let entry = entry.into_inner();
    let said = entry.code.ok_or_else(|| missing("`code` is missing; name the finding that is accepted"))?;
    let code = said.get_ref().as_str().and_then(Code::parse);
    let code = code.ok_or_else(|| wrong(&said, "is no finding; `banneret explain` lists them"))?;
    let said = entry.reason.ok_or_else(|| missing("`reason` is missing; say why it is accepted"))?;
    let reason = said.get_ref().as_str().map(str::trim).filter(|reason| !reason.is_empty());
    let reason = reason.ok_or_else(|| wrong(&said, "is no reason; say in words why it is accepted"))?;
    let said = entry.until.ok_or_else(|| missing("`until` is missing; give the last day, as 2026-12-31"))?;
    let (until, ends) =
        day(said.get_ref()).ok_or_else(|| wrong(&said, "is no day; write the last one as 2026-12-31"))?;
    let text = |value: &Spanned<Value>| value.get_ref().as_str().map(str::to_owned);
    let network = entry.address.map(|said| {
        let network = text(&said).and_then(|text| network(&text));
        network
            .ok_or_else(|| wrong(&said, "is no address and no prefix; write it as 192.0.2.7 or 192.0.2.0/24"))
    });
    let names = entry.name.map(|said| {
        let name = text(&said).filter(|name| !name.trim_matches(['*', '.']).is_empty());
        let name =
            name.ok_or_else(|| wrong(&said, "is no name; write it as mail.example.org or *.example.org"))?;
        Ok(Names::parse(&name))
    });
    let tags = entry.tag.into_iter().map(|(name, value)| match value {
        Value::String(value) => Ok((name, value)),
        other => {
            Err(missing(&format!("tag `{}` is `{}`; write its value in quotes", Safe(&name), Safe(other))))
        }
    });
    Ok(Acceptance {
        code,
        network: network.transpose()?,
        names: names.transpose()?,
        tags: tags.collect::<Result<_, _>>()?,
        reason: reason.into(),
        until: until.into(),
        ends,
    })
}

/// A value as it was meant, without the quotes of a text.
fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A day, and the moment at which it is over, UTC.
fn day(value: &Value) -> Option<(String, SystemTime)> {
    let text = match value {
        Value::Datetime(point) if point.time.is_none() && point.offset.is_none() => point.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let starts = time::parse(&format!("{text}T00:00:00Z"))?;
    Some((text, starts.checked_add(DAY)?))
}

fn network(text: &str) -> Option<Prefix> {
    match parse_address(text) {
        Ok(ip) => Some(Prefix::of(ip, if ip.is_ipv4() { 32 } else { 128 })),
        Err(_) => Prefix::parse(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
[[accept]]
code = "ptr_generic"
address = "192.0.2.0/24"
name = "*.example.org"
tag = { customer = "C-17", site = "north" }
reason = "the provider sets no PTR"
until = 2026-12-31

[[accept]]
code = "banner_masked"
address = "2001:db8::7"
reason = "the firewall's doing"
until = "2027-01-01"
"#;

    #[test]
    fn an_entry_says_what_where_why_and_until_when() {
        let entries = read(WHOLE).unwrap();
        let lines: Vec<usize> = entries.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 10]);
        let (first, second) = (&entries[0].1, &entries[1].1);
        assert_eq!((first.code, &*first.until), (Code::PtrGeneric, "2026-12-31"));
        assert_eq!(first.network, Prefix::parse("192.0.2.0/24").ok());
        assert_eq!(first.names, Some(Names::Below(".example.org".to_owned())));
        assert_eq!(first.tags.len(), 2);
        assert_eq!(time::to_string(first.ends), "2027-01-01T00:00:00.000Z");
        assert_eq!(second.network, Prefix::parse("2001:db8::7/128").ok());
        assert_eq!((&second.names, &second.tags[..], &*second.until), (&None, &[][..], "2027-01-01"));
        assert!(read("").unwrap().is_empty());
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_value() {
        for (change, line, what) in [
            (
                ("reason = \"the provider sets no PTR\"\n", ""),
                2,
                "`reason` is missing; say why it is accepted",
            ),
            (
                ("\"the provider sets no PTR\"", "\" \""),
                7,
                "` ` is no reason; say in words why it is accepted",
            ),
            (("until = 2026-12-31\n", ""), 2, "`until` is missing; give the last day, as 2026-12-31"),
            (("2026-12-31", "\"soon\""), 8, "`soon` is no day; write the last one as 2026-12-31"),
            (("2026-12-31", "\"2026-02-30\""), 8, "`2026-02-30` is no day; write the last one as 2026-12-31"),
            (("2026-12-31", "20261231"), 8, "`20261231` is no day; write the last one as 2026-12-31"),
            (
                ("2026-12-31", "2026-12-31T00:00:00Z"),
                8,
                "`2026-12-31T00:00:00Z` is no day; write the last one as 2026-12-31",
            ),
            (("code = \"ptr_generic\"\n", ""), 2, "`code` is missing; name the finding that is accepted"),
            (("ptr_generic", "ptr_odd"), 3, "`ptr_odd` is no finding; `banneret explain` lists them"),
            (
                ("192.0.2.0/24", "192.0.2.0/33"),
                4,
                "`192.0.2.0/33` is no address and no prefix; write it as 192.0.2.7 or 192.0.2.0/24",
            ),
            (
                ("\"*.example.org\"", "\"*.\""),
                5,
                "`*.` is no name; write it as mail.example.org or *.example.org",
            ),
            (("\"C-17\"", "17"), 2, "tag `customer` is `17`; write its value in quotes"),
        ] {
            let wrong = read(&WHOLE.replacen(change.0, change.1, 1)).unwrap_err();
            assert_eq!((wrong.line, wrong.what.as_str()), (line, what), "{change:?}");
        }
        // What narrows an entry must not be lost by a slip of the pen.
        let wrong = read(&WHOLE.replacen("address", "adress", 1)).unwrap_err();
        assert_eq!(wrong.line, 4);
        assert!(wrong.what.starts_with("unknown field `adress`, expected one of `code`"), "{}", wrong.what);
        let wrong = read("[[accept]]\ncode = \"ptr_generic\nreason = \"x\"").unwrap_err();
        assert_eq!(wrong.line, 2, "{}", wrong.what);
    }
}
