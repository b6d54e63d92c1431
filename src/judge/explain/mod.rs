//! Verdicts, findings and frequent questions in plain words, for people who do not run mail servers all day.

mod topic;

use super::finding::{Code, Excuse};
use super::verdict::{Severity, Tenancy, Verdict};
use crate::evidence::Outcome;

pub use topic::Topic;

/// What can be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A verdict.
    Verdict(Verdict),
    /// A finding.
    Finding(Code),
    /// What the wire showed.
    Outcome(Outcome),
    /// A frequent question.
    Topic(Topic),
}

impl Subject {
    /// All of them: verdicts, findings, outcomes, topics.
    pub fn all() -> impl Iterator<Item = Self> {
        let verdicts = Verdict::ALL.into_iter().map(Self::Verdict);
        let findings = Code::ALL.into_iter().map(Self::Finding);
        let outcomes = Outcome::ALL.into_iter().map(Self::Outcome);
        verdicts.chain(findings).chain(outcomes).chain(Topic::ALL.into_iter().map(Self::Topic))
    }

    /// The subject a word stands for, whatever its case, hyphens and blanks as good as underscores.
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase().replace(['-', ' '], "_");
        Self::all().find(|subject| subject.as_str() == word)
    }

    /// The word by which it is asked for.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verdict(verdict) => verdict.as_str(),
            Self::Finding(code) => code.as_str(),
            Self::Outcome(outcome) => outcome.as_str(),
            Self::Topic(topic) => topic.as_str(),
        }
    }

    /// One line for a list.
    pub fn title(self) -> &'static str {
        match self {
            Self::Verdict(verdict) => verdict_title(verdict),
            Self::Finding(code) => code.why(),
            Self::Outcome(outcome) => outcome_title(outcome),
            Self::Topic(topic) => topic.title(),
        }
    }

    /// Paragraphs for a person.
    pub fn text(self) -> Vec<String> {
        match self {
            Self::Verdict(verdict) => {
                vec![verdict_title(verdict).to_owned(), verdict_text(verdict).to_owned()]
            }
            Self::Finding(code) => finding_text(code),
            Self::Outcome(outcome) => {
                vec![outcome_title(outcome).to_owned(), outcome_text(outcome).to_owned()]
            }
            Self::Topic(topic) => topic.text().iter().map(|paragraph| (*paragraph).to_owned()).collect(),
        }
    }

    /// The subjects that speak of the words of a question, the best first: the more of its words a subject
    /// has, and the rarer they are among all, the better. Words of less than three letters say nothing.
    pub fn search(question: &str) -> Vec<Self> {
        let question = question.to_lowercase();
        let asked: Vec<&str> = words(&question).collect();
        let all: Vec<(Self, String)> = Self::all().map(|subject| (subject, subject.told())).collect();
        let has = |told: &str, word: &str| words(told).any(|it| it == word);
        let mut scores = vec![0.0; all.len()];
        for word in &asked {
            let holding: Vec<usize> = (0..all.len()).filter(|&at| has(&all[at].1, word)).collect();
            for &at in &holding {
                scores[at] += 1.0 / holding.len() as f64;
            }
        }
        let mut found: Vec<(f64, Self)> =
            scores.into_iter().zip(all).map(|(score, (subject, _))| (score, subject)).collect();
        found.retain(|(score, _)| *score > 0.0);
        found.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        found.into_iter().map(|(_, subject)| subject).collect()
    }

    /// All that is said of it, in lower case.
    fn told(self) -> String {
        let further = match self {
            Self::Topic(topic) => topic.words(),
            Self::Finding(code) => replies(code),
            Self::Verdict(_) | Self::Outcome(_) => "",
        };
        format!("{} {} {further} {}", self.as_str().replace('_', " "), self.title(), self.text().join(" "))
            .to_lowercase()
    }
}

