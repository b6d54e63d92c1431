//! A few questions for DNS, asked and awaited.

use anyhow::anyhow;

use super::exit::Unable;
use crate::resolve::{self, Case, Settings, Solution, Want};

/// Asks DNS, and gives the solutions in the order of the wants.
pub fn solve(wants: Vec<Want>, settings: &Settings) -> anyhow::Result<Vec<Solution>> {
    if wants.is_empty() {
        return Ok(Vec::new());
    }
    let ended = || anyhow!("the resolver has ended").context(Unable);
    let resolve::Resolver { inbox, mut solved, .. } = resolve::start::<usize>(settings.clone())?;
    let count = wants.len();
    let cases = wants.into_iter().enumerate().map(|(carry, want)| Case { want, carry }).collect();
    inbox.send_blocking(cases).map_err(|_| ended())?;
    drop(inbox);
    let mut all = Vec::with_capacity(count);
    while all.len() < count {
        all.extend(solved.blocking_recv().ok_or_else(ended)?);
    }
    all.sort_unstable_by_key(|solved| solved.carry);
    Ok(all.into_iter().map(|solved| solved.solution).collect())
}
