//! A PTR name as the judgement reads it: once as text, its registrable domain, and where it leads.

use std::net::IpAddr;

use super::fcrdns::Lead;
use super::generic::{self, Sign};
use super::providers::Providers;
use crate::evidence::{PtrName, Resolution, Status};
use crate::name::{self, DnsName};

/// One PTR name of the address, read once.
#[derive(Debug)]
pub struct Ptr<'a> {
    name: &'a DnsName,
    text: String,
    /// Where the registrable domain starts in `text`.
    domain_at: Option<usize>,
    lead: Lead,
    sign: Option<Sign>,
}

impl<'a> Ptr<'a> {
    /// The PTR names of a resolution that found some, in the order of the answer. Without the address,
    /// nothing is said of where they lead and of who assigned them.
    pub fn all(resolution: &'a Resolution, ip: Option<IpAddr>) -> Vec<Self> {
        Self::all_among(resolution, ip, Providers::built_in())
    }

    /// The same, further domains of providers known.
    pub fn all_among(resolution: &'a Resolution, ip: Option<IpAddr>, providers: &Providers) -> Vec<Self> {
        if resolution.ptr != Status::Found {
            return Vec::new();
        }
        resolution.names.iter().map(|name| Self::read(name, ip, providers)).collect()
    }

    fn read(ptr: &'a PtrName, ip: Option<IpAddr>, providers: &Providers) -> Self {
        let text = text(&ptr.name);
        let domain_at = name::registrable(&text).map(|domain| text.len() - domain.len());
        let sign = ip.and_then(|ip| generic::sign_among(&text, ip, providers));
        Self { name: &ptr.name, text, domain_at, lead: Lead::of(&ptr.forward, ip), sign }
    }

    /// The labels as text, joined by dots; labels to the left of one that itself holds a dot are left off,
    /// for nobody could tell them apart. Never printed: [`DnsName`] is what a person reads.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name as DNS holds it.
    pub fn name(&self) -> &DnsName {
        self.name
    }

    /// The registrable domain, if there is one.
    pub fn domain(&self) -> Option<&str> {
        self.text.get(self.domain_at?..)
    }

    /// Where it leads.
    pub fn lead(&self) -> Lead {
        self.lead
    }

    /// Whether it leads back to the address.
    pub fn is_confirmed(&self) -> bool {
        self.lead == Lead::Here
    }

    /// By what it looks assigned by the provider, if it does.
    pub fn sign(&self) -> Option<Sign> {
        self.sign
    }

    /// Whether it looks assigned by the provider.
    pub fn is_generic(&self) -> bool {
        self.sign.is_some()
    }

    /// Whether it is the name that a greeting gave in normal form.
    pub fn is(&self, said: &str) -> bool {
        // On the wire a length octet stands before each label, and the root ends it all: two octets more than
        // the text has, unless labels were left off.
        self.text == said && said.is_ascii() && self.name.as_wire().len() == said.len() + 2
    }
}

fn text(name: &DnsName) -> String {
    let mut text = String::with_capacity(name.as_wire().len());
    for label in name.labels() {
        if label.contains(&b'.') {
            text.clear();
            continue;
        }
        if !text.is_empty() {
            text.push('.');
        }
        text.extend(label.iter().map(|&byte| char::from(byte)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::fixture::ptr;

    #[test]
    fn a_name_is_equal_label_by_label() {
        for (held, said, equal) in [
            ("mail.example.org", "mail.example.org", true),
            ("Mail.EXAMPLE.org", "mail.example.org", true),
            ("mail.example.org", "mail.example.or", false),
            ("mail.example.org", "example.org", false),
            ("example.org", "mail.example.org", false),
            (r"mail\.example.org", "mail.example.org", false),
            (".", "", false),
        ] {
            let resolution = ptr(&format!("{held}=here"));
            let ptrs = Ptr::all(&resolution, None);
            assert_eq!(ptrs[0].is(said), equal, "{held} is {said}");
        }
    }
}
