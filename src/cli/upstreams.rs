//! On which upstream resolvers a run relies, and what a person is told of the others.

use std::net::SocketAddr;

use super::say;
use crate::record::neutral::Safe;
use crate::resolve::{self, Inventions, Manner, Settings};

/// Whether warnings are told; they stand in the manifest either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    Loud,
    Quiet,
}

/// Tries the upstreams, settles on whom to rely, and gives the warnings, one line each.
pub(super) fn settle(settings: &mut Settings, voice: Voice) -> anyhow::Result<Vec<String>> {
    let tried = resolve::try_upstreams(settings)?;
    let warn = |(upstream, manner): &(SocketAddr, Manner)| match manner {
        Manner::Inventing(inventions) => Some(warning(*upstream, inventions, settings)),
        Manner::Honest | Manner::Useless(_) => None,
    };
    let mut warnings = unusable(settings);
    warnings.extend(tried.iter().filter_map(warn));
    if voice == Voice::Loud {
        for warning in &warnings {
            say(format_args!("banneret: {warning}"));
        }
    }
    Ok(warnings)
}

/// One line for each upstream that is left out because this machine can't send to it.
pub(super) fn unusable(settings: &Settings) -> Vec<String> {
    let line = |unusable| Safe(&format!("{unusable}; it is left out")).to_string();
    settings.unusable.iter().map(line).collect()
}

fn warning(upstream: SocketAddr, inventions: &Inventions, settings: &Settings) -> String {
    let addresses = inventions.addresses.iter().map(ToString::to_string);
    let names = inventions.names.iter().map(ToString::to_string);
    let all: Vec<String> = addresses.chain(names).collect();
    let what = if settings.upstreams.contains(&upstream) {
        "such answers settle nothing"
    } else {
        "only the other resolvers are asked"
    };
    format!(
        "resolver `{upstream}` answers for names that do not exist, with `{}`; {what}",
        Safe(&all.join("`, `"))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_says_who_invents_what_and_what_becomes_of_it() {
        let upstream: SocketAddr = "192.0.2.53:53".parse().unwrap();
        let name = crate::name::DnsName::parse("portal.example").unwrap();
        let inventions = Inventions { addresses: vec!["203.0.113.1".parse().unwrap()], names: vec![name] };
        let begin = "resolver `192.0.2.53:53` answers for names that do not exist, with `203.0.113.1`, `portal.example`; ";
        for (upstreams, end) in [
            (vec![upstream], "such answers settle nothing"),
            (vec!["192.0.2.54:53".parse().unwrap()], "only the other resolvers are asked"),
        ] {
            assert_eq!(warning(upstream, &inventions, &Settings::new(upstreams)), format!("{begin}{end}"));
        }
    }
}
