//! Fields of a stored line that this version does not know: found in the line, and written again behind the
//! known fields of the same object.
//!
//! By example: in `{"outcome":"greeted","score":1e400,"smtp":{"code":220,"pipelining":true}}`,
//! `"score":1e400` is of the record and `"pipelining":true` is of `smtp`. What is worked out anew, `platform`
//! and `accepted`, is passed over.
//!
//! One pass over text that has been read as JSON before. It is done by hand because a tree of values changes
//! numbers that it can't hold, as `1e400`, and recurses as deep as the text does.

use std::borrow::Cow;

/// An object of a record to which later versions may add fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Object {
    /// The record itself.
    Record,
    /// `target`.
    Target,
    /// `target.unresolved`.
    Unresolved,
    /// `smtp`.
    Smtp,
    /// `smtp.tls`.
    Tls,
    /// `smtp.tls.certificate`.
    Certificate,
    /// `dns`.
    Dns,
    /// `dns.ptr`.
    Ptr,
    /// One of `dns.ptr.names`.
    PtrName,
    /// `dns.banner_forward`.
    BannerForward,
    /// `network`.
    Network,
    /// `scanner`.
    Scanner,
}

/// What is known of an object: its fields, and those of them that hold objects again.
struct Shape {
    object: Object,
    fields: &'static [&'static str],
    inner: &'static [(&'static str, Shape)],
}

static RECORD: Shape = Shape {
    object: Object::Record,
    fields: &[
        "schema",
        "time",
        "outcome",
        "relation",
        "verdict",
        "severity",
        "findings",
        "platform",
        "tenancy",
        "accepted",
        "clears_by",
        "fix",
    ],
    inner: &[
        ("target", TARGET),
        ("smtp", SMTP),
        ("dns", DNS),
        ("network", leaf(Object::Network, &["prefix", "asn", "as_name"])),
        ("scanner", leaf(Object::Scanner, &["name", "ip", "engine", "own_addresses"])),
    ],
};
const TARGET: Shape = Shape {
    object: Object::Target,
    fields: &["ip", "port", "asked", "expected_name", "helo_name", "tags"],
    inner: &[("unresolved", leaf(Object::Unresolved, &["family", "status"]))],
};
const SMTP: Shape = Shape {
    object: Object::Smtp,
    fields: &[
        "code",
        "banner",
        "banner_name",
        "ehlo_name",
        "extensions",
        "truncated",
        "attempts",
        "connect_ms",
        "banner_ms",
        "samples",
    ],
    inner: &[("tls", TLS)],
};
const TLS: Shape = Shape {
    object: Object::Tls,
    fields: &[
        "status",
        "alert",
        "code",
        "version",
        "cipher",
        "ehlo_name",
        "extensions",
        "injected",
        "plaintext",
    ],
    inner: &[(
        "certificate",
        leaf(Object::Certificate, &["names", "count", "not_before", "not_after", "sha256", "x509_error"]),
    )],
};
const DNS: Shape = Shape {
    object: Object::Dns,
    fields: &["fcrdns"],
    inner: &[
        (
            "ptr",
            Shape {
                object: Object::Ptr,
                fields: &["status", "count"],
                inner: &[("names", leaf(Object::PtrName, &["name", "status", "addresses", "confirms"]))],
            },
        ),
        ("banner_forward", leaf(Object::BannerForward, &["status", "addresses", "confirms"])),
    ],
};

const fn leaf(object: Object, fields: &'static [&'static str]) -> Shape {
    Shape { object, fields, inner: &[] }
}

/// A field that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExtraField {
    /// The object that it is of.
    pub(super) object: Object,
    /// Which of several such objects, from 0.
    pub(super) place: usize,
    /// Its name and its value as they stood, without blanks between the parts.
    pub(super) text: Box<str>,
}

/// All of them in a line that has been read as a record.
pub(super) fn find(line: &str) -> Vec<ExtraField> {
    let mut walk = Walk { line, at: 0, found: Vec::new() };
    // A line that is no JSON is none that was read: there is nothing to keep of it.
    match walk.object(&RECORD, 0) {
        Some(()) => walk.found,
        None => Vec::new(),
    }
}

struct Walk<'l> {
    line: &'l str,
    at: usize,
    found: Vec<ExtraField>,
}

