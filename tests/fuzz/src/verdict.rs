//! From DNS messages to a verdict: what nobody knows is never held against a host.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use banneret::evidence::resolution::{MAX_KEPT_ADDRESSES, MAX_PTR_NAMES};
use banneret::evidence::{Evidence, Observation, Outcome, Resolution, Status};
use banneret::judge::{Code, Fcrdns, Judgement, Relation, Severity, Verdict, judge};
use banneret::name::{DnsName, HostName, registrable};
use banneret::resolve::inquiry::Inquiry;
use banneret::resolve::wire::{Reading, read};
use banneret::resolve::{Answer, Kind, Question, Solution, Want};
use banneret::smtp::reply::Reader;
use banneret::targets::Inventory;

use super::dns::assert_reading;
use super::draw::Draw;

/// What hosts of these seeds call themselves.
const BANNERS: [&str; 8] = [
    "mail.example.org",
    "mail.kestrel.example",
    "mx.google.com",
    "a.mail.protection.outlook.com",
    "localhost.localdomain",
    "192-0-2-1.dyn.kestrel.example",
    "kestrel",
    "[192.0.2.1]",
];
/// Aliases followed with questions of their own.
const MAX_ALIASES: usize = 8;

/// All answers to the questions that one host raises, each by a message of its own.
pub fn verdict(data: &[u8]) {
    let mut draw = Draw::new(data);
    let options = draw.byte();
    let ip = if options & 1 == 0 {
        IpAddr::from([192, 0, 2, 1])
    } else {
        "2001:db8::1".parse().expect("an address")
    };
    let banner = BANNERS[usize::from(options >> 1) % BANNERS.len()];
    let spoilt = usize::from(draw.byte());
    let host = HostName::parse(banner).ok();
    let want = Want::Identity { ip, banner: host };

    let mut answers = HashMap::new();
    let resolution = resolve(&want, |question| {
        let answer = answer(question, &mut draw);
        answers.insert(question.clone(), answer.clone());
        answer
    });
    let judged = judge_banner(ip, banner, resolution.clone());
    assert_judgement(ip, banner, &answers, &resolution, &judged);

    // One answer less: nothing new is held against the host.
    let mut asked: Vec<_> = answers.keys().cloned().collect();
    asked.sort_by_key(|question| (question.kind, question.name.clone()));
    let lost = &asked[spoilt % asked.len()];
    let poorer = resolve(&want, |question| match answers.get(question) {
        Some(answer) if question != lost => answer.clone(),
        _ => Answer::bare(Status::ServFail),
    });
    assert_no_worse(&judged, &judge_banner(ip, banner, poorer), lost);
}

/// Judges again with every definite answer of stored evidence, one after the other, taken back.
pub fn assert_unknown_is_not_wrong(evidence: &Evidence, inventory: &Inventory) {
    let Some(resolution) = &evidence.resolution else { return };
    let judged = judge(evidence, inventory);
    if !resolution.ptr.is_definite() && judged.verdict.is_some() {
        assert_eq!(judged.verdict, Some(Verdict::Undetermined));
        assert!(!judged.findings.iter().any(|finding| is_reverse(finding.code)), "{:?}", judged.findings);
    }
    if !resolution.banner_forward.status.is_definite() {
        let held = [Code::BannerUnresolvable, Code::BannerResolvesElsewhere];
        assert!(!judged.findings.iter().any(|finding| held.contains(&finding.code)), "{:?}", judged.findings);
    }
}

fn resolve(want: &Want, mut ask: impl FnMut(&Question) -> Answer) -> Resolution {
    let mut inquiry = Inquiry::new(want);
    let mut questions = 0;
    while let Some((index, question)) = inquiry.next_question() {
        let answer = Arc::new(ask(&question.clone()));
        inquiry.learn(index, &answer);
        questions += 1;
        assert!(questions <= 2 + MAX_PTR_NAMES, "one host asks {questions} questions");
    }
    assert!(inquiry.is_solved());
    match inquiry.solution() {
        Solution::Identity(resolution) => resolution,
        other => panic!("{other:?} is no identity"),
    }
}

