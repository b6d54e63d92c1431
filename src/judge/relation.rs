//! How near two names are: a ladder, not a yes or no. The whole Public Suffix List counts, its private
//! section included.

use std::cell::LazyCell;
use std::ops::Deref;

use super::ptr::Ptr;
use super::verdict::Relation;
use crate::name;

/// The relation between the banner's name and the nearest PTR name: among those that lead back to the
/// address, or among all if none does.
pub fn relation(banner: Option<&str>, ptrs: &[Ptr<'_>]) -> Relation {
    let confirmed = ptrs.iter().any(Ptr::is_confirmed);
    nearest(banner, ptrs.iter().filter(|ptr| !confirmed || ptr.is_confirmed()))
}

/// What the relation to the confirmed names would be if every name whose forward answer is open led to the
/// address.
pub fn at_best(banner: Option<&str>, ptrs: &[Ptr<'_>]) -> Relation {
    nearest(banner, ptrs.iter().filter(|ptr| !ptr.lead().is_away()))
}

fn nearest<'p, 'n: 'p>(banner: Option<&str>, ptrs: impl Iterator<Item = &'p Ptr<'n>>) -> Relation {
    let Some(banner) = banner else { return Relation::None };
    let domain = LazyCell::new(|| name::registrable(banner));
    ptrs.map(|ptr| between(banner, &domain, ptr)).min().unwrap_or(Relation::None)
}

fn between<'n>(banner: &str, domain: &impl Deref<Target = Option<&'n str>>, ptr: &Ptr<'_>) -> Relation {
    if ptr.is(banner) {
        Relation::Exact
    } else if ptr.domain().is_some() && **domain == ptr.domain() {
        Relation::SameDomain
    } else {
        Relation::Unrelated
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::fixture::{HERE, ptr};

    #[test]
    fn the_nearest_confirmed_name_counts() {
        use Relation::{Exact, None, SameDomain, Unrelated};
        for (banner, ptrs, near) in [
            ("mail.example.org", "mail.example.org=here", Exact),
            ("mail.example.org", "MAIL.Example.ORG=here", Exact),
            ("mail.example.org", "x.example.net=here mail.example.org=here", Exact),
            ("mail.example.org", "out.example.org=here", SameDomain),
            ("mail.example.org", "example.org=here", SameDomain),
            ("example.org", "a.b.c.example.org=here", SameDomain),
            ("mail.example.org", "mail.example.net=here", Unrelated),
            // Equal, and led astray: another name is confirmed, so that one counts.
            ("mail.example.org", "mail.example.org=elsewhere out.example.net=here", Unrelated),
            ("mail.example.org", "out.example.org=elsewhere x.example.net=here", Unrelated),
            // None confirms: the nearest of all.
            ("mail.example.org", "x.example.net=nxdomain mail.example.org=elsewhere", Exact),
            ("mail.example.org", "x.example.net=servfail y.example.org=timed_out", SameDomain),
            // The Public Suffix List: neighbours under one suffix are strangers.
            ("a.co.uk", "b.co.uk=here", Unrelated),
            ("mail.a.co.uk", "mx.a.co.uk=here", SameDomain),
            ("a.github.io", "b.github.io=here", Unrelated),
            ("a.duckdns.org", "b.duckdns.org=here", Unrelated),
            ("mx.a.duckdns.org", "a.duckdns.org=here", SameDomain),
            ("co.uk", "co.uk=here", Exact),
            // One label has no domain.
            ("mail", "mail.example.org=here", Unrelated),
            ("localhost", "localhost=here", Exact),
            ("mail", "server=here", Unrelated),
            ("mail.example.org", "nxdomain", None),
            ("mail.example.org", "servfail", None),
        ] {
            let resolution = ptr(ptrs);
            assert_eq!(
                relation(Some(banner), &Ptr::all(&resolution, Some(HERE.into()))),
                near,
                "{banner} against {ptrs}"
            );
        }
        assert_eq!(relation(Option::None, &Ptr::all(&ptr("a.example.org=here"), Some(HERE.into()))), None);
    }

    #[test]
    fn odd_bytes_in_a_ptr_name_are_part_of_its_labels() {
        for (banner, ptrs, near) in [
            ("mail_1.example.org", "mail_1.example.org=here", Relation::Exact),
            ("mail.example.org", r"m\000x.example.org=here", Relation::SameDomain),
            ("mail.example.org", r"mail\.example.org=here", Relation::Unrelated),
            ("mail.example.org", r"x.a\.example.org=here", Relation::Unrelated),
            ("mail.example.org", r"a\.b.mx.example.org=here", Relation::SameDomain),
        ] {
            let resolution = ptr(ptrs);
            assert_eq!(
                relation(Some(banner), &Ptr::all(&resolution, Some(HERE.into()))),
                near,
                "{banner} against {ptrs}"
            );
        }
    }
}