/// The words of the replies by which Postfix and large receivers refuse mail for a finding, as people paste
/// them.
fn replies(code: Code) -> &'static str {
    match code {
        Code::PtrMissing => {
            "450 4.7.1 550 5.7.25 client host rejected: cannot find your reverse hostname, no reverse DNS entry"
        }
        Code::PtrUnconfirmed => {
            "450 4.7.1 421 4.7.23 client host rejected: cannot find your hostname, forged, does not resolve back"
        }
        Code::BannerUnqualified => "504 5.5.2 helo command rejected: need fully-qualified hostname",
        Code::BannerUnresolvable => "450 4.7.1 helo command rejected: host not found",
        Code::BannerPlaceholder => "501 5.5.2 helo command rejected: invalid name",
        _ => "",
    }
}

/// The words of a text that tell it from others.
fn words(text: &str) -> impl Iterator<Item = &str> {
    const LETTERS: usize = 3;
    text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.len() >= LETTERS)
}

fn outcome_title(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Greeted => "A mail server greeted, and is judged.",
        Outcome::Rejected => "A mail server greeted by a refusal (4xx or 5xx), and is judged.",
        Outcome::Silent => "Connected, and no greeting came in time.",
        Outcome::Closed => "Connected, and closed without a greeting.",
        Outcome::NotSmtp => "Something answers that is no mail server.",
        Outcome::Refused => "The connection was refused: nothing listens there.",
        Outcome::TimedOut => "Nothing came back to the attempt to connect.",
        Outcome::Unreachable => "The network says that there is no way to the address.",
        Outcome::Reset => "The connection was cut off before a greeting.",
        Outcome::NotTried => "This machine has nothing to reach addresses of that family by.",
        Outcome::TlsFailed => "TLS comes first on that port, and no handshake was made.",
        Outcome::Unresolved => "The name that was asked for has no address.",
        Outcome::Excluded => {
            "The name that was asked for leads only to addresses that are not to be touched."
        }
        Outcome::Other => "A later version has a word for it that this one does not know.",
    }
}

fn outcome_text(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Greeted => "Its verdict says what its names are worth.",
        Outcome::Rejected => {
            "Many servers turn away clients without good reverse DNS, or from a block list, in their greeting. That says something of the address that was scanned from; the name in the greeting is read and judged all the same."
        }
        Outcome::Silent => {
            "Healthy servers may wait for 20 seconds or more before they greet. After the 45 seconds of `--greeting-timeout` a server is taken for silent, which is no verdict."
        }
        Outcome::Closed => {
            "A server with too many clients, one that does not want this client, or a port that something else holds open. No verdict follows."
        }
        Outcome::NotSmtp => {
            "What was said stands in the record: SSH, HTTP and TLS are common on odd ports. No verdict follows."
        }
        Outcome::Refused => "Most addresses of a block run no mail server. No verdict follows.",
        Outcome::TimedOut => {
            "No host, a firewall that drops packets there, or one here: many providers block outbound port 25. If every target ends so, look at this end first."
        }
        Outcome::Unreachable => {
            "A router or a firewall on the way said so, or this machine has no route to that network. No verdict follows."
        }
        Outcome::Reset => {
            "As a server or a firewall does that does not want this client. No verdict follows."
        }
        Outcome::NotTried => {
            "Most often the machine that scans has no IPv6: no address, no route, or it is switched off, as in many containers. Addresses of that family are left untried, which says nothing of them; the other family is scanned as if alone. `--source-ip` with addresses of one family leaves out the other, too."
        }
        Outcome::TlsFailed => {
            "`smtp.tls.status` in the record says why: `alert` with its number is the server's own refusal, as for want of a common cipher suite (40) or of a certificate of ours (116); `plaintext` means that it greets without TLS there. No verdict follows."
        }
        Outcome::Unresolved => "The name does not exist, has no address, or its domain has no mail server.",
        Outcome::Excluded => {
            "By `--exclude`, by an exclusion file, or because the addresses are reserved (`--allow-reserved`)."
        }
        Outcome::Other => "The record keeps the word; a newer version says what it means.",
    }
}

