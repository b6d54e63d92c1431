//! Second opinions: what would count against a host is put to another upstream that is trusted, too, if there
//! is one. Where the two come to different words, one of them is wrong about this name (a policy that
//! rewrites it, an old answer, another view), nobody can say which, and neither counts.
//!
//! By example: upstream 0 says that 192.0.2.1 has no PTR name. Upstream 1, asked the same, has none either:
//! the host has none. If upstream 1 finds a name, and has its controls before and after that answer, the PTR
//! question stays open (`untrusted`), and people are told that the two contradict each other. Hosts that
//! nothing speaks against are not asked about again: an answer that was changed does not bear a greeting out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Open, Pin, Plan, Purpose};
use crate::resolve::inquiry::Inquiry;
use crate::resolve::question::Answer;
use crate::resolve::trust::{Belief, Claim, Opinion};

/// How long a host waits for another upstream that is being tried.
const TRIAL: Duration = Duration::from_secs(1);

/// The second opinion on an answer, if there was one: hosts that share an answer share it.
pub(super) fn of(first: &Answer) -> Option<Arc<Answer>> {
    first.origin.as_ref()?.second.get().cloned()
}

/// Keeps the second opinion on an answer with it.
pub(super) fn keep(first: &Answer, second: &Arc<Answer>) {
    if let Some(origin) = &first.origin {
        // The first of several stays.
        origin.second.set(Arc::clone(second)).ok();
    }
}

impl<T> Plan<T> {
    /// All that was said of a case is believed: what decides a word against it is put to a second upstream.
    pub(super) fn ask_a_second(&mut self, mut open: Box<Open<T>>, now: Instant) {
        if self.up.len() < 2 {
            return self.settle(open, now);
        }
        let (mut pins, mut is_tried) = (Vec::new(), false);
        for index in open.inquiry.decisive() {
            let Some((question, answer)) = open.inquiry.settled(index) else { continue };
            let former = Arc::clone(answer);
            match self.trust.second(question, &former, &self.up, now) {
                Opinion::Of(upstream) => {
                    pins.push(Pin { index, upstream, former, purpose: Purpose::Compare });
                }
                Opinion::Soon => is_tried = true,
                Opinion::Nobodys => {}
            }
        }
        if is_tried && now.saturating_duration_since(*open.second_since.get_or_insert(now)) < TRIAL {
            return self.hold.cases.push(open);
        }
        if pins.is_empty() {
            return self.settle(open, now);
        }
        open.second_since = None;
        open.first = Some(Box::new(open.inquiry.clone()));
        self.repeat(open, pins, now);
    }

    /// A second upstream has answered: where both are believed and come to different words, neither counts.
    pub(super) fn compare(&mut self, mut open: Box<Open<T>>, mut first: Box<Inquiry>, now: Instant) {
        let mut waiting = Vec::new();
        for (index, claim) in open.inquiry.claims() {
            self.weigh(&mut open, index, claim, now, &mut waiting);
        }
        for index in open.inquiry.contradictions(&first) {
            if open.inquiry.settled(index).is_some_and(|(_, answer)| !answer.status.is_absent()) {
                self.weigh(&mut open, index, Claim::Elsewhere, now, &mut waiting);
            }
        }
        let contradictions = open.inquiry.contradictions(&first);
        let since = *open.second_since.get_or_insert(now);
        if !contradictions.is_empty() && !waiting.is_empty() {
            if !self.hold.is_over(since, self.hope(&open, &waiting), now) {
                open.first = Some(first);
                return self.wait(open, &waiting, now);
            }
            // Nothing has confirmed what the second one says.
            open.inquiry = *first;
            return self.settle(open, now);
        }
        for index in contradictions {
            if let (Some((question, one)), Some((_, other))) =
                (first.settled(index), open.inquiry.settled(index))
            {
                self.trust.contradict(question, one, other);
            }
            first.distrust(index);
        }
        open.inquiry = *first;
        self.settle(open, now);
    }

