//! What the zone's own servers say beside what a resolver keeps: how the two stand, and for how long the
//! resolver keeps what is not published any more. Pure: asks nobody.
//!
//! By example: the resolver keeps for 60 s more that `1.2.0.192.in-addr.arpa` is an alias for
//! `1.0-31.2.0.192.in-addr.arpa`, and for 600 s more that this has no PTR record. The zone's servers say the
//! same of the alias, and have a record behind it that holds for an hour: it shows in 600 s at this resolver,
//! for the alias is asked for anew and leads to the same absence.

use std::time::Duration;

use crate::evidence::Status;
use crate::name::DnsName;
use crate::resolve::delegation::{Basis, Leg, Said, View, Walk};
use crate::resolve::wire::End;
use crate::resolve::{Answer, Question, Records};

/// One question, and what was said to it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli::check) struct Compared {
    /// The question.
    pub(in crate::cli::check) question: Question,
    /// What the resolver says, as far as it is believed.
    pub(in crate::cli::check) cached: Answer,
    /// The same record by record, where it was heard.
    pub(in crate::cli::check) view: Option<View>,
    /// What the zone's own servers say.
    pub(in crate::cli::check) walk: Walk,
    /// What the resolver says to names in the zones on the way that nobody has asked for, and that are in no
    /// cache.
    pub(in crate::cli::check) fresh: Vec<Fresh>,
}

/// What a resolver says to a name that nobody has asked for.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli::check) struct Fresh {
    /// The zone that the name is in.
    pub(in crate::cli::check) zone: DnsName,
    /// What it says.
    pub(in crate::cli::check) answer: FreshAnswer,
}

impl Fresh {
    /// Whether all that it shows is that signatures held some time ago: they may be broken by now.
    fn is_of_old(&self) -> bool {
        matches!(self.answer, FreshAnswer::Checked(ago) if ago > Duration::ZERO)
    }
}

/// An answer that should not come from a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::check) enum FreshAnswer {
    /// It refuses it, for signatures do not hold.
    Refused,
    /// It fails, and the zone's own servers do not.
    Fails,
    /// Signatures held so long ago: the denial was made of what is kept from then (RFC 8198).
    Checked(Duration),
}

/// How the zone's servers and the resolver stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::check) enum Standing {
    /// They say the same.
    Same,
    /// The zone says another thing.
    Pending(Pending),
    /// The zone's servers contradict each other.
    Divided,
    /// The resolver refuses what the zone's servers say, for its signatures do not hold.
    Bogus,
    /// One side gave no definite answer.
    Unknown,
}

/// For how long caches hide what is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli::check) struct Pending {
    /// The resolver that was asked.
    pub(in crate::cli::check) here: Duration,
    /// Others, from the change on.
    pub(in crate::cli::check) everywhere: Duration,
}

impl Standing {
    /// The word for programs.
    pub(in crate::cli::check) fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Pending(_) => "pending_cache",
            Self::Divided => "divided",
            Self::Bogus => "dnssec_bogus",
            Self::Unknown => "unknown",
        }
    }
}

impl Compared {
    /// How the two sides stand.
    pub(in crate::cli::check) fn standing(&self) -> Standing {
        if self.walk.legs.iter().any(Leg::is_divided) {
            return Standing::Divided;
        }
        let Some(published) = self.published() else { return Standing::Unknown };
        let is = |answer: FreshAnswer| self.fresh.iter().any(|fresh| fresh.answer == answer);
        if is(FreshAnswer::Refused) {
            return Standing::Bogus;
        }
        if !self.cached.status.is_definite() {
            return self.standing_of_failure();
        }
        // It has what it keeps, and gets nothing new.
        if is(FreshAnswer::Fails) {
            return Standing::Unknown;
        }
        if published.says_the_same(&self.cached) {
            Standing::Same
        } else {
            Standing::Pending(self.pending(published))
        }
    }

