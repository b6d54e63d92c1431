//! What a person is told of upstream resolvers that are not believed: why, and what to do.

use std::sync::{Arc, Mutex, PoisonError};

use super::say;
use crate::record::neutral::Safe;
use crate::resolve::{HijackedAnswers, Settings, UpstreamBehavior, UpstreamWarning};

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

fn list(hijacked: &HijackedAnswers) -> String {
    let addresses = hijacked.addresses.iter().map(ToString::to_string);
    let names = hijacked.names.iter().map(ToString::to_string);
    addresses.chain(names).collect::<Vec<_>>().join("`, `")
}

#[cfg(test)]
mod tests {
    use super::*;

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