    /// Takes back what can't be confirmed of a second opinion; notes what may yet be.
    fn weigh(
        &self,
        open: &mut Open<T>,
        index: usize,
        claim: Claim,
        now: Instant,
        waiting: &mut Vec<(usize, Claim, Belief)>,
    ) {
        let Some((question, answer)) = open.inquiry.settled(index) else { return };
        match self.trust.belief(question, answer, claim, now) {
            Belief::Confirmed => {}
            Belief::Waiting => waiting.push((index, claim, Belief::Waiting)),
            Belief::Lost => open.inquiry.distrust(index),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Status;
    use crate::name::DnsName;
    use crate::resolve::plan::Checks;
    use crate::resolve::plan::tests::{
        Manner, denied, denying_only_ptr, honest, identity, inventing, pass_time_asking,
    };
    use crate::resolve::question::{Kind, Question, Records};
    use crate::resolve::trust::Contradiction;
    use crate::resolve::want::Solution;

    const BOTH: [usize; 2] = [0, 1];

    /// How the PTR question ended, and that for the first name's addresses.
    type PtrSaid = (Status, Option<Status>);
    /// The same, and how the one for the greeting's name ended.
    type Said = (Status, Option<Status>, Status);

    fn is(question: &Question, kind: Kind, name: &str) -> bool {
        question.kind == kind && question.name.to_string() == name
    }

    fn named(name: &str) -> Answer {
        Answer::found(Records::Names(vec![DnsName::parse(name).unwrap()]), Duration::ZERO)
    }

    fn leading_to(ip: &str) -> Answer {
        Answer::found(Records::Addresses(vec![ip.parse().unwrap()]), Duration::ZERO)
    }

    /// As `honest`; host 5 has the name of a service that has many addresses, and host 6 one that does not
    /// exist.
    fn true_world(question: &Question) -> Answer {
        match question {
            it if is(it, Kind::Ptr, "5.2.0.192.in-addr.arpa") => named("geo.example.org"),
            it if is(it, Kind::A, "geo.example.org") => leading_to("198.51.100.1"),
            it if is(it, Kind::Ptr, "6.2.0.192.in-addr.arpa") => named("gone.example.org"),
            it if is(it, Kind::A, "shop.example.org") => leading_to("198.51.100.7"),
            it => honest(it),
        }
    }

    fn without_name_of_host_1(question: &Question) -> Answer {
        let is_it = is(question, Kind::Ptr, "1.2.0.192.in-addr.arpa");
        if is_it { denied("2.0.192.in-addr.arpa") } else { true_world(question) }
    }

    fn rewriting_host_2(question: &Question) -> Answer {
        if is(question, Kind::A, "mail2.example.org") {
            leading_to("203.0.113.9")
        } else {
            true_world(question)
        }
    }

    fn denying_name_of_host_2(question: &Question) -> Answer {
        if is(question, Kind::A, "mail2.example.org") { denied("example.org") } else { true_world(question) }
    }

    fn renaming_host_3(question: &Question) -> Answer {
        match question {
            it if is(it, Kind::Ptr, "3.2.0.192.in-addr.arpa") => named("old.example.net"),
            it if is(it, Kind::A, "old.example.net") => leading_to("192.0.2.3"),
            it => true_world(it),
        }
    }

    fn nearer_to_another_place(question: &Question) -> Answer {
        if is(question, Kind::A, "geo.example.org") {
            leading_to("198.51.100.2")
        } else {
            true_world(question)
        }
    }

    fn naming_host_6_otherwise(question: &Question) -> Answer {
        let is_it = is(question, Kind::Ptr, "6.2.0.192.in-addr.arpa");
        if is_it { named("lost.example.org") } else { true_world(question) }
    }

    fn denying_the_shop(question: &Question) -> Answer {
        if is(question, Kind::A, "shop.example.org") { denied("example.org") } else { true_world(question) }
    }

    fn failing_at_host_51(question: &Question) -> Answer {
        let is_it = is(question, Kind::Ptr, "51.2.0.192.in-addr.arpa");
        if is_it { Answer::bare(Status::ServFail) } else { true_world(question) }
    }

    /// What a host is told by two upstreams if the `first` of them is asked first, the status of its PTR
    /// question, of the first name's and of the greeting's, and who was found to contradict each other.
    fn told(
        upstreams: [Manner; 2],
        first: usize,
        host: u8,
        banner: &str,
    ) -> (Status, Option<Status>, Status, Vec<Contradiction>) {
        let now = Instant::now();
        let mut plan = Plan::new(0, Checks { upstreams: 2, patience: Duration::from_secs(4) });
        // By these both upstreams show that they find what exists, and only that.
        let mut then = now;
        for (warm, asked) in [(10, 0), (11, 1), (52, 0), (53, 1)] {
            let banner =
                if warm < 50 { format!("mail{warm}.example.org") } else { format!("gone{warm}.example.org") };
            plan.admit(identity(warm, &banner), then);
            then += pass_time_asking(&mut plan, &upstreams, || asked, then, Duration::from_secs(60));
        }
        assert_eq!(plan.take_solved(9).len(), 4);
        plan.admit(identity(host, banner), then);
        pass_time_asking(&mut plan, &upstreams, || first, then, Duration::from_secs(60));
        let solved = plan.take_solved(9);
        let [solved] = &solved[..] else { panic!("{}", solved.len()) };
        let Solution::Identity(it) = &solved.solution else { panic!() };
        let forward = it.names.first().map(|name| name.forward.status);
        (it.ptr, forward, it.banner_forward.status, plan.take_contradictions())
    }

    #[test]
    fn trusted_upstreams_that_come_to_different_words_settle_nothing_and_are_named() {
        use Status::{Found, NxDomain, Untrusted};
        let cases: [(Manner, u8, &str, Said, &str); 5] = [
            (without_name_of_host_1, 1, "mail1", (Untrusted, None, Found), "1.2.0.192.in-addr.arpa"),
            (rewriting_host_2, 2, "mail2", (Found, Some(Untrusted), Untrusted), "mail2.example.org"),
            (denying_name_of_host_2, 2, "mail2", (Found, Some(Untrusted), Untrusted), "mail2.example.org"),
            (renaming_host_3, 3, "mail3", (Untrusted, None, Found), "3.2.0.192.in-addr.arpa"),
            (denying_the_shop, 1, "shop", (Found, Some(Found), Untrusted), "shop.example.org"),
        ];
        for (wrong, host, banner, wanted, name) in cases {
            let banner = format!("{banner}.example.org");
            for (upstreams, first) in [([wrong, true_world], 0), ([true_world, wrong], 1)] {
                let (ptr, forward, greeted, found) = told(upstreams, first, host, &banner);
                assert_eq!((ptr, forward, greeted), wanted, "{name}");
                let [Contradiction { upstreams, question }] = &found[..] else { panic!("{name}: {found:?}") };
                assert_eq!((*upstreams, question.name.to_string().as_str()), (BOTH, name));
            }
            // What speaks for a host needs no second opinion.
            if banner != "shop.example.org" {
                let (ptr, forward, _, found) = told([wrong, true_world], 1, host, &banner);
                assert_eq!((ptr, forward, found), (Found, Some(Found), Vec::new()), "{name}");
            }
        }
        let (ptr, .., found) = told([true_world, true_world], 0, 51, "mail51.example.org");
        assert_eq!((ptr, found), (NxDomain, Vec::new()), "both say so");
    }

    #[test]
    fn what_makes_no_difference_to_a_host_is_no_contradiction() {
        use Status::{Found, NxDomain};
        let cases: [(Manner, u8, &str, PtrSaid); 5] = [
            (nearer_to_another_place, 5, "geo.example.org", (Found, Some(Found))),
            (naming_host_6_otherwise, 6, "mail6.example.org", (Found, Some(NxDomain))),
            (failing_at_host_51, 51, "mail51.example.org", (NxDomain, None)),
            (denying_only_ptr, 51, "mail51.example.org", (NxDomain, None)),
            (inventing, 51, "mail51.example.org", (NxDomain, None)),
        ];
        for (number, (other, host, banner, wanted)) in cases.into_iter().enumerate() {
            let (ptr, forward, _, found) = told([true_world, other], 0, host, banner);
            assert_eq!((ptr, forward, found), (wanted.0, wanted.1, Vec::new()), "case {number}");
        }
    }

    thread_local! {
        static SHOP_ASKED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
    }

    fn counting_shop(question: &Question) -> Answer {
        if is(question, Kind::A, "shop.example.org") {
            SHOP_ASKED.set(SHOP_ASKED.get() + 1);
        }
        Answer { ttl: Duration::from_secs(300), ..true_world(question) }
    }

    #[test]
    fn hosts_that_share_an_answer_share_its_second_opinion() {
        let mut now = Instant::now();
        let mut plan = Plan::new(0, Checks { upstreams: 2, patience: Duration::from_secs(4) });
        for host in [10, 1, 2, 3] {
            plan.admit(
                identity(host, if host == 10 { "mail10.example.org" } else { "shop.example.org" }),
                now,
            );
            now +=
                pass_time_asking(&mut plan, &[counting_shop as Manner; 2], || 0, now, Duration::from_secs(9));
        }
        assert_eq!((plan.take_solved(99).len(), SHOP_ASKED.get()), (4, 2), "each upstream is asked once");
    }
}
