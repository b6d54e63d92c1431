//! Greetings that tell a platform: data.

use super::Table;

/// Greetings that tell a row; the name of the host in each, and the version, where they are given.
pub(super) const FIRES: Table<'_> = &[
    (
        "google",
        &[
            ("220 mx.google.com ESMTP 192si278251wma.146 - gsmtp", Some("mx.google.com"), None),
            (
                "220 smtp.gmail.com ESMTP ffacd0b85a97d-4a5b1d4c2a1sm1234567f8f.47 - gsmtp",
                Some("smtp.gmail.com"),
                None,
            ),
        ],
    ),
    (
        "microsoft_365",
        &[
            (
                "220 CH3PEPF00000015.mail.protection.outlook.com Microsoft ESMTP MAIL Service ready at Tue, 25 Mar 2025 01:02:03 +0000 [08DDB07650EC6878]",
                Some("ch3pepf00000015.mail.protection.outlook.com"),
                None,
            ),
            (
                "220 AM0PR01CA0012.outlook.office365.com Microsoft ESMTP MAIL Service ready at Tue, 25 Mar 2025 01:02:03 +0000",
                Some("am0pr01ca0012.outlook.office365.com"),
                None,
            ),
        ],
    ),
    (
        "yahoo",
        &[
            ("220 mta4321.mail.gq1.yahoo.com ESMTP ready", Some("mta4321.mail.gq1.yahoo.com"), None),
            ("220 smtp.mail.yahoo.com ESMTP ready", Some("smtp.mail.yahoo.com"), None),
        ],
    ),
    (
        "zoho",
        &[
            (
                "220 mx.zohomail.com SMTP Server ready November 20, 2025 3:21:47 AM PST",
                Some("mx.zohomail.com"),
                None,
            ),
            ("220 mx.zoho.eu SMTP Server ready November 20, 2025 3:21:47 AM CET", Some("mx.zoho.eu"), None),
        ],
    ),
    (
        "sendgrid",
        &[
            (
                "220 SG ESMTP service ready at ismtpd0013p1las1.sendgrid.net",
                Some("ismtpd0013p1las1.sendgrid.net"),
                None,
            ),
            ("220 SG ESMTP service ready at geopod-ismtpd-5", Some("sg"), None),
        ],
    ),
    (
        "amazon_ses",
        &[
            (
                "220 email-smtp.amazonaws.com ESMTP SimpleEmailService-d-ABCDEFGHI AbCdEfGhIjKlMnOp",
                Some("email-smtp.amazonaws.com"),
                None,
            ),
            (
                "220 inbound-smtp.eu-west-1.amazonaws.com ESMTP SimpleEmailService-1234567890 AbCd",
                Some("inbound-smtp.eu-west-1.amazonaws.com"),
                None,
            ),
        ],
    ),
    (
        "mandrill",
        &[
            ("220 smtp.mandrillapp.com ESMTP", Some("smtp.mandrillapp.com"), None),
            ("220 ip-1.us-east-1.mandrillapp.com ESMTP ready", Some("ip-1.us-east-1.mandrillapp.com"), None),
        ],
    ),
    (
        "proofpoint",
        &[
            ("220 mx0b-001b2d01.pphosted.com ESMTP mfa-m0187473", Some("mx0b-001b2d01.pphosted.com"), None),
            ("220 mail.kestrel.example ESMTP mfa-m0000123", Some("mail.kestrel.example"), None),
            (
                "220 dispatch1-us1.ppe-hosted.com ESMTP Service Ready",
                Some("dispatch1-us1.ppe-hosted.com"),
                None,
            ),
        ],
    ),
    (
        "mimecast",
        &[
            (
                "220 eu-smtp-inbound-1.mimecast.com ESMTP; Tue, 25 Mar 2025 01:02:03 +0000",
                Some("eu-smtp-inbound-1.mimecast.com"),
                None,
            ),
            (
                "220 za-smtp-inbound-2.mimecast.co.za ESMTP; Tue, 25 Mar 2025 01:02:03 +0000",
                Some("za-smtp-inbound-2.mimecast.co.za"),
                None,
            ),
        ],
    ),
    (
        "symantec",
        &[
            (
                "220 server-5.tower-548.messagelabs.com ESMTP",
                Some("server-5.tower-548.messagelabs.com"),
                None,
            ),
            ("220 mail.kestrel.example ESMTP Symantec Messaging Gateway", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "asyncos",
        &[
            (
                "220-mail.kestrel.example ESMTP\n220 mail.kestrel.example AsyncOS",
                Some("mail.kestrel.example"),
                None,
            ),
            ("220 esa1.hc123-45.iphmx.com ESMTP", Some("esa1.hc123-45.iphmx.com"), None),
            ("220 mail.kestrel.example ESMTP IronPort", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "barracuda",
        &[
            (
                "220 barracuda.kestrel.example ESMTP (0f8c5a0e2b7d9c1e0f8c5a0e2b7d9c1e)",
                Some("barracuda.kestrel.example"),
                None,
            ),
            ("220 mail.kestrel.example ESMTP (0123456789abcdef)", Some("mail.kestrel.example"), None),
            ("220 d1234.ess.barracudanetworks.com ESMTP", Some("d1234.ess.barracudanetworks.com"), None),
        ],
    ),
    (
        "fortimail",
        &[
            (
                "220 mail.kestrel.example ESMTP Smtpd; Tue, 25 Mar 2025 01:02:03 +0100",
                Some("mail.kestrel.example"),
                None,
            ),
            ("220 fml.lan ESMTP Smtpd; Wed, 26 Mar 2025 11:12:13 GMT", Some("fml.lan"), None),
        ],
    ),
    (
        "sonicwall",
        &[
            (
                "220 mail.kestrel.example ESMTP SonicWall (10.0.21.7520)",
                Some("mail.kestrel.example"),
                Some("10.0.21.7520"),
            ),
            (
                "220 mail.kestrel.example ESMTP SonicWALL (7.4.6.1234)",
                Some("mail.kestrel.example"),
                Some("7.4.6.1234"),
            ),
        ],
    ),
    (
        "cpanel",
        &[
            (
                "220-server.kestrel.example ESMTP Exim 4.89 #1 Tue, 25 Mar 2025 01:02:03 +0000 \n220-We do not authorize the use of this system to transport unsolicited, \n220 and/or bulk e-mail.",
                Some("server.kestrel.example"),
                Some("4.89"),
            ),
            (
                "220-cp1.kestrel.example ESMTP Exim 4.98.2 #2 Wed, 26 Mar 2025 11:12:13 +0100 \n220-We do not authorize the use of this system to transport unsolicited,\n220 and/or bulk e-mail.",
                Some("cp1.kestrel.example"),
                Some("4.98.2"),
            ),
        ],
    ),
    (
        "plesk",
        &[
            (
                "220 vigorous-kepler.192-0-2-1.plesk.page ESMTP Postfix",
                Some("vigorous-kepler.192-0-2-1.plesk.page"),
                None,
            ),
            (
                "220 quirky-hopper.198-51-100-7.plesk.page ESMTP Postfix (Ubuntu)",
                Some("quirky-hopper.198-51-100-7.plesk.page"),
                None,
            ),
        ],
    ),
    (
        "directadmin",
        &[
            ("220 server.kestrel.example ESMTP Exim 4.96 DirectAdmin", Some("server.kestrel.example"), None),
            ("220 server.kestrel.example ESMTP DirectAdmin ready", Some("server.kestrel.example"), None),
        ],
    ),
    (
        "mail_in_a_box",
        &[
            (
                "220 box.kestrel.example ESMTP Hi, I'm a Mail-in-a-Box (Ubuntu/Postfix; see https://mailinabox.email/)",
                Some("box.kestrel.example"),
                None,
            ),
            (
                "220 box.kestrel.example ESMTP Hi, I'm a Mail-in-a-Box (Ubuntu/Postfix)",
                Some("box.kestrel.example"),
                None,
            ),
        ],
    ),
    (
        "zimbra",
        &[
            ("220 mail.kestrel.example ESMTP Zimbra", Some("mail.kestrel.example"), None),
            (
                "220 mail.kestrel.example ESMTP Postfix (Zimbra Collaboration)",
                Some("mail.kestrel.example"),
                None,
            ),
        ],
    ),
    (
        "postscreen",
        &[
            (
                "220-mail.kestrel.example ESMTP\n220 mail.kestrel.example ESMTP Postfix",
                Some("mail.kestrel.example"),
                None,
            ),
            ("220-teaser\n220 mail.kestrel.example ESMTP Postfix (Debian/GNU)", None, None),
        ],
    ),
    (
        "postfix",
        &[
            ("220 mail.kestrel.example ESMTP Postfix (Ubuntu)", Some("mail.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP Postfix", Some("mail.kestrel.example"), None),
            ("220 mail.kestrel.example ESMTP Postfix (2.8.2)", Some("mail.kestrel.example"), Some("2.8.2")),
            ("220 mail.kestrel.example ESMTP Postfix 2.7.1", Some("mail.kestrel.example"), Some("2.7.1")),
            ("220 mail.kestrel.example SMTP Postfix", Some("mail.kestrel.example"), None),
            ("220 ESMTP Postfix", None, None),
        ],
    ),
    (
        "exim",
        &[
            (
                "220 mail.kestrel.example ESMTP Exim 4.96 Tue, 25 Mar 2025 01:02:03 +0000",
                Some("mail.kestrel.example"),
                Some("4.96"),
            ),
            ("220 ESMTP Exim", None, None),
            ("220 mail.kestrel.example, ESMTP EXIM 4.83", Some("mail.kestrel.example"), Some("4.83")),
            ("220 mail.kestrel.example ESMTP (Exim 4.87) Thu", Some("mail.kestrel.example"), Some("4.87")),
            (
                "220 mail.kestrel.example ESMTP Exim 4.97.1-RC2 #2",
                Some("mail.kestrel.example"),
                Some("4.97.1-RC2"),
            ),
        ],
    ),
    (
        "sendmail",
        &[
            (
                "220 mail.kestrel.example ESMTP Sendmail 8.15.2/8.15.2; Tue, 25 Mar 2025 01:02:03 GMT; (No UCE/UBE) logging access from: [192.0.2.9]",
                Some("mail.kestrel.example"),
                Some("8.15.2"),
            ),
            ("220 mail.kestrel.example ESMTP Sendmail ready", Some("mail.kestrel.example"), None),
            ("220 ESMTP Sendmail 8.13.1/8.13.1; Tue", None, Some("8.13.1")),
        ],
    ),
    (
        "iis_smtp",
        &[
            (
                "220 foo Microsoft ESMTP MAIL Service, Version: 10.0.17763.1 ready at  Tue, 25 Mar 2025 01:02:03 +0000",
                Some("foo"),
                Some("10.0.17763.1"),
            ),
            (
                "220 Microsoft ESMTP MAIL Service, Version: 6.0.3790.4675 ready at x",
                None,
                Some("6.0.3790.4675"),
            ),
        ],
    ),
    (
        "exchange",
        &[
            (
                "220 EX01.corp.local Microsoft ESMTP MAIL Service ready at Tue, 25 Mar 2025 01:02:03 +0000",
                Some("ex01.corp.local"),
                None,
            ),
            (
                "220 mail.kestrel.example Microsoft ESMTP MAIL Service ready at Wed, 26 Mar 2025 11:12:13 +0100",
                Some("mail.kestrel.example"),
                None,
            ),
        ],
    ),
    (
        "qmail",
        &[
            ("220 mail.kestrel.example ESMTP qmail", Some("mail.kestrel.example"), None),
            (
                "220 mail.kestrel.example ESMTP qpsmtpd 0.84 ready; send us your mail, but not your spam.",
                Some("mail.kestrel.example"),
                None,
            ),
        ],
    ),
    (
        "opensmtpd",
        &[
            ("220 mail.kestrel.example ESMTP OpenSMTPD", Some("mail.kestrel.example"), None),
            ("220 localhost ESMTP OpenSMTPD", Some("localhost"), None),
        ],
    ),
    (
        "courier",
        &[
            (
                "220 [mail.kestrel.example] Courier Mail Server 0.73 ready",
                Some("mail.kestrel.example"),
                Some("0.73"),
            ),
            ("220 mail.kestrel.example ESMTP Courier", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "haraka",
        &[
            (
                "220 mail.kestrel.example ESMTP Haraka/3.0.2 ready (A1B2C3)",
                Some("mail.kestrel.example"),
                Some("3.0.2"),
            ),
            (
                "220 mail.kestrel.example ESMTP Haraka ready (0A1B2C3D-0001)",
                Some("mail.kestrel.example"),
                None,
            ),
        ],
    ),
    (
        "stalwart",
        &[
            ("220 mail.kestrel.example Stalwart ESMTP at your service", Some("mail.kestrel.example"), None),
            ("220 Stalwart SMTP at your service", None, None),
        ],
    ),
    (
        "kumomta",
        &[
            ("220 mail.kestrel.example KumoMTA", Some("mail.kestrel.example"), None),
            ("220 mta1.kestrel.example KumoMTA\r", Some("mta1.kestrel.example"), None),
        ],
    ),
    (
        "powermta",
        &[
            (
                "220 mail.kestrel.example (PowerMTA(TM) v3.2r24) ESMTP service ready",
                Some("mail.kestrel.example"),
                Some("3.2r24"),
            ),
            (
                "220 mail.kestrel.example (PowerMTA(TM) v5.0r3) ESMTP service ready",
                Some("mail.kestrel.example"),
                Some("5.0r3"),
            ),
        ],
    ),
    (
        "momentum",
        &[
            (
                "220 2.0.0 mail.kestrel.example ESMTP ecelerity 4.0.0.43760 r(Core:4.0.0.0)",
                Some("mail.kestrel.example"),
                Some("4.0.0.43760"),
            ),
            (
                "220 2.0.0 mail.kestrel.example ESMTP ecelerity 3.6.25.56547 r(Core:3.6.25.0) Tue",
                Some("mail.kestrel.example"),
                Some("3.6.25.56547"),
            ),
        ],
    ),
    (
        "james",
        &[
            (
                "220 mail.kestrel.example SMTP Server (JAMES SMTP Server 2.3.2) ready Tue",
                Some("mail.kestrel.example"),
                Some("2.3.2"),
            ),
            ("220 Apache JAMES awesome SMTP Server", None, None),
        ],
    ),
    (
        "kerio",
        &[
            (
                "220 mail.kestrel.example Kerio Connect 9.4.0 ESMTP ready",
                Some("mail.kestrel.example"),
                Some("9.4.0"),
            ),
            (
                "220 mail.kestrel.example Kerio MailServer 6.7.3 ESMTP ready",
                Some("mail.kestrel.example"),
                Some("6.7.3"),
            ),
        ],
    ),
    (
        "mdaemon",
        &[
            (
                "220 mail.kestrel.example ESMTP MDaemon 21.5.0; Tue, 25 Mar 2025 01:02:03 +0000",
                Some("mail.kestrel.example"),
                Some("21.5.0"),
            ),
            (
                "220 company.test ESMTP MDaemon 9.6.5; Wed, 26 Mar 2025 11:12:13 +0100",
                Some("company.test"),
                Some("9.6.5"),
            ),
        ],
    ),
    (
        "icewarp",
        &[
            (
                "220 mail.kestrel.example ESMTP IceWarp 12.3.1.2 x64; Tue, 25 Mar 2025 01:02:03 +0000",
                Some("mail.kestrel.example"),
                Some("12.3.1.2"),
            ),
            (
                "220 mail.kestrel.example ESMTP Merak 8.0.3; Wed, 26 Mar 2025 11:12:13 +0100",
                Some("mail.kestrel.example"),
                Some("8.0.3"),
            ),
            (
                "220 mail.kestrel.example SMTP MERAK 2.10.284; Wed",
                Some("mail.kestrel.example"),
                Some("2.10.284"),
            ),
        ],
    ),
    (
        "mailenable",
        &[
            (
                "220 mail.kestrel.example ESMTP MailEnable Service, Version: 9.53-- ready at 01/01/20 10:00:00",
                Some("mail.kestrel.example"),
                Some("9.53"),
            ),
            (
                "220 %WPI_HOSTNAME% ESMTP MailEnable Service, Version: 10.28--10.28 ready at 01/01/21 10:00:00",
                Some("%wpi_hostname%"),
                Some("10.28--10.28"),
            ),
        ],
    ),
    (
        "hmailserver",
        &[("220 MAILSRV hMailServer ESMTP", None, None), ("220 hMailServer ESMTP ready", None, None)],
    ),
    (
        "smartermail",
        &[
            (
                "220 mail.kestrel.example Tue, 25 Mar 2025 01:02:03 +0000 UTC | SmarterMail Enterprise 16.3.6989.16341",
                Some("mail.kestrel.example"),
                Some("16.3.6989.16341"),
            ),
            ("220 mail.kestrel.example SmarterMail ESMTP ready", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "axigen",
        &[
            ("220 mail.kestrel.example Axigen ESMTP ready", Some("mail.kestrel.example"), None),
            ("220 localhost.localdomain AXIGEN ESMTP hi there", Some("localhost.localdomain"), None),
        ],
    ),
    (
        "communigate",
        &[
            (
                "220 mail.kestrel.example ESMTP CommuniGate Pro 6.2.7 is glad to see you!",
                Some("mail.kestrel.example"),
                Some("6.2.7"),
            ),
            ("220 mail.kestrel.example ESMTP CommuniGate Pro", Some("mail.kestrel.example"), None),
        ],
    ),
    (
        "domino",
        &[
            (
                "220 mail.kestrel.example ESMTP Service (IBM Domino Release 9.0.1FP8) ready at Tue",
                Some("mail.kestrel.example"),
                Some("9.0.1FP8"),
            ),
            (
                "220 mail.kestrel.example ESMTP Service (Lotus Domino Release 8.5.3) ready at Wed",
                Some("mail.kestrel.example"),
                Some("8.5.3"),
            ),
        ],
    ),
    (
        "groupwise",
        &[
            (
                "220 mail.kestrel.example GroupWise Internet Agent 7.0.1 Ready (C)1993, 2006 Novell, Inc.",
                Some("mail.kestrel.example"),
                Some("7.0.1"),
            ),
            (
                "220 mail.kestrel.example GroupWise Internet Agent 18.2.0 Ready",
                Some("mail.kestrel.example"),
                Some("18.2.0"),
            ),
        ],
    ),
    (
        "coremail",
        &[
            ("220 163.com Anti-spam GT for Coremail System (163com[20141201])", Some("163.com"), None),
            (
                "220 mail.kestrel.example Anti-spam GT for Coremail System (icmhosting[20120420])",
                Some("mail.kestrel.example"),
                None,
            ),
        ],
    ),
    (
        "xmail",
        &[
            (
                "220 mail.kestrel.example <1234567.890@mail.kestrel.example> [XMail 1.27 ESMTP Server] service ready; Tue",
                Some("mail.kestrel.example"),
                Some("1.27"),
            ),
            (
                "220 <99.1@mail.kestrel.example> [XMail 1.22 ESMTP Server] service ready",
                Some("mail.kestrel.example"),
                Some("1.22"),
            ),
        ],
    ),
    (
        "mox",
        &[
            ("220 mail.kestrel.example ESMTP mox", Some("mail.kestrel.example"), None),
            ("220 mx.kestrel.example ESMTP mox ready", Some("mx.kestrel.example"), None),
        ],
    ),
];
