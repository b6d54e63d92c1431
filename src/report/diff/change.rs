//! The words for what became of a host.

/// What became of a host. The order is that of a report: what needs a person comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// Sound before, in trouble now; or in trouble that weighs more.
    Regressed,
    /// In trouble before and now.
    StillWrong,
    /// Several records of one scan contradict each other, or it was sound and in trouble by turns.
    Flapping,
    /// In trouble before, sound now.
    Fixed,
    /// Sound before and now, under another name.
    Renamed,
    /// Greets now, did not before.
    New,
    /// Greeted before, does not now.
    Gone,
    /// DNS gave no definite answer before or now.
    Unknown,
    /// Sound before and now, under the same names.
    Same,
}

impl Change {
    /// All of them, in the order of a report.
    pub const ALL: [Self; 9] = [
        Self::Regressed,
        Self::StillWrong,
        Self::Flapping,
        Self::Fixed,
        Self::Renamed,
        Self::New,
        Self::Gone,
        Self::Unknown,
        Self::Same,
    ];

    /// The change a word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.as_str() == word)
    }

    /// What it means, for a person.
    pub fn about(self) -> &'static str {
        match self {
            Self::Regressed => "Sound before, in trouble now; or in trouble that weighs more.",
            Self::StillWrong => "In trouble before and now.",
            Self::Flapping => "Its records contradict each other, or it went back and forth.",
            Self::Fixed => "In trouble before, sound now.",
            Self::Renamed => "Sound before and now, under another name.",
            Self::New => "Greets now, did not before.",
            Self::Gone => "Greeted before, does not now.",
            Self::Unknown => "DNS gave no definite answer before or now.",
            Self::Same => "Sound before and now, under the same names.",
        }
    }

    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::StillWrong => "still_wrong",
            Self::Flapping => "flapping",
            Self::Fixed => "fixed",
            Self::Renamed => "renamed",
            Self::New => "new",
            Self::Gone => "gone",
            Self::Unknown => "unknown",
            Self::Same => "same",
        }
    }
}
