//! Replies, the name in a greeting, and whole conversations: bounded, the same whatever the cuts, and
//! lock-step.

use std::net::IpAddr;
use std::time::Duration;

use banneret::evidence::{Evidence, Observation, Outcome};
use banneret::judge::judge;
use banneret::name::HostName;
use banneret::smtp::dialogue::{Dialogue, Ending, HangUp, Heard, Introduction, MAX_HEARD, Patience, Step};
use banneret::smtp::ehlo;
use banneret::smtp::greeting::{Form, Greeting, MAX_EXTRA_NAMES, Own, Refusal};
use banneret::smtp::reply::{Code, Limit, MAX_LINE, MAX_LINES, MAX_REPLY, Progress, Reader, Reply};
use banneret::smtp::said::Said;
use banneret::targets::Inventory;

use super::draw::{Draw, cut};

/// Our own name and address: an echo of either is no name of the server.
const OWN_NAME: &str = "probe.example.net";
const OWN_IP: [u8; 4] = [192, 0, 2, 9];
/// The longest name as said: a host name and the brackets or wildcard around it.
const MAX_NAME: usize = 253 + 16;

/// What is read of a reply to EHLO: a name that is one, and extensions only of a reply that was accepted.
pub fn ehlo_reply(data: &[u8]) {
    let mut reader = Reader::default();
    reader.feed(data);
    let Some(reply) = reader.finish() else { return };
    let code = reply.code.map(Code::get);
    if let Some(name) = ehlo::name(&reply) {
        assert_eq!(code, Some(250), "{name}");
        let parsed = HostName::parse(&name).expect("a name is a host's");
        assert_eq!(parsed.as_str(), name, "in normal form");
        let first = String::from_utf8_lossy(reply.text.first()).into_owned();
        let said = first.split_ascii_whitespace().next().and_then(|word| HostName::parse(word).ok());
        assert_eq!(said, Some(parsed), "the name is the first word");
    }
    let is_accepted = code.is_some_and(|code| (200..300).contains(&code));
    assert_eq!(ehlo::accepted(&reply).is_some(), is_accepted);
    let extensions = reply.text.lines().skip(1);
    let naive = is_accepted
        && extensions.into_iter().any(|line| {
            let line = String::from_utf8_lossy(line).to_ascii_uppercase();
            line.split(|c: char| c.is_ascii_whitespace() || c == '=').find(|word| !word.is_empty())
                == Some("STARTTLS")
        });
    // A line that opens with `=` offers nothing.
    assert!(naive || !ehlo::offers(&reply, "STARTTLS"));
}

/// A reply cut anywhere is the reply read whole, and that is what a reader without state would make of it.
pub fn reply(data: &[u8]) {
    let mut draw = Draw::new(data);
    // Long replies out of short inputs.
    let times = 1 + usize::from(draw.byte() % 48);
    let cuts = draw.take(4);
    let bytes = draw.rest().repeat(times);

    let mut whole = Reader::default();
    let progress = whole.feed(&bytes);
    let mut pieces = Reader::default();
    let mut last = (0, Progress::NeedMore);
    let mut fed = 0;
    for piece in cut(&bytes, cuts) {
        last = (fed, pieces.feed(piece));
        if last.1 != Progress::NeedMore {
            break;
        }
        fed += piece.len();
    }
    match (progress, last) {
        (Progress::Done { used }, (before, Progress::Done { used: of_last })) => {
            assert_eq!(used, before + of_last);
        }
        (progress, (_, last)) => assert_eq!(progress, last),
    }
    match (progress, pieces.clone().feed(b"250 more\r\n")) {
        (Progress::Done { .. }, more) => assert_eq!(more, Progress::Done { used: 0 }, "the end is the end"),
        (Progress::Limit(limit), more) => assert_eq!(more, Progress::Limit(limit)),
        (Progress::NeedMore, _) => {}
    }
    assert_eq!((whole.lines(), whole.is_overlong()), (pieces.lines(), pieces.is_overlong()));
    assert_eq!(whole.clone().finish(), pieces.finish());
    let naive = naive(&bytes);
    assert_eq!(whole.is_empty(), naive.lines.is_empty());
    let told = whole.finish();
    let lines = told.as_ref().map_or_else(Vec::new, |reply| reply.text.lines().map(<[u8]>::to_vec).collect());
    assert_eq!(lines, naive.lines);
    assert_eq!(told.and_then(|reply| reply.code).map(Code::get), naive.code);
    assert_eq!(progress, naive.progress);
    assert!(lines.len() <= MAX_LINES + 1 && lines.iter().all(|line| line.len() <= MAX_LINE));
}

struct Naive {
    progress: Progress,
    code: Option<u16>,
    lines: Vec<Vec<u8>>,
}

