//! Verdicts, findings and frequent questions in plain words, for people who do not run mail servers all day.

use super::finding::Code;
use super::verdict::{Severity, Tenancy, Verdict};

/// What can be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A verdict.
    Verdict(Verdict),
    /// A finding.
    Finding(Code),
    /// A frequent question.
    Topic(Topic),
}

/// A frequent question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Whether the website or the application is to blame.
    AppNotAtFault,
    /// What the warning of a check tool is worth.
    ScannerWarning,
    /// What the banner has to do with the sender's address.
    BannerIsNotFrom,
    /// Why a fix can't be seen yet.
    FixDoesNotShow,
    /// What can be done on a shared host.
    SharedHosting,
    /// Why the banner stands in for the name in HELO.
    BannerAndHelo,
    /// What forward-confirmed means.
    ForwardConfirmed,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::AppNotAtFault,
        Self::ScannerWarning,
        Self::BannerIsNotFrom,
        Self::FixDoesNotShow,
        Self::SharedHosting,
        Self::BannerAndHelo,
        Self::ForwardConfirmed,
    ];

    /// The word by which it is asked for.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AppNotAtFault => "app_not_at_fault",
            Self::ScannerWarning => "scanner_warning",
            Self::BannerIsNotFrom => "banner_is_not_from",
            Self::FixDoesNotShow => "fix_does_not_show",
            Self::SharedHosting => "shared_hosting",
            Self::BannerAndHelo => "banner_and_helo",
            Self::ForwardConfirmed => "forward_confirmed",
        }
    }
}

impl Subject {
    /// All of them: verdicts, findings, topics.
    pub fn all() -> impl Iterator<Item = Self> {
        let verdicts = Verdict::ALL.into_iter().map(Self::Verdict);
        let findings = Code::ALL.into_iter().map(Self::Finding);
        verdicts.chain(findings).chain(Topic::ALL.into_iter().map(Self::Topic))
    }

    /// The subject a word stands for, whatever its case, hyphens as good as underscores.
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase().replace('-', "_");
        Self::all().find(|subject| subject.as_str() == word)
    }

    /// The word by which it is asked for.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verdict(verdict) => verdict.as_str(),
            Self::Finding(code) => code.as_str(),
            Self::Topic(topic) => topic.as_str(),
        }
    }

    /// One line for a list.
    pub fn title(self) -> &'static str {
        match self {
            Self::Verdict(verdict) => verdict_title(verdict),
            Self::Finding(code) => code.why(),
            Self::Topic(topic) => topic_title(topic),
        }
    }

    /// Paragraphs for a person.
    pub fn text(self) -> Vec<String> {
        match self {
            Self::Verdict(verdict) => {
                vec![verdict_title(verdict).to_owned(), verdict_text(verdict).to_owned()]
            }
            Self::Finding(code) => finding_text(code),
            Self::Topic(topic) => topic_text(topic).iter().map(|paragraph| (*paragraph).to_owned()).collect(),
        }
    }
}

fn verdict_title(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Undetermined => "DNS gave no definite answer where one is needed.",
        Verdict::NoPtr => "The address has no PTR record.",
        Verdict::Unconfirmed => "The address has a PTR name, and none that leads back to it.",
        Verdict::NoName => "Reverse DNS is sound; the greeting holds no name that can be used.",
        Verdict::Mismatch => "Reverse DNS is sound; the greeting's name is of another domain.",
        Verdict::Related => "Reverse DNS is sound; the names differ within one domain.",
        Verdict::Match => "The greeting's name is the confirmed name of the address.",
    }
}

fn verdict_text(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Undetermined => {
            "A resolver timed out, failed or refused. That says nothing about the host, so nothing is held against it; ask again later, or through another resolver."
        }
        Verdict::NoPtr => {
            "This is the costliest of all: large receivers refuse or defer mail from an address without a name. Only the owner of the address, mostly the hosting provider, can publish the record."
        }
        Verdict::Unconfirmed => {
            "A PTR record is a claim of the address's owner about a domain; the domain's owner confirms it with an address record that leads back. Without that, receivers treat the host much as one without a PTR record."
        }
        Verdict::NoName => {
            "The server introduces itself by a default, a private name, an address or not at all. Receivers of its mail see the name in HELO, which is often the same one: worth setting right, and rarely urgent."
        }
        Verdict::Mismatch => {
            "Two names of two domains, and the address is in order. On a shared host or at a large service this is how it is meant; on a host of one's own it looks unfinished and costs next to nothing."
        }
        Verdict::Related => "Both names belong to one domain. There is nothing to repair.",
        Verdict::Match => {
            "Name, PTR record and address agree in every direction. There is nothing to repair."
        }
    }
}

fn finding_text(code: Code) -> Vec<String> {
    let [dedicated, shared, unknown] =
        [Tenancy::Dedicated, Tenancy::Shared, Tenancy::Unknown].map(|tenancy| code.severity(tenancy));
    let weight = |severity: Severity| severity.as_str();
    let severity = if dedicated == shared && shared == unknown {
        format!("Severity: {}.", weight(dedicated))
    } else {
        format!(
            "Severity: {} on a dedicated address, {} on a shared one, {} where nobody knows.",
            weight(dedicated),
            weight(shared),
            weight(unknown)
        )
    };
    let fixers = [Tenancy::Dedicated, Tenancy::Shared].map(|tenancy| code.fixer(tenancy).as_str());
    let fixer = match fixers {
        [one, other] if one == other => format!("Who can fix it: {one}."),
        [own, shared] => format!("Who can fix it: {own}; on a shared host {shared}."),
    };
    vec![code.why().to_owned(), severity, fixer, format!("Who cares: {}", code.cares())]
}

