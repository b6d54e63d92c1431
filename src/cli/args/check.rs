//! `banneret check`, as typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{DnsArgs, ProbeArgs, SeverityWord, duration};

/// How one server is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckWord {
    /// For a person
    Text,
    /// One JSON object
    Json,
}

/// Whose an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TenancyWord {
    /// Many customers share it
    Shared,
    /// It is one customer's own
    Dedicated,
}

/// `banneret check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// An address, a host name (every address it has), or mx:DOMAIN
    pub target: String,
    /// The name that the server was seen to give in HELO, for the forecast of receivers
    #[arg(long, value_name = "NAME")]
    pub helo_name: Option<String>,
    /// The name that the server ought to give
    #[arg(long, value_name = "NAME")]
    pub expected_name: Option<String>,
    /// Whose address it is, where you know: as the column of a target list
    #[arg(long, value_name = "WORD")]
    pub tenancy: Option<TenancyWord>,
    /// Ask the zones' own servers, too: whether a fix is published, until when caches may hide it, what
    /// greets at every address that the old and the new records lead to
    #[arg(long)]
    pub verify: bool,
    /// How long a check with `--verify` takes at most, unless the server itself greets later
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = duration, env = "BANNERET_VERIFY_TIMEOUT")]
    pub verify_timeout: Duration,
    /// Check special-purpose addresses too (127/8, 10/8, ...)
    #[arg(long, env = "BANNERET_ALLOW_RESERVED")]
    pub allow_reserved: bool,
    /// Whose network each address is in: an MMDB, or CSV or TSV of start, end, asn, name
    #[arg(long, value_name = "FILE")]
    pub asn_db: Option<PathBuf>,
    /// Findings that are accepted, each with a reason and an expiry: a TOML file
    #[arg(long, value_name = "FILE")]
    pub accept: Option<PathBuf>,
    /// Further domains of providers, one a line, `shared` behind those of hosts that many customers share
    #[arg(long, value_name = "FILE")]
    pub providers: Option<PathBuf>,
    /// How it is told
    #[arg(long, value_name = "FORMAT", default_value = "text", conflicts_with = "nagios")]
    pub format: CheckWord,
    /// Everything: each finding by itself, who cares about it, every rule of every receiver
    #[arg(short, long, action = clap::ArgAction::Count, conflicts_with_all = ["format", "nagios"])]
    pub verbose: u8,
    /// One line and the exit code of a monitoring plugin: 0 nothing above info, 1 low or medium, 2 high, 3
    /// unknown
    #[arg(long)]
    pub nagios: bool,
    /// Exit 1 if any finding is this severe or worse
    #[arg(long, value_name = "SEVERITY", conflicts_with = "nagios")]
    pub fail_on: Option<SeverityWord>,
    /// How conversations go
    #[command(flatten)]
    pub probe: ProbeArgs,
    /// How DNS is asked
    #[command(flatten)]
    pub dns: DnsArgs,
}