impl Walk<'_> {
    /// Goes through an object, or passes over whatever else stands in its place.
    fn object(&mut self, shape: &Shape, place: usize) -> Option<()> {
        if self.peek()? != b'{' {
            return self.skip();
        }
        self.at += 1;
        loop {
            match self.peek()? {
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                b',' => self.at += 1,
                _ => self.field(shape, place)?,
            }
        }
    }

    fn field(&mut self, shape: &Shape, place: usize) -> Option<()> {
        let start = self.at;
        self.string()?;
        let quoted = self.line.get(start..self.at)?;
        let name: Cow<'_, str> = if quoted.contains('\\') {
            serde_json::from_str::<String>(quoted).ok()?.into()
        } else {
            quoted.trim_matches('"').into()
        };
        if self.peek()? != b':' {
            return None;
        }
        self.at += 1;
        if shape.fields.contains(&&*name) {
            return self.skip();
        }
        let Some((_, inner)) = shape.inner.iter().find(|(known, _)| *known == name) else {
            self.skip()?;
            let text = compact(self.line.get(start..self.at)?).into();
            self.found.push(ExtraField { object: shape.object, place, text });
            return Some(());
        };
        if self.peek()? != b'[' {
            return self.object(inner, 0);
        }
        self.at += 1;
        let mut item = 0;
        loop {
            match self.peek()? {
                b']' => {
                    self.at += 1;
                    return Some(());
                }
                b',' => self.at += 1,
                _ => {
                    self.object(inner, item)?;
                    item += 1;
                }
            }
        }
    }

    /// The next byte that is no blank.
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.line.as_bytes().get(self.at)?;
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Passes over a string.
    fn string(&mut self) -> Option<()> {
        let bytes = self.line.as_bytes();
        if bytes.get(self.at) != Some(&b'"') {
            return None;
        }
        self.at += 1;
        loop {
            match *bytes.get(self.at)? {
                b'\\' => self.at += 2,
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                _ => self.at += 1,
            }
        }
    }

    /// Passes over a value, however deep.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => self.string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                _ => self.word()?,
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// Passes over a number, a truth or a null.
    fn word(&mut self) -> Option<()> {
        let rest = self.line.as_bytes().get(self.at..)?;
        let is_in = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let length = rest.iter().take_while(|byte| is_in(byte)).count();
        self.at += length;
        (length > 0).then_some(())
    }
}

/// JSON without blanks between its parts, and without a control character that JSON lets stand.
fn compact(text: &str) -> String {
    let mut compact = String::with_capacity(text.len());
    let (mut is_inside, mut is_escaped) = (false, false);
    for character in text.chars() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_inside = !is_inside,
            ' ' | '\t' | '\r' | '\n' if !is_inside => continue,
            '\u{7f}' => {
                compact.push_str("\\u007f");
                continue;
            }
            _ => {}
        }
        compact.push(character);
    }
    compact
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(line: &str) -> Vec<(Object, usize, String)> {
        find(line).into_iter().map(|it| (it.object, it.place, it.text.into())).collect()
    }

    #[test]
    fn fields_are_found_in_their_objects_as_they_stand() {
        let one = |object, place, text: &str| vec![(object, place, text.to_owned())];
        for (line, expected) in [
            (r#"{"schema":"x","later":1e400}"#, one(Object::Record, 0, r#""later":1e400"#)),
            (r#"{"later":null,"time":"\"}"}"#, one(Object::Record, 0, r#""later":null"#)),
            (r#"{ "a\u0062" : [ 1 , { "b c" : "d\" e" } ] }"#, {
                one(Object::Record, 0, r#""a\u0062":[1,{"b c":"d\" e"}]"#)
            }),
            (r#"{"smtp":{"code":220,"x":{}}}"#, one(Object::Smtp, 0, r#""x":{}"#)),
            (r#"{"smtp":{"tls":{"certificate":{"x":-0.5}}}}"#, one(Object::Certificate, 0, r#""x":-0.5"#)),
            (r#"{"smtp":{"tls":{"x":""}}}"#, one(Object::Tls, 0, r#""x":"""#)),
            (r#"{"dns":{"ptr":{"names":[{"name":"a"},{"ttl":5}]}}}"#, one(Object::PtrName, 1, r#""ttl":5"#)),
            (r#"{"dns":{"ptr":{"x":[]},"fcrdns":null}}"#, one(Object::Ptr, 0, r#""x":[]"#)),
            (r#"{"dns":{"x":1,"ptr":{}}}"#, one(Object::Dns, 0, r#""x":1"#)),
            (r#"{"dns":{"banner_forward":{"x":1}}}"#, one(Object::BannerForward, 0, r#""x":1"#)),
            (r#"{"target":{"unresolved":{"x":1}}}"#, one(Object::Unresolved, 0, r#""x":1"#)),
            (r#"{"target":{"tags":{"x":"1"},"ip":null}}"#, Vec::new()),
            (r#"{"network":{"x":1}}"#, one(Object::Network, 0, r#""x":1"#)),
            (r#"{"scanner":{"x":1}}"#, one(Object::Scanner, 0, r#""x":1"#)),
            // A known name is known however it is written.
            (r#"{"sm\u0074p":{"co\u0064e":220}}"#, Vec::new()),
            (r#"{"platform":{"x":1},"accepted":[{"x":1}],"dns":null,"smtp":[]}"#, Vec::new()),
            ("{\"x\":\"\u{7f}\"}", one(Object::Record, 0, r#""x":"\u007f""#)),
            ("{}", Vec::new()),
        ] {
            assert_eq!(found(line), expected, "{line}");
        }
        let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(found(&deep).len(), 1);
    }

    proptest! {
        #![proptest_config(crate::property_tests::usual())]

        #[test]
        fn any_text_is_walked_to_its_end(text in r#"[\[\]{}",:\\ a0]{0,60}"#) {
            let _ = find(&text);
            let _ = find(&format!(r#"{{"smtp":{text}"#));
        }
    }
}