fn topic_title(topic: Topic) -> &'static str {
    match topic {
        Topic::AppNotAtFault => {
            "My website or application sends mail, and a check complains about the banner."
        }
        Topic::ScannerWarning => "A check tool warns that reverse DNS does not match the SMTP banner.",
        Topic::BannerIsNotFrom => "Should the banner show the domain that I send from?",
        Topic::FixDoesNotShow => "I changed the record or the name, and the old one still shows.",
        Topic::SharedHosting => "My mail goes out through a host that many customers share.",
        Topic::BannerAndHelo => "Why the greeting is looked at when receivers see HELO.",
        Topic::ForwardConfirmed => "What forward-confirmed reverse DNS is.",
    }
}

fn topic_text(topic: Topic) -> &'static [&'static str] {
    match topic {
        Topic::AppNotAtFault => &[
            "The web framework, the shop or the contact form hands its mail to a mail server and has no part in what that server calls itself. No setting of the application changes the greeting.",
            "The name is set where the mail server runs, and the PTR record where the address is owned: at the hosting provider. Forward the finding to whoever runs that machine.",
        ],
        Topic::ScannerWarning => &[
            "The common warning compares two strings and says nothing of their weight. That a greeting's name and a PTR name differ is allowed, and RFC 5321 §4.1.4 does not let a server refuse mail for it; Google's and Microsoft's servers differ by design.",
            "What receivers do act on is an address without a PTR record, or with one that does not lead back. If those are in order, the warning can be left alone.",
            "A warning can be plainly wrong, too: some tools wait six or fifteen seconds for a greeting that healthy servers delay, and count any DNS error as a missing record. Check by hand before you change anything.",
        ],
        Topic::BannerIsNotFrom => &[
            "No. The greeting names the machine, the sender's address names who writes. One machine sends for thousands of domains and has one name.",
            "What ties the sender's domain to its servers is SPF, DKIM and DMARC in that domain's own DNS. The machine's name only has to lead to the machine's address and back.",
        ],
        Topic::FixDoesNotShow => &[
            "DNS answers are kept until their time to live runs out; that there was no record is kept as well, for the time in the zone's SOA record. Ask the zone's own server first (`dig -x ADDRESS +trace`): if the new answer stands there, wait.",
            "If it does not stand there, it was set in the wrong place. A PTR record in one's own domain's zone has no effect: it belongs into the reverse zone of the address, at the provider.",
            "Look at the right box: a name may lead to several addresses, and ports 25, 465 and 587 may be answered by different programs. Look at the right family as well: an IPv6 address has a PTR record of its own.",
        ],
        Topic::SharedHosting => &[
            "On a shared host the address, its PTR record and the greeting belong to the provider, and all its customers have them in common. They can't match every customer's domain, and no receiver expects it.",
            "What matters there is that the provider's own names agree with each other. If they do not, only the provider can set it right; moving to a relay service or to an address of one's own are the ways around.",
        ],
        Topic::BannerAndHelo => &[
            "A mail server has two roles. Whoever connects to it reads its greeting; whoever receives mail from it reads the name that it gives in HELO. Most programs use one setting for both, some have two.",
            "From outside only the greeting can be seen, so it stands in for the other. To be sure, look at the `Received:` line of a mail that the server sent, and give that name as `helo_name` in the target list.",
        ],
        Topic::ForwardConfirmed => &[
            "Ask for the PTR names of an address, then for the addresses of each name. If one of them leads back, the name is confirmed: the owner of the address and the owner of the domain agree.",
            "One confirmed name is enough for most receivers. Nobody is judged by a question that got no answer.",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_finding_and_topic_is_explained() {
        for subject in Subject::all() {
            assert_eq!(Subject::parse(subject.as_str()), Some(subject));
            assert!(!subject.title().is_empty(), "{}", subject.as_str());
            let text = subject.text();
            assert!(text.len() >= 2, "{}", subject.as_str());
            for paragraph in text {
                assert!(paragraph.ends_with('.'), "{}: {paragraph}", subject.as_str());
            }
        }
        assert_eq!(Subject::all().count(), Verdict::ALL.len() + Code::ALL.len() + Topic::ALL.len());
    }

    #[test]
    fn words_are_found_as_people_type_them() {
        assert_eq!(Subject::parse(" PTR-Missing "), Some(Subject::Finding(Code::PtrMissing)));
        assert_eq!(Subject::parse("no_ptr"), Some(Subject::Verdict(Verdict::NoPtr)));
        assert_eq!(Subject::parse("shared-hosting"), Some(Subject::Topic(Topic::SharedHosting)));
        for word in ["", "ptr", "missing", "shared hosting"] {
            assert_eq!(Subject::parse(word), None, "{word}");
        }
    }

    #[test]
    fn a_finding_says_its_weight_and_who_can_fix_it() {
        let text = Subject::Finding(Code::BannerDiffers).text().join("\n");
        assert!(
            text.contains("low on a dedicated address, none on a shared one, info where nobody knows"),
            "{text}"
        );
        assert!(text.contains("customer; on a shared host nobody"), "{text}");
    }
}
