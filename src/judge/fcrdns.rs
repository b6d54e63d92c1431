//! Forward-confirmed reverse DNS (RFC 8601 §2.7.3): where each PTR name leads, and what that makes of the
//! address.
//!
//! An address fails only if every one of its PTR names is known not to lead back. One question without a
//! definite answer, or one PTR name that nobody asked, leaves it open.

use std::net::IpAddr;

use super::verdict::Fcrdns;
use crate::evidence::{Forward, Resolution, Status};

/// Where a name leads, as far as one address is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lead {
    /// To the address.
    Here,
    /// To other addresses only.
    Elsewhere,
    /// To none in the family: NXDOMAIN or no data.
    Nowhere,
    /// Nobody knows.
    Unknown,
}

impl Lead {
    /// Reads a forward answer for a target; one that was found and can't tell is unknown.
    pub fn of(forward: &Forward, target: Option<IpAddr>) -> Self {
        match (forward.status, forward.confirms(target)) {
            (Status::Found, Some(true)) => Self::Here,
            (Status::Found, Some(false)) => Self::Elsewhere,
            (status, _) if status.is_absent() => Self::Nowhere,
            _ => Self::Unknown,
        }
    }

    /// Whether it is known not to lead here.
    pub fn is_away(self) -> bool {
        matches!(self, Self::Elsewhere | Self::Nowhere)
    }
}

/// The result for one address.
pub fn fcrdns(resolution: &Resolution, target: Option<IpAddr>) -> Fcrdns {
    match resolution.ptr {
        Status::Found => confirm(resolution, target),
        status if status.is_absent() => Fcrdns::PermError,
        _ => Fcrdns::TempError,
    }
}

/// Whether all PTR names that the address has were asked forward.
pub fn is_whole(resolution: &Resolution) -> bool {
    !resolution.names.is_empty() && resolution.names.len() as u64 >= u64::from(resolution.ptr_count)
}

fn confirm(resolution: &Resolution, target: Option<IpAddr>) -> Fcrdns {
    let mut all_away = is_whole(resolution);
    for name in &resolution.names {
        let lead = Lead::of(&name.forward, target);
        if lead == Lead::Here {
            return Fcrdns::Pass;
        }
        all_away &= lead.is_away();
    }
    if all_away { Fcrdns::Fail } else { Fcrdns::TempError }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::fixture::{HERE, forward, ptr};

    #[test]
    fn the_four_results() {
        for (said, result) in [
            ("a=here", Fcrdns::Pass),
            ("a=elsewhere b=here", Fcrdns::Pass),
            ("a=servfail b=here", Fcrdns::Pass),
            ("a=elsewhere", Fcrdns::Fail),
            ("a=nxdomain", Fcrdns::Fail),
            ("a=no_data b=elsewhere", Fcrdns::Fail),
            ("a=elsewhere b=timed_out", Fcrdns::TempError),
            ("a=unsure", Fcrdns::TempError),
            ("a=not_asked", Fcrdns::TempError),
            ("nxdomain", Fcrdns::PermError),
            ("no_data", Fcrdns::PermError),
            ("servfail", Fcrdns::TempError),
            ("refused", Fcrdns::TempError),
            ("timed_out", Fcrdns::TempError),
            ("malformed", Fcrdns::TempError),
            ("not_asked", Fcrdns::TempError),
            ("", Fcrdns::TempError),
        ] {
            assert_eq!(fcrdns(&ptr(said), Some(HERE.into())), result, "{said}");
        }
    }

    #[test]
    fn names_that_nobody_asked_leave_it_open() {
        let mut resolution = ptr("a=elsewhere b=nxdomain");
        resolution.ptr_count = 17;
        assert_eq!(fcrdns(&resolution, Some(HERE.into())), Fcrdns::TempError);
        resolution.names[1].forward = forward("here");
        assert_eq!(fcrdns(&resolution, Some(HERE.into())), Fcrdns::Pass);
    }
}
