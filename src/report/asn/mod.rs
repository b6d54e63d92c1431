//! Whose network an address is in, by a data base that the user brings: MMDB, as most makers ship, or a table
//! of ranges (iptoasn). What the data say of themselves, date and licence, goes wherever they are used.

mod mmdb;
mod ranges;
mod table;

use std::fmt::{self, Display};
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::OnceLock;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::input::InputError;
use crate::prefix::Prefix;
use crate::record::row::Row;
use crate::record::{Network, time};
use mmdb::Mmdb;
use ranges::Ranges;
use table::Table;

/// Why a data base can't be used.
#[derive(Debug, thiserror::Error)]
pub enum AsnError {
    /// The file can't be read.
    #[error("ASN data `{path}` can't be read: {source}")]
    Read {
        /// Which file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Nothing in it.
    #[error("ASN data `{path}` holds no network; an empty file may be half a download")]
    Empty {
        /// Which file.
        path: String,
    },
    /// Not an MMDB, or a broken one.
    #[error("ASN data `{path}` is no sound MMDB: {reason}")]
    Mmdb {
        /// Which file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A row of a table says nothing that can be used.
    #[error("ASN data `{path}` line {line} {reason}")]
    Row {
        /// Which file.
        path: String,
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// The ending of a table's name says nothing that can be read.
    #[error(transparent)]
    Input(#[from] InputError),
}

/// What data say of themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The file, as it was named.
    pub path: String,
    /// What they are called.
    pub name: String,
    /// The day on which they were made; for a table that does not say, that of the file.
    pub date: Option<String>,
    /// What they say of themselves beside it.
    pub description: Option<String>,
    /// Whose they are and under which licence.
    pub licence: Option<String>,
}

impl Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "networks by {} of {}", self.name, self.date.as_deref().unwrap_or("an unknown day"))?;
        if let Some(description) = &self.description {
            write!(f, " ({description})")?;
        }
        match &self.licence {
            Some(licence) => write!(f, "; {licence}"),
            None => f.write_str("; the data state no licence"),
        }
    }
}

/// An open data base.
#[derive(Debug)]
pub struct AsnDb {
    source: Source,
    about: About,
    /// What an MMDB holds, each with the number of its system: its tree can't be asked for a system.
    by_system: OnceLock<Ranges>,
}

#[derive(Debug)]
enum Source {
    Mmdb(Box<Mmdb>),
    Table(Table),
}

impl AsnDb {
    /// Opens `FILE.mmdb`, or a table with any other ending, `.gz` or `.zst` behind it if it is compressed.
    pub fn open(path: &Path) -> Result<Self, AsnError> {
        let shown = path.display().to_string();
        if fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() == 0) {
            return Err(AsnError::Empty { path: shown });
        }
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("mmdb")) {
            let mmdb = Mmdb::open(path, &shown)?;
            let about = mmdb.about(shown);
            return Ok(Self { source: Source::Mmdb(Box::new(mmdb)), about, by_system: OnceLock::new() });
        }
        let (table, said) = Table::open(path, &shown)?;
        if table.is_empty() {
            return Err(AsnError::Empty { path: shown });
        }
        let modified = || fs::metadata(path).and_then(|data| data.modified()).ok().map(day);
        let about = About {
            name: path.file_name().map_or_else(|| shown.clone(), |name| name.to_string_lossy().into_owned()),
            path: shown,
            date: said.date.or_else(modified),
            description: None,
            licence: said.licence,
        };
        Ok(Self { source: Source::Table(table), about, by_system: OnceLock::new() })
    }

    /// What the data say of themselves.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The system that the longest prefix around an address belongs to.
    pub fn network(&self, ip: IpAddr) -> Option<Network> {
        match &self.source {
            Source::Mmdb(mmdb) => mmdb.network(ip.to_canonical()),
            Source::Table(table) => table.network(ip),
        }
    }

    /// Fills in what a row lacks; what a record says of its network stays.
    pub fn complete(&self, row: &mut Row<'_>) {
        if row.asn.is_some() {
            return;
        }
        if let Some(network) = row.ip.and_then(|ip| self.network(ip)) {
            row.asn = Some(network.asn);
            row.as_name = network.name.map(|name| name.to_string().into());
        }
    }

    /// The prefixes of a system, IPv4 first, else in the order of the data; none if the data do not know it.
    /// The first call goes through all of an MMDB.
    pub fn prefixes(&self, asn: u32) -> Result<Vec<Prefix>, AsnError> {
        let mmdb = match &self.source {
            Source::Mmdb(mmdb) => mmdb,
            Source::Table(table) => return Ok(table.prefixes(asn)),
        };
        let by_system = if let Some(known) = self.by_system.get() {
            known
        } else {
            let mut found = Ranges::default();
            mmdb.each(&self.about.path, |asn, prefix| found.join(prefix, asn))?;
            self.by_system.get_or_init(|| found)
        };
        Ok(by_system.prefixes(|of| of == asn))
    }
}

/// The day of a point in time (UTC), as `2026-01-02`.
fn day(at: SystemTime) -> String {
    let mut text = time::to_string(at);
    text.truncate(10);
    text
}

/// The number of a system as data write it: `64500` or `AS64500`. Zero stands for what is routed by nobody.
fn number(text: &str) -> Option<u32> {
    let digits = match text.get(..2) {
        Some(head) if head.eq_ignore_ascii_case("as") => &text[2..],
        _ => text,
    };
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}