    /// The resolver fails and the zone's servers do not.
    fn standing_of_failure(&self) -> Standing {
        if self.view.as_ref().and_then(|view| view.why.as_ref()).is_some_and(|why| why.is_dnssec) {
            return Standing::Bogus;
        }
        // It still asks the servers that were delegated to before, and these are of no use any more.
        let former = |leg: &&Leg| {
            let mut former = leg.servers.iter().filter(|server| !server.counts()).peekable();
            former.peek().is_some() && former.all(|server| server.trouble().is_some())
        };
        let kept = self.walk.legs.iter().find(former).and_then(|leg| Some((leg.kept?, leg.delegated_for)));
        match kept {
            Some((here, delegated_for)) => {
                Standing::Pending(Pending { here, everywhere: here.max(delegated_for.unwrap_or_default()) })
            }
            None => Standing::Unknown,
        }
    }

    /// What is published, where that is known.
    pub(in crate::cli::check) fn published(&self) -> Option<&Answer> {
        let is_inside = self.walk.legs.iter().any(|leg| leg.undelegated.is_some());
        self.walk.published().filter(|_| !is_inside)
    }

    /// Whether every server of every zone on the way was heard, by what the zones above delegate to, and the
    /// resolver checked their signatures now.
    pub(in crate::cli::check) fn is_whole(&self) -> bool {
        let whole = |leg: &Leg| leg.basis == Basis::Parent && leg.troubled().next().is_none();
        self.walk.legs.iter().all(whole) && !self.fresh.iter().any(Fresh::is_of_old)
    }

    /// How long until what differs is asked for anew: the first part of the way that does.
    fn pending(&self, published: &Answer) -> Pending {
        let seconds = |ttl: u32| Duration::from_secs(u64::from(ttl));
        let Some(view) = &self.view else {
            let absent_for = self.walk.legs.last().and_then(|leg| leg.absent_for).unwrap_or_default();
            let here = self.cached.ttl;
            return Pending { here, everywhere: here.max(published.ttl).max(absent_for) };
        };
        let same = self.walk.legs.iter().zip(&view.links);
        let same =
            same.take_while(|(leg, link)| leg.alias().is_some_and(|(target, _)| *target == link.target));
        let place = same.count();
        let (here, is_absent) = match (view.links.get(place), &view.end) {
            (Some(link), _) => (seconds(link.ttl), false),
            (None, End::Found(_, ttl)) => (seconds(*ttl), false),
            (None, End::NoData(_, ttl) | End::NxDomain(_, ttl)) => (seconds(*ttl), true),
            (None, End::Open) => (self.cached.ttl, self.cached.status.is_absent()),
        };
        let Some(leg) = self.walk.legs.get(place.min(self.walk.legs.len().saturating_sub(1))) else {
            return Pending { here, everywhere: here };
        };
        let anew = leg.alias().map_or(published.ttl, |(_, ttl)| ttl);
        let full = if is_absent { leg.absent_for.unwrap_or_default() } else { anew };
        let Some(kept) = leg.kept else { return Pending { here, everywhere: here.max(full) } };
        // As long as it keeps the servers of before, it asks these, and keeps what they say from then on.
        let again = former_ttl(leg);
        let here = if here >= kept { here } else { kept + again };
        let moved = leg.delegated_for.unwrap_or_default().max(kept) + again;
        Pending { here, everywhere: here.max(full).max(moved) }
    }
}

/// For how long an answer of the servers of before is kept; not at all where they give none.
fn former_ttl(leg: &Leg) -> Duration {
    let former = leg.servers.iter().filter(|server| !server.counts());
    let ttl = former.filter_map(|server| match &server.said {
        Said::Answer(answer) => Some(answer.ttl),
        Said::Alias(_, ttl) => Some(*ttl),
        Said::Trouble(_) => None,
    });
    ttl.max().unwrap_or_default()
}

