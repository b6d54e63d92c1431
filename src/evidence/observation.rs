//! What the wire showed of one target.

use std::time::Duration;

use super::tls::Tls;
use crate::smtp::reply::Reply;
use crate::smtp::said::Said;

/// How the conversation went, one word for each target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// A 2xx or 3xx greeting.
    Greeted,
    /// A 4xx or 5xx greeting.
    Rejected,
    /// Connected, and no greeting in time.
    Silent,
    /// Connected, and closed without a greeting.
    Closed,
    /// Something other than SMTP was said.
    NotSmtp,
    /// RST to our SYN.
    Refused,
    /// No answer to our SYN in time.
    TimedOut,
    /// The network said that it can't be reached.
    Unreachable,
    /// RST after the connection stood.
    Reset,
    /// This machine has nothing to reach the address's family by.
    NotTried,
    /// Where TLS comes first (port 465): something was said, and no TLS came of it.
    TlsFailed,
    /// A host name or `mx:` without an address.
    Unresolved,
    /// A name that resolves only to excluded or reserved addresses.
    Excluded,
    /// Of a stored record, a word that this version does not know. No scan ends so, and it is not among
    /// [`Outcome::ALL`].
    Other,
}

impl Outcome {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 13] = [
        Self::Greeted,
        Self::Rejected,
        Self::Silent,
        Self::Closed,
        Self::NotSmtp,
        Self::Refused,
        Self::TimedOut,
        Self::Unreachable,
        Self::Reset,
        Self::NotTried,
        Self::TlsFailed,
        Self::Unresolved,
        Self::Excluded,
    ];

    /// The word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Greeted => "greeted",
            Self::Rejected => "rejected",
            Self::Silent => "silent",
            Self::Closed => "closed",
            Self::NotSmtp => "not_smtp",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::Unreachable => "unreachable",
            Self::Reset => "reset",
            Self::NotTried => "not_tried",
            Self::TlsFailed => "tls_failed",
            Self::Unresolved => "unresolved",
            Self::Excluded => "excluded",
            Self::Other => "other",
        }
    }

    /// The outcome a word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }

    /// Whether the host sent anything.
    pub fn has_spoken(self) -> bool {
        matches!(self, Self::Greeted | Self::Rejected | Self::NotSmtp | Self::TlsFailed)
    }

    /// Whether a mail server spoke, so that its name is judged and DNS is asked.
    pub fn is_judged(self) -> bool {
        matches!(self, Self::Greeted | Self::Rejected)
    }
}

impl From<Said> for Outcome {
    fn from(said: Said) -> Self {
        match said {
            Said::Welcome => Self::Greeted,
            Said::Refusal => Self::Rejected,
            Said::NotSmtp => Self::NotSmtp,
        }
    }
}

/// What one target showed, over all attempts; the last one's figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The one word.
    pub outcome: Outcome,
    /// What was said first, whole or as far as it came; `None` if not a byte was kept.
    pub greeting: Option<Reply>,
    /// The reply to our EHLO or HELO; `None` where none was sent or none came.
    pub ehlo: Option<Reply>,
    /// What was seen of TLS; `None` where the conversation did not come to it.
    pub tls: Option<Box<Tls>>,
    /// The name in the greeting of each conversation of this scan, the first one's first, where there was
    /// more than one; `None` in place of a name where a greeting held none or did not come.
    pub samples: Vec<Option<Box<str>>>,
    /// Whether time or a limit ended the reading of the greeting.
    pub truncated: bool,
    /// Whether the kernel had to send the SYN of the last attempt again: a packet was lost on the way. Not
    /// recorded.
    pub resent: bool,
    /// Connections tried, local trouble not counted; 0 where there was no address to try.
    pub attempts: u8,
    /// From the first SYN of the last attempt to the connection.
    pub connect: Option<Duration>,
    /// From the connection to the greeting's last line.
    pub banner: Option<Duration>,
}

impl Observation {
    /// An observation of nothing but the outcome.
    pub fn bare(outcome: Outcome, attempts: u8) -> Self {
        Self {
            outcome,
            greeting: None,
            ehlo: None,
            tls: None,
            samples: Vec::new(),
            truncated: false,
            resent: false,
            attempts,
            connect: None,
            banner: None,
        }
    }
}
