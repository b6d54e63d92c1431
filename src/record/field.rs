//! Names of fields in which words stand that are not worked out anew, and why a line or a row is not a
//! record.

use super::SCHEMA;
use super::neutral::Safe;

pub(crate) const OUTCOME: &str = "outcome";
pub(crate) const PTR_STATUS: &str = "dns.ptr.status";
pub(crate) const NAME_STATUS: &str = "dns.ptr.names.status";
pub(crate) const BANNER_FORWARD: &str = "dns.banner_forward.status";
pub(crate) const TLS_STATUS: &str = "smtp.tls.status";
pub(crate) const X509_ERROR: &str = "smtp.tls.certificate.x509_error";
pub(crate) const ENGINE: &str = "scanner.engine";
pub(crate) const UNRESOLVED_FAMILY: &str = "target.unresolved.family";
pub(crate) const UNRESOLVED_STATUS: &str = "target.unresolved.status";

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
    /// The first row of a table names no such column, as where it is none of names.
    #[error("names no column `{column}`; a table of records begins with the names of its columns")]
    Column {
        /// Which.
        column: &'static str,
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
