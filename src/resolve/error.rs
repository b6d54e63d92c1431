//! What keeps a resolver from being had.

/// Why no resolver can be had.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// Nobody to ask.
    #[error("no DNS resolver is known; name one with `--resolver`")]
    NoUpstream,
    /// Nobody that this machine can send to: each, and why not.
    #[error("{0}; name another one with `--resolver`")]
    Unusable(String),
    /// The system's list can't be read.
    #[error("can't read the system's DNS resolvers ({0}); name one with `--resolver`")]
    System(String),
    /// A socket, a thread or a poll can't be had.
    #[error("can't {0}: {1}")]
    Io(&'static str, #[source] std::io::Error),
}
