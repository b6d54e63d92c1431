//! The command line as typed. What each word means is settled in the command's own file.

mod check;
mod records;

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::judge::Severity;
use crate::rate::Rate;
use crate::targets::SampleSize;

pub use check::{CheckArgs, CheckWord, TenancyWord};
pub use records::{DiffArgs, DiffWord, ExplainArgs, JudgeArgs, LinesWord, QuestionsWord, ReportArgs};

/// The longest time that a flag takes: no conversation lasts a day, and sums of such times fit every clock.
const LONGEST: Duration = Duration::from_secs(86_400);

/// Which mail servers introduce themselves by a name that DNS does not confirm, why, and who can fix it.
#[derive(Debug, Parser)]
#[command(name = "banneret", version, about, max_term_width = 110, infer_subcommands = false)]
#[command(
    after_help = super::manual::listed() + "\nStart with `banneret demo`, which needs nothing; `banneret check mail.example.org` for one server, \
                        `banneret scan 192.0.2.0/24 -o block.jsonl` for many, `banneret explain no_ptr` for a word.\n\n\
                        Exit codes: 0 done, 1 findings reached --fail-on, 2 usage or unreadable input, \
                        3 stopped early (can be resumed), 4 could not go on"
)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
    /// A TOML file with flags as keys, those of any command
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Expand targets, read greetings, resolve names, judge, and write records
    Scan(Box<ScanArgs>),
    /// List the addresses that a scan would visit, in its order; sends nothing
    Targets(TargetsArgs),
    /// Look at one server: every name, verdict and finding, who cares, who can fix it and how
    Check(Box<CheckArgs>),
    /// Judge stored records again with today's rules, or judge greetings that another tool has read; offline
    Judge(Box<JudgeArgs>),
    /// Sum up one or many record files
    Report(ReportArgs),
    /// Tell what changed between two scans, by meaning
    Diff(DiffArgs),
    /// Explain a verdict, a finding or an outcome in plain words, or answer a question
    Explain(ExplainArgs),
    /// Scan a simulated provider block on 127.0.0.0/8 with DNS of its own: needs no network and no root
    Demo(DemoArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print a manual page: of the program, of a command, or of a chapter of the guide
    Man {
        /// A command or a chapter [default: the program]
        page: Option<String>,
    },
}

/// What to scan.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Targets")]
pub struct TargetArgs {
    /// Addresses, prefixes (192.0.2.0/24), ranges (192.0.2.10-192.0.2.20), host names, mx:DOMAIN, AS64500
    /// (with --asn-db)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// A target list: one target a line, or CSV with a header that has `target` or `ip`; `-` is stdin
    #[arg(short, long, value_name = "FILE", env = "BANNERET_INPUT", value_delimiter = None)]
    pub input: Vec<PathBuf>,
    /// Never touch this target, in any phase
    #[arg(short = 'x', long, value_name = "TARGET", env = "BANNERET_EXCLUDE")]
    pub exclude: Vec<String>,
    /// Never touch what this list holds; lines that are added to it while a scan runs count within 5 s
    #[arg(long, value_name = "FILE", env = "BANNERET_EXCLUDE_FILE")]
    pub exclude_file: Vec<PathBuf>,
    /// Scan special-purpose addresses too (127/8, 10/8, ...)
    #[arg(long, env = "BANNERET_ALLOW_RESERVED")]
    pub allow_reserved: bool,
    /// Whose network an address is in, and the prefixes of AS64500 as a target: an MMDB, or CSV or TSV of
    /// start, end, asn, name
    #[arg(long, value_name = "FILE", env = "BANNERET_ASN_DB")]
    pub asn_db: Option<PathBuf>,
    /// Report target lines that can't be read, and go on without them
    #[arg(long, env = "BANNERET_SKIP_BAD_TARGETS")]
    pub skip_bad_targets: bool,
    /// The order's key: the same seed, targets and shard give the same order [default: random, told at the
    /// start]
    #[arg(long, value_name = "N", env = "BANNERET_SEED")]
    pub seed: Option<u64>,
    /// This machine's share of the targets, as 1/4; all machines need the same --seed
    #[arg(long, value_name = "K/N", default_value = "1/1", env = "BANNERET_SHARD")]
    pub shard: String,
    /// Scan a sample: so many of the targets of all shards, or a share as 10%, each as likely as any other
    #[arg(long, value_name = "N", env = "BANNERET_MAX_TARGETS")]
    pub max_targets: Option<SampleSize>,
}

/// `banneret targets`.
#[derive(Debug, Args)]
pub struct TargetsArgs {
    /// What to list
    #[command(flatten)]
    pub targets: TargetArgs,
    /// Print only how many
    #[arg(long)]
    pub count: bool,
}

/// How far a conversation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProbeWord {
    /// The greeting, then QUIT
    Banner,
    /// The greeting, EHLO, then QUIT
    Ehlo,
    /// The greeting, EHLO, STARTTLS if offered, EHLO, then QUIT
    Tls,
}

