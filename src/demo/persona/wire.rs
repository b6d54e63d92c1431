//! Hosts that are no mail server, do not answer, or answer to harm.

use std::time::Duration;

use super::super::script::{Act, End, PLAIN, Script};
use super::{Life, MATCH, Persona, unjudged};
use crate::demo::host::Host;
use crate::evidence::Outcome;

/// What passes before an RST, so that the connection surely stood before: without it, a client that looks
/// late sees the reset as part of its connecting.
const BEFORE_RESET: Duration = Duration::from_millis(20);
/// The pause between two octets of a host that drips.
const DRIP: Duration = Duration::from_millis(50);

pub(super) const ROWS: &[Persona] = &[
    Persona {
        code: "refused",
        about: "Nothing listens",
        shares: [150, 260, 320],
        truth: unjudged(Outcome::Refused),
        live: |host| generic(host, Script::mute(End::Refuse)),
    },
    Persona {
        code: "silent",
        about: "Accepts, and never says a word",
        shares: [2, 6, 12],
        truth: unjudged(Outcome::Silent),
        live: |host| generic(host, Script::mute(End::Hold)),
    },
    Persona {
        code: "drips",
        about: "An octet at a time, never a whole line",
        shares: [0, 1, 2],
        truth: unjudged(Outcome::Silent),
        live: |host| {
            let drip = Act::Repeat { bytes: b"x".as_slice().into(), times: 4000, pause: DRIP };
            generic(host, Script { acts: vec![Act::Send(b"220-".as_slice().into()), drip], end: End::Hold })
        },
    },
    Persona {
        code: "closes",
        about: "Accepts, and closes without a word",
        shares: [2, 6, 10],
        truth: unjudged(Outcome::Closed),
        live: |host| generic(host, Script::mute(End::Close)),
    },
    Persona {
        code: "resets",
        about: "Accepts, and resets the connection",
        shares: [2, 5, 8],
        truth: unjudged(Outcome::Reset),
        live: |host| generic(host, Script::mute(End::Reset).after(Act::Wait(BEFORE_RESET))),
    },
    Persona {
        code: "ssh",
        about: "SSH on the mail port",
        shares: [0, 3, 8],
        truth: unjudged(Outcome::NotSmtp),
        live: |host| {
            generic(host, Script::raw(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n".as_slice(), End::Hold))
        },
    },
    Persona {
        code: "http",
        about: "A web server on the mail port, tired of waiting",
        shares: [0, 2, 6],
        truth: unjudged(Outcome::NotSmtp),
        live: |host| {
            let bytes =
                b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".as_slice();
            generic(host, Script::raw(bytes, End::Close))
        },
    },
    Persona {
        code: "pop3",
        about: "POP3 on the mail port",
        shares: [0, 1, 2],
        truth: unjudged(Outcome::NotSmtp),
        live: |host| generic(host, Script::raw(b"+OK Dovecot ready.\r\n".as_slice(), End::Hold)),
    },
    Persona {
        code: "tls",
        about: "TLS at once: an alert (RFC 8446 §6), then closed",
        shares: [0, 1, 2],
        truth: unjudged(Outcome::NotSmtp),
        live: |host| generic(host, Script::raw(b"\x15\x03\x01\x00\x02\x02\x46".as_slice(), End::Close)),
    },
    Persona {
        code: "no_line_end",
        about: "A greeting without a line end, then closed",
        shares: [0, 1, 1],
        truth: MATCH,
        live: |host| whole(host, "", End::Close),
    },
    Persona {
        code: "hostile_bytes",
        about: "A greeting with markup, terminal escapes, NUL and bytes that are not UTF-8",
        shares: [0, 1, 2],
        truth: MATCH,
        live: |host| {
            let own = host.own("mail");
            let mut greeting =
                format!("220 {own} ESMTP \x1b]0;owned\x07\x1b[31m<script>alert(1)</script>\0=2+2|")
                    .into_bytes();
            greeting.extend_from_slice(b"\xff\xfe\x9b2J");
            Life::says(greeting, &own, PLAIN).known_as(host, &own)
        },
    },
    Persona {
        code: "never_ends",
        about: "One line that promises more, then nothing",
        shares: [0, 1, 2],
        truth: MATCH,
        live: |host| {
            let own = host.own("mail");
            let bytes = format!("220-{own} ESMTP\r\n").into_bytes();
            Life::plays(Script::raw(bytes, End::Hold)).named(&own).known_as(host, &own)
        },
    },
    Persona {
        code: "endless_lines",
        about: "Line after line without end",
        shares: [0, 0, 1],
        truth: MATCH,
        live: |host| {
            let own = host.own("mail");
            let line = format!("220-{own} ESMTP and there is more\r\n").into_bytes();
            let acts = vec![Act::Repeat { bytes: line.into(), times: 8192, pause: Duration::ZERO }];
            Life::plays(Script { acts, end: End::Hold }).named(&own).known_as(host, &own)
        },
    },
    Persona {
        code: "long_line",
        about: "A line that is longer than any reader keeps",
        shares: [0, 0, 1],
        truth: MATCH,
        live: |host| whole(host, &" and so on".repeat(30_000), End::Hold),
    },
];

/// An address that no customer named: the provider's PTR, which leads back.
fn generic(host: Host, script: Script) -> Life {
    Life::plays(script).known_as(host, &host.generic())
}

/// A healthy host's greeting with something behind it and no line end.
fn whole(host: Host, behind: &str, end: End) -> Life {
    let own = host.own("mail");
    let bytes = format!("220 {own} ESMTP{behind}").into_bytes();
    Life::plays(Script::raw(bytes, end)).named(&own).known_as(host, &own)
}
