//! The commands that read records, and the one that explains their words.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::DnsArgs;
use crate::report::diff::Change;
use crate::report::summary::Top;

/// `banneret explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A verdict, a finding, an outcome or a topic, as records write it, or a question in your own words; the
    /// list of all if left out
    #[arg(value_name = "CODE")]
    pub words: Vec<String>,
}

/// What the lines of an input are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LinesWord {
    /// Records of a scan (JSONL)
    Records,
    /// ZGrab2's output, one JSON object a line
    Zgrab2,
    /// One greeting a line; \r, \n, \xHH and \\ are read as escapes
    Greetings,
}

/// What `--resolve` asks DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum QuestionsWord {
    /// What has no definite answer
    Open,
    /// Everything, whatever was answered before
    All,
}

impl QuestionsWord {
    /// The word as it is typed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::All => "all",
        }
    }
}

/// `banneret judge`.
#[derive(Debug, Args)]
pub struct JudgeArgs {
    /// Files to judge, .gz or .zst behind the name if compressed; `-` is stdin
    #[arg(value_name = "RECORDS", required = true)]
    pub records: Vec<PathBuf>,
    /// What the lines are
    #[arg(long, value_name = "FORM", default_value = "records")]
    pub from: LinesWord,
    /// Ask DNS for what is not settled: answers that a line lacks, and those that were not definite; the
    /// others stand. With `--resolve=all` everything is asked again
    #[arg(
        long,
        value_name = "QUESTIONS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "open"
    )]
    pub resolve: Option<QuestionsWord>,
    /// Findings that are accepted, each with a reason and an expiry: a TOML file
    #[arg(long, value_name = "FILE")]
    pub accept: Option<PathBuf>,
    /// Further domains of providers, one a line, `shared` behind those of hosts that many customers share
    #[arg(long, value_name = "FILE")]
    pub providers: Option<PathBuf>,
    /// Where the records go, as often as wished: .jsonl, .csv or .parquet, .ecs.jsonl or .syslog for other
    /// systems, .gz or .zst behind all but Parquet; `-` is stdout
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: Vec<PathBuf>,
    /// Let outputs replace files that are there and not empty; never an input, never another output
    #[arg(long)]
    pub overwrite: bool,
    /// End with 0 though a file is cut off or damaged; without it that is exit code 4, told on stderr
    #[arg(long)]
    pub allow_partial: bool,
    /// The format of `-` or of an unusual ending: jsonl, csv, parquet, ecs, syslog
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Whose network each address is in, where a record does not say: an MMDB, or CSV or TSV of start, end,
    /// asn, name
    #[arg(long, value_name = "FILE")]
    pub asn_db: Option<PathBuf>,
    /// How DNS is asked
    #[command(flatten)]
    pub dns: DnsArgs,
}

/// `banneret report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Record files, counted together: .jsonl, .csv or .parquet, .gz or .zst behind the first two; `-` is
    /// stdin
    #[arg(value_name = "RECORDS", required = true)]
    pub records: Vec<PathBuf>,
    /// json, csv, markdown or prometheus [default: text for a terminal]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Group by this, too: `prefix:16`, `asn`, `domain`, `ptr_domain`, `platform`, `tag:NAME`, `finding`,
    /// `severity`, ...
    #[arg(long, value_name = "WHAT")]
    pub group_by: Vec<String>,
    /// Show so many of the worst groups of a kind, or `all` [default: as many as suit the format]
    #[arg(long, value_name = "N|all")]
    pub top: Option<Top>,
    /// Write a list of what to fix for each group into this folder, as CSV, page and mail; needs one
    /// --group-by
    #[arg(long, value_name = "DIR")]
    pub split: Option<PathBuf>,
    /// The subject and body of these mails: `Subject: {hosts} ...`, a blank line, a text with {list} in it
    #[arg(long, value_name = "FILE", requires = "split")]
    pub mail_template: Option<PathBuf>,
    /// Whose network each address is in, where a record does not say: an MMDB, or CSV or TSV of start, end,
    /// asn, name
    #[arg(long, value_name = "FILE")]
    pub asn_db: Option<PathBuf>,
    /// Where the report goes, put in place whole; `-` is stdout
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
    /// Write the report as one HTML page, too, and FILE.fixes.csv beside it; `-` is stdout, the page alone
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Let outputs replace files that are there and not empty; never an input, never another output
    #[arg(long)]
    pub overwrite: bool,
    /// What `-` or files with an unusual ending hold: jsonl, csv, parquet (not from stdin)
    #[arg(long, value_name = "FORM")]
    pub from: Option<String>,
    /// End with 0 though a file of records is cut off or damaged; without it that is exit code 4, told on
    /// stderr
    #[arg(long)]
    pub allow_partial: bool,
}

/// How a comparison is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiffWord {
    /// For a terminal: hosts that changed, and the counts
    Text,
    /// One JSON object a host
    Json,
    /// One row a host
    Csv,
}

/// `banneret diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// Record files, the earliest first: the last is compared with what all before it know; `-` is stdin
    #[arg(value_names = ["OLD", "NEW"], required = true, num_args = 2..)]
    pub records: Vec<PathBuf>,
    /// How it is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: DiffWord,
    /// Write the comparison as one HTML page, too; `-` is stdout, in place of the text
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// What the lists of --split are by: `tag:NAME`, `prefix` (/24 and /48), or `prefix:16`
    #[arg(long, value_name = "WHAT", requires = "split")]
    pub group_by: Option<String>,
    /// Write a list of what changed for each group into this folder, as CSV; needs --group-by
    #[arg(long, value_name = "DIR", requires = "group_by")]
    pub split: Option<PathBuf>,
    /// Let the page and the lists replace files that are there and not empty; never an input
    #[arg(long)]
    pub overwrite: bool,
    /// Exit 1 if any host regressed
    #[arg(long)]
    pub fail_on_regression: bool,
    /// Exit 1 if any host changed so, as `regressed,gone`
    #[arg(long, value_name = "CHANGE", value_delimiter = ',', value_parser = change)]
    pub fail_on: Vec<Change>,
    /// What `-` or files with an unusual ending hold: jsonl, csv, parquet (not from stdin)
    #[arg(long, value_name = "FORM")]
    pub from: Option<String>,
    /// End with 0 though a file of records is cut off or damaged; without it that is exit code 4, told on
    /// stderr
    #[arg(long)]
    pub allow_partial: bool,
}

fn change(word: &str) -> Result<Change, String> {
    Change::parse(word).ok_or_else(|| {
        let words: Vec<&str> = Change::ALL.iter().map(|change| change.as_str()).collect();
        format!("is no change; there are {}", words.join(", "))
    })
}
