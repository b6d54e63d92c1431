//! The views of a summary, by their words: the same numbers, each for its own reader.

use std::io::{self, Write};

use super::{Summary, csv, json, markdown, prometheus, text};

/// For whom a summary is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// A person at a terminal.
    Terminal {
        /// The window's width in columns.
        width: usize,
    },
    /// A program.
    Json,
    /// A spreadsheet.
    Csv,
    /// A ticket or a page.
    Markdown,
    /// A monitoring system.
    Prometheus,
}

/// A word that names no view.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no format of a report; there are `json`, `csv`, `markdown` and `prometheus`")]
pub struct ViewError(String);

impl View {
    /// The words for `--format`.
    pub const WORDS: [&'static str; 4] = ["json", "csv", "markdown", "prometheus"];

    /// The view a word stands for.
    pub fn parse(word: &str) -> Result<Self, ViewError> {
        match word {
            "json" => Ok(Self::Json),
            "csv" => Ok(Self::Csv),
            "markdown" => Ok(Self::Markdown),
            "prometheus" => Ok(Self::Prometheus),
            _ => Err(ViewError(word.to_owned())),
        }
    }

    /// Writes the summary.
    pub fn write(self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Terminal { width } => text::write(summary, width, out),
            Self::Json => json::write(summary, out),
            Self::Csv => csv::write(summary, out),
            Self::Markdown => markdown::write(summary, out),
            Self::Prometheus => prometheus::write(summary, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_names_a_view_and_no_other_does() {
        for word in View::WORDS {
            View::parse(word).unwrap();
        }
        assert_eq!(
            View::parse("xml").unwrap_err().to_string(),
            "`xml` is no format of a report; there are `json`, `csv`, `markdown` and `prometheus`"
        );
        View::parse("JSON").unwrap_err();
    }
}