/// The next message of the input as the answer; behind the input nobody answers.
fn answer(question: &Question, draw: &mut Draw<'_>) -> Answer {
    let mut name = question.name.clone();
    for _ in 0..=MAX_ALIASES {
        if draw.is_empty() {
            return Answer::bare(Status::TimedOut);
        }
        let message = message(&name, question.kind, draw);
        let Some(reading) = read(&message, &name, question.kind) else {
            return Answer::bare(Status::TimedOut);
        };
        assert_reading(&message, &name, question.kind, &reading);
        match reading {
            Reading::Found(records, _) => return Answer { records, ..Answer::bare(Status::Found) },
            Reading::NoData(..) => return Answer::bare(Status::NoData),
            Reading::NxDomain(..) => return Answer::bare(Status::NxDomain),
            Reading::Truncated => return Answer::bare(Status::Malformed),
            Reading::Fault(fault) => {
                assert!(!fault.status().is_definite(), "{fault:?} settles a question");
                return Answer::bare(fault.status());
            }
            Reading::Alias(target, _) => name = target,
        }
    }
    Answer::bare(Status::Malformed)
}

/// A message that repeats the question; flags, counts and all behind the question are a stranger's.
fn message(name: &DnsName, kind: Kind, draw: &mut Draw<'_>) -> Vec<u8> {
    let mut message = vec![0, 7, 0x80 | draw.byte(), draw.byte(), 0, 1];
    message.extend([0, draw.byte(), 0, draw.byte(), 0, 0]);
    message.extend(name.as_wire());
    message.extend(kind.code().to_be_bytes());
    message.extend([0, 1]);
    let length = usize::from(draw.number());
    message.extend(draw.take(length));
    message
}

fn judge_banner(ip: IpAddr, banner: &str, resolution: Resolution) -> Judgement {
    let mut reader = Reader::default();
    reader.feed(format!("220 {banner} ESMTP\r\n").as_bytes());
    let observation = Observation { greeting: reader.finish(), ..Observation::bare(Outcome::Greeted, 1) };
    judge(
        &Evidence { ip: Some(ip), observation, resolution: Some(resolution), scanner: Some(Arc::default()) },
        &Inventory::default(),
    )
}

/// Where a name leads, told from the answers alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leads {
    Here,
    Elsewhere,
    Nowhere,
    Unknown,
}

fn leads(answer: Option<&Answer>, ip: IpAddr) -> Leads {
    match answer {
        Some(answer) if answer.status == Status::Found && answer.addresses().contains(&ip) => Leads::Here,
        Some(answer) if answer.status == Status::Found => {
            let filtered = |it: &IpAddr| it.is_unspecified() || it.is_loopback() && !ip.is_loopback();
            let translated = |it: &IpAddr| matches!(it, IpAddr::V6(v6) if v6.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0]);
            let tells = answer.addresses().iter().any(|it| !filtered(it) && !translated(it));
            let is_whole = answer.addresses().len() < MAX_KEPT_ADDRESSES;
            if tells && is_whole { Leads::Elsewhere } else { Leads::Unknown }
        }
        Some(answer) if answer.status.is_absent() => Leads::Nowhere,
        _ => Leads::Unknown,
    }
}

fn assert_judgement(
    ip: IpAddr,
    banner: &str,
    answers: &HashMap<Question, Answer>,
    resolution: &Resolution,
    judged: &Judgement,
) {
    let forward = |name: &DnsName| leads(answers.get(&Question::new(name.clone(), Kind::of_family(ip))), ip);
    let ptr = &answers[&Question::ptr(ip)];
    let all: Vec<Leads> = ptr.names().iter().map(forward).collect();
    let fcrdns = match ptr.status {
        Status::NoData | Status::NxDomain => Fcrdns::PermError,
        Status::Found if all.contains(&Leads::Here) => Fcrdns::Pass,
        Status::Found if !all.contains(&Leads::Unknown) => Fcrdns::Fail,
        _ => Fcrdns::TempError,
    };
    assert_eq!(judged.fcrdns, Some(fcrdns), "{answers:?}");
    let own = HostName::parse(banner).ok().map(|host| DnsName::from_host(&host));
    let of_own =
        |state: Leads| own.as_ref().is_some_and(|own| ptr.names().contains(own) && forward(own) == state);
    let verdict = judged.verdict.expect("a greeting is judged");
    match (fcrdns, verdict) {
        (Fcrdns::TempError, Verdict::Undetermined)
        | (Fcrdns::PermError, Verdict::NoPtr)
        | (Fcrdns::Fail, Verdict::Unconfirmed)
        // A placeholder is no name, whatever DNS says of it.
        | (Fcrdns::Pass, Verdict::NoName) => {}
        (Fcrdns::Pass, Verdict::Undetermined) => {
            let domain = registrable(banner);
            let is_near = |name: &&DnsName| domain.is_some() && registrable(&name.to_string()) == domain;
            let is_open = ptr.names().iter().filter(is_near).any(|name| forward(name) == Leads::Unknown);
            assert!(of_own(Leads::Unknown) || is_open, "{answers:?}");
        }
        (Fcrdns::Pass, Verdict::Match) => {
            assert!(of_own(Leads::Here), "{answers:?}");
            assert_eq!(judged.relation, Some(Relation::Exact));
        }
        (Fcrdns::Pass, Verdict::Mismatch | Verdict::Related) => {
            assert!(!of_own(Leads::Unknown), "{answers:?}");
        }
        (fcrdns, verdict) => panic!("{fcrdns:?} makes {verdict:?} of {answers:?}"),
    }
    assert_findings(judged, fcrdns, &all, resolution);
}