/// The rule once more, over a text that lies there whole.
fn naive(bytes: &[u8]) -> Naive {
    let read = &bytes[..bytes.len().min(MAX_REPLY)];
    let mut naive = Naive { progress: Progress::NeedMore, code: None, lines: Vec::new() };
    let mut used = 0;
    for line in read.split_inclusive(|&b| b == b'\n') {
        used += line.len();
        let is_whole = line.ends_with(b"\n");
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() && (naive.lines.is_empty() || !is_whole) {
            continue;
        }
        let line = &line[..line.len().min(MAX_LINE)];
        let digits = line.iter().take_while(|b| b.is_ascii_digit()).count();
        let code = (digits == 3).then(|| line[..3].iter().fold(0, |code, b| code * 10 + u16::from(b - b'0')));
        let is_first = naive.lines.is_empty();
        if is_first {
            naive.code = code;
        }
        let follows = line.get(3);
        let text_at = if code.is_none() { 0 } else { 3 + usize::from(matches!(follows, Some(b'-' | b' '))) };
        naive.lines.push(line[text_at..].to_vec());
        if !is_whole {
            break;
        }
        if code.is_some() && follows != Some(&b'-') || code.is_none() && is_first {
            naive.progress = Progress::Done { used };
            return naive;
        }
        if naive.lines.len() == MAX_LINES {
            naive.progress = Progress::Limit(Limit::Lines);
            return naive;
        }
    }
    if read.len() == MAX_REPLY {
        naive.progress = Progress::Limit(Limit::Octets);
    }
    naive
}

/// What is taken for the server's name stands in its greeting, is in normal form, and is not our own.
pub fn greeting(data: &[u8]) {
    let mut reader = Reader::default();
    reader.feed(data);
    let Some(reply) = reader.finish() else { return };
    let own_name = HostName::parse(OWN_NAME).expect("a name");
    let own = Own { name: Some(&own_name), ip: Some(IpAddr::from(OWN_IP)), ..Own::default() };
    for own in [Own::default(), own] {
        let greeting = Greeting::read(&reply, own);
        assert_greeting(&reply, &greeting);
        if own.name.is_some() {
            assert_ne!(greeting.name.as_deref(), Some(OWN_NAME), "an echo of our own name");
            assert!(!greeting.extra_names.iter().any(|name| name == OWN_NAME));
        }
    }
}

fn assert_greeting(reply: &Reply, greeting: &Greeting) {
    let line = reply.text.first();
    if let Some(name) = &greeting.name {
        assert!(name.len() <= MAX_NAME && !name.is_empty(), "{name:?}");
        assert!(!name.contains(|c: char| c.is_control() || c.is_whitespace()), "{name:?}");
        assert_eq!(name.to_ascii_lowercase(), *name);
        if line.is_ascii() {
            let said = String::from_utf8_lossy(line).to_ascii_lowercase();
            assert!(said.contains(name.as_str()), "{name:?} is not in {said:?}");
        }
    }
    let host = greeting.name.as_ref().and_then(|name| HostName::parse(name).ok());
    let is_normal = host.as_ref().is_some_and(|host| Some(host.as_str()) == greeting.name.as_deref());
    let is_qualified = host.as_ref().is_some_and(HostName::is_qualified);
    match greeting.form {
        Form::Host => assert!(is_normal && is_qualified, "{greeting:?}"),
        Form::SingleLabel => assert!(is_normal && !is_qualified, "{greeting:?}"),
        Form::Placeholder => assert!(greeting.name.is_some(), "{greeting:?}"),
        Form::Masked => assert!(line.contains(&b'*') && greeting.name.is_none()),
        Form::Literal | Form::BareAddress | Form::Absent => assert_eq!(greeting.name, None),
    }
    if Said::of(reply) == Said::NotSmtp {
        assert_eq!((&greeting.name, greeting.form, greeting.refusal), (&None, Form::Absent, None));
    }
    if reply.code.is_some_and(|code| matches!(code.get() / 100, 4 | 5)) {
        assert!(greeting.refusal.is_some());
    }
    assert!(greeting.extra_names.len() <= MAX_EXTRA_NAMES);
    for (at, name) in greeting.extra_names.iter().enumerate() {
        assert_eq!(HostName::parse(name).map(String::from).as_ref(), Ok(name));
        assert!(greeting.name.as_ref() != Some(name) && !greeting.extra_names[..at].contains(name));
    }
    if matches!(greeting.form, Form::Host | Form::SingleLabel) && greeting.refusal != Some(Refusal::Listed) {
        let name = greeting.name.as_deref().expect("a host has a name");
        let mut reader = Reader::default();
        reader.feed(format!("220 {name} ESMTP\r\n").as_bytes());
        let again = Greeting::read(&reader.finish().expect("a greeting"), Own::default());
        assert_eq!((again.name.as_deref(), again.form), (Some(name), greeting.form));
    }
}

