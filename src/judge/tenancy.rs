//! Whether an address is one operator's alone or many customers share it, with the reason. Strangers' names
//! are weak evidence: where they say nothing, the answer is unknown; what the user says overrides them.

use super::platform::{Kind, Row};
use super::providers::Providers;
use super::ptr::Ptr;
use super::verdict::Tenancy;
use crate::name;
use crate::targets::Inventory;

/// The inventory column by which a user settles the question: `shared` or `dedicated`.
pub const TAG: &str = "tenancy";

/// What the answer rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The user said so.
    Inventory,
    /// A service greets that sends or receives for many.
    Service,
    /// A hosting control panel greets.
    Panel,
    /// The host's name is one that shared hosting gives.
    HostingName,
    /// Banner and confirmed PTR name stand in one domain, which is no provider's.
    OwnDomain,
    /// One PTR name is the provider's, another somebody's own.
    CustomBesideGeneric,
    /// Nothing tells.
    Nothing,
}

impl Reason {
    /// What it rests on, as the end of a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inventory => "as the inventory says",
            Self::Service => "a service greets that sends or receives for many",
            Self::Panel => "a hosting control panel greets",
            Self::HostingName => "its name is one that shared hosting gives",
            Self::OwnDomain => "banner and PTR name stand in one domain, no provider's",
            Self::CustomBesideGeneric => "a PTR name of somebody's own stands beside the provider's",
            Self::Nothing => "nothing tells",
        }
    }
}

/// What the question is decided by.
#[derive(Debug, Clone, Copy)]
pub struct Signs<'a> {
    /// The banner's name, if usable.
    pub banner: Option<&'a str>,
    /// The PTR names.
    pub ptrs: &'a [Ptr<'a>],
    /// What greets.
    pub platform: Option<&'a Row>,
    /// Whose domains are providers'.
    pub providers: &'a Providers,
}

/// Decides, and says by what.
pub fn tenancy(signs: Signs<'_>, inventory: &Inventory) -> (Tenancy, Reason) {
    if let Some(said) = said(inventory) {
        return (said, Reason::Inventory);
    }
    match signs.platform.map(|row| (row.kind, row.domains.is_empty())) {
        Some((Kind::Relay | Kind::Provider, _) | (Kind::Gateway, false)) if signs.is_at_home() => {
            return (Tenancy::Shared, Reason::Service);
        }
        Some((Kind::Panel, _)) => return (Tenancy::Shared, Reason::Panel),
        _ => {}
    }
    if signs.own_names().any(|name| signs.providers.is_shared_hosting(name)) {
        (Tenancy::Shared, Reason::HostingName)
    } else if signs.share_own_domain() {
        (Tenancy::Dedicated, Reason::OwnDomain)
    } else if signs.has_custom_beside_generic() {
        (Tenancy::Dedicated, Reason::CustomBesideGeneric)
    } else {
        (Tenancy::Unknown, Reason::Nothing)
    }
}

/// What the user says of it, if the tag is there and holds one of the two words.
fn said(inventory: &Inventory) -> Option<Tenancy> {
    let (_, value) = inventory.tags.iter().find(|(tag, _)| tag.trim().eq_ignore_ascii_case(TAG))?;
    let said = Tenancy::parse(&value.trim().to_ascii_lowercase())?;
    (said != Tenancy::Unknown).then_some(said)
}

impl<'a> Signs<'a> {
    fn confirmed(&self) -> impl Iterator<Item = &'a Ptr<'a>> {
        self.ptrs.iter().filter(|ptr| ptr.is_confirmed())
    }

    /// Whether the banner or a confirmed PTR name stands in the service's own domains.
    fn is_at_home(&self) -> bool {
        let Some(row) = self.platform else { return false };
        self.own_names().any(|name| row.is_home_of(name))
    }

    /// The banner's name, and the confirmed PTR names that differ from it.
    fn own_names(&self) -> impl Iterator<Item = &str> {
        let others = self.confirmed().map(Ptr::text).filter(|name| Some(*name) != self.banner);
        self.banner.into_iter().chain(others)
    }

    fn share_own_domain(&self) -> bool {
        let Some(banner) = self.banner.filter(|banner| !self.providers.is_provider(banner)) else {
            return false;
        };
        let same = self.confirmed().find(|ptr| ptr.text() == banner);
        let Some(domain) = same.map_or_else(|| name::registrable(banner), Ptr::domain) else { return false };
        self.confirmed().any(|ptr| !ptr.is_generic() && ptr.domain() == Some(domain))
    }

