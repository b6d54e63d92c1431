//! Conversations that come to TLS, or ought to.

use super::*;

const OFFER: &[u8] = b"250-mail.example.org\r\n250-SIZE 1000\r\n250 STARTTLS\r\n";

fn introduction() -> Introduction {
    super::introduction().with_purpose(Purpose::Tls)
}

fn patience() -> Patience {
    Patience { greeting: s(45), host: s(90) }
}

/// Sends whatever is to be sent, and says what it was.
fn send(dialogue: &mut Dialogue<'_>) -> Vec<u8> {
    let Step::Send { octets, .. } = dialogue.step() else { return Vec::new() };
    let octets = octets.to_vec();
    dialogue.sent(octets.len());
    octets
}

/// A conversation in which STARTTLS has just been said.
fn started(introduction: &Introduction) -> Dialogue<'_> {
    let mut dialogue = Dialogue::new(patience(), Some(introduction), s(1));
    dialogue.hear(b"220 mail.example.org ESMTP\r\n", s(2));
    assert_eq!(send(&mut dialogue), EHLO);
    dialogue.hear(OFFER, s(3));
    assert_eq!(dialogue.step(), Step::Send { octets: STARTTLS, until: s(48) });
    assert_eq!(send(&mut dialogue), STARTTLS);
    dialogue
}

fn security(dialogue: Dialogue<'_>) -> (Security, Vec<u8>) {
    let tls = dialogue.finish().tls.expect("it came to TLS");
    (tls.security, tls.plaintext)
}

#[test]
fn ehlo_is_said_anew_inside_tls_and_its_replies_are_kept_apart() {
    let introduction = introduction();
    let mut dialogue = started(&introduction);
    dialogue.hear(b"220 go ahead\r\n", s(4));
    assert_eq!(dialogue.step(), Step::Handshake { until: s(49) });
    dialogue.secured(s(5));
    assert_eq!(dialogue.step(), Step::Send { octets: EHLO, until: s(50) });
    assert_eq!(send(&mut dialogue), EHLO);
    dialogue.hear(b"250-mx.example.org\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n", s(6));
    assert_eq!(send(&mut dialogue), QUIT, "STARTTLS is said once, whatever is offered inside");
    let heard = dialogue.finish();
    let lines = |reply: Option<&Reply>| reply.unwrap().text.lines().map(<[u8]>::to_vec).collect::<Vec<_>>();
    assert_eq!(lines(heard.ehlo.as_ref()), [&b"mail.example.org"[..], b"SIZE 1000", b"STARTTLS"]);
    let tls = heard.tls.unwrap();
    assert_eq!((tls.security, tls.plaintext), (Security::Made, Vec::new()));
    assert_eq!(lines(tls.ehlo.as_ref()), [&b"mx.example.org"[..], b"STARTTLS", b"AUTH PLAIN"]);
}

#[test]
fn tls_is_asked_for_only_where_it_is_offered() {
    for (said, helo) in [
        (&b"250 mail.example.org\r\n"[..], None),
        (b"250-mail.example.org\r\n250 SIZE STARTTLS\r\n", None),
        (b"250 STARTTLS\r\n", None),
        (b"502 what?\r\n", Some(&b"250-mail.example.org\r\n250 STARTTLS\r\n"[..])),
    ] {
        let introduction = introduction();
        let mut dialogue = Dialogue::new(patience(), Some(&introduction), s(1));
        dialogue.hear(b"220 a\r\n", s(2));
        send(&mut dialogue);
        dialogue.hear(said, s(3));
        if let Some(helo) = helo {
            send(&mut dialogue);
            dialogue.hear(helo, s(3));
        }
        assert_eq!(send(&mut dialogue), QUIT, "{}", said.escape_ascii());
        assert_eq!(security(dialogue).0, Security::NotOffered, "{}", said.escape_ascii());
    }
}

#[test]
fn where_ehlo_is_not_accepted_nothing_is_known_of_tls() {
    for said in [&b"550 go away\r\n"[..], b"421 later\r\n", b"what?\r\n"] {
        let introduction = introduction();
        let mut dialogue = Dialogue::new(patience(), Some(&introduction), s(1));
        dialogue.hear(b"220 a\r\n", s(2));
        send(&mut dialogue);
        dialogue.hear(said, s(3));
        assert_eq!(send(&mut dialogue), QUIT);
        assert_eq!(dialogue.finish().tls, None);
    }
    let introduction = introduction();
    let mut refused = Dialogue::new(patience(), Some(&introduction), s(1));
    refused.hear(b"554 no\r\n", s(2));
    assert_eq!(send(&mut refused), QUIT);
    assert_eq!(refused.finish().tls, None);
}

