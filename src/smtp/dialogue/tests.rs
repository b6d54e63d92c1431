//! Conversations, event by event, with time passed in.

mod tls;

use super::command::{QUIT, STARTTLS};
use super::*;
use crate::name::HostName;
use proptest::prelude::*;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn dialogue() -> Dialogue<'static> {
    Dialogue::new(Patience { greeting: s(45), host: s(90) }, None, s(1))
}

#[test]
fn a_polite_conversation_sends_quit_after_the_last_line_and_waits_for_the_close() {
    let mut dialogue = dialogue();
    assert_eq!(dialogue.step(), Step::Listen { until: s(46) });
    dialogue.hear(b"220-mail.example.org\r\n220 rea", s(2));
    assert_eq!(dialogue.step(), Step::Listen { until: s(46) }, "a teaser is no reason to talk");
    dialogue.hear(b"dy\r\n", s(8));
    assert_eq!(dialogue.step(), Step::Send { octets: b"QUIT\r\n", until: s(10) });
    dialogue.sent(2);
    assert_eq!(dialogue.step(), Step::Send { octets: b"IT\r\n", until: s(10) });
    dialogue.sent(4);
    assert_eq!(dialogue.step(), Step::Listen { until: s(10) });
    dialogue.hear(b"221 bye\r\n", s(8));
    assert_eq!(dialogue.step(), Step::Listen { until: s(10) }, "the server closes first");
    dialogue.hang_up(HangUp::Closed, s(9));
    assert_eq!(dialogue.step(), Step::Close);
    let heard = dialogue.finish();
    assert_eq!(heard.ending, Ending::Said(Said::Welcome));
    assert_eq!((heard.truncated, heard.banner), (false, Some(s(7))));
    assert_eq!(heard.greeting.unwrap().text.len(), 2);
}

#[test]
fn a_server_that_does_not_close_is_left_after_two_seconds() {
    let mut dialogue = dialogue();
    dialogue.hear(b"220 a\r\n", s(3));
    dialogue.sent(6);
    dialogue.tick(Duration::from_millis(4999));
    assert_eq!(dialogue.step(), Step::Listen { until: s(5) });
    dialogue.tick(s(5));
    assert_eq!(dialogue.step(), Step::Abort);
    assert_eq!(dialogue.finish().ending, Ending::Said(Said::Welcome));
}

#[test]
fn the_host_deadline_bounds_every_wait() {
    let mut late = Dialogue::new(Patience { greeting: s(45), host: s(20) }, None, s(1));
    assert_eq!(late.step(), Step::Listen { until: s(20) });
    late.hear(b"220 a\r\n", s(19));
    assert_eq!(late.step(), Step::Send { octets: QUIT, until: s(20) });
    late.tick(s(20));
    assert_eq!(late.step(), Step::Abort);
    let endless = Dialogue::new(Patience { greeting: Duration::MAX, host: Duration::MAX }, None, s(1));
    assert_eq!(endless.step(), Step::Listen { until: Duration::MAX });
}

/// What happens after the bytes of a row.
#[derive(Debug, Clone, Copy)]
enum Then {
    Nothing,
    Time,
    Closed,
    Reset,
}

#[test]
fn each_way_to_end_a_greeting_has_its_ending() {
    use Ending::{Closed, Reset, Silent};
    let long = vec![b'x'; 70_000];
    let said = Ending::Said;
    for (bytes, then, ending, truncated, has_greeting) in [
        (&b""[..], Then::Time, Silent, false, false),
        (b"\r\n", Then::Time, Silent, false, false),
        (b"220 mail.exam", Then::Time, Silent, true, true),
        (b"220-mail.example.org\r\n", Then::Time, said(Said::Welcome), true, true),
        (b"554-no\r\n554 bec", Then::Time, said(Said::Refusal), true, true),
        (b"", Then::Closed, Closed, false, false),
        (b"\r\n", Then::Closed, Closed, false, false),
        (b"220 mail.exam", Then::Closed, said(Said::Welcome), false, true),
        (b"220-mail.example.org\r\n", Then::Closed, said(Said::Welcome), false, true),
        (b"421", Then::Closed, said(Said::Refusal), false, true),
        (b"22", Then::Closed, said(Said::NotSmtp), false, true),
        (b"5.7.1 no", Then::Closed, said(Said::Refusal), false, true),
        (b"", Then::Reset, Reset, false, false),
        (b"220 mail.exam", Then::Reset, Reset, true, true),
        (b"220-mail.example.org\r\n", Then::Reset, said(Said::Welcome), true, true),
        (b"SSH-2.0-x\r\n", Then::Nothing, said(Said::NotSmtp), false, true),
        (b"700 what\r\n", Then::Nothing, said(Said::NotSmtp), false, true),
        (b"mail refused: blacklisted\r\n", Then::Nothing, said(Said::Refusal), false, true),
        (&long, Then::Nothing, said(Said::NotSmtp), true, true),
    ] {
        let mut dialogue = dialogue();
        dialogue.hear(bytes, s(2));
        match then {
            Then::Nothing => {}
            Then::Time => dialogue.tick(s(46)),
            Then::Closed => dialogue.hang_up(HangUp::Closed, s(3)),
            Then::Reset => dialogue.hang_up(HangUp::Reset, s(3)),
        }
        let row = bytes.escape_ascii().to_string().chars().take(40).collect::<String>();
        let left = match then {
            Then::Time => Step::Abort,
            Then::Nothing if bytes.len() > 60_000 => Step::Abort,
            _ => Step::Close,
        };
        assert_eq!(dialogue.step(), left, "{row} {then:?}: QUIT is for whole greetings with a code");
        let heard = dialogue.finish();
        assert_eq!((heard.ending, heard.truncated), (ending, truncated), "{row} {then:?}");
        assert_eq!(heard.greeting.is_some(), has_greeting, "{row} {then:?}");
    }
}

