//! The words for what can be changed on a host: one of three remedies, and a remedy with the name that it is
//! to set.
//!
//! In a record `ptr=mail.example.org` sets the PTR record of the address to that name alone, `forward=…` adds
//! the address to the name, `banner=…` lets the server greet with it. Without a name behind `=`, one has to
//! be agreed on.

use std::fmt;

use crate::name::HostName;

/// A single change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Remedy {
    /// One PTR record, in the place of those that are there.
    Ptr,
    /// Another name in the greeting.
    Banner,
    /// One address record more, for a name that is in use.
    Forward,
}

impl Remedy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ptr, Self::Banner, Self::Forward];

    /// The word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ptr => "ptr",
            Self::Banner => "banner",
            Self::Forward => "forward",
        }
    }

    /// The remedy a word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|remedy| remedy.as_str() == word)
    }
}

/// A set of remedies, each of which is enough by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Remedies(u8);

impl Remedies {
    /// Whether a remedy is in.
    pub fn contains(self, remedy: Remedy) -> bool {
        self.0 & 1 << (remedy as u8) != 0
    }

    /// Those that are in, in the order of [`Remedy::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Remedy> {
        Remedy::ALL.into_iter().filter(move |&remedy| self.contains(remedy))
    }
}

impl FromIterator<Remedy> for Remedies {
    fn from_iter<I: IntoIterator<Item = Remedy>>(remedies: I) -> Self {
        Self(remedies.into_iter().fold(0, |set, remedy| set | 1 << (remedy as u8)))
    }
}

/// One record or setting to change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Change {
    /// Which of the three.
    pub remedy: Remedy,
    /// To which name; `None` where nothing offers one, so that one has to be agreed on.
    pub name: Option<HostName>,
}

impl Change {
    /// The change that a word of a record stands for.
    pub fn parse(word: &str) -> Option<Self> {
        let (remedy, name) = word.split_once('=')?;
        let remedy = Remedy::parse(remedy)?;
        let name = match name {
            "" => None,
            name => Some(HostName::parse(name).ok()?),
        };
        Some(Self { remedy, name })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.remedy.as_str(), self.name.as_ref().map_or("", HostName::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back() {
        for remedy in Remedy::ALL {
            assert_eq!(Remedy::parse(remedy.as_str()), Some(remedy));
        }
        assert_eq!(Remedy::parse("PTR"), None);
        let some: Remedies = [Remedy::Forward, Remedy::Ptr].into_iter().collect();
        assert_eq!(some.iter().collect::<Vec<_>>(), [Remedy::Ptr, Remedy::Forward]);
    }

    #[test]
    fn words_come_back_and_what_is_none_is_not_read() {
        for word in ["ptr=mail.example.org", "banner=mail.example.org", "forward=mail.example.org", "ptr="] {
            assert_eq!(Change::parse(word).unwrap().to_string(), word);
        }
        for word in ["", "ptr", "helo=mail.example.org", "ptr=a b", "ptr=$(reboot).example", "PTR=a.example"]
        {
            assert_eq!(Change::parse(word), None, "{word}");
        }
    }
}