/// A conversation in which anything happens at any time: nothing is said before the greeting ended, only what
/// we may say is said, and it ends.
pub fn dialogue(data: &[u8]) {
    let mut draw = Draw::new(data);
    let introduction = Introduction::new(&HostName::parse(OWN_NAME).expect("a name"));
    let options = draw.byte();
    let introduction = (options & 1 == 1).then_some(&introduction);
    let times = 1 + usize::from(options >> 1);
    let seconds = |byte: u8| Duration::from_secs(u64::from(byte));
    let patience = Patience { greeting: seconds(draw.byte()), host: seconds(draw.byte()) };
    let mut now = Duration::from_millis(u64::from(draw.byte()) * 10);
    let mut dialogue = Dialogue::new(patience, introduction, now);
    let (mut said, mut heard, mut greeting) = (Vec::new(), 0, Reader::default());
    loop {
        let settled = dialogue.is_settled();
        match dialogue.step() {
            Step::Send { octets, until } => {
                assert!(settled && !octets.is_empty() && until <= patience.host.max(now));
            }
            Step::Listen { until } => assert!(until <= patience.host),
            Step::Handshake { .. } => panic!("nobody asked for TLS"),
            Step::Close | Step::Abort => assert!(settled, "a conversation is over before its greeting"),
        }
        if draw.is_empty() {
            break;
        }
        match draw.byte() % 8 {
            0..=2 => {
                let length = usize::from(draw.byte());
                let bytes = draw.take(length).repeat(times);
                if !settled {
                    greeting.feed(&bytes);
                }
                heard += bytes.len();
                dialogue.hear(&bytes, now);
            }
            3 | 4 => {
                let most = usize::from(draw.byte());
                if let Step::Send { octets, .. } = dialogue.step() {
                    let sent = octets.len().min(most);
                    said.extend_from_slice(&octets[..sent]);
                    dialogue.sent(sent);
                }
            }
            5 => now = now.saturating_add(Duration::from_millis(u64::from(draw.number()))),
            6 => dialogue.tick(now),
            _ => {
                let how = if draw.byte() & 1 == 0 { HangUp::Closed } else { HangUp::Reset };
                dialogue.hang_up(how, now);
                assert!(matches!(dialogue.step(), Step::Close | Step::Abort));
            }
        }
        if heard > MAX_HEARD {
            assert!(matches!(dialogue.step(), Step::Close | Step::Abort), "{heard} octets were heard");
        }
    }
    dialogue.tick(now.max(patience.host).max(Duration::from_secs(600)));
    assert!(matches!(dialogue.step(), Step::Close | Step::Abort), "the host's time is over");
    let heard = dialogue.finish();
    assert_said(&said, heard.greeting.as_ref(), introduction.is_some());
    assert_heard(heard, greeting, introduction.is_some());
}

/// A welcome is answered by our name if there is one to give, a refusal by QUIT alone, all else by nothing.
fn assert_said(said: &[u8], greeting: Option<&Reply>, introduced: bool) {
    let (quit, ehlo) = ("QUIT\r\n", format!("EHLO {OWN_NAME}\r\n"));
    let scripts = match greeting.filter(|greeting| greeting.code.is_some()).map(Said::of) {
        Some(Said::Welcome) if introduced => {
            vec![format!("{ehlo}{quit}"), format!("{ehlo}HELO {OWN_NAME}\r\n{quit}")]
        }
        Some(Said::Welcome | Said::Refusal) => vec![quit.to_owned()],
        Some(Said::NotSmtp) | None => vec![String::new()],
    };
    let text = String::from_utf8_lossy(said);
    assert!(scripts.iter().any(|script| script.starts_with(&*text)), "we said {text:?} to {greeting:?}");
}

fn assert_heard(heard: Heard, greeting: Reader, introduced: bool) {
    assert_eq!(heard.greeting, greeting.finish(), "the greeting is what was heard until it ended");
    let said = heard.greeting.as_ref().map(Said::of);
    let outcome = match heard.ending {
        Ending::Said(word) => {
            assert_eq!(said.unwrap_or(Said::NotSmtp), word);
            Outcome::from(word)
        }
        Ending::Silent => Outcome::Silent,
        Ending::Closed => Outcome::Closed,
        Ending::Reset => Outcome::Reset,
        Ending::TlsFailed => unreachable!("nobody spoke of TLS"),
    };
    if heard.ending == Ending::Closed {
        assert_eq!(heard.greeting, None);
    }
    assert!(!heard.truncated || heard.greeting.is_some());
    assert!(heard.banner.is_none() || heard.greeting.is_some());
    assert!(heard.ehlo.is_none() || introduced && said == Some(Said::Welcome), "EHLO was answered unasked");
    let Heard { greeting, ehlo, truncated, banner, .. } = heard;
    let observation = Observation { greeting, ehlo, truncated, banner, ..Observation::bare(outcome, 1) };
    let evidence =
        Evidence { ip: Some(IpAddr::from([192, 0, 2, 1])), observation, resolution: None, scanner: None };
    let judged = judge(&evidence, &Inventory::default());
    assert_eq!(judged.verdict.is_some(), outcome.is_judged());
    if let Some(name) = judged.ehlo_name {
        assert_eq!(HostName::parse(&name).map(String::from), Ok(name));
    }
}