    fn has_custom_beside_generic(&self) -> bool {
        let custom = |ptr: &&Ptr<'_>| {
            !ptr.is_generic() && ptr.domain().is_some() && !self.providers.is_provider(ptr.text())
        };
        let Some(custom) = self.confirmed().find(custom) else { return false };
        self.ptrs.iter().any(|ptr| ptr.is_generic() && ptr.domain() != custom.domain())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::fixture::host;
    use crate::judge::tenancy_of;

    const CPANEL: &str = "220-server.kestrel.example ESMTP Exim 4.96 #1\n220 We do not authorize the use of this system to transport unsolicited";

    #[test]
    fn names_and_platforms_tell_whose_address_it_is() {
        use Tenancy::{Dedicated, Shared, Unknown};
        for (greeting, reverse, tenancy, reason) in [
            ("220 mx.google.com ESMTP 1 - gsmtp", "x.1e100.net=here", Shared, Reason::Service),
            (
                "220 SG ESMTP service ready at ismtpd1.sendgrid.net",
                "o1.sendgrid.net=here",
                Shared,
                Reason::Service,
            ),
            ("220 mx0b-1.pphosted.com ESMTP mfa-m1", "servfail", Shared, Reason::Service),
            (CPANEL, "server.kestrel.example=here", Shared, Reason::Panel),
            ("220 box1234.bluehost.com ESMTP Exim 4.96", "x.example.net=here", Shared, Reason::HostingName),
            ("220 mail.kestrel.example ESMTP", "premium1.web-hosting.com=here", Shared, Reason::HostingName),
            ("220 mail.kestrel.example ESMTP", "mail.kestrel.example=here", Dedicated, Reason::OwnDomain),
            ("220 mail.kestrel.example ESMTP", "out.kestrel.example=here", Dedicated, Reason::OwnDomain),
            (
                "220 mail.kestrel.example ESMTP",
                "192-0-2-1.isp.example=here x.example.net=here",
                Dedicated,
                Reason::CustomBesideGeneric,
            ),
            // An appliance of one's own says nothing of whose address it is.
            (
                "220 mail.kestrel.example ESMTP (0123456789abcdef)",
                "x.example.net=here",
                Unknown,
                Reason::Nothing,
            ),
            ("220 mail.kestrel.example ESMTP", "x.example.net=here", Unknown, Reason::Nothing),
            ("220 mail.kestrel.example ESMTP", "mail.kestrel.example=elsewhere", Unknown, Reason::Nothing),
            ("220 mail.kestrel.example ESMTP", "mail.kestrel.example=servfail", Unknown, Reason::Nothing),
            ("220 192-0-2-1.isp.example ESMTP", "192-0-2-1.isp.example=here", Unknown, Reason::Nothing),
            ("220 vmi1.contaboserver.net ESMTP", "mail.contaboserver.net=here", Unknown, Reason::Nothing),
            ("220 localhost ESMTP", "192-0-2-1.isp.example=here", Unknown, Reason::Nothing),
            // Somebody who only says to be a service.
            ("220 SG ESMTP service ready at x", "x.example.net=here", Unknown, Reason::Nothing),
        ] {
            let said = tenancy_of(&host(greeting, reverse, "not_asked"), &Inventory::default());
            assert_eq!(said, (tenancy, reason), "{greeting} {reverse}");
        }
    }

    #[test]
    fn the_users_word_overrides_what_names_tell() {
        let evidence = host(CPANEL, "server.kestrel.example=here", "here");
        for (tag, value, tenancy) in [
            ("tenancy", "dedicated", Tenancy::Dedicated),
            ("Tenancy", " SHARED ", Tenancy::Shared),
            ("tenancy", "unknown", Tenancy::Shared),
            ("tenancy", "mine", Tenancy::Shared),
            ("owner", "dedicated", Tenancy::Shared),
        ] {
            let inventory = Inventory { tags: vec![(tag.into(), value.to_owned())], ..Inventory::default() };
            assert_eq!(tenancy_of(&evidence, &inventory).0, tenancy, "{tag}={value}");
        }
    }
}
