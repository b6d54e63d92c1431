//! The mail to whoever a list is for: a subject and a body from a template, which the user can replace.
//!
//! By example: `Subject: {hosts} to fix` and a blank line, then a body with `{list}` in it. A brace that is
//! to stand there is doubled. Must not know: how a mail is sent or encoded.

use crate::record::neutral::Safe;

/// The template that is used unless the user has one.
const BUILT_IN: &str = include_str!("mail.txt");
/// What may stand in braces.
const PLACES: [&str; 7] = ["group", "hosts", "high", "medium", "low", "list", "file"];

/// Why a template can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It does not begin as a mail does.
    #[error("begins without `Subject: ` and a blank line below; begin it with `Subject: {{hosts}} to fix`")]
    Subject,
    /// A name in braces that stands for nothing.
    #[error("has `{{{0}}}`, which stands for nothing; there are {list}", list = PLACES.map(|place| format!("{{{place}}}")).join(", "))]
    Place(String),
    /// A brace without its other half.
    #[error("has a single brace; double it (`{{{{`) if it is to stand there")]
    Brace,
}

/// A template that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// Which of [`PLACES`].
    Place(usize),
}

/// What a mail is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    /// The group, as the tag has it.
    pub(super) group: &'a str,
    /// The name of the list beside it.
    pub(super) file: &'a str,
    /// Hosts of high, medium and low severity.
    pub(super) severities: [u64; 3],
    /// The hosts in lines, with what is to be done.
    pub(super) list: &'a str,
}

impl Default for Template {
    fn default() -> Self {
        // The file is part of the program, and a test reads it.
        Self::parse(BUILT_IN).unwrap_or(Self(Vec::new()))
    }
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let text = text.replace("\r\n", "\n");
        let head = text.strip_prefix("Subject: ").and_then(|rest| rest.split_once('\n'));
        if !head.is_some_and(|(_, body)| body.starts_with('\n')) {
            return Err(TemplateError::Subject);
        }
        let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text.as_str());
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            if let Some(behind) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                plain.push_str(&from[..1]);
                rest = behind;
                continue;
            }
            let inside = from.strip_prefix('{').and_then(|from| from.split_once('}'));
            let (name, behind) = inside.ok_or(TemplateError::Brace)?;
            let place = PLACES.iter().position(|place| *place == name);
            let place = place.ok_or_else(|| TemplateError::Place(Safe(name).to_string()))?;
            parts.extend([Part::Text(std::mem::take(&mut plain)), Part::Place(place)]);
            rest = behind;
        }
        plain.push_str(rest);
        parts.push(Part::Text(plain));
        Ok(Self(parts))
    }

    /// The mail. A stranger's text adds no line to its head.
    pub(super) fn fill(&self, about: &Subject<'_>) -> String {
        let [high, medium, low] = about.severities;
        let hosts = match high + medium + low {
            1 => "1 mail server".to_owned(),
            count => format!("{count} mail servers"),
        };
        let values = [
            Safe(about.group).to_string(),
            hosts,
            high.to_string(),
            medium.to_string(),
            low.to_string(),
            about.list.to_owned(),
            about.file.to_owned(),
        ];
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => text.as_str(),
            Part::Place(place) => values[*place].as_str(),
        });
        parts.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_has_its_numbers_and_no_name_adds_a_line_to_its_head() {
        let template =
            Template::parse("Subject: {hosts} of {group}\n\n{high}/{medium}/{low} {{x}} {list}{file}")
                .unwrap();
        let about = Subject { group: "C-17\nBcc: x", file: "C-17.csv", severities: [1, 0, 0], list: "L " };
        assert_eq!(
            template.fill(&about),
            "Subject: 1 mail server of C-17\\x0aBcc: x\n\n1/0/0 {x} L C-17.csv"
        );
    }

    #[test]
    fn what_stands_for_nothing_is_an_error_that_names_it() {
        for (text, wrong) in [
            ("Hello", TemplateError::Subject),
            ("Subject: x\nno blank line", TemplateError::Subject),
            ("Subject: {name}\n\n", TemplateError::Place("name".to_owned())),
            ("Subject: x\n\n{", TemplateError::Brace),
            ("Subject: x\n\n}", TemplateError::Brace),
        ] {
            assert_eq!(Template::parse(text).unwrap_err(), wrong, "{text}");
        }
    }

    #[test]
    fn the_built_in_template_is_one() {
        assert_eq!(Template::parse(BUILT_IN).unwrap(), Template::default());
    }
}
