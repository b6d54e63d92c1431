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
pub struct Unable;
