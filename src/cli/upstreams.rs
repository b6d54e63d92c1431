//! What a person is told of upstream resolvers that are not believed: why, and what to do.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::say;
use crate::record::neutral::Safe;
use crate::resolve::{
    HijackedAnswers, Kind, Question, Settings, Trouble, UpstreamBehavior, UpstreamWarning, Useless,
};

/// Whether warnings are told; they are kept either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    Loud,
    Quiet,
}

/// Takes warnings from the resolver's thread, tells each once, and keeps them.
#[derive(Debug, Clone)]
pub(super) struct Warnings {
    voice: Voice,
    told: Arc<Mutex<Vec<String>>>,
}

impl Warnings {
    /// None so far.
    pub(super) fn new(voice: Voice) -> Self {
        Self { voice, told: Arc::default() }
    }

    /// Those that are known before anybody is asked.
    pub(super) fn of(settings: &Settings, voice: Voice) -> Self {
        let warnings = Self::new(voice);
        for line in unusable(settings) {
            warnings.add(line);
        }
        warnings
    }

    /// What a resolver is to do with a warning.
    pub(super) fn teller(&self) -> impl FnMut(&UpstreamWarning) + Send + 'static {
        let all = self.clone();
        move |warning| all.add(text(warning))
    }

    /// All of them.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, warning: String) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.contains(&warning) {
            return;
        }
        if self.voice == Voice::Loud {
            say(format_args!("banneret: {warning}"));
        }
        told.push(warning);
    }
}

/// One line for each upstream that is left out because this machine can't send to it.
pub(super) fn unusable(settings: &Settings) -> Vec<String> {
    let line = |unusable| Safe(&format!("{unusable}; it is left out")).to_string();
    settings.unusable.iter().map(line).collect()
}

fn text(warning: &UpstreamWarning) -> String {
    let upstream = warning.upstream;
    let what = match &warning.behavior {
        UpstreamBehavior::Contradicting(other, question) => {
            return contradiction_text([upstream, *other], question);
        }
        UpstreamBehavior::Useless(useless) => {
            return format!("resolver `{upstream}` {}", useless_text(useless, SystemTime::now()));
        }
        UpstreamBehavior::Inventing(hijacked) => {
            let all = list(hijacked);
            format!("answers for names that do not exist, with `{}`", Safe(&all))
        }
        UpstreamBehavior::Denying(name) => {
            let name = name.to_string();
            format!("denies or changes names that exist, as `{}`", Safe(&name))
        }
        UpstreamBehavior::Unproven => {
            "denies names, and found no name by which that could be checked".to_owned()
        }
    };
    format!(
        "resolver `{upstream}` {what}; what it says against a host is not believed; name another with `--resolver`"
    )
}

/// What two upstreams differ about, and how to find out which of them is wrong.
fn contradiction_text([one, other]: [SocketAddr; 2], question: &Question) -> String {
    let about = if question.kind == Kind::Ptr { "the PTR names" } else { "the addresses" };
    let name = question.name.to_string();
    format!(
        "resolvers `{one}` and `{other}` contradict each other, as about {about} of `{}`; where a word depends on it, the \
         host stays `undetermined`; ask both by hand, and name with `--resolver` only those that are right",
        Safe(&name)
    )
}

/// What an upstream did that is of no use, how often, since when, and what to do.
fn useless_text(useless: &Useless, now: SystemTime) -> String {
    let Useless { trouble, failed, of, since } = useless;
    let since = match since.and_then(|ago| now.checked_sub(ago)) {
        Some(at) => format!("since {}Z", &crate::record::time::to_string(at)[..19]),
        None => "since the start".to_owned(),
    };
    match trouble {
        Trouble::Silent => format!(
            "has not answered any of {of} packets {since}; hosts that only it could tell of stay `undetermined`; check \
             that it runs and that port 53 of it can be reached, or name another with `--resolver`"
        ),
        Trouble::Refusing => format!(
            "refused {failed} of {of} questions {since} (REFUSED); let it answer this machine, or name another with \
             `--resolver`"
        ),
        Trouble::Failing => format!(
            "failed at {failed} of {of} questions {since} (SERVFAIL); look at its log and at its way to the Internet, or \
             name another with `--resolver`"
        ),
        Trouble::Unclear(kind) => format!(
            "settled nothing with {failed} of {of} answers to questions for {} {since}: they have neither records nor the \
             SOA of the zone, as those of filters and policy zones; name another with `--resolver`",
            if *kind == Kind::Ptr { "PTR names" } else { "addresses" }
        ),
    }
}

fn list(hijacked: &HijackedAnswers) -> String {
    let addresses = hijacked.addresses.iter().map(ToString::to_string);
    let names = hijacked.names.iter().map(ToString::to_string);
    addresses.chain(names).collect::<Vec<_>>().join("`, `")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_upstream_of_no_use_is_told_with_its_share_since_when_and_what_to_do() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045);
        for (trouble, since, parts) in [
            (Trouble::Silent, None, ["any of 40 packets since the start", "check that it runs"]),
            (
                Trouble::Refusing,
                Some(Duration::from_secs(5)),
                ["refused 38 of 40 questions since 2026-01-02T03:04:00Z", "let it answer this machine"],
            ),
            (Trouble::Failing, None, ["failed at 38 of 40 questions", "look at its log"]),
            (Trouble::Unclear(Kind::Ptr), None, ["38 of 40 answers to questions for PTR names", "filters"]),
            (Trouble::Unclear(Kind::A), None, ["questions for addresses since the start", "SOA of the zone"]),
        ] {
            let told = useless_text(&Useless { trouble, failed: 38, of: 40, since }, now);
            assert!(parts.iter().all(|part| told.contains(part)), "{told}");
            assert!(told.ends_with("name another with `--resolver`") && !told.contains("  "), "{told}");
        }
    }

    #[test]
    fn a_contradiction_names_both_resolvers_and_what_they_differ_about() {
        let question = Question::ptr("192.0.2.1".parse().unwrap());
        let told =
            contradiction_text(["192.0.2.53:53", "192.0.2.54:53"].map(|at| at.parse().unwrap()), &question);
        let start = "resolvers `192.0.2.53:53` and `192.0.2.54:53` contradict each other, as about the PTR names of \
                     `1.2.0.192.in-addr.arpa`; ";
        assert!(told.starts_with(start) && told.contains("`--resolver`") && !told.contains("  "), "{told}");
    }

    #[test]
    fn a_warning_says_who_does_what_and_what_to_do_and_is_kept_once() {
        let name = |text: &str| crate::name::DnsName::parse(text).unwrap();
        let hijacked = HijackedAnswers {
            addresses: vec!["203.0.113.1".parse().unwrap()],
            names: vec![name("portal.example")],
        };
        let warnings = Warnings::new(Voice::Quiet);
        let mut tell = warnings.teller();
        for (behavior, what) in [
            (
                UpstreamBehavior::Inventing(hijacked),
                "answers for names that do not exist, with `203.0.113.1`, `portal.example`",
            ),
            (
                UpstreamBehavior::Denying(name("mail.example.org")),
                "denies or changes names that exist, as `mail.example.org`",
            ),
            (UpstreamBehavior::Unproven, "denies names, and found no name by which that could be checked"),
        ] {
            let warning = UpstreamWarning { upstream: "192.0.2.53:53".parse().unwrap(), behavior };
            tell(&warning);
            tell(&warning);
            let end = "; what it says against a host is not believed; name another with `--resolver`";
            assert_eq!(warnings.take(), [format!("resolver `192.0.2.53:53` {what}{end}")]);
        }
    }
}
