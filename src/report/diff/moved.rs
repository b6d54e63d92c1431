//! Which hosts that are gone greet at another address now: a name that one address alone had before and another alone
//! has now has moved.

use std::collections::HashMap;
use std::net::IpAddr;

use super::{Change, Entry, State};
use crate::judge::Code;

/// Names with these findings are nobody's own: two hosts that share one are two hosts.
const NOBODYS: [Code; 6] = [
    Code::BannerLiteral,
    Code::BannerBareAddress,
    Code::BannerUnqualified,
    Code::BannerDefault,
    Code::BannerPrivateName,
    Code::BannerPlaceholder,
];

/// Who greets by a name at a port.
type Owners<'a> = HashMap<(&'a str, u16), Option<IpAddr>>;

/// Tells entries that are gone and that are new of each other.
pub(super) fn mark(entries: &mut [Entry<'_>]) {
    let before = owners(entries, |entry| entry.old);
    let now = owners(entries, |entry| entry.new);
    for entry in entries {
        let (from, to, there) = match entry.change {
            Change::Gone => (entry.old, &before, &now),
            Change::New => (entry.new, &now, &before),
            _ => continue,
        };
        let (ip, port) = entry.host;
        let Some(name) = from.and_then(name) else { continue };
        let alone = to.get(&(name, port)).copied().flatten() == Some(ip);
        entry.moved = there.get(&(name, port)).copied().flatten().filter(|&other| alone && other != ip);
    }
}

/// The one address that greets by each name, or none where several do.
fn owners<'a>(entries: &[Entry<'a>], side: impl Fn(&Entry<'a>) -> Option<&'a State>) -> Owners<'a> {
    let mut owners = Owners::new();
    for entry in entries {
        let (ip, port) = entry.host;
        if let Some(name) = side(entry).and_then(name) {
            owners.entry((name, port)).and_modify(|owner| *owner = None).or_insert(Some(ip));
        }
    }
    owners
}

fn name(state: &State) -> Option<&str> {
    let own = !NOBODYS.iter().any(|&code| state.trouble.contains(code));
    state.banner_name.as_deref().filter(|_| own && state.spoke())
}
