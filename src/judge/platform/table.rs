//! The rows of `platforms.toml`, read once, when the first platform is looked for. The file says how to add
//! one.

use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::judge::defaults::is_under;

/// The table as text.
pub(super) const TEXT: &str = include_str!("platforms.toml");

/// What a platform is to the one who runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Software that the operator of the host installs.
    #[serde(rename = "software")]
    SelfHosted,
    /// A filter that stands before somebody's mail server, as an appliance or as a service.
    Gateway,
    /// A service that sends for its customers.
    Relay,
    /// A service that holds its customers' mail.
    Provider,
    /// A hosting control panel: many customers on one host.
    Panel,
}

/// Pieces of text that stand one behind the other; `^` ties the first to the start of a line.
pub type Pieces = &'static [&'static str];

/// How a greeting looks, or a reply to EHLO.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Line 1 holds the pieces.
    Line(Pieces),
    /// The whole greeting holds the pieces, whatever the line.
    Text(Pieces),
    /// The greeting's name stands in one of the domains, and line 1 holds the pieces.
    Named(Pieces, Pieces),
    /// A later line holds the pieces, and line 1 does not.
    BehindTeaser(Pieces),
    /// Line 1 ends in `ESMTP (hexadecimal digits)`.
    HexTag,
    /// The EHLO reply offers all of the first keywords and otherwise only some of the second.
    EhloExactly(Pieces, Pieces),
    /// The extensions of the EHLO reply hold the pieces, whatever the line. Line 1 is not looked at: of that,
    /// records keep the name alone.
    Ehlo(Pieces),
    /// A firewall overwrote the greeting with asterisks.
    Masked,
}

/// Where a shape is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the greeting, if the rule's word stands there.
    Greeting,
    /// In the reply to EHLO, if the rule's word stands there.
    Ehlo,
    /// In a greeting of which a firewall left no word.
    Mask,
}

impl Shape {
    /// Where it is looked for.
    pub fn place(&self) -> Place {
        match self {
            Self::EhloExactly(..) | Self::Ehlo(_) => Place::Ehlo,
            Self::Masked => Place::Mask,
            _ => Place::Greeting,
        }
    }
}

/// One way to know a platform.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// A word in lower case, of the greeting or of the EHLO reply, without which the shape need not be looked
    /// at.
    pub word: &'static str,
    /// The whole shape.
    pub shape: Shape,
}

/// What sets a platform's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The options, paths or pages.
    pub by: &'static str,
    /// The command that does it, with `{name}` in the place of the name.
    pub command: Option<&'static str>,
    /// The same as a line of the configuration.
    pub line: Option<&'static str>,
    /// Where the maker says so.
    pub source: &'static str,
}

/// A platform.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The name used in records.
    pub name: &'static str,
    /// The name that its makers use.
    pub title: &'static str,
    /// What it is to its operator.
    pub kind: Kind,
    /// Any of these tells it.
    pub rules: &'static [Rule],
    /// What stands before the version; the first one with a version behind it counts.
    pub versions: Pieces,
    /// The registrable domains in which its own hosts and their PTR names stand; empty for software.
    pub domains: Pieces,
    /// What sets its name; empty where the maker's word on it is not known.
    pub settings: &'static [Setting],
}

impl Row {
    /// Whether a name stands in one of its own domains.
    pub fn is_home_of(&self, name: &str) -> bool {
        self.domains.iter().any(|domain| is_under(name, domain))
    }
}

/// All rows. The text is part of the program and a test reads it, so a mistake in it never gets as far as a
/// user.
pub(super) static ROWS: LazyLock<&'static [Row]> = LazyLock::new(|| parse(TEXT).unwrap_or_default());

/// Reads a table. Its rows live as long as the program.
pub(super) fn parse(text: &str) -> Result<&'static [Row], toml::de::Error> {
    let table: TableText = toml::from_str(&without_greetings(text))?;
    let rows: Result<Vec<Row>, _> = table.platform.into_iter().map(RowText::into_row).collect();
    Ok(leaked(rows?))
}

/// The text without the greetings that only tests look at, more than half of it: each stands on a line that
/// opens with a bracket. One that is written otherwise is read and passed over.
fn without_greetings(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.trim_start().starts_with("[\"")).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableText {
    platform: Vec<RowText>,
}

/// A row as written. The greetings at its end are for the tests.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowText {
    name: String,
    title: String,
    kind: Kind,
    #[serde(default)]
    domains: Vec<String>,
    rules: Vec<RuleText>,
    #[serde(default)]
    versions: Vec<String>,
    #[serde(default)]
    settings: Vec<SettingText>,
    #[serde(rename = "fires")]
    _fires: IgnoredAny,
    #[serde(rename = "near")]
    _near: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingText {
    by: String,
    command: Option<String>,
    line: Option<String>,
    source: String,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RuleText {
    word: String,
    line: Option<Vec<String>>,
    text: Option<Vec<String>>,
    named: Option<Vec<String>>,
    behind_teaser: Option<Vec<String>>,
    hex_tag: bool,
    ehlo: Option<Vec<String>>,
    ehlo_all: Option<Vec<String>>,
    ehlo_also: Option<Vec<String>>,
    masked: bool,
}

impl RowText {
    fn into_row(self) -> Result<Row, toml::de::Error> {
        let wrong = || serde::de::Error::custom(format!("a rule of `{}` has not one shape", self.name));
        let rules: Option<Vec<Rule>> = self.rules.into_iter().map(RuleText::into_rule).collect();
        let rules = rules.ok_or_else(wrong)?;
        let kept = |text: String| &*text.leak();
        let setting = |it: SettingText| Setting {
            by: kept(it.by),
            command: it.command.map(kept),
            line: it.line.map(kept),
            source: kept(it.source),
        };
        Ok(Row {
            name: self.name.leak(),
            title: self.title.leak(),
            kind: self.kind,
            rules: leaked(rules),
            versions: pieces(self.versions),
            domains: pieces(self.domains),
            settings: leaked(self.settings.into_iter().map(setting).collect()),
        })
    }
}

impl RuleText {
    /// `None` if it names no shape, or two of them.
    fn into_rule(self) -> Option<Rule> {
        let mut shapes = Vec::new();
        match (self.named, self.line) {
            (Some(domains), line) => {
                shapes.push(Shape::Named(pieces(domains), pieces(line.unwrap_or_default())));
            }
            (None, Some(line)) => shapes.push(Shape::Line(pieces(line))),
            (None, None) => {}
        }
        shapes.extend(self.text.map(|it| Shape::Text(pieces(it))));
        shapes.extend(self.behind_teaser.map(|it| Shape::BehindTeaser(pieces(it))));
        shapes.extend(self.ehlo.map(|it| Shape::Ehlo(pieces(it))));
        let also = pieces(self.ehlo_also.unwrap_or_default());
        shapes.extend(self.ehlo_all.map(|all| Shape::EhloExactly(pieces(all), also)));
        shapes.extend(self.hex_tag.then_some(Shape::HexTag));
        shapes.extend(self.masked.then_some(Shape::Masked));
        match shapes[..] {
            [shape] if self.word.is_empty() == (shape.place() == Place::Mask) => {
                Some(Rule { word: self.word.leak(), shape })
            }
            _ => None,
        }
    }
}

fn pieces(texts: Vec<String>) -> Pieces {
    leaked(texts.into_iter().map(|text| &*text.leak()).collect())
}

fn leaked<T>(list: Vec<T>) -> &'static [T] {
    Box::leak(list.into_boxed_slice())
}
