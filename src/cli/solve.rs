//! A few questions for DNS, asked and awaited. Upstreams that are not believed are told of once, however
//! often it is asked.

use std::sync::LazyLock;

use anyhow::anyhow;

use super::exit::Unable;
use super::upstreams::{Voice, Warnings};
use crate::resolve::{self, Case, Settings, Solution, Want};

/// What a person was told of upstreams by now.
static WARNINGS: LazyLock<Warnings> = LazyLock::new(|| Warnings::new(Voice::Loud));

/// Asks DNS, and gives the solutions in the order of the wants; tells of upstreams that are not believed.
pub fn solve(wants: Vec<Want>, settings: &Settings) -> anyhow::Result<Vec<Solution>> {
    solve_telling(wants, settings, &WARNINGS)
}

/// The same for who tells of upstreams elsewhere.
pub(super) fn solve_quietly(wants: Vec<Want>, settings: &Settings) -> anyhow::Result<Vec<Solution>> {
    solve_telling(wants, settings, &Warnings::new(Voice::Quiet))
}

fn solve_telling(
    wants: Vec<Want>,
    settings: &Settings,
    warnings: &Warnings,
) -> anyhow::Result<Vec<Solution>> {
    if wants.is_empty() {
        return Ok(Vec::new());
    }
    let ended = || anyhow!("the resolver has ended").context(Unable);
    let resolve::Resolver { inbox, mut solved, .. } =
        resolve::start_telling::<usize>(settings.clone(), warnings.teller())?;
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
