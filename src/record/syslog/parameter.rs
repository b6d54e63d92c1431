//! Parameters of structured data: which of a record's fields they hold, and how values are written so that
//! each can be had back.
//!
//! A value is text in the escape of [`escape`], which also shows what would act on a terminal (`\xHH`); a
//! list of such texts is joined as [`list`] has it. Around it comes the escape of RFC 5424 §6.3.3 for `"`,
//! `\` and `]`.

use std::borrow::Cow;

use serde_json::Value;

use crate::record::neutral::acts;
use crate::record::{escape, list};

/// The longest value, in characters of the line: room for a long greeting, or for sixteen names.
pub const LONGEST: usize = 1024;
/// What joins the addresses of one name.
const INNER: &str = ",";

/// A parameter and the field that it holds.
pub(super) struct Fact {
    pub(super) name: &'static str,
    /// Where the field stands in the record's own line (RFC 6901).
    pointer: &'static str,
    form: Form,
}

/// What a field is.
#[derive(Clone, Copy)]
enum Form {
    /// A text, a word, a number or a truth.
    One,
    /// A text that is escaped in the record already, or a list of such texts.
    Bytes,
    /// A list of any of these.
    Many,
    /// Of each object in a list, this field.
    Each(&'static str),
}

use Form::{Bytes, Each, Many, One};

const fn fact(name: &'static str, pointer: &'static str, form: Form) -> Fact {
    Fact { name, pointer, form }
}

/// All of them, in the order of the line.
pub(super) static FACTS: [Fact; 62] = [
    fact("ip", "/target/ip", One),
    fact("port", "/target/port", One),
    fact("asked", "/target/asked", One),
    fact("outcome", "/outcome", One),
    fact("verdict", "/verdict", One),
    fact("severity", "/severity", One),
    fact("findings", "/findings", Many),
    fact("code", "/smtp/code", One),
    fact("banner", "/smtp/banner", Bytes),
    fact("banner_name", "/smtp/banner_name", One),
    fact("ehlo_name", "/smtp/ehlo_name", One),
    fact("ptr_status", "/dns/ptr/status", One),
    fact("ptr_names", "/dns/ptr/names", Each("name")),
    fact("fcrdns", "/dns/fcrdns", One),
    fact("relation", "/relation", One),
    fact("platform", "/platform/name", One),
    fact("tenancy", "/tenancy", One),
    fact("scanner_ip", "/scanner/ip", One),
    fact("scanner_name", "/scanner/name", One),
    fact("scanner_engine", "/scanner/engine", One),
    fact("scanner_own_addresses", "/scanner/own_addresses", Many),
    fact("asn", "/network/asn", One),
    fact("as_name", "/network/as_name", One),
    fact("prefix", "/network/prefix", One),
    fact("expected_name", "/target/expected_name", One),
    fact("helo_name", "/target/helo_name", One),
    fact("accepted", "/accepted", Each("code")),
    fact("accepted_reasons", "/accepted", Each("reason")),
    fact("accepted_until", "/accepted", Each("until")),
    fact("clears_by", "/clears_by", Many),
    fact("fix", "/fix", Many),
    fact("unresolved_family", "/target/unresolved/family", One),
    fact("unresolved_status", "/target/unresolved/status", One),
    fact("connect_ms", "/smtp/connect_ms", One),
    fact("banner_ms", "/smtp/banner_ms", One),
    fact("truncated", "/smtp/truncated", One),
    fact("attempts", "/smtp/attempts", One),
    fact("samples", "/smtp/samples", Many),
    fact("extensions", "/smtp/extensions", Bytes),
    fact("platform_version", "/platform/version", One),
    fact("ptr_count", "/dns/ptr/count", One),
    fact("ptr_statuses", "/dns/ptr/names", Each("status")),
    fact("ptr_addresses", "/dns/ptr/names", Each("addresses")),
    fact("ptr_confirms", "/dns/ptr/names", Each("confirms")),
    fact("banner_forward_status", "/dns/banner_forward/status", One),
    fact("banner_forward_addresses", "/dns/banner_forward/addresses", Many),
    fact("banner_forward_confirms", "/dns/banner_forward/confirms", One),
    fact("tls_status", "/smtp/tls/status", One),
    fact("tls_alert", "/smtp/tls/alert", One),
    fact("tls_code", "/smtp/tls/code", One),
    fact("tls_version", "/smtp/tls/version", One),
    fact("tls_cipher", "/smtp/tls/cipher", One),
    fact("tls_ehlo_name", "/smtp/tls/ehlo_name", One),
    fact("tls_extensions", "/smtp/tls/extensions", Bytes),
    fact("tls_injected", "/smtp/tls/injected", One),
    fact("tls_plaintext", "/smtp/tls/plaintext", Bytes),
    fact("tls_names", "/smtp/tls/certificate/names", Many),
    fact("tls_names_count", "/smtp/tls/certificate/count", One),
    fact("tls_not_before", "/smtp/tls/certificate/not_before", One),
    fact("tls_not_after", "/smtp/tls/certificate/not_after", One),
    fact("tls_sha256", "/smtp/tls/certificate/sha256", One),
    fact("tls_x509_error", "/smtp/tls/certificate/x509_error", One),
];

impl Fact {
    /// The value in a record's own line; `None` for a null.
    pub(super) fn value(&self, told: &Value) -> Option<String> {
        let value = told.pointer(self.pointer).filter(|value| !value.is_null())?;
        let Value::Array(items) = value else { return self.item(value).map(Cow::into_owned) };
        let mut joined = String::new();
        for (place, item) in items.iter().enumerate() {
            list::push(&mut joined, place, self.item(item).as_deref());
        }
        Some(joined)
    }