#[test]
fn each_answer_to_starttls_is_told_apart() {
    use Failure::{Closed, Protocol, Reset, TimedOut};
    let endless = b"220-x\r\n".repeat(1000);
    let code = |code| Security::Refused(Code::new(code));
    for (said, then, security, left) in [
        (&b"454 not now\r\n"[..], Then::Nothing, code(454), b"QUIT\r\n".as_slice()),
        (b"500 what?\r\n", Then::Nothing, code(500), QUIT),
        (b"221 bye\r\n", Then::Nothing, code(221), QUIT),
        (b"eh\r\n", Then::Nothing, Security::Refused(None), QUIT),
        (b"", Then::Time, Security::Failed(TimedOut), b""),
        (b"220-go", Then::Time, Security::Failed(TimedOut), b""),
        (b"", Then::Closed, Security::Failed(Closed), b""),
        (b"220 go", Then::Closed, Security::Failed(Closed), b""),
        (b"", Then::Reset, Security::Failed(Reset), b""),
        (&endless, Then::Nothing, Security::Failed(Protocol), b""),
        (b"220 go\r\n", Then::Time, Security::Failed(TimedOut), b""),
        (b"220 go\r\n", Then::Closed, Security::Failed(Closed), b""),
        (b"220 go\r\n", Then::Reset, Security::Failed(Reset), b""),
    ] {
        let introduction = introduction();
        let mut dialogue = started(&introduction);
        dialogue.hear(said, s(4));
        match then {
            Then::Nothing => {}
            Then::Time => dialogue.tick(s(50)),
            Then::Closed => dialogue.hang_up(HangUp::Closed, s(5)),
            Then::Reset => dialogue.hang_up(HangUp::Reset, s(5)),
        }
        let row = format!("{} {then:?}", said.escape_ascii());
        let row = row.get(..60).unwrap_or(&row);
        assert_eq!(send(&mut dialogue).escape_ascii().to_string(), left.escape_ascii().to_string(), "{row}");
        assert!(dialogue.is_settled(), "{row}");
        let heard = dialogue.finish();
        assert_eq!(heard.ending, Ending::Said(Said::Welcome), "{row}: the greeting stands");
        assert_eq!(heard.ehlo.map(|reply| reply.text.len()), Some(3), "{row}");
        assert_eq!(heard.tls.unwrap().security, security, "{row}");
    }
}

#[test]
fn a_connection_can_end_while_starttls_is_being_sent() {
    let introduction = introduction();
    let mut dialogue = Dialogue::new(patience(), Some(&introduction), s(1));
    dialogue.hear(b"220 a\r\n", s(2));
    send(&mut dialogue);
    dialogue.hear(OFFER, s(3));
    dialogue.sent(3);
    dialogue.hang_up(HangUp::Reset, s(4));
    assert_eq!(dialogue.step(), Step::Close);
    assert_eq!(security(dialogue).0, Security::Failed(Failure::Reset));
}

#[test]
fn plain_text_behind_the_go_ahead_reaches_no_reply() {
    let introduction = introduction();
    for cut in [0, 1, 14, 15, 16, 20] {
        let mut dialogue = started(&introduction);
        let said = b"220 go ahead\r\n250-evil.example\r\n250 X\r\n";
        dialogue.hear(&said[..cut], s(4));
        dialogue.hear(&said[cut..], s(4));
        assert_eq!(dialogue.step(), Step::Handshake { until: s(49) }, "{cut}");
        assert!(dialogue.has_plaintext());
        dialogue.secured(s(5));
        assert_eq!(send(&mut dialogue), EHLO, "the injected reply answers nothing");
        dialogue.hear(b"250 mail.example.org\r\n", s(6));
        let heard = dialogue.finish();
        let tls = heard.tls.unwrap();
        assert_eq!(tls.plaintext, b"250-evil.example\r\n250 X\r\n", "{cut}");
        assert_eq!(tls.ehlo.unwrap().text.first(), b"mail.example.org");
        assert_eq!(heard.ehlo.unwrap().text.first(), b"mail.example.org");
    }
}

#[test]
fn not_all_that_is_injected_is_kept() {
    let introduction = introduction();
    let mut dialogue = started(&introduction);
    dialogue.hear(b"220 go\r\n", s(4));
    for _ in 0..10 {
        dialogue.hear(&[b'x'; 100], s(4));
    }
    assert_eq!(security(dialogue).1.len(), MAX_PLAINTEXT);
    let mut dialogue = started(&introduction);
    dialogue.hear(b"220 go\r\n", s(4));
    dialogue.hear(&vec![b'x'; MAX_HEARD], s(4));
    assert_eq!(dialogue.step(), Step::Close, "and a flood is not waited for");
    assert_eq!(security(dialogue).0, Security::Failed(Failure::Protocol));
}

#[test]
fn where_tls_comes_first_the_greeting_is_inside_it() {
    let introduction = introduction();
    let mut dialogue = Dialogue::new(patience(), Some(&introduction), s(1)).tls_first();
    assert_eq!(dialogue.step(), Step::Handshake { until: s(46) });
    assert!(!dialogue.is_settled());
    dialogue.secured(s(3));
    assert_eq!(dialogue.step(), Step::Listen { until: s(46) });
    dialogue.hear(b"220 mail.example.org ESMTP\r\n", s(4));
    assert_eq!(send(&mut dialogue), EHLO);
    dialogue.hear(OFFER, s(5));
    assert_eq!(send(&mut dialogue), QUIT, "there is no TLS inside TLS");
    let heard = dialogue.finish();
    assert_eq!((heard.ending, heard.banner), (Ending::Said(Said::Welcome), Some(s(3))));
    assert_eq!(heard.ehlo.unwrap().text.len(), 3, "there is one reply, and it has one place");
    let tls = heard.tls.unwrap();
    assert_eq!((tls.security, tls.ehlo), (Security::Made, None));
}

