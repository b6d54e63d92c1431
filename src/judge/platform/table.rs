//! The platforms: one row each, the more telling first where two could fit. Data, and the types that hold it.

use crate::judge::defaults::is_under;

/// What a platform is to the one who runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Software that the operator of the host installs.
    SelfHosted,
    /// A filter that stands before somebody's mail server, as an appliance or as a service.
    Gateway,
    /// A service that sends for its customers.
    Relay,
    /// A service that holds its customers' mail.
    Provider,
    /// A hosting control panel: many customers on one host.
    Panel,
}

/// How a greeting looks. Pieces are bytes that stand one behind the other; `^` ties the first to the start.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Line 1 holds the pieces.
    Line(&'static [&'static str]),
    /// The whole greeting holds the pieces, whatever the line.
    Text(&'static [&'static str]),
    /// The greeting's name stands in one of the domains, and line 1 holds the pieces.
    Named(&'static [&'static str], &'static [&'static str]),
    /// A later line holds the pieces, and line 1 does not.
    BehindTeaser(&'static [&'static str]),
    /// Line 1 ends in `ESMTP (hexadecimal digits)`.
    HexTag,
    /// The EHLO reply offers all of the first keywords and otherwise only some of the second.
    EhloExactly((&'static [&'static str], &'static [&'static str])),
    /// The extensions of the EHLO reply hold the pieces, whatever the line. Line 1 is not looked at: of that, records
    /// keep the name alone.
    Ehlo(&'static [&'static str]),
}

impl Shape {
    /// Whether it is looked for in the EHLO reply, and not in the greeting.
    pub fn is_of_ehlo(&self) -> bool {
        matches!(self, Self::EhloExactly(_) | Self::Ehlo(_))
    }
}

/// One way to know a platform.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// A word in lower case, of the greeting or of the EHLO reply, without which the shape need not be looked at.
    pub word: &'static str,
    /// The whole shape.
    pub shape: Shape,
}

/// A platform.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The name used in records.
    pub name: &'static str,
    /// The name that its makers use.
    pub title: &'static str,
    /// What it is to its operator.
    pub kind: Kind,
    /// Any of these tells it.
    pub rules: &'static [Rule],
    /// What stands before the version, any of these.
    pub versions: &'static [&'static str],
    /// The registrable domains in which its own hosts and their PTR names stand; empty for software.
    pub domains: &'static [&'static str],
}

const fn rule(word: &'static str, shape: Shape) -> Rule {
    Rule { word, shape }
}

const fn software(name: &'static str, title: &'static str, rules: &'static [Rule]) -> Row {
    Row { name, title, kind: Kind::SelfHosted, rules, versions: &[], domains: &[] }
}

const fn service(
    name: &'static str,
    title: &'static str,
    kind: Kind,
    domains: &'static [&'static str],
    rules: &'static [Rule],
) -> Row {
    Row { name, title, kind, rules, versions: &[], domains }
}

impl Row {
    /// Whether a name stands in one of its own domains.
    pub fn is_home_of(&self, name: &str) -> bool {
        self.domains.iter().any(|domain| is_under(name, domain))
    }

    const fn versions(self, markers: &'static [&'static str]) -> Self {
        Self { versions: markers, ..self }
    }

    const fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }
}

use Shape::{BehindTeaser, Ehlo, EhloExactly, HexTag, Line, Named, Text};