#[test]
fn refusals_are_left_with_quit_too() {
    for greeting in [&b"421 busy\r\n"[..], b"554 no\r\n", b"220\r\n", b"220 ****\r\n"] {
        let mut dialogue = dialogue();
        dialogue.hear(greeting, s(2));
        assert!(matches!(dialogue.step(), Step::Send { octets: QUIT, .. }), "{}", greeting.escape_ascii());
        dialogue.hang_up(HangUp::Reset, s(2));
        assert_eq!(dialogue.step(), Step::Close);
        assert!(
            matches!(dialogue.finish().ending, Ending::Said(_)),
            "a reset after the greeting changes nothing"
        );
    }
}

const EHLO: &[u8] = b"EHLO scanner.example.com\r\n";

fn introduction() -> Introduction {
    Introduction::new(&HostName::parse("scanner.example.com").unwrap())
}

#[test]
fn a_welcome_is_answered_by_ehlo_and_its_reply_by_quit() {
    let introduction = introduction();
    let mut dialogue = Dialogue::new(Patience { greeting: s(45), host: s(90) }, Some(&introduction), s(1));
    dialogue.hear(b"220-mail.example.org\r\n", s(2));
    assert_eq!(dialogue.step(), Step::Listen { until: s(46) });
    dialogue.hear(b"220 ready\r\n250 early\r\n", s(2));
    assert_eq!(dialogue.step(), Step::Send { octets: b"EHLO scanner.example.com\r\n", until: s(47) });
    dialogue.sent(5);
    assert_eq!(dialogue.step(), Step::Send { octets: b"scanner.example.com\r\n", until: s(47) });
    dialogue.sent(21);
    assert_eq!(dialogue.step(), Step::Listen { until: s(47) });
    dialogue.hear(b"250-mail.example.org\r\n250-SIZE 1000\r\n250 START", s(3));
    assert_eq!(dialogue.step(), Step::Listen { until: s(47) });
    dialogue.hear(b"TLS\r\n", s(4));
    assert_eq!(dialogue.step(), Step::Send { octets: QUIT, until: s(6) });
    dialogue.sent(6);
    assert_eq!(dialogue.step(), Step::Listen { until: s(6) });
    dialogue.hang_up(HangUp::Closed, s(5));
    let heard = dialogue.finish();
    assert_eq!(heard.greeting.unwrap().text.len(), 2, "what is said before we ask is no reply");
    assert_eq!(heard.ehlo.unwrap().text, ["mail.example.org", "SIZE 1000", "STARTTLS"].into_iter().collect());
    assert_eq!(heard.banner, Some(s(1)));
}

#[test]
fn helo_is_tried_once_where_ehlo_is_not_known() {
    let introduction = introduction();
    for (ehlo, helo, kept) in [
        (&b"500 what?\r\n"[..], Some(&b"250 mail.example.org\r\n"[..]), 250),
        (b"502 no\r\n", Some(b"250 mail.example.org\r\n"), 250),
        (b"504 no\r\n", Some(b"500 nor that\r\n"), 500),
        (b"250 mail.example.org\r\n", None, 250),
        (b"501 syntax\r\n", None, 501),
        (b"550 we don't like you\r\n", None, 550),
        (b"421 bye\r\n", None, 421),
    ] {
        let mut dialogue =
            Dialogue::new(Patience { greeting: s(45), host: s(90) }, Some(&introduction), s(1));
        dialogue.hear(b"220 a\r\n", s(2));
        dialogue.sent(26);
        dialogue.hear(ehlo, s(3));
        if let Some(helo) = helo {
            assert_eq!(dialogue.step(), Step::Send { octets: b"HELO scanner.example.com\r\n", until: s(48) });
            dialogue.sent(26);
            dialogue.hear(helo, s(4));
        }
        assert!(matches!(dialogue.step(), Step::Send { octets: QUIT, .. }), "{}", ehlo.escape_ascii());
        assert_eq!(dialogue.finish().ehlo.unwrap().code, Code::new(kept), "{}", ehlo.escape_ascii());
    }
}

