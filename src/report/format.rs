//! What an output is, told by the end of its name: `a.jsonl`, `a.csv`, `a.parquet`, and `.gz` or `.zst`
//! behind the first two.

use std::path::Path;

/// The form of an output's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// One row a record, with a header.
    Csv,
    /// Nested columns.
    Parquet,
    /// One JSON object a line, in the Elastic Common Schema.
    Ecs,
    /// One line of syslog a record (RFC 5424).
    Syslog,
}

/// The ending of lines in the Elastic Common Schema that programs know to be JSON.
const ECS_LINES: &str = ".ecs.jsonl";

/// What is around the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Nothing.
    None,
    /// Gzip members, one behind the other (RFC 1952 §2.2).
    Gzip,
    /// Zstandard frames, one behind the other (RFC 8878 §3.1).
    Zstd,
}

/// Rows and what is around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Form {
    /// The rows.
    pub format: Format,
    /// What is around them.
    pub compression: Compression,
}

/// Why a form can't be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The end of the name says nothing.
    #[error(
        "`{0}` has an ending that names no format; end it in `.jsonl`, `.csv` or `.parquet`, or say `--format`"
    )]
    Ending(String),
    /// A format that there is not.
    #[error("`{0}` is no format; there are `jsonl`, `csv`, `parquet`, `ecs` and `syslog`")]
    Unknown(String),
    /// Parquet in a compressed file.
    #[error("`{0}` would compress Parquet, whose columns are compressed already; leave off the last ending")]
    Twice(String),
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Jsonl, Self::Csv, Self::Parquet, Self::Ecs, Self::Syslog];

    /// Whether records can be had back from it.
    pub fn is_read_back(self) -> bool {
        !matches!(self, Self::Ecs | Self::Syslog)
    }

    /// The word for `--format`, and the ending of a file name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Ecs => "ecs",
            Self::Syslog => "syslog",
        }
    }

    /// The format a word stands for.
    pub fn parse(word: &str) -> Result<Self, FormatError> {
        let found = Self::ALL.into_iter().find(|format| format.as_str() == word);
        found.ok_or_else(|| FormatError::Unknown(word.to_owned()))
    }
}

impl Form {
    /// The form of the output at `path`; `asked` wins over the ending, and `-` without it is JSONL. Capital
    /// letters in the ending count as small ones.
    pub fn of(path: &Path, asked: Option<Format>) -> Result<Self, FormatError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let (stem, compression) = match name.rsplit_once('.') {
            Some((stem, "gz")) => (stem, Compression::Gzip),
            Some((stem, "zst")) => (stem, Compression::Zstd),
            _ => (name.as_str(), Compression::None),
        };
        let ending = stem.rsplit_once('.').map(|(_, ending)| ending);
        let told = ending.and_then(|ending| Format::parse(ending).ok());
        let told = if stem.ends_with(ECS_LINES) { Some(Format::Ecs) } else { told };
        let format = match asked.or(told) {
            Some(format) => format,
            None if name == "-" => Format::Jsonl,
            None => return Err(FormatError::Ending(path.display().to_string())),
        };
        if format == Format::Parquet && compression != Compression::None {
            return Err(FormatError::Twice(path.display().to_string()));
        }
        Ok(Self { format, compression })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_tells_the_form() {
        use Compression::{Gzip, None as Bare, Zstd};
        for (path, format, compression) in [
            ("a.jsonl", Format::Jsonl, Bare),
            ("a.csv", Format::Csv, Bare),
            ("/x.csv/a.jsonl.gz", Format::Jsonl, Gzip),
            ("a.b.jsonl.zst", Format::Jsonl, Zstd),
            ("a.csv.gz", Format::Csv, Gzip),
            ("A.JSONL", Format::Jsonl, Bare),
            ("a.parquet", Format::Parquet, Bare),
            ("a.ecs.jsonl", Format::Ecs, Bare),
            ("a.ecs.jsonl.zst", Format::Ecs, Zstd),
            ("a.ECS", Format::Ecs, Bare),
            ("specs.jsonl", Format::Jsonl, Bare),
            ("a.syslog.gz", Format::Syslog, Gzip),
            ("-", Format::Jsonl, Bare),
        ] {
            assert_eq!(Form::of(Path::new(path), None), Ok(Form { format, compression }), "{path}");
        }
    }

    #[test]
    fn what_was_asked_wins_over_the_ending() {
        for (path, compression) in [
            ("a.jsonl", Compression::None),
            ("-", Compression::None),
            ("/dev/null", Compression::None),
            ("a.txt.zst", Compression::Zstd),
            ("a.gz", Compression::Gzip),
        ] {
            let form = Form { format: Format::Csv, compression };
            assert_eq!(Form::of(Path::new(path), Some(Format::Csv)), Ok(form), "{path}");
        }
    }

    #[test]
    fn an_ending_that_says_nothing_is_refused_with_what_to_do() {
        for path in
            ["a", "a.txt", "a.json", "jsonl", "a.gz", "a.jsonl.bz2", "a.jsonl/", "a.jsonl.gz.zst", "", ".."]
        {
            let Err(FormatError::Ending(named)) = Form::of(Path::new(path), None) else {
                // A trailing slash is no part of a name: opening it will fail.
                assert_eq!(path, "a.jsonl/");
                continue;
            };
            assert_eq!(named, path);
        }
        assert_eq!(
            Form::of(Path::new("a.txt"), None).unwrap_err().to_string(),
            "`a.txt` has an ending that names no format; end it in `.jsonl`, `.csv` or `.parquet`, or say `--format`"
        );
        let twice = Form::of(Path::new("a.parquet.gz"), None).unwrap_err().to_string();
        assert!(twice.starts_with("`a.parquet.gz` would compress Parquet"), "{twice}");
        assert_eq!(
            Format::parse("xml").unwrap_err().to_string(),
            "`xml` is no format; there are `jsonl`, `csv`, `parquet`, `ecs` and `syslog`"
        );
    }
}