/// Which targets get a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeepWord {
    /// Those that sent anything: greeted, rejected, `not_smtp`, `tls_failed`
    Greeted,
    /// Those with findings, and the undetermined
    Findings,
    /// Every one
    All,
}

/// When progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProgressWord {
    /// Bars on a terminal, a line each ten seconds elsewhere
    Auto,
    /// The same
    Always,
    /// Nothing
    Never,
}

/// The severities that `--fail-on` may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SeverityWord {
    /// Any finding
    Info,
    /// Low or worse
    Low,
    /// Medium or worse
    Medium,
    /// High
    High,
}

impl From<SeverityWord> for Severity {
    fn from(word: SeverityWord) -> Self {
        match word {
            SeverityWord::Info => Self::Info,
            SeverityWord::Low => Self::Low,
            SeverityWord::Medium => Self::Medium,
            SeverityWord::High => Self::High,
        }
    }
}

/// How conversations are held.
#[derive(Debug, Args)]
#[command(next_help_heading = "Conversations")]
pub struct ProbeArgs {
    /// Ports, as 25 or 25,587,465; TLS comes first on 465
    #[arg(
        short,
        long,
        value_name = "PORT",
        default_value = "25",
        value_delimiter = ',',
        env = "BANNERET_PORT"
    )]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Vec<u16>,
    /// How far to go
    #[arg(long, value_name = "DEPTH", default_value = "banner", env = "BANNERET_PROBE")]
    pub probe: ProbeWord,
    /// Our own name, said in EHLO; never the target's [default: the host name, if it is fully qualified]
    #[arg(long, value_name = "NAME", env = "BANNERET_EHLO_NAME")]
    pub ehlo_name: Option<String>,
    /// From SYN to connected
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration, env = "BANNERET_CONNECT_TIMEOUT")]
    pub connect_timeout: Duration,
    /// From connected to the greeting's last line; healthy servers may take 20 s
    #[arg(long, value_name = "TIME", default_value = "45s", value_parser = duration, env = "BANNERET_GREETING_TIMEOUT")]
    pub greeting_timeout: Duration,
    /// For one whole conversation
    #[arg(long, value_name = "TIME", default_value = "90s", value_parser = duration, env = "BANNERET_HOST_TIMEOUT")]
    pub host_timeout: Duration,
    /// Further attempts at a target that timed out
    #[arg(long, value_name = "N", default_value_t = 1, env = "BANNERET_RETRIES")]
    pub retries: u8,
    /// Conversations with each target that greets, to see names rotate; each is paced as a connection of its
    /// own
    #[arg(long, value_name = "N", default_value_t = NonZeroU8::MIN, env = "BANNERET_SAMPLES")]
    pub samples: NonZeroU8,
    /// An address to connect from; several are used in turn; targets of a family without one are not tried
    /// [default: the system's choice]
    #[arg(long, value_name = "ADDR", env = "BANNERET_SOURCE_IP")]
    pub source_ip: Vec<IpAddr>,
    /// A further address of this machine, as hosts see it behind NAT: a greeting that repeats it gives an
    /// echo, no name; may be given several times, and stands in the records
    #[arg(long, value_name = "ADDR", env = "BANNERET_OWN_ADDRESS")]
    pub own_address: Vec<IpAddr>,
}

/// How fast a scan goes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pace")]
pub struct PaceArgs {
    /// New connections a second, or `unlimited`
    #[arg(short, long, value_name = "N", default_value = "1000", env = "BANNERET_RATE")]
    pub rate: Rate,
    /// New connections a second for each /24 (IPv4) or /48 (IPv6), or `unlimited`
    #[arg(long, value_name = "N", default_value = "10", env = "BANNERET_PREFIX_RATE")]
    pub prefix_rate: Rate,
    /// Conversations at once [default: fits the open-file limit]
    #[arg(short, long, value_name = "N", env = "BANNERET_CONCURRENCY")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub concurrency: Option<u32>,
}

/// How DNS is asked.
#[derive(Debug, Args)]
#[command(next_help_heading = "DNS")]
pub struct DnsArgs {
    /// An upstream resolver, as 192.0.2.53 or `fe80::53%eth0`; several share the load [default: the system's]
    #[arg(long, value_name = "ADDR[:PORT]", env = "BANNERET_RESOLVER")]
    pub resolver: Vec<String>,
    /// Packets a second to each resolver, or `unlimited` [default: 2000, rising as answers allow; to public
    /// resolvers as 9.9.9.9 at most 1000]
    #[arg(long, value_name = "N", env = "BANNERET_DNS_RATE")]
    pub dns_rate: Option<Rate>,
    /// For one question, from its first packet to giving up, a wait for TCP included
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration, env = "BANNERET_DNS_TIMEOUT")]
    pub dns_timeout: Duration,
    /// Packets within that time
    #[arg(long, value_name = "N", default_value_t = 4, env = "BANNERET_DNS_ATTEMPTS")]
    #[arg(value_parser = clap::value_parser!(u8).range(1..))]
    pub dns_attempts: u8,
}

