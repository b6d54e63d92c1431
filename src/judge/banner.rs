//! The names that a host gives itself, taken from what it showed.

use crate::evidence::Evidence;
use crate::smtp::ehlo;
use crate::smtp::greeting::Greeting;

/// The greeting of a host that sent one, read: an echo of our own name or address is not the host's.
pub(super) fn banner(evidence: &Evidence) -> Greeting {
    evidence.greeting_source().greeting()
}

/// The name in the reply to EHLO or HELO, in normal form; a server that gives our own name back gives none.
pub(super) fn ehlo_name(evidence: &Evidence) -> Option<String> {
    let ours = evidence.scanner.as_deref().and_then(|scanner| scanner.name.as_ref());
    let name = evidence.observation.ehlo.as_ref().and_then(ehlo::name)?;
    (ours.map(crate::name::HostName::as_str) != Some(&name)).then_some(name)
}
