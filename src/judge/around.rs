//! What the rest of a run says of one host: findings that no host shows alone. The caller has counted; this decides.

use super::finding::{Code, Finding};
use super::tenancy::Reason;
use super::verdict::{Severity, Tenancy};
use super::{Judgement, finding};

/// How many addresses with one banner name are many: two may be a pair for redundancy.
pub const MANY: u32 = 3;

/// What the run knows of a host beside its own evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Around {
    /// How many addresses greeted with this host's banner name, this one included.
    pub same_name: u32,
    /// How many different banner names the attempts at this target met.
    pub names_met: u32,
    /// Of the addresses that the banner's name leads to, how many greeted, this one not included.
    pub greeted_elsewhere: u32,
}

/// Adds what the run shows to a judgement. `reason` is what its tenancy rests on ([`super::tenancy_of`]): a name on many
/// addresses makes a host shared where nothing else has settled the question.
pub fn complete(judgement: &mut Judgement, reason: Reason, around: Around) {
    if judgement.verdict.is_none() {
        return;
    }
    let has =
        |judgement: &Judgement, code: Code| judgement.findings.iter().any(|finding| finding.code == code);
    let mut codes: Vec<_> = judgement.findings.iter().map(|finding| finding.code).collect();
    let is_many = around.same_name >= MANY && judgement.banner_name.is_some();
    let is_foreign = FOREIGN.iter().any(|code| has(judgement, *code));
    // A platform's own name is not foreign: its expected differences have become `platform_identity`.
    if is_many && is_foreign {
        codes.push(Code::ClonedImage);
    }
    if has(judgement, Code::BannerResolvesElsewhere) && around.greeted_elsewhere > 0 {
        codes.push(Code::StaleBanner);
    }
    if around.names_met > 1 {
        codes.push(Code::BannerRotates);
    }
    if is_many && !is_foreign && reason == Reason::Nothing {
        judgement.tenancy = Tenancy::Shared;
    }
    codes.sort_unstable();
    codes.dedup();
    let tenancy = judgement.tenancy;
    judgement.findings =
        codes.into_iter().map(|code| finding::Finding { code, severity: code.severity(tenancy) }).collect();
    judgement.severity = Some(highest(&judgement.findings));
}

/// What makes a name a default or a foreign one.
const FOREIGN: &[Code] = &[
    Code::BannerUnqualified,
    Code::BannerDefault,
    Code::BannerPrivateName,
    Code::BannerPlaceholder,
    Code::BannerUnresolvable,
    Code::BannerResolvesElsewhere,
    Code::UnownedIdentity,
];

/// The severity of a record with these findings.
pub(super) fn highest(findings: &[Finding]) -> Severity {
    findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::fixture::host;
    use crate::judge::{judge, tenancy_of};
    use crate::targets::Inventory;

    fn completed(
        greeting: &str,
        reverse: &str,
        banner: &str,
        around: Around,
    ) -> (Vec<&'static str>, Tenancy) {
        let evidence = host(greeting, reverse, banner);
        let inventory = Inventory::default();
        let mut judgement = judge(&evidence, &inventory);
        complete(&mut judgement, tenancy_of(&evidence, &inventory).1, around);
        assert_eq!(
            judgement.severity,
            judgement.findings.iter().map(|f| f.severity).max().or(Some(Severity::None))
        );
        (judgement.findings.iter().map(|finding| finding.code.as_str()).collect(), judgement.tenancy)
    }

    const OWN: &str = "220 mail.kestrel.example ESMTP";
    const PTR: &str = "x.example.net=here";

    #[test]
    fn a_default_or_foreign_name_on_many_addresses_is_a_cloned_image() {
        let many = |same_name| Around { same_name, ..Around::default() };
        for (greeting, banner, count, cloned) in [
            ("220 localhost ESMTP", "not_asked", MANY, true),
            ("220 localhost ESMTP", "not_asked", MANY - 1, false),
            (OWN, "elsewhere", MANY, true),
            (OWN, "here", MANY, false),
            ("220 mx.google.com ESMTP 1 - gsmtp", "nxdomain", 1000, false),
        ] {
            let reverse = if greeting.contains("google") { "x.1e100.net=here" } else { PTR };
            let (codes, _) = completed(greeting, reverse, banner, many(count));
            assert_eq!(codes.contains(&"cloned_image"), cloned, "{greeting} {banner} {count}");
        }
    }

    #[test]
    fn a_sound_name_on_many_addresses_tells_a_shared_host_where_nothing_else_does() {
        let many = Around { same_name: MANY, ..Around::default() };
        assert_eq!(completed(OWN, PTR, "here", many).1, Tenancy::Shared);
        assert_eq!(completed(OWN, PTR, "elsewhere", many).1, Tenancy::Unknown);
        assert_eq!(completed(OWN, "mail.kestrel.example=here", "here", many).1, Tenancy::Dedicated);
        assert_eq!(completed(OWN, PTR, "here", Around::default()).1, Tenancy::Unknown);
    }

    #[test]
    fn names_that_rotate_and_names_that_live_on_elsewhere_are_told() {
        let met = |names_met| Around { names_met, ..Around::default() };
        assert!(completed(OWN, PTR, "here", met(2)).0.contains(&"banner_rotates"));
        assert!(!completed(OWN, PTR, "here", met(1)).0.contains(&"banner_rotates"));
        let elsewhere = |greeted_elsewhere| Around { greeted_elsewhere, ..Around::default() };
        assert!(completed(OWN, PTR, "elsewhere", elsewhere(1)).0.contains(&"stale_banner"));
        assert!(!completed(OWN, PTR, "elsewhere", elsewhere(0)).0.contains(&"stale_banner"));
        assert!(!completed(OWN, PTR, "here", elsewhere(1)).0.contains(&"stale_banner"));
    }

    #[test]
    fn completing_twice_changes_nothing_more() {
        let around = Around { same_name: 9, names_met: 2, greeted_elsewhere: 1 };
        let evidence = host("220 localhost ESMTP", PTR, "elsewhere");
        let mut once = judge(&evidence, &Inventory::default());
        complete(&mut once, Reason::Nothing, around);
        let mut twice = once.clone();
        complete(&mut twice, Reason::Nothing, around);
        assert_eq!(once, twice);
    }
}