fn verdict_title(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Undetermined => "An answer that DNS still owes could give another verdict.",
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
            "A resolver timed out, failed or refused, or not every PTR name of a large set was asked, and the answers that are missing could give another verdict. That says nothing about the host, so nothing is held against it. Another resolver may answer where this one was slow; where the servers of a zone refuse, fail or are gone, waiting does not help, and `banneret check ADDRESS --verify` says which they are."
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
    let severity = match lighter(code) {
        Some(exception) => format!("{severity} {exception}"),
        None => severity,
    };
    vec![code.why().to_owned(), severity, fixer, format!("Who cares: {}", code.cares())]
}

/// On which hosts a finding weighs less than its severity says.
fn lighter(code: Code) -> Option<&'static str> {
    let on = |outcome, verdict| code.excuse(outcome, verdict);
    match on(Outcome::Rejected, None).or_else(|| on(Outcome::Greeted, Some(Verdict::Match)))? {
        Excuse::NamelessRefusal => Some(
            "Under a 4xx or 5xx code: info, and `clears_by` is null, for a refusal without a name is no evidence of how the server greets others.",
        ),
        Excuse::ConfirmedName => Some(
            "Where the name is itself a forward-confirmed PTR name: info, for inside a network of one's own that is how names look.",
        ),
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
        assert_eq!(
            Subject::all().count(),
            Verdict::ALL.len() + Code::ALL.len() + Outcome::ALL.len() + Topic::ALL.len()
        );
    }

    #[test]
    fn words_are_found_as_people_type_them() {
        assert_eq!(Subject::parse(" PTR-Missing "), Some(Subject::Finding(Code::PtrMissing)));
        assert_eq!(Subject::parse("no_ptr"), Some(Subject::Verdict(Verdict::NoPtr)));
        assert_eq!(Subject::parse("shared-hosting"), Some(Subject::Topic(Topic::SharedHosting)));
        assert_eq!(Subject::parse("shared hosting"), Some(Subject::Topic(Topic::SharedHosting)));
        for word in ["", "ptr", "missing"] {
            assert_eq!(Subject::parse(word), None, "{word}");
        }
    }

    #[test]
    fn questions_as_people_type_them_find_their_answer() {
        for (question, first) in [
            ("Reverse DNS does not match SMTP Banner", "scanner_warning"),
            ("mxtoolbox warning", "scanner_warning"),
            ("my django app sends mail and the banner is wrong", "app_not_at_fault"),
            ("android javamail", "app_not_at_fault"),
            ("should the banner show my From domain (DMARC)?", "banner_is_not_from"),
            ("I changed the PTR and still see the old one, TTL?", "fix_does_not_show"),
            ("dns propagation", "fix_does_not_show"),
            ("cPanel shared hosting", "shared_hosting"),
            ("fcrdns", "forward_confirmed"),
            ("smtp_helo_name", "banner_and_helo"),
            ("outbound port 25 blocked", "timed_out"),
            ("a firewall masks the greeting with asterisks", "banner_masked"),
            ("450 4.7.1 Client host rejected: cannot find your reverse hostname", "ptr_missing"),
            ("504 5.5.2 <mail>: Helo command rejected: need fully-qualified hostname", "banner_unqualified"),
            ("450 4.7.1 <mail.example.org>: Helo command rejected: Host not found", "banner_unresolvable"),
            ("501 5.5.2 <a_b>: Helo command rejected: Invalid name", "banner_placeholder"),
        ] {
            assert_eq!(Subject::search(question).first().map(|it| it.as_str()), Some(first), "{question}");
        }
        for nothing in ["", "a of", "xyzzy", "\u{1b}[2J", "日本"] {
            assert_eq!(Subject::search(nothing), [], "{nothing}");
        }
    }

    #[test]
    fn a_finding_says_where_it_weighs_less() {
        for code in Code::ALL {
            let text = Subject::Finding(code).text().join("\n");
            let is_name =
                matches!(code, Code::BannerUnqualified | Code::BannerDefault | Code::BannerPrivateName);
            assert_eq!(text.contains("Under a 4xx or 5xx code: info"), code == Code::BannerAbsent);
            assert_eq!(text.contains("forward-confirmed PTR name: info"), is_name, "{}", code.as_str());
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
