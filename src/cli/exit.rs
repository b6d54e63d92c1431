//! The exit codes, a promise to scripts.

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Findings reached `--fail-on`, or a self-check failed.
    Findings,
    /// Usage, or input that can't be read.
    Usage,
    /// Stopped early; can be resumed.
    Stopped,
    /// Could not go on: disk full, no permission.
    Failed,
    /// As a monitoring plugin ends.
    Plugin(State),
}

/// The states of a monitoring plugin (Monitoring Plugins Development Guidelines, "Plugin Return Codes").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing that anybody has to look at.
    Ok,
    /// Worth a look.
    Warning,
    /// Has to be seen to.
    Critical,
    /// Nothing could be said.
    Unknown,
}

impl State {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Stopped => 3,
            Self::Failed => 4,
            Self::Plugin(state) => state.code(),
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Marks an error as trouble of this machine, so that it ends the program with [`Exit::Failed`].
#[derive(Debug, thiserror::Error)]
#[error("can't go on")]
pub(super) struct Unable;
