//! Greetings that come near a platform and are not it: data.

use super::Table;

/// Greetings that come near a row and are not it; what they tell instead.
pub(super) const NEAR_MISSES: Table<'_> = &[
    (
        "google",
        &[
            ("220 mail.kestrel.example ESMTP gsmtpd 1.0", None),
            ("220 mx.google.com ESMTP ready", None),
            ("220 gsmtp.kestrel.example ESMTP Postfix", Some("postfix")),
        ],
    ),
    (
        "microsoft_365",
        &[
            ("220 EX01.corp.local Microsoft ESMTP MAIL Service ready at Tue", Some("exchange")),
            ("220 mail.protection.outlook.com ESMTP Postfix", Some("postfix")),
            ("220 mail.protection.outlook.com ESMTP of no Microsoft", None),
            ("220 mail.notoutlook.com Microsoft ESMTP MAIL Service ready at Tue", Some("exchange")),
        ],
    ),
    ("yahoo", &[("220 yahoo.kestrel.example ESMTP ready", None), ("220 mail.myyahoo.com ESMTP ready", None)]),
    ("zoho", &[("220 zoho.kestrel.example SMTP ready", None), ("220 mail.notzoho.com ESMTP", None)]),
    (
        "sendgrid",
        &[
            ("220 sg.kestrel.example ESMTP Postfix", Some("postfix")),
            ("220 mail.kestrel.example ESMTP service ready at ismtpd1.sendgrid.net", None),
        ],
    ),
    (
        "amazon_ses",
        &[
            ("220 email-smtp.amazonaws.com ESMTP ready", None),
            ("220 SimpleEmailService.kestrel.example ESMTP Exim 4.96", Some("exim")),
        ],
    ),
    (
        "mandrill",
        &[("220 mandrillapp.kestrel.example ESMTP", None), ("220 smtp.mymandrillapp.com ESMTP", None)],
    ),
    (
        "proofpoint",
        &[("220 mfa.kestrel.example ESMTP", None), ("220 mail.kestrel.example ESMTP mfaktur-1", None)],
    ),
    ("mimecast", &[("220 mimecast.kestrel.example ESMTP", None), ("220 mail.notmimecast.com ESMTP", None)]),
    (
        "symantec",
        &[
            ("220 mail.kestrel.example ESMTP Postfix; no Symantec here", Some("postfix")),
            ("220 messagelabs.kestrel.example ESMTP", None),
        ],
    ),
    (
        "asyncos",
        &[
            ("220-mail.kestrel.example ESMTP\n220 mail.kestrel.example ready", None),
            ("220 AsyncOS.kestrel.example.iphmx.de ESMTP", None),
        ],
    ),
    (
        "barracuda",
        &[
            ("220 mail.kestrel.example ESMTP (Postfix)", None),
            ("220 mail.kestrel.example ESMTP (0123abcd)", None),
            ("220 mail.kestrel.example ESMTP (0123456789abcdef) ready", None),
            ("220 barracuda.kestrel.example ESMTP Exim 4.96", Some("exim")),
        ],
    ),
    (
        "fortimail",
        &[
            ("220 mail.kestrel.example ESMTP smtpd; Tue", None),
            ("220 mail.kestrel.example ESMTP Smtpd ready", None),
        ],
    ),
    (
        "sonicwall",
        &[
            ("220 sonicwall.kestrel.example ESMTP Postfix", Some("postfix")),
            ("220 mail.kestrel.example ESMTP behind SonicWall", None),
        ],
    ),
    (
        "cpanel",
        &[
            (
                "220-mail.kestrel.example ESMTP ready\n220 We do not authorize the use of this system to transport unsolicited",
                None,
            ),
            ("220-mail.kestrel.example ESMTP Exim 4.96\n220 No unsolicited mail, please", Some("exim")),
        ],
    ),
    (
        "plesk",
        &[
            ("220 plesk.kestrel.example ESMTP Postfix", Some("postfix")),
            ("220 mail.myplesk.page.kestrel.example ESMTP", None),
        ],
    ),
    (
        "directadmin",
        &[
            ("220 directadmin.kestrel.example ESMTP Exim 4.96", Some("exim")),
            ("220 directadmin.kestrel.example ready", None),
        ],
    ),
    (
        "mail_in_a_box",
        &[
            ("220 mail-in-a-box.kestrel.example ESMTP Postfix", Some("postfix")),
            ("220 box.kestrel.example ESMTP hello, I am a box", None),
        ],
    ),
    (
        "zimbra",
        &[
            ("220 zimbra.kestrel.example ESMTP Postfix", Some("postfix")),
            ("220 mail.kestrel.example ESMTP not Zimbra", None),
        ],
    ),
    (
        "postscreen",
        &[
            ("220 mail.kestrel.example ESMTP Postfix", Some("postfix")),
            ("220-mail.kestrel.example ESMTP Postfix\n220 welcome", Some("postfix")),
            ("220-teaser\n220 mail.kestrel.example ESMTP", None),
        ],
    ),
    (
        "postfix",
        &[
            ("220 mail.postfix.kestrel.example ESMTP", None),
            ("220 mail.kestrel.example ESMTP ready, not Postfix", None),
            ("220 mail.kestrel.example Postfix", None),
        ],
    ),
    (
        "exim",
        &[
            ("220 exim.kestrel.example ESMTP", None),
            ("220 mail.kestrel.example ESMTP not Exim", None),
            ("220 mail.kestrel.example ESMTP Eximius", None),
        ],
    ),
    (
        "sendmail",
        &[
            ("220 sendmail.kestrel.example ESMTP", None),
            ("220 mail.kestrel.example SMTP; we do not run Sendmail", None),
        ],
    ),
    (
        "iis_smtp",
        &[
            ("220 foo Microsoft ESMTP MAIL Service ready at Tue", Some("exchange")),
            ("220 microsoft.kestrel.example ESMTP", None),
        ],
    ),
    (
        "exchange",
        &[
            ("220 EX01.corp.local Microsoft ESMTP", None),
            ("220 exchange.kestrel.example ESMTP Postfix", Some("postfix")),
        ],
    ),
    ("qmail", &[("220 mail.kestrel.example ESMTP", None), ("220 qmail.kestrel.example ESMTP", None)]),
    (
        "opensmtpd",
        &[("220 opensmtpd.kestrel.example ESMTP", None), ("220 mail.kestrel.example ESMTP OpenSMTP", None)],
    ),
    (
        "courier",
        &[
            ("220 courier.kestrel.example ESMTP", None),
            ("220 mail.kestrel.example ESMTP for the courier service", None),
        ],
    ),
    ("haraka", &[("220 haraka.kestrel.example ESMTP", None), ("220 mail.kestrel.example Haraka", None)]),
    (
        "stalwart",
        &[
            ("220 stalwart.kestrel.example ESMTP", None),
            ("220 mail.kestrel.example ESMTP, a stalwart server", None),
        ],
    ),
    (
        "kumomta",
        &[("220 kumomta.kestrel.example ESMTP", None), ("220 mail.kestrel.example ESMTP kumomta", None)],
    ),
    (
        "powermta",
        &[("220 powermta.kestrel.example ESMTP", None), ("220 mail.kestrel.example ESMTP PowerMTA", None)],
    ),
    (
        "momentum",
        &[("220 momentum.kestrel.example ESMTP", None), ("220 2.0.0 ecelerity.kestrel.example ESMTP", None)],
    ),
    (
        "james",
        &[
            ("220 james.kestrel.example SMTP Server ready", None),
            ("220 mail.kestrel.example ESMTP James speaking", None),
        ],
    ),
    (
        "kerio",
        &[("220 kerio.kestrel.example ESMTP ready", None), ("220 mail.kestrel.example ESMTP Kerio", None)],
    ),
    (
        "mdaemon",
        &[("220 mdaemon.kestrel.example ESMTP", None), ("220 mail.kestrel.example ESMTP MDaemonX", None)],
    ),
    ("icewarp", &[("220 icewarp.kestrel.example ESMTP", None), ("220 mail.kestrel.example IceWarp", None)]),
    (
        "mailenable",
        &[
            ("220 mailenable.kestrel.example ESMTP", None),
            ("220 mail.kestrel.example ESMTP MailEnable", None),
        ],
    ),
    (
        "hmailserver",
        &[
            ("220 hmailserver.kestrel.example ESMTP", None),
            ("220 mail.kestrel.example ESMTP hmailserver", None),
        ],
    ),
    (
        "smartermail",
        &[
            ("220 smartermail.kestrel.example ESMTP", None),
            ("220 mail.kestrel.example ESMTP a smartermail", None),
        ],
    ),
    (
        "axigen",
        &[("220 axigen.kestrel.example ESMTP", None), ("220 mail.kestrel.example ESMTP Axigen", None)],
    ),
    (
        "communigate",
        &[
            ("220 communigate.kestrel.example ESMTP", None),
            ("220 mail.kestrel.example ESMTP CommuniGate", None),
        ],
    ),
    (
        "domino",
        &[
            ("220 domino.kestrel.example ESMTP Service ready", None),
            ("220 mail.kestrel.example ESMTP Domino Release party", None),
        ],
    ),
    (
        "groupwise",
        &[("220 groupwise.kestrel.example ESMTP", None), ("220 mail.kestrel.example ESMTP GroupWise", None)],
    ),
    (
        "coremail",
        &[
            ("220 coremail.kestrel.example ESMTP", None),
            ("220 mail.kestrel.example Anti-spam System (Coremail)", None),
        ],
    ),
    (
        "xmail",
        &[
            ("220 xmail.kestrel.example ESMTP Server ready", None),
            ("220 mail.kestrel.example [XMail] ready", None),
        ],
    ),
    ("mox", &[("220 mox.kestrel.example ESMTP", None), ("220 mail.kestrel.example ESMTP moxy", None)]),
];