pub(super) const ROWS: &[Row] = &[
    // Services: their own name says it.
    service(
        "google",
        "Google",
        Kind::Provider,
        &["google.com", "1e100.net", "gmail.com", "googlemail.com"],
        &[rule("gsmtp", Line(&[" ESMTP ", " - gsmtp"]))],
    ),
    service(
        "microsoft_365",
        "Microsoft 365",
        Kind::Provider,
        &["outlook.com", "office365.com", "hotmail.com", "office365.us", "outlook.cn", "partner.outlook.cn"],
        &[rule(
            "microsoft",
            Named(
                &["outlook.com", "office365.com", "hotmail.com", "office365.us", "outlook.cn"],
                &[" Microsoft ESMTP MAIL Service"],
            ),
        )],
    ),
    service(
        "yahoo",
        "Yahoo",
        Kind::Provider,
        &["yahoo.com", "yahoo.net", "yahoodns.net", "yahoo.co.jp", "aol.com"],
        &[rule("yahoo", Named(&["yahoo.com", "yahoo.co.jp", "yahoo.net"], &[" ESMTP"]))],
    ),
    service(
        "zoho",
        "Zoho Mail",
        Kind::Provider,
        &["zoho.com", "zoho.eu", "zoho.in", "zohomail.com", "zohomail.eu", "zohomail.in", "zohocorp.com"],
        &[
            rule("zohomail", Named(&["zohomail.com", "zohomail.eu", "zohomail.in"], &["SMTP"])),
            rule("zoho", Named(&["zoho.com", "zoho.eu", "zoho.in"], &["SMTP"])),
        ],
    ),
    service(
        "sendgrid",
        "Twilio SendGrid",
        Kind::Relay,
        &["sendgrid.net", "sendgrid.com"],
        &[rule("sg", Line(&["^SG ESMTP service ready at "]))],
    ),
    service(
        "amazon_ses",
        "Amazon SES",
        Kind::Relay,
        &["amazonaws.com", "amazonses.com", "awsapps.com", "amazonaws.com.cn"],
        &[rule("simpleemailservice", Line(&[" ESMTP SimpleEmailService"]))],
    ),
    service(
        "mandrill",
        "Mailchimp Transactional (Mandrill)",
        Kind::Relay,
        // The last one stands in its reply to EHLO.
        &["mandrillapp.com", "mailchimp.com", "mcsv.net", "rsgsv.net", "mcdlv.net", "smtp.passthru"],
        &[rule("mandrillapp", Named(&["mandrillapp.com"], &[" ESMTP"]))],
    ),
    service(
        "proofpoint",
        "Proofpoint",
        Kind::Gateway,
        &["pphosted.com", "ppe-hosted.com", "gpphosted.com"],
        &[
            rule("pphosted", Named(&["pphosted.com"], &[" ESMTP"])),
            rule("gpphosted", Named(&["gpphosted.com"], &[" ESMTP"])),
            rule("ppe", Named(&["ppe-hosted.com"], &["ESMTP"])),
            rule("mfa", Line(&[" ESMTP mfa-"])),
        ],
    ),
    service(
        "mimecast",
        "Mimecast",
        Kind::Gateway,
        &["mimecast.com", "mimecast.co.za", "mimecast-offshore.com"],
        &[rule("mimecast", Named(&["mimecast.com", "mimecast.co.za", "mimecast-offshore.com"], &[" ESMTP"]))],
    ),
    service(
        "symantec",
        "Symantec Email Security",
        Kind::Gateway,
        &["messagelabs.com", "messagelabs.net"],
        &[
            rule("messagelabs", Named(&["messagelabs.com", "messagelabs.net"], &[" ESMTP"])),
            rule("symantec", Line(&[" ESMTP Symantec Messaging Gateway"])),
            rule("symantec", Line(&[" ESMTP Symantec Mail Security"])),
        ],
    ),
    service(
        "asyncos",
        "Cisco Secure Email (AsyncOS, IronPort)",
        Kind::Gateway,
        &["iphmx.com"],
        &[
            rule("asyncos", Text(&[" AsyncOS"])),
            rule("ironport", Line(&[" ESMTP IronPort"])),
            rule("iphmx", Named(&["iphmx.com"], &[" ESMTP"])),
        ],
    ),
    service(
        "barracuda",
        "Barracuda",
        Kind::Gateway,
        &["barracudanetworks.com", "cudasvc.com"],
        &[rule("barracudanetworks", Named(&["barracudanetworks.com"], &[" ESMTP"])), rule("esmtp", HexTag)],
    ),
    // Appliances.
    software("fortimail", "FortiMail", &[rule("smtpd", Line(&[" ESMTP Smtpd; "]))]).kind(Kind::Gateway),
    software(
        "sonicwall",
        "SonicWall Email Security",
        &[rule("sonicwall", Line(&[" ESMTP SonicWall ("])), rule("sonicwall", Line(&[" ESMTP SonicWALL ("]))],
    )
    .kind(Kind::Gateway)
    .versions(&[" ESMTP SonicWall (", " ESMTP SonicWALL ("]),
    // Control panels, before the servers that they set up.
    software(
        "cpanel",
        "cPanel & WHM",
        &[rule(
            "unsolicited",
            Text(&[" ESMTP Exim ", "We do not authorize the use of this system to transport unsolicited"]),
        )],
    )
    .kind(Kind::Panel)
    .versions(&[" ESMTP Exim "]),
    software(
        "plesk",
        "Plesk",
        &[rule("plesk", Named(&["plesk.page"], &[])), rule("plesk", Line(&[" ESMTP Plesk"]))],
    )
    .kind(Kind::Panel),
    software("directadmin", "DirectAdmin", &[rule("directadmin", Line(&["ESMTP", "DirectAdmin"]))])
        .kind(Kind::Panel),
    software("mail_in_a_box", "Mail-in-a-Box", &[rule("box", Line(&[" Hi, I'm a Mail-in-a-Box"]))]),
    software(
        "zimbra",
        "Zimbra",
        &[rule("zimbra", Line(&[" ESMTP Zimbra"])), rule("zimbra", Line(&[" ESMTP Postfix", "Zimbra"]))],
    ),
    // Servers.
    software("postscreen", "Postfix postscreen", &[rule("postfix", BehindTeaser(&[" ESMTP Postfix"]))]),
    software(
        "postfix",
        "Postfix",
        &[
            rule("postfix", Line(&[" ESMTP Postfix"])),
            rule("postfix", Line(&["^ESMTP Postfix"])),
            rule("postfix", Line(&[" SMTP Postfix"])),
        ],
    )
    .versions(&["SMTP Postfix (", "SMTP Postfix "]),
    software(
        "exim",
        "Exim",
        &[
            rule("exim", Line(&[" ESMTP Exim"])),
            rule("exim", Line(&["^ESMTP Exim"])),
            rule("exim", Line(&[" ESMTP EXIM"])),
            rule("exim", Line(&[" ESMTP (Exim "])),
            rule("pipeconnect", Ehlo(&["^PIPECONNECT"])),
            rule("connect", Ehlo(&["^X_PIPE_CONNECT"])),
        ],
    )
    .versions(&["ESMTP Exim ", "ESMTP EXIM ", "ESMTP (Exim "]),
    software(
        "sendmail",
        "Sendmail",
        &[
            rule("sendmail", Line(&[" ESMTP Sendmail"])),
            rule("sendmail", Line(&[" ESMTP Debian Sendmail"])),
            rule("sendmail", Line(&["^ESMTP Sendmail"])),
            rule("sendmail", Line(&["^Sendmail ESMTP ready"])),
        ],
    )
    .versions(&["Sendmail "]),
    software(
        "iis_smtp",
        "IIS SMTP",
        &[
            rule("microsoft", Line(&["Microsoft ESMTP MAIL Service, Version: "])),
            rule("link2state", Ehlo(&["^X-LINK2STATE"])),
        ],
    )
    .versions(&["Microsoft ESMTP MAIL Service, Version: "]),
    software(
        "exchange",
        "Microsoft Exchange Server",
        &[
            rule("microsoft", Line(&["Microsoft ESMTP MAIL Service ready at "])),
            rule("microsoft", Line(&["Microsoft Exchange Internet Mail Service "])),
            rule("anonymoustls", Ehlo(&["^X-ANONYMOUSTLS"])),
            rule("exps", Ehlo(&["^X-EXPS"])),
            rule("xrdst", Ehlo(&["^XRDST"])),
        ],
    )
    .versions(&["Microsoft Exchange Internet Mail Service "]),
    software(
        "qmail",
        "qmail",
        &[
            rule("qmail", Line(&[" ESMTP qmail"])),
            rule("netqmail", Line(&[" ESMTP", "netqmail"])),
            rule("qpsmtpd", Line(&[" ESMTP qpsmtpd"])),
            rule("pipelining", EhloExactly((&["PIPELINING", "8BITMIME"], &["SIZE", "STARTTLS", "AUTH"]))),
        ],
    ),
    software("opensmtpd", "OpenSMTPD", &[rule("opensmtpd", Line(&[" ESMTP OpenSMTPD"]))]),
    software(
        "courier",
        "Courier",
        &[
            rule("courier", Line(&[" Courier Mail Server"])),
            rule("courier", Line(&[" ESMTP Courier"])),
            rule("xverp", Ehlo(&["^XVERP=Courier"])),
        ],
    )
    .versions(&["Courier Mail Server "]),
    software("haraka", "Haraka", &[rule("haraka", Line(&[" ESMTP Haraka"]))])
        .versions(&[" ESMTP Haraka/", " ESMTP Haraka "]),
    software(
        "stalwart",
        "Stalwart",
        &[
            rule("stalwart", Line(&["Stalwart ESMTP at your service"])),
            rule("stalwart", Line(&["Stalwart SMTP"])),
        ],
    ),
    software("kumomta", "KumoMTA", &[rule("kumomta", Line(&[" KumoMTA"]))]),
    software(
        "powermta",
        "PowerMTA",
        &[rule("powermta", Line(&["(PowerMTA(TM) "])), rule("xack", Ehlo(&["^XACK", "^XMRG"]))],
    )
    .versions(&["(PowerMTA(TM) "]),
    software("momentum", "Momentum", &[rule("ecelerity", Line(&[" ESMTP ecelerity"]))])
        .versions(&[" ESMTP ecelerity "]),
    software(
        "james",
        "Apache James",
        &[
            rule("james", Line(&["(JAMES SMTP Server "])),
            rule("james", Line(&["(JAMES ESMTP Server "])),
            rule("james", Line(&["JAMES awesome SMTP Server"])),
        ],
    )
    .versions(&["(JAMES SMTP Server ", "(JAMES ESMTP Server "]),
    software(
        "kerio",
        "Kerio Connect",
        &[rule("kerio", Line(&[" Kerio Connect "])), rule("kerio", Line(&[" Kerio MailServer "]))],
    )
    .versions(&[" Kerio Connect ", " Kerio MailServer "]),
    software(
        "mdaemon",
        "MDaemon",
        &[rule("mdaemon", Line(&[" ESMTP MDaemon "])), rule("mdaemon", Line(&[" MDaemon v"]))],
    )
    .versions(&[" ESMTP MDaemon ", " MDaemon v"]),
    software(
        "icewarp",
        "IceWarp",
        &[
            rule("icewarp", Line(&[" ESMTP IceWarp"])),
            rule("merak", Line(&["SMTP Merak "])),
            rule("merak", Line(&["SMTP MERAK "])),
        ],
    )
    .versions(&[" ESMTP IceWarp ", "SMTP Merak ", "SMTP MERAK "]),
    software("mailenable", "MailEnable", &[rule("mailenable", Line(&[" ESMTP MailEnable Service"]))])
        .versions(&["MailEnable Service, Version: "]),
    software(
        "hmailserver",
        "hMailServer",
        &[rule("hmailserver", Line(&[" hMailServer"])), rule("hmailserver", Line(&["^hMailServer"]))],
    ),
    software(
        "smartermail",
        "SmarterMail",
        &[
            rule("smartermail", Line(&[" | SmarterMail "])),
            rule("smartermail", Line(&["SMTP SmarterMail"])),
            rule("smartermail", Line(&[" SmarterMail ESMTP"])),
        ],
    )
    .versions(&["SmarterMail Enterprise "]),
    software(
        "axigen",
        "Axigen",
        &[rule("axigen", Line(&[" Axigen ESMTP"])), rule("axigen", Line(&[" AXIGEN ESMTP"]))],
    ),
    software("communigate", "CommuniGate Pro", &[rule("communigate", Line(&["SMTP CommuniGate Pro"]))])
        .versions(&["SMTP CommuniGate Pro "]),
    software("domino", "HCL Domino", &[rule("domino", Line(&["SMTP Service (", "Domino Release "]))])
        .versions(&["Domino Release "]),
    software("groupwise", "GroupWise", &[rule("groupwise", Line(&[" GroupWise Internet Agent"]))])
        .versions(&["GroupWise Internet Agent "]),
    software("coremail", "Coremail", &[rule("coremail", Line(&["Anti-spam GT for Coremail System"]))]),
    software("xmail", "XMail", &[rule("xmail", Line(&["[XMail ", " ESMTP Server]"]))]).versions(&["[XMail "]),
    software("mox", "mox", &[rule("mox", Line(&[" ESMTP mox"]))]),
];
