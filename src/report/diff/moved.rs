//! Which names have moved: a name by which one address alone greeted before and another alone greets now,
//! whether the two hosts are gone, new, or greet by other names. By example: the hosts at .1 and .2 swap
//! their names a and b: a was at .1 and is at .2, b was at .2 and is at .1.

use std::collections::HashMap;
use std::net::IpAddr;

use super::{Entry, State};
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

/// Tells the hosts whose name went elsewhere, and those whose name came from elsewhere, of each other.
pub(super) fn mark(entries: &mut [Entry<'_>]) {
    let before = owners(entries, |entry| entry.old);
    let now = owners(entries, |entry| entry.new);
    let elsewhere = |state: Option<&State>, (ip, port), here: &Owners<'_>, there: &Owners<'_>| {
        let owner = |owners: &Owners<'_>, name| owners.get(&(name, port)).copied().flatten();
        let name = state.and_then(name)?;
        let alone = owner(here, name) == Some(ip);
        owner(there, name).filter(|&other| alone && other != ip)
    };
    for entry in entries {
        let at = (entry.host.ip, entry.host.port);
        entry.moved_to = elsewhere(entry.old, at, &before, &now);
        entry.moved_from = elsewhere(entry.new, at, &now, &before);
    }
}

/// The one address that greets by each name, or none where several do.
fn owners<'a>(entries: &[Entry<'a>], side: impl Fn(&Entry<'a>) -> Option<&'a State>) -> Owners<'a> {
    let mut owners = Owners::new();
    for entry in entries {
        let ip = Some(entry.host.ip);
        if let Some(name) = side(entry).and_then(name) {
            let owner = owners.entry((name, entry.host.port)).or_insert(ip);
            *owner = owner.filter(|_| *owner == ip);
        }
    }
    owners
}

fn name(state: &State) -> Option<&str> {
    let own = !NOBODYS.iter().any(|&code| state.trouble.contains(code));
    state.banner_name.as_deref().filter(|_| own && state.spoke())
}
