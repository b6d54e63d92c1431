//! Names that installers, images and closed networks leave behind: data, and how to look it up. Those of one
//! label are with the words of greetings, which are read by them too.

use crate::smtp::greeting::lists;

/// Suffixes that cloud images and installers give: a default, and private too. With the leading dot.
const DEFAULT_SUFFIXES: &[&str] =
    &[".localdomain", ".localdomain6", ".ec2.internal", ".compute.internal", ".novalocal", ".openstacklocal"];

/// Domains that manuals and templates use in the place of one's own.
const TEMPLATE_DOMAINS: &[&str] =
    &["company.test", "domain.tld", "example.tld", "mydomain.tld", "yourdomain.com", "yourdomain.tld"];

/// Domains for documentation (RFC 2606 §3).
const EXAMPLE_DOMAINS: &[&str] = &["example.com", "example.net", "example.org"];

/// Top-level names that no public DNS holds: special-use (RFC 6761 and the IANA registry) or customary inside
/// networks. None of them is delegated. Sorted.
const PRIVATE_TLDS: &[&str] = &[
    "alt",
    "corp",
    "dom",
    "domain",
    "firma",
    "home",
    "intern",
    "internal",
    "interno",
    "intra",
    "intranet",
    "invalid",
    "lan",
    "loc",
    "local",
    "localdomain",
    "localdomain6",
    "localhost",
    "localnet",
    "mshome",
    "novalocal",
    "onion",
    "openstacklocal",
    "priv",
    "private",
    "workgroup",
];

/// Private suffixes of more than one label (RFC 8375).
const PRIVATE_SUFFIXES: &[&str] = &["home.arpa"];

/// Whether a name in normal form is one that software or an image left behind.
pub(super) fn is_default(name: &str) -> bool {
    let (label, rest) = name.split_once('.').map_or((name, None), |(label, rest)| (label, Some(rest)));
    match rest {
        None => lists::is_default_label(label) || is_machine_made(label),
        Some(_) => {
            label == "localhost"
                || DEFAULT_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
                || is_project_internal(name)
                || TEMPLATE_DOMAINS.iter().any(|domain| is_under(name, domain))
                || (is_computer_name(label) && has_private_suffix(name))
        }
    }
}

/// Whether a name stands below a suffix that is not for the public Internet.
pub(super) fn has_private_suffix(name: &str) -> bool {
    let Some((_, tld)) = name.rsplit_once('.') else { return false };
    PRIVATE_TLDS.binary_search(&tld).is_ok() || PRIVATE_SUFFIXES.iter().any(|suffix| is_under(name, suffix))
}

/// Whether a name stands in one of the domains for documentation.
pub(super) fn is_under_example_domain(name: &str) -> bool {
    EXAMPLE_DOMAINS.iter().any(|domain| is_under(name, domain))
}

/// Whether a name stands below `test` (RFC 6761 §6.2).
pub(super) fn is_under_test(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, tld)| tld == "test")
}

/// Whether a name is a domain or lies below it.
pub(super) fn is_under(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// `vm.c.project.internal`: the name that Google's cloud gives.
fn is_project_internal(name: &str) -> bool {
    name.ends_with(".internal") && name.contains(".c.")
}

fn is_machine_made(label: &str) -> bool {
    is_computer_name(label)
        || numbered(label, "vps", 3)
        || numbered(label, "vmi", 3)
        || label.strip_prefix("ip-").is_some_and(|rest| {
            rest.split('-').count() == 4 && rest.split('-').all(|octet| octet.parse::<u8>().is_ok())
        })
}

/// `WIN-` and eleven, `DESKTOP-` and seven characters: what Windows makes up at installation.
fn is_computer_name(label: &str) -> bool {
    let made_up = |rest: &str, length| {
        rest.len() == length
            && rest.bytes().all(|b| b.is_ascii_alphanumeric())
            && rest.bytes().any(|b| b.is_ascii_digit())
    };
    label.strip_prefix("win-").is_some_and(|rest| made_up(rest, 11))
        || label.strip_prefix("desktop-").is_some_and(|rest| made_up(rest, 7))
}

/// A word and at least so many digits, nothing else.
fn numbered(label: &str, word: &str, digits: usize) -> bool {
    label
        .strip_prefix(word)
        .is_some_and(|rest| rest.len() >= digits && rest.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_in_normal_form() {
        assert!(PRIVATE_TLDS.is_sorted());
        assert!(PRIVATE_TLDS.iter().all(|word| word.to_ascii_lowercase() == *word));
    }

    #[test]
    fn no_private_suffix_is_delegated() {
        for tld in PRIVATE_TLDS {
            let known = psl::suffix(tld.as_bytes()).is_some_and(|suffix| suffix.is_known());
            assert!(!known || matches!(*tld, "onion"), "{tld}");
        }
    }

    #[test]
    fn under_means_at_a_label() {
        assert!(is_under("a.example.com", "example.com"));
        assert!(is_under("example.com", "example.com"));
        assert!(!is_under("myexample.com", "example.com"));
        assert!(!is_under("example.com.de", "example.com"));
    }
}
