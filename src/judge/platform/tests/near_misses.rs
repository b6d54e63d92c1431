//! Greetings that come near a platform and are not it: data.

use super::Table;

/// Greetings that come near a row and are not it; the name of the host in each, and what they tell instead.
pub(super) const NEAR_MISSES: Table<'_> = &[
    (
        "google",
        &[
            ("220 mail.kestrel.example ESMTP gsmtpd 1.0", Some("mail.kestrel.example"), None),
            ("220 mx.google.com ESMTP ready", Some("mx.google.com"), None),
            ("220 gsmtp.kestrel.example ESMTP Postfix", Some("gsmtp.kestrel.example"), Some("postfix")),
        ],
    ),
    (
        "microsoft_365",
        &[
            (
                "220 EX01.corp.local Microsoft ESMTP MAIL Service ready at Tue",
                Some("ex01.corp.local"),
                Some("exchange"),
            ),
            (
                "220 mail.protection.outlook.com ESMTP Postfix",
                Some("mail.protection.outlook.com"),
                Some("postfix"),
            ),
            (
                "220 mail.protection.outlook.com ESMTP of no Microsoft",
                Some("mail.protection.outlook.com"),
                None,
            ),
            (
                "220 mail.notoutlook.com Microsoft ESMTP MAIL Service ready at Tue",
                Some("mail.notoutlook.com"),
                Some("exchange"),
            ),
        ],
    ),
    (
        "yahoo",
        &[
            ("220 yahoo.kestrel.example ESMTP ready", Some("yahoo.kestrel.example"), None),
            ("220 mail.myyahoo.com ESMTP ready", Some("mail.myyahoo.com"), None),
        ],
    ),
    (
        "zoho",
        &[
            ("220 zoho.kestrel.example SMTP ready", Some("zoho.kestrel.example"), None),
            ("220 mail.notzoho.com ESMTP", Some("mail.notzoho.com"), None),
        ],
    ),
    (
        "sendgrid",
        &[
            ("220 sg.kestrel.example ESMTP Postfix", Some("sg.kestrel.example"), Some("postfix")),
            (
                "220 mail.kestrel.example ESMTP service ready at ismtpd1.sendgrid.net",
                Some("mail.kestrel.example"),
                None,
            ),
        ],
    ),
    (
        "amazon_ses",
        &[
            ("220 email-smtp.amazonaws.com ESMTP ready", Some("email-smtp.amazonaws.com"), None),
            (
                "220 SimpleEmailService.kestrel.example ESMTP Exim 4.96",
                Some("simpleemailservice.kestrel.example"),
                Some("exim"),
            ),
        ],
    ),
    (
        "mandrill",
        &[
            ("220 mandrillapp.kestrel.example ESMTP", Some("mandrillapp.kestrel.example"), None),
            ("220 smtp.mymandrillapp.com ESMTP", Some("smtp.mymandrillapp.com"), None),
        ],
    ),
    (
        "proofpoint",
        &[
            ("220 mfa.kestrel.example ESMTP", Some("mfa.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP mfaktur-1", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "mimecast",
        &[
            ("220 mimecast.kestrel.example ESMTP", Some("mimecast.kestrel.example"), None),
            ("220 mail.notmimecast.com ESMTP", Some("mail.notmimecast.com"), None),
        ],
    ),
    (
        "symantec",
        &[
            (
                "220 mail.kestrel.example ESMTP Postfix; no Symantec here",
                Some("mail.kestrel.example"),
                Some("postfix"),
            ),
            ("220 messagelabs.kestrel.example ESMTP", Some("messagelabs.kestrel.example"), None),
        ],
    ),
    (
        "asyncos",
        &[
            (
                "220-mail.kestrel.example ESMTP\n220 mail.kestrel.example ready",
                Some("mail.kestrel.example"),
                None,
            ),
            ("220 AsyncOS.kestrel.example.iphmx.de ESMTP", Some("asyncos.kestrel.example.iphmx.de"), None),
        ],
    ),
    (
        "barracuda",
        &[
            ("220 mail.kestrel.example ESMTP (Postfix)", Some("mail.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP (0123abcd)", Some("mail.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP (0123456789abcdef) ready", Some("mail.kestrel.example"), None),
            (
                "220 barracuda.kestrel.example ESMTP Exim 4.96",
                Some("barracuda.kestrel.example"),
                Some("exim"),
            ),
        ],
    ),
    (
        "fortimail",
        &[
            ("220 mail.kestrel.example ESMTP smtpd; Tue", Some("mail.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP Smtpd ready", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "sonicwall",
        &[
            (
                "220 sonicwall.kestrel.example ESMTP Postfix",
                Some("sonicwall.kestrel.example"),
                Some("postfix"),
            ),
            ("220 mail.kestrel.example ESMTP behind SonicWall", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "cpanel",
        &[
            (
                "220-mail.kestrel.example ESMTP ready\n220 We do not authorize the use of this system to transport unsolicited",
                Some("mail.kestrel.example"),
                None,
            ),
            (
                "220-mail.kestrel.example ESMTP Exim 4.96\n220 No unsolicited mail, please",
                Some("mail.kestrel.example"),
                Some("exim"),
            ),
        ],
    ),
    (
        "plesk",
        &[
            ("220 plesk.kestrel.example ESMTP Postfix", Some("plesk.kestrel.example"), Some("postfix")),
            ("220 mail.myplesk.page.kestrel.example ESMTP", Some("mail.myplesk.page.kestrel.example"), None),
        ],
    ),
    (
        "directadmin",
        &[
            (
                "220 directadmin.kestrel.example ESMTP Exim 4.96",
                Some("directadmin.kestrel.example"),
                Some("exim"),
            ),
            ("220 directadmin.kestrel.example ready", Some("directadmin.kestrel.example"), None),
        ],
    ),
    (
        "mail_in_a_box",
        &[
            (
                "220 mail-in-a-box.kestrel.example ESMTP Postfix",
                Some("mail-in-a-box.kestrel.example"),
                Some("postfix"),
            ),
            ("220 box.kestrel.example ESMTP hello, I am a box", Some("box.kestrel.example"), None),
        ],
    ),
    (
        "zimbra",
        &[
            ("220 zimbra.kestrel.example ESMTP Postfix", Some("zimbra.kestrel.example"), Some("postfix")),
            ("220 mail.kestrel.example ESMTP not Zimbra", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "postscreen",
        &[
            ("220 mail.kestrel.example ESMTP Postfix", Some("mail.kestrel.example"), Some("postfix")),
            (
                "220-mail.kestrel.example ESMTP Postfix\n220 welcome",
                Some("mail.kestrel.example"),
                Some("postfix"),
            ),
            ("220-teaser\n220 mail.kestrel.example ESMTP", None, None),
        ],
    ),
    (
        "postfix",
        &[
            ("220 mail.postfix.kestrel.example ESMTP", Some("mail.postfix.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP ready, not Postfix", Some("mail.kestrel.example"), None),
            ("220 mail.kestrel.example Postfix", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "exim",
        &[
            ("220 exim.kestrel.example ESMTP", Some("exim.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP not Exim", Some("mail.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP Eximius", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "sendmail",
        &[
            ("220 sendmail.kestrel.example ESMTP", Some("sendmail.kestrel.example"), None),
            ("220 mail.kestrel.example SMTP; we do not run Sendmail", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "iis_smtp",
        &[
            ("220 foo Microsoft ESMTP MAIL Service ready at Tue", Some("foo"), Some("exchange")),
            ("220 microsoft.kestrel.example ESMTP", Some("microsoft.kestrel.example"), None),
        ],
    ),
    (
        "exchange",
        &[
            ("220 EX01.corp.local Microsoft ESMTP", Some("ex01.corp.local"), None),
            ("220 exchange.kestrel.example ESMTP Postfix", Some("exchange.kestrel.example"), Some("postfix")),
        ],
    ),
    (
        "qmail",
        &[
            ("220 mail.kestrel.example ESMTP", Some("mail.kestrel.example"), None),
            ("220 qmail.kestrel.example ESMTP", Some("qmail.kestrel.example"), None),
        ],
    ),
    (
        "opensmtpd",
        &[
            ("220 opensmtpd.kestrel.example ESMTP", Some("opensmtpd.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP OpenSMTP", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "courier",
        &[
            ("220 courier.kestrel.example ESMTP", Some("courier.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP for the courier service", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "haraka",
        &[
            ("220 haraka.kestrel.example ESMTP", Some("haraka.kestrel.example"), None),
            ("220 mail.kestrel.example Haraka", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "stalwart",
        &[
            ("220 stalwart.kestrel.example ESMTP", Some("stalwart.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP, a stalwart server", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "kumomta",
        &[
            ("220 kumomta.kestrel.example ESMTP", Some("kumomta.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP kumomta", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "powermta",
        &[
            ("220 powermta.kestrel.example ESMTP", Some("powermta.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP PowerMTA", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "momentum",
        &[
            ("220 momentum.kestrel.example ESMTP", Some("momentum.kestrel.example"), None),
            ("220 2.0.0 ecelerity.kestrel.example ESMTP", Some("ecelerity.kestrel.example"), None),
        ],
    ),
    (
        "james",
        &[
            ("220 james.kestrel.example SMTP Server ready", Some("james.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP James speaking", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "kerio",
        &[
            ("220 kerio.kestrel.example ESMTP ready", Some("kerio.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP Kerio", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "mdaemon",
        &[
            ("220 mdaemon.kestrel.example ESMTP", Some("mdaemon.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP MDaemonX", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "icewarp",
        &[
            ("220 icewarp.kestrel.example ESMTP", Some("icewarp.kestrel.example"), None),
            ("220 mail.kestrel.example IceWarp", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "mailenable",
        &[
            ("220 mailenable.kestrel.example ESMTP", Some("mailenable.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP MailEnable", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "hmailserver",
        &[
            ("220 hmailserver.kestrel.example ESMTP", Some("hmailserver.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP hmailserver", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "smartermail",
        &[
            ("220 smartermail.kestrel.example ESMTP", Some("smartermail.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP a smartermail", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "axigen",
        &[
            ("220 axigen.kestrel.example ESMTP", Some("axigen.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP Axigen", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "communigate",
        &[
            ("220 communigate.kestrel.example ESMTP", Some("communigate.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP CommuniGate", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "domino",
        &[
            ("220 domino.kestrel.example ESMTP Service ready", Some("domino.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP Domino Release party", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "groupwise",
        &[
            ("220 groupwise.kestrel.example ESMTP", Some("groupwise.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP GroupWise", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "coremail",
        &[
            ("220 coremail.kestrel.example ESMTP", Some("coremail.kestrel.example"), None),
            ("220 mail.kestrel.example Anti-spam System (Coremail)", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "xmail",
        &[
            ("220 xmail.kestrel.example ESMTP Server ready", Some("xmail.kestrel.example"), None),
            ("220 mail.kestrel.example [XMail] ready", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "mox",
        &[
            ("220 mox.kestrel.example ESMTP", Some("mox.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP moxy", Some("mail.kestrel.example"), None),
        ],
    ),
];