    fn item<'v>(&self, value: &'v Value) -> Option<Cow<'v, str>> {
        let value = if let Each(field) = self.form { value.get(field)? } else { value };
        Some(match value {
            Value::Null => return None,
            Value::String(escaped) if matches!(self.form, Bytes) => still(escaped),
            Value::String(text) => self::text(text).into(),
            Value::Array(inner) => {
                inner.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(INNER).into()
            }
            other => other.to_string().into(),
        })
    }
}

/// A text in the escape, and nothing in it that acts.
pub(super) fn text(text: &str) -> String {
    let escaped = escape::escape(text.as_bytes());
    still(&escaped).into_owned()
}

/// A text that is escaped already, and nothing in it that acts.
fn still(escaped: &str) -> Cow<'_, str> {
    if !escaped.contains(acts) {
        return escaped.into();
    }
    let mut shown = String::with_capacity(escaped.len() + 16);
    for character in escaped.chars() {
        if !acts(character) {
            shown.push(character);
            continue;
        }
        for &byte in character.encode_utf8(&mut [0; 4]).as_bytes() {
            let [high, low] = escape::hex(byte);
            shown.extend(['\\', 'x', char::from(high), char::from(low)]);
        }
    }
    shown.into()
}

/// One element of structured data, about to be written.
pub(super) struct Element<'t> {
    line: &'t mut String,
    /// The names of the parameters whose values are cut.
    cut: String,
    cuts: usize,
}

impl<'t> Element<'t> {
    pub(super) fn open(line: &'t mut String, id: &str) -> Self {
        line.push('[');
        line.push_str(id);
        Self { line, cut: String::new(), cuts: 0 }
    }

    /// One parameter.
    pub(super) fn put(&mut self, name: &str, value: &str) {
        self.line.push(' ');
        self.line.push_str(name);
        self.line.push_str("=\"");
        let mut length = 0;
        for unit in units(value) {
            let quoted: Cow<'_, str> =
                if unit.contains(['"', '\\', ']']) { quoted(unit).into() } else { unit.into() };
            length += quoted.chars().count();
            if length > LONGEST {
                list::push(&mut self.cut, self.cuts, Some(name));
                self.cuts += 1;
                break;
            }
            self.line.push_str(&quoted);
        }
        self.line.push('"');
    }

    /// Ends it, with what was cut under this name.
    pub(super) fn close(self, cut: &str) {
        if self.cuts > 0 {
            for part in [" ", cut, "=\"", &quoted(&self.cut), "\""] {
                self.line.push_str(part);
            }
        }
        self.line.push(']');
    }
}

/// The escape of values (RFC 5424 §6.3.3).
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if matches!(character, '"' | '\\' | ']') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

/// The characters of a value, each escape in one piece.
fn units(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let length = match rest.as_bytes() {
            [b'\\', b'x', ..] => 4,
            [b'\\', b'\\' | b'-', ..] => 2,
            _ => rest.chars().next()?.len_utf8(),
        };
        let (unit, tail) = rest.split_at(length.min(rest.len()));
        rest = tail;
        Some(unit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_between_escapes_and_named() {
        for (value, kept) in [
            ("a".repeat(LONGEST), LONGEST),
            ("a".repeat(LONGEST + 1), LONGEST),
            (format!("{}\\x1b", "a".repeat(LONGEST - 5)), LONGEST),
            (format!("{}\\x1b", "a".repeat(LONGEST - 4)), LONGEST - 4),
            (format!("{}]", "é".repeat(LONGEST - 1)), LONGEST - 1),
        ] {
            let mut line = String::new();
            let mut element = Element::open(&mut line, "x");
            element.put("name", &value);
            element.close("cut");
            let told = line.strip_prefix("[x name=\"").unwrap();
            let (inside, more) = told.split_once('"').unwrap();
            let is_whole = quoted(&value) == inside;
            assert_eq!((inside.chars().count(), more == " cut=\"name\"]"), (kept, !is_whole), "{more}");
        }
    }
}