/// For how long the last of the answers that are not published any more is kept.
pub(in crate::cli::check) fn pending(compared: &[Compared]) -> Option<Pending> {
    let all = compared.iter().filter_map(|it| match it.standing() {
        Standing::Pending(pending) => Some(pending),
        _ => None,
    });
    all.reduce(|one, other| Pending {
        here: one.here.max(other.here),
        everywhere: one.everywhere.max(other.everywhere),
    })
}

/// How a question that found nothing ended, or what was found.
pub(in crate::cli::check) fn content(answer: &Answer) -> String {
    let found: Vec<String> = match &answer.records {
        Records::Names(names) => names.iter().map(ToString::to_string).collect(),
        Records::Addresses(addresses) => addresses.iter().map(ToString::to_string).collect(),
        Records::Exchanges(_) | Records::None => Vec::new(),
    };
    match answer.status {
        Status::Found => found.join(", "),
        status => status.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::Kind;
    use crate::resolve::delegation::{Listed, Server, Trouble, Why};
    use crate::resolve::wire::Link;

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    fn seconds(all: u64) -> Duration {
        Duration::from_secs(all)
    }

    fn names(text: &str) -> Records {
        Records::Names(vec![name(text)])
    }

    fn found(text: &str, ttl: u64) -> Said {
        Said::Answer(Answer::found(names(text), seconds(ttl)))
    }

    fn leg(said: Vec<Said>) -> Leg {
        let servers = said.into_iter().map(|said| Server {
            name: name("ns.example.net"),
            ip: None,
            listed: Listed::Delegated,
            said,
        });
        Leg {
            name: name("1.2.0.192.in-addr.arpa"),
            zone: name("2.0.192.in-addr.arpa"),
            basis: Basis::Parent,
            absent_for: Some(seconds(300)),
            delegated_for: Some(seconds(900)),
            kept: None,
            undelegated: None,
            servers: servers.collect(),
        }
    }

    /// The same leg where the resolver keeps a server of before, for so long, which says that.
    fn moved(leg: Leg, kept: u64, said: Said) -> Leg {
        let mut servers = leg.servers.clone();
        servers.push(Server { listed: Listed::ResolverOnly, said, ..servers[0].clone() });
        Leg { kept: Some(seconds(kept)), servers, ..leg }
    }

    fn view(links: &[(&str, u32)], end: End) -> View {
        let link = |(target, ttl): &(&str, u32)| Link {
            owner: name("1.2.0.192.in-addr.arpa"),
            target: name(target),
            ttl: *ttl,
        };
        View { links: links.iter().map(link).collect(), end, is_checked: false, why: None }
    }

    fn compared(cached: Answer, view: View, legs: Vec<Leg>) -> Compared {
        let question = Question::new(name("1.2.0.192.in-addr.arpa"), Kind::Ptr);
        let walk = Walk { question: question.clone(), legs, is_endless: false };
        Compared { question, cached, view: Some(view), walk, fresh: Vec::new() }
    }

    #[test]
    fn a_cache_is_asked_anew_for_the_first_part_that_differs() {
        let old = || Answer::found(names("old.example"), seconds(60));
        let old_end = |ttl| End::Found(names("old.example"), ttl);
        let alias = |target: &str| leg(vec![Said::Alias(name(target), seconds(500))]);
        let new = || leg(vec![found("new.example", 3600)]);
        let gone = |ttl| End::NxDomain(name("2.0.192.in-addr.arpa"), ttl);
        let absent = || Answer::bare(Status::NxDomain);
        for (cached, view, legs, here, everywhere) in [
            (old(), view(&[], old_end(600)), vec![new()], 600, 3600),
            (absent(), view(&[], gone(200)), vec![new()], 200, 300),
            // The alias is the same, whenever it ends.
            (old(), view(&[("a.example", 60)], old_end(600)), vec![alias("a.example"), new()], 600, 3600),
            // The alias is another one: what stood behind the old one is of no matter.
            (old(), view(&[("a.example", 60)], old_end(9000)), vec![alias("b.example"), new()], 60, 500),
            // There was no alias.
            (old(), view(&[], old_end(700)), vec![alias("b.example"), new()], 700, 700),
            // The delegation was moved: the old server is asked until the end, and what it says is kept on.
            (old(), view(&[], old_end(100)), vec![moved(new(), 800, found("old.example", 60))], 860, 3600),
            (old(), view(&[], old_end(900)), vec![moved(new(), 800, found("old.example", 60))], 900, 3600),
            (
                old(),
                view(&[], old_end(100)),
                vec![moved(new(), 800, Said::Trouble(Trouble::Silent))],
                800,
                3600,
            ),
        ] {
            let compared = compared(cached, view, legs);
            let pending = Pending { here: seconds(here), everywhere: seconds(everywhere) };
            assert_eq!(compared.standing(), Standing::Pending(pending), "{compared:#?}");
        }
    }

    #[test]
    fn what_is_open_is_never_the_same() {
        let old = || Answer::found(names("old.example"), seconds(60));
        let sound = || view(&[], End::Found(names("old.example"), 60));
        let silent = || Said::Trouble(Trouble::Silent);
        let same = || found("old.example", 60);
        let failed = || Answer::bare(Status::ServFail);
        let why =
            |is_dnssec| View { why: Some(Why { is_dnssec, errors: Vec::new() }), ..view(&[], End::Open) };
        let endless = |mut compared: Compared| {
            compared.walk.is_endless = true;
            compared
        };
        let inside = || Leg { undelegated: Some(name("inside.example")), ..leg(vec![same()]) };
        let fresh = |answer| Compared {
            fresh: vec![Fresh { zone: name("example"), answer }],
            ..compared(old(), sound(), vec![leg(vec![same()])])
        };
        for (compared, standing, is_whole) in [
            (compared(old(), sound(), vec![leg(vec![same(), same()])]), Standing::Same, true),
            (compared(old(), sound(), vec![leg(vec![silent(), same()])]), Standing::Same, false),
            (compared(old(), sound(), vec![leg(vec![silent(), silent()])]), Standing::Unknown, false),
            (compared(old(), sound(), vec![leg(vec![])]), Standing::Unknown, true),
            (
                compared(old(), sound(), vec![leg(vec![same(), found("new.example", 60)])]),
                Standing::Divided,
                true,
            ),
            (compared(old(), sound(), vec![inside()]), Standing::Unknown, true),
            (endless(compared(old(), sound(), vec![leg(vec![same()])])), Standing::Unknown, true),
            (compared(failed(), why(false), vec![leg(vec![same()])]), Standing::Unknown, true),
            (compared(failed(), why(true), vec![leg(vec![same()])]), Standing::Bogus, true),
            (compared(failed(), why(true), vec![leg(vec![silent()])]), Standing::Unknown, false),
            (fresh(FreshAnswer::Refused), Standing::Bogus, true),
            (fresh(FreshAnswer::Fails), Standing::Unknown, true),
            (fresh(FreshAnswer::Checked(seconds(0))), Standing::Same, true),
            (fresh(FreshAnswer::Checked(seconds(9))), Standing::Same, false),
        ] {
            assert_eq!((compared.standing(), compared.is_whole()), (standing, is_whole), "{compared:#?}");
        }
    }

    #[test]
    fn a_resolver_that_asks_dead_servers_of_before_gets_better_with_time() {
        let failed = View { why: Some(Why::default()), ..view(&[], End::Open) };
        let dead = moved(leg(vec![found("new.example", 60)]), 800, Said::Trouble(Trouble::Closed));
        let pending = Pending { here: seconds(800), everywhere: seconds(900) };
        let compared = compared(Answer::bare(Status::ServFail), failed, vec![dead]);
        assert_eq!(compared.standing(), Standing::Pending(pending));
    }
}
