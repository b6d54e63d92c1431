//! The addresses of excluded names, which no scan may speak to.

use std::net::IpAddr;

use super::exclusion_watch::Addresses;
use crate::resolve::{self, Case, Resolver, Solution, Want};
use crate::targets::Kind;

/// The addresses of an excluded name, as long as the scan runs.
pub(super) fn late_addresses(settings: resolve::Settings) -> Addresses {
    Box::new(move |kind| excluded_addresses(kind, &|| Ok(settings.clone())))
}

/// The addresses of an excluded name. What can't be told for certain stops the scan: exclusions fail closed.
pub(super) fn excluded_addresses(
    kind: &Kind,
    settings: &impl Fn() -> anyhow::Result<resolve::Settings>,
) -> anyhow::Result<Vec<IpAddr>> {
    let want = match kind {
        Kind::Host(name) => Want::Addresses(name.clone()),
        Kind::Mx(domain) => Want::MailHosts(domain.clone()),
        Kind::Address(_) | Kind::Prefix(_) | Kind::Range(..) | Kind::Asn(_) => return Ok(Vec::new()),
    };
    let Resolver { inbox, mut solved, .. } = resolve::start::<()>(settings()?)?;
    let sent = inbox.send_blocking(vec![Case { want, carry: () }]);
    drop(inbox);
    let solution = sent.ok().and_then(|()| solved.blocking_recv()).and_then(|mut batch| batch.pop());
    let unsure =
        || anyhow::anyhow!("exclusion `{kind}` could not be resolved; exclude its addresses instead");
    match solution.ok_or_else(unsure)?.solution {
        Solution::Addresses(found) if found.whole => Ok(found.addresses),
        Solution::MailHosts(found) if found.whole => {
            Ok(found.hosts.into_iter().flat_map(|host| host.addresses.addresses).collect())
        }
        _ => Err(unsure()),
    }
}
