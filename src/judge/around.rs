//! What the rest of a run says of one host: findings that no host shows alone. [`super::run`] counts; this
//! decides.

use super::finding::Code;
use super::tenancy::Reason;
use super::verdict::{Tenancy, Verdict};
use crate::evidence::Outcome;

/// How many addresses with one banner name are many: two may be a pair for redundancy.
pub const MANY: usize = 3;

/// What makes a name a default or a foreign one. A platform's own name is not foreign: its expected
/// differences have become `platform_identity`.
pub const FOREIGN: [Code; 7] = [
    Code::BannerUnqualified,
    Code::BannerDefault,
    Code::BannerPrivateName,
    Code::BannerPlaceholder,
    Code::BannerUnresolvable,
    Code::BannerResolvesElsewhere,
    Code::UnownedIdentity,
];

/// What the run knows of a host beside its own evidence; by default nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Around {
    /// How many addresses greeted with this host's banner name, this one included; [`MANY`] stands for any
    /// more.
    pub same_name: usize,
    /// Of the addresses that the banner's name leads to, how many greeted, this one not included.
    pub greeted_elsewhere: usize,
}

impl Around {
    /// Adds what the run shows to the codes of a host. A sound name on many addresses makes a host shared
    /// where nothing else has settled the question; gives the tenancy.
    pub(super) fn complete(
        self,
        has_name: bool,
        verdict: Verdict,
        codes: &mut Vec<Code>,
        (tenancy, reason): (Tenancy, Reason),
    ) -> Tenancy {
        let is_many = has_name && self.same_name >= MANY;
        // A finding of the name is excused by the verdict alone, whatever the outcome.
        let counts =
            |code: &Code| FOREIGN.contains(code) && code.excuse(Outcome::Greeted, Some(verdict)).is_none();
        let is_foreign = codes.iter().any(counts);
        if is_many && is_foreign {
            codes.push(Code::ClonedImage);
        }
        if codes.contains(&Code::BannerResolvesElsewhere) && self.greeted_elsewhere > 0 {
            codes.push(Code::StaleBanner);
        }
        codes.sort_unstable();
        if is_many && !is_foreign && reason == Reason::Nothing { Tenancy::Shared } else { tenancy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::fixture::host;
    use crate::judge::{Context, judge_in};
    use crate::targets::Inventory;

    fn completed(
        greeting: &str,
        reverse: &str,
        banner: &str,
        around: Around,
    ) -> (Vec<&'static str>, Tenancy) {
        let context = Context { around, ..Context::default() };
        let judgement = judge_in(&context, &host(greeting, reverse, banner), &Inventory::default());
        assert_eq!(judgement.severity, judgement.findings.iter().map(|f| f.severity).max());
        (judgement.findings.iter().map(|finding| finding.code.as_str()).collect(), judgement.tenancy)
    }

    const OWN: &str = "220 mail.kestrel.example ESMTP";
    const PTR: &str = "x.example.net=here";

    fn many(same_name: usize) -> Around {
        Around { same_name, ..Around::default() }
    }

    #[test]
    fn a_default_or_foreign_name_on_many_addresses_is_a_cloned_image() {
        for (greeting, banner, count, cloned) in [
            ("220 localhost ESMTP", "not_asked", MANY, true),
            ("220 localhost ESMTP", "not_asked", MANY - 1, false),
            ("220 ESMTP", "not_asked", MANY, false),
            (OWN, "elsewhere", MANY, true),
            (OWN, "here", MANY, false),
            ("220 mx.google.com ESMTP 1 - gsmtp", "nxdomain", MANY, false),
        ] {
            let reverse = if greeting.contains("google") { "x.1e100.net=here" } else { PTR };
            let (codes, _) = completed(greeting, reverse, banner, many(count));
            assert_eq!(codes.contains(&"cloned_image"), cloned, "{greeting} {banner} {count}");
        }
    }

    #[test]
    fn a_sound_name_on_many_addresses_tells_a_shared_host_where_nothing_else_does() {
        assert_eq!(completed(OWN, PTR, "here", many(MANY)).1, Tenancy::Shared);
        assert_eq!(completed(OWN, PTR, "elsewhere", many(MANY)).1, Tenancy::Unknown);
        assert_eq!(
            completed(OWN, "mail.kestrel.example=here x.example.net=here", "here", many(MANY)).1,
            Tenancy::Dedicated
        );
        assert_eq!(completed(OWN, PTR, "here", Around::default()).1, Tenancy::Unknown);
    }

    #[test]
    fn a_banner_whose_name_greets_at_another_address_is_stale() {
        let elsewhere = |greeted_elsewhere| Around { greeted_elsewhere, ..Around::default() };
        for (banner, greeted, stale) in
            [("elsewhere", 1, true), ("elsewhere", 0, false), ("here", 1, false), ("servfail", 1, false)]
        {
            let (codes, _) = completed(OWN, PTR, banner, elsewhere(greeted));
            assert_eq!(codes.contains(&"stale_banner"), stale, "{banner} {greeted}");
        }
    }
}