#[test]
fn where_tls_comes_first_and_fails_the_outcome_says_how() {
    for (failure, ending, left) in [
        (Failure::TimedOut, Ending::Silent, Step::Abort),
        (Failure::Closed, Ending::Closed, Step::Close),
        (Failure::Reset, Ending::Reset, Step::Close),
        (Failure::Protocol, Ending::TlsFailed, Step::Close),
    ] {
        let mut dialogue = Dialogue::new(patience(), None, s(1)).tls_first();
        dialogue.failed(failure);
        assert_eq!(dialogue.step(), left);
        let heard = dialogue.finish();
        assert_eq!((heard.ending, heard.greeting), (ending, None));
        assert_eq!(heard.tls.unwrap().security, Security::Failed(failure));
    }
}

#[test]
fn tls_that_fails_after_the_handshake_failed_if_nothing_was_heard_inside() {
    let introduction = introduction();
    for (inside, is_failed) in [(&b""[..], true), (b"250 mx.example.org\r\n", false)] {
        let mut dialogue = Dialogue::new(patience(), Some(&introduction), s(1));
        for part in [&b"220 mail.example.org ESMTP\r\n"[..], OFFER, b"220 go\r\n"] {
            dialogue.hear(part, s(2));
            send(&mut dialogue);
        }
        dialogue.secured(s(3));
        send(&mut dialogue);
        dialogue.hear(inside, s(4));
        dialogue.hang_up(HangUp::Reset, s(4));
        assert_eq!(dialogue.tls_failed(), is_failed);
        assert_eq!(dialogue.finish().ending, Ending::Said(Said::Welcome));
    }
    for (inside, ending) in [(&b""[..], Ending::TlsFailed), (b"220 a\r\n", Ending::Said(Said::Welcome))] {
        let mut dialogue = Dialogue::new(patience(), None, s(1)).tls_first();
        dialogue.secured(s(2));
        dialogue.hear(inside, s(3));
        dialogue.hang_up(HangUp::Reset, s(4));
        assert_eq!(dialogue.tls_failed(), inside.is_empty());
        assert_eq!(dialogue.finish().ending, ending);
    }
}

/// All that a conversation brings if the server says each part in turn, whatever we say.
fn hold(introduction: &Introduction, parts: &[&[u8]]) -> (Vec<Vec<u8>>, Heard) {
    let mut dialogue = Dialogue::new(patience(), Some(introduction), s(1));
    let mut said = Vec::new();
    for part in parts {
        dialogue.hear(part, s(2));
        said.extend(Some(send(&mut dialogue)).filter(|octets| !octets.is_empty()));
    }
    (said, dialogue.finish())
}

proptest! {
    #![proptest_config(crate::property_tests::usual())]

    #[test]
    fn a_conversation_is_the_same_however_each_reply_is_cut(
        injected in "[a-z0-9 \r\n-]{0,40}", cuts in prop::collection::vec(1usize..12, 1..20),
    ) {
        let introduction = introduction();
        let last = [&b"220 go\r\n"[..], injected.as_bytes()].concat();
        let replies = [b"220-mail.example.org\r\n220 ESMTP\r\n", OFFER, &last];
        let mut parts = Vec::new();
        let mut cuts = cuts.iter().cycle();
        for reply in replies {
            let mut rest = reply;
            while !rest.is_empty() {
                let (part, tail) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                parts.push(part);
                rest = tail;
            }
        }
        let (said, heard) = hold(&introduction, &parts);
        prop_assert_eq!(&said, &[EHLO.to_vec(), STARTTLS.to_vec()]);
        prop_assert_eq!((said, heard), hold(&introduction, &replies));
    }

    #[test]
    fn whatever_happens_on_the_way_to_tls_the_conversation_ends_by_its_deadline(
        events in prop::collection::vec((0u8..8, prop::collection::vec(any::<u8>(), 0..30)), 0..30),
    ) {
        let introduction = introduction();
        let mut dialogue = Dialogue::new(patience(), Some(&introduction), s(1));
        for (kind, bytes) in events {
            match kind {
                0 => dialogue.hear(&bytes, s(2)),
                1 => dialogue.sent(bytes.len()),
                2 => dialogue.tick(s(3)),
                3 => dialogue.hear(OFFER, s(2)),
                4 => dialogue.secured(s(2)),
                5 => { send(&mut dialogue); }
                _ => dialogue.hear(b"220 a\r\n", s(2)),
            }
        }
        for _ in 0..3 {
            match dialogue.step() {
                Step::Send { until, .. } | Step::Listen { until } | Step::Handshake { until } => {
                    prop_assert!(until <= s(90));
                    dialogue.tick(until);
                }
                Step::Close | Step::Abort => break,
            }
        }
        prop_assert!(matches!(dialogue.step(), Step::Close | Step::Abort));
    }
}
