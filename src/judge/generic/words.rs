//! The words of PTR names: runs of letters, looked up whole.

use super::Class;

/// Words of lines to homes and offices: they tell it whatever else is said. Sorted.
const LINE: &[(&str, Class)] = &[
    ("adsl", Class::Dynamic),
    ("ads", Class::Dynamic),
    ("broadband", Class::Dynamic),
    ("cable", Class::Dynamic),
    ("cablemodem", Class::Dynamic),
    ("catv", Class::Dynamic),
    ("cpe", Class::Dynamic),
    ("dhcp", Class::Dynamic),
    ("dial", Class::Dynamic),
    ("dialin", Class::Dynamic),
    ("dialup", Class::Dynamic),
    ("dip", Class::Dynamic),
    ("dsl", Class::Dynamic),
    ("dslam", Class::Dynamic),
    ("dyn", Class::Dynamic),
    ("dynamic", Class::Dynamic),
    ("dynamicip", Class::Dynamic),
    ("dynip", Class::Dynamic),
    ("fiber", Class::Dynamic),
    ("fibre", Class::Dynamic),
    ("ftth", Class::Dynamic),
    ("gprs", Class::Dynamic),
    ("gpon", Class::Dynamic),
    ("hsd", Class::Dynamic),
    ("lte", Class::Dynamic),
    ("modem", Class::Dynamic),
    ("pool", Class::Pool),
    ("pools", Class::Pool),
    ("ppp", Class::Dynamic),
    ("pppoe", Class::Dynamic),
    ("residential", Class::Dynamic),
    ("umts", Class::Dynamic),
    ("vdsl", Class::Dynamic),
    ("wifi", Class::Dynamic),
    ("wimax", Class::Dynamic),
    ("xdsl", Class::Dynamic),
];

/// Words of lines that tell it without a number beside them too.
const PLAIN_LINE: &[&str] = &[
    "adsl",
    "cpe",
    "dhcp",
    "dialin",
    "dialup",
    "dsl",
    "dyn",
    "dynamic",
    "dynamicip",
    "dynip",
    "pppoe",
    "residential",
    "vdsl",
    "xdsl",
];

/// Words of hosting and of fixed addresses: they tell it where no mail word stands beside them, and a number does.
const HOSTING: &[(&str, Class)] = &[
    ("business", Class::Static),
    ("client", Class::Static),
    ("clients", Class::Static),
    ("cust", Class::Static),
    ("customer", Class::Static),
    ("customers", Class::Static),
    ("static", Class::Static),
    ("staticip", Class::Static),
    ("sta", Class::Static),
    ("biz", Class::Static),
    ("user", Class::Static),
    ("users", Class::Static),
    ("subscriber", Class::Static),
    ("kunde", Class::Static),
    ("kunden", Class::Static),
    ("ip", Class::Static),
    ("unassigned", Class::Static),
    ("unallocated", Class::Static),
    ("unused", Class::Static),
    ("reverse", Class::Static),
    ("rev", Class::Static),
    ("rdns", Class::Static),
    ("cloud", Class::Hosting),
    ("compute", Class::Hosting),
    ("ec", Class::Hosting),
    ("vps", Class::Hosting),
    ("vmi", Class::Hosting),
    ("vds", Class::Hosting),
    ("hwsrv", Class::Hosting),
    ("kvm", Class::Hosting),
    ("instance", Class::Hosting),
    ("colo", Class::Hosting),
    ("dedi", Class::Hosting),
    ("dedicated", Class::Hosting),
    ("members", Class::Hosting),
    ("hosting", Class::Hosting),
];

/// Words by which a host says that mail is its work.
const MAIL: &[&str] = &[
    "bounce",
    "email",
    "exchange",
    "imap",
    "mail",
    "mailer",
    "mailgate",
    "mailgw",
    "mailhost",
    "mailhub",
    "mailin",
    "mailout",
    "mailrelay",
    "mails",
    "mailserver",
    "mout",
    "mta",
    "mx",
    "mxin",
    "mxout",
    "newsletter",
    "out",
    "outbound",
    "outgoing",
    "outmail",
    "pop",
    "postfix",
    "relay",
    "send",
    "sender",
    "smtp",
    "smtpin",
    "smtpout",
    "webmail",
];

/// What the words of a name say.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) line: Option<Class>,
    pub(super) is_plain_line: bool,
    pub(super) hosting: Option<Class>,
    pub(super) is_mail: bool,
}

impl Words {
    pub(super) fn of(host: &str) -> Self {
        let mut words = Self::default();
        for word in host.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 1) {
            if let Some(class) = class(LINE, word) {
                words.line.get_or_insert(class);
                words.is_plain_line |= PLAIN_LINE.contains(&word);
            } else if let Some(class) = class(HOSTING, word) {
                words.hosting.get_or_insert(class);
            } else if MAIL.contains(&word) {
                words.is_mail = true;
            }
        }
        words
    }
}

fn class(table: &[(&str, Class)], word: &str) -> Option<Class> {
    table.iter().find(|(known, _)| *known == word).map(|(_, class)| *class)
}