#[test]
fn refusals_and_strangers_are_asked_nothing() {
    let introduction = introduction();
    for (greeting, step) in [
        (&b"421 busy\r\n"[..], Step::Send { octets: QUIT, until: s(4) }),
        (b"554 no\r\n", Step::Send { octets: QUIT, until: s(4) }),
        (b"mail refused: blacklisted\r\n", Step::Close),
        (b"SSH-2.0-x\r\n", Step::Close),
    ] {
        let mut dialogue =
            Dialogue::new(Patience { greeting: s(45), host: s(90) }, Some(&introduction), s(1));
        dialogue.hear(greeting, s(2));
        assert_eq!(dialogue.step(), step, "{}", greeting.escape_ascii());
    }
}

#[test]
fn an_introduction_that_goes_wrong_leaves_the_greeting_as_it_was() {
    let introduction = introduction();
    let endless = b"250-SIZE\r\n".repeat(1000);
    for (said, then, ehlo, left) in [
        (&b""[..], Then::Time, None, Step::Abort),
        (b"250-mail.example.org\r\n250", Then::Time, Some(2), Step::Abort),
        (b"", Then::Reset, None, Step::Close),
        (b"", Then::Closed, None, Step::Close),
        (b"250 mail", Then::Closed, Some(1), Step::Close),
        (&endless, Then::Nothing, Some(128), Step::Abort),
    ] {
        let mut dialogue =
            Dialogue::new(Patience { greeting: s(45), host: s(60) }, Some(&introduction), s(1));
        dialogue.hear(b"220 mail.example.org\r\n", s(20));
        assert_eq!(dialogue.step(), Step::Send { octets: EHLO, until: s(60) });
        dialogue.sent(26);
        dialogue.hear(said, s(21));
        match then {
            Then::Nothing => {}
            Then::Time => dialogue.tick(s(60)),
            Then::Closed => dialogue.hang_up(HangUp::Closed, s(22)),
            Then::Reset => dialogue.hang_up(HangUp::Reset, s(22)),
        }
        assert_eq!(dialogue.step(), left, "{then:?}");
        let heard = dialogue.finish();
        assert_eq!((heard.ending, heard.truncated), (Ending::Said(Said::Welcome), false), "{then:?}");
        assert_eq!(heard.ehlo.map(|reply| reply.text.len()), ehlo, "{then:?}");
    }
}

#[test]
fn a_host_that_talks_on_is_left_when_it_has_said_enough() {
    let mut dialogue = dialogue();
    dialogue.hear(b"220 a\r\n", s(2));
    dialogue.sent(6);
    let mut heard = 7;
    while dialogue.step() != Step::Abort {
        dialogue.hear(&[b'x'; 1000], s(2));
        heard += 1000;
        assert!(heard <= MAX_HEARD + 1000);
    }
    assert!(heard > MAX_HEARD);
    assert_eq!(dialogue.finish().greeting.unwrap().text.first(), b"a");
}

#[test]
fn a_waiting_conversation_is_small() {
    assert!(size_of::<Dialogue<'_>>() <= 400, "{} octets", size_of::<Dialogue<'_>>());
}

proptest! {
    #![proptest_config(crate::property_tests::usual())]

    #[test]
    fn nothing_is_sent_before_the_greeting_is_whole(
        parts in prop::collection::vec(prop::sample::select(vec![
            &b"220-"[..], b"220 ", b"x", b"\r\n", b"\n", b"554", b"-", b"\0",
        ]), 0..40),
    ) {
        let mut dialogue = dialogue();
        let mut fed = Vec::new();
        for part in parts {
            dialogue.hear(part, s(2));
            fed.extend_from_slice(part);
            if matches!(dialogue.step(), Step::Send { .. }) {
                let whole = matches!(Reader::default().feed(&fed), Progress::Done { .. });
                prop_assert!(whole, "{}", fed.escape_ascii());
            }
        }
    }

    #[test]
    fn whatever_happens_the_conversation_ends_by_its_deadline(
        events in prop::collection::vec((0u8..4, prop::collection::vec(any::<u8>(), 0..30)), 0..30),
    ) {
        let mut dialogue = dialogue();
        for (kind, bytes) in events {
            match kind {
                0 => dialogue.hear(&bytes, s(2)),
                1 => dialogue.sent(bytes.len()),
                2 => dialogue.tick(s(3)),
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