/// Where results go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// A file for records: .jsonl, .csv or .parquet, .ecs.jsonl or .syslog for other systems, .gz or .zst
    /// behind all but Parquet; `-` is stdout
    #[arg(short, long, value_name = "FILE", env = "BANNERET_OUTPUT")]
    pub output: Vec<PathBuf>,
    /// The format of `-` or of an unusual ending: jsonl, csv, parquet, ecs, syslog
    #[arg(long, value_name = "FORMAT", env = "BANNERET_FORMAT")]
    pub format: Option<String>,
    /// Let outputs replace files that are there and not empty; never an input, never another output
    #[arg(long, env = "BANNERET_OVERWRITE")]
    pub overwrite: bool,
    /// Which targets get a record
    #[arg(long, value_name = "WHICH", default_value = "greeted", env = "BANNERET_KEEP")]
    pub keep: KeepWord,
    /// Where progress is kept [default: beside the first output file, with .checkpoint behind its name]
    #[arg(long, value_name = "FILE", env = "BANNERET_CHECKPOINT")]
    pub checkpoint: Option<PathBuf>,
    /// Go on from a checkpoint, with the settings it holds
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// The report as one HTML page, written at the end, with what is to be fixed beside it (.fixes.csv)
    #[arg(long, value_name = "FILE", env = "BANNERET_HTML")]
    pub html: Option<PathBuf>,
    /// The summary as JSON, written at the end
    #[arg(long, value_name = "FILE", env = "BANNERET_SUMMARY")]
    pub summary: Option<PathBuf>,
    /// Findings that are accepted, each with a reason and an expiry: a TOML file; they stay in the records
    /// and count for neither severity nor --fail-on
    #[arg(long, value_name = "FILE", env = "BANNERET_ACCEPT")]
    pub accept: Option<PathBuf>,
    /// Further domains of providers, one a line, `shared` behind those of hosts that many customers share
    #[arg(long, value_name = "FILE", env = "BANNERET_PROVIDERS")]
    pub providers: Option<PathBuf>,
    /// Exit 1 if any finding is this severe or worse
    #[arg(long, value_name = "SEVERITY", env = "BANNERET_FAIL_ON")]
    pub fail_on: Option<SeverityWord>,
    /// How the scan stands, as one JSON object a line, each second
    #[arg(long, value_name = "FILE", env = "BANNERET_STATUS")]
    pub status: Option<PathBuf>,
    /// Offer metrics for Prometheus while it runs, at http://ADDR:PORT/metrics; port 0 is one of the system's
    /// choice
    #[arg(long, value_name = "ADDR:PORT", env = "BANNERET_METRICS")]
    pub metrics: Option<SocketAddr>,
    /// Whether progress is shown on stderr
    #[arg(long, value_name = "WHEN", default_value = "auto", env = "BANNERET_PROGRESS")]
    pub progress: ProgressWord,
    /// No progress, no summary, no announcement: errors only
    #[arg(short, long, env = "BANNERET_QUIET")]
    pub quiet: bool,
    /// More to stderr: the settings in force and the resolvers that are asked
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// `banneret scan`.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// What to scan
    #[command(flatten)]
    pub targets: TargetArgs,
    /// How conversations go
    #[command(flatten)]
    pub probe: ProbeArgs,
    /// How fast it goes
    #[command(flatten)]
    pub pace: PaceArgs,
    /// How DNS is asked
    #[command(flatten)]
    pub dns: DnsArgs,
    /// Where results go
    #[command(flatten)]
    pub output: OutputArgs,
    /// Tell how many targets, how long, what is excluded by which list; send nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `banneret demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The block's key: another seed, another block
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// A new folder for the records [default: banneret-demo in the current folder, or banneret-demo-2, -3,
    /// ...]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Let --output name a folder that is there, and replace the files of an earlier demo in it
    #[arg(long, requires = "output")]
    pub overwrite: bool,
    /// Whether progress is shown on stderr
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub progress: ProgressWord,
    /// Only the result of the self-check
    #[arg(short, long)]
    pub quiet: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time > LONGEST => Err("is longer than a day".to_owned()),
        Ok(time) if !time.is_zero() => Ok(time),
        Ok(_) => Err("must be above zero".to_owned()),
        Err(_) => Err("is not a time; write it as `5s`, `500ms` or `2m`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_probe_has_the_times_of_a_scan_unless_told() {
        let Command::Scan(scan) = Cli::parse_from(["banneret", "scan", "192.0.2.1"]).command else {
            panic!("a scan is a scan")
        };
        let (typed, usual) = (scan.probe, crate::probe::Settings::default());
        assert_eq!(
            (typed.connect_timeout, typed.greeting_timeout, typed.host_timeout),
            (usual.connect_timeout, usual.greeting_timeout, usual.host_timeout)
        );
    }
}