fn assert_findings(judged: &Judgement, fcrdns: Fcrdns, all: &[Leads], resolution: &Resolution) {
    let has = |code: Code| judged.findings.iter().any(|finding| finding.code == code);
    let is_away = |lead: &Leads| matches!(lead, Leads::Elsewhere | Leads::Nowhere);
    assert_eq!(has(Code::PtrMissing), fcrdns == Fcrdns::PermError);
    assert_eq!(has(Code::PtrUnconfirmed), fcrdns == Fcrdns::Fail);
    assert_eq!(has(Code::PtrPartlyUnconfirmed), fcrdns == Fcrdns::Pass && all.iter().any(is_away));
    assert_eq!(has(Code::PtrMultiple), all.len() > 1);
    assert!(!has(Code::StalePtr) || all.contains(&Leads::Elsewhere));
    assert!(!has(Code::BannerUnresolvable) || resolution.banner_forward.status.is_absent());
    assert!(!has(Code::BannerResolvesElsewhere) || resolution.banner_forward.status == Status::Found);
    assert!(!has(Code::BannerDiffers) || judged.verdict == Some(Verdict::Mismatch));
    assert!(
        !has(Code::UnownedIdentity)
            || resolution.ptr.is_definite() && resolution.banner_forward.status.is_definite()
    );
    let highest = judged.findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::None);
    assert_eq!(judged.severity, Some(highest));
    assert!(judged.findings.is_sorted_by(|a, b| a.code < b.code), "{:?}", judged.findings);
}

/// With one answer less nothing new is held against a host, but for what rests on confirmed names alone:
/// whoever loses the confirmation of the one name that bore the banner out has only the others left.
fn assert_no_worse(before: &Judgement, after: &Judgement, lost: &Question) {
    let codes = |judged: &Judgement| judged.findings.iter().map(|finding| finding.code).collect::<Vec<_>>();
    let (before_codes, after_codes) = (codes(before), codes(after));
    // The looks of a name speak for themselves, unless DNS bears the name out.
    let mut may_come = vec![Code::PtrMalformed, Code::BannerDefault, Code::BannerPrivateName];
    let was_borne_out =
        before.verdict == Some(Verdict::Related) || before_codes.contains(&Code::PlatformIdentity);
    if was_borne_out && lost.kind != Kind::Ptr {
        may_come.extend([Code::BannerDiffers, Code::TwoIdentities]);
    }
    if before_codes.contains(&Code::PlatformIdentity) && lost.kind != Kind::Ptr {
        may_come.extend([Code::BannerUnresolvable, Code::BannerResolvesElsewhere, Code::UnownedIdentity]);
    }
    for code in &after_codes {
        let is_known = before_codes.contains(code) || may_come.contains(code);
        assert!(is_known, "without an answer to {lost:?} there is {code:?}: {before_codes:?}");
    }
    let is_fewer = match (before.verdict, after.verdict) {
        (_, Some(Verdict::Undetermined)) => true,
        (Some(Verdict::Related), Some(Verdict::Mismatch | Verdict::NoName)) => lost.kind != Kind::Ptr,
        (before, after) => before == after,
    };
    assert!(is_fewer, "without an answer to {lost:?} it is {:?}, not {:?}", after.verdict, before.verdict);
}

/// Findings that rest on reverse DNS.
fn is_reverse(code: Code) -> bool {
    matches!(
        code,
        Code::PtrMissing
            | Code::PtrUnconfirmed
            | Code::PtrPartlyUnconfirmed
            | Code::PtrMultiple
            | Code::PtrGeneric
            | Code::PtrMalformed
            | Code::BannerDiffers
            | Code::StalePtr
            | Code::TwoIdentities
            | Code::UnownedIdentity
            | Code::PlatformIdentity
    )
}
