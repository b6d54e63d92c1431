//! The words of PTR names: runs of letters, looked up whole.

use super::Class;

/// What must stand beside a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing: nobody gives such a name to a host of one's own.
    Nothing,
    /// A digit.
    Number,
    /// Two numbers, as customers of a network are counted.
    TwoNumbers,
    /// Four digits in a row.
    LongNumber,
}

/// Words of lines to homes and offices, which tell it even beside a word of mail.
const LINES: &[&str] = &[
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

/// Words of lines and of hosting that a word of mail excuses.
const WORDS: &[(&str, Class, Need)] = &[
    ("broadband", Class::Dynamic, Need::Number),
    ("cable", Class::Dynamic, Need::Number),
    ("cablemodem", Class::Dynamic, Need::Number),
    ("catv", Class::Dynamic, Need::Number),
    ("cm", Class::Dynamic, Need::TwoNumbers),
    ("dial", Class::Dynamic, Need::Number),
    ("dip", Class::Dynamic, Need::Number),
    ("docsis", Class::Dynamic, Need::Number),
    ("dslam", Class::Dynamic, Need::Number),
    ("ftth", Class::Dynamic, Need::Number),
    ("gpon", Class::Dynamic, Need::Number),
    ("gprs", Class::Dynamic, Need::Number),
    ("hsd", Class::Dynamic, Need::Number),
    ("lte", Class::Dynamic, Need::Number),
    ("modem", Class::Dynamic, Need::Number),
    ("ppp", Class::Dynamic, Need::Number),
    ("umts", Class::Dynamic, Need::Number),
    ("wifi", Class::Dynamic, Need::Number),
    ("wimax", Class::Dynamic, Need::Number),
    ("pool", Class::Pool, Need::Number),
    ("pools", Class::Pool, Need::Number),
    ("client", Class::Static, Need::Number),
    ("cust", Class::Static, Need::Number),
    ("customer", Class::Static, Need::Number),
    ("ip", Class::Static, Need::Number),
    ("kunde", Class::Static, Need::Number),
    ("rdns", Class::Static, Need::Number),
    ("rev", Class::Static, Need::Number),
    ("reverse", Class::Static, Need::Number),
    ("static", Class::Static, Need::Number),
    ("staticip", Class::Static, Need::Number),
    ("subscriber", Class::Static, Need::Number),
    ("unallocated", Class::Static, Need::Nothing),
    ("unassigned", Class::Static, Need::Nothing),
    ("dedi", Class::Hosting, Need::LongNumber),
    ("hwsrv", Class::Hosting, Need::LongNumber),
    ("kvm", Class::Hosting, Need::LongNumber),
    ("members", Class::Hosting, Need::Number),
    ("openvz", Class::Hosting, Need::Number),
    ("ovz", Class::Hosting, Need::Number),
    ("vds", Class::Hosting, Need::LongNumber),
    ("vm", Class::Hosting, Need::LongNumber),
    ("vmi", Class::Hosting, Need::LongNumber),
    ("vps", Class::Hosting, Need::LongNumber),
];

/// Words of clouds and hosting that too many hosts of one's own bear: they name the class of a name that
/// holds its address.
const HINTS: &[(&str, Class)] = &[
    ("business", Class::Static),
    ("clients", Class::Static),
    ("customers", Class::Static),
    ("cloud", Class::Cloud),
    ("colo", Class::Hosting),
    ("compute", Class::Cloud),
    ("dedicated", Class::Hosting),
    ("ec", Class::Cloud),
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

/// What a provider writes for a host of which it knows only that it is rented, or for the record itself. The
/// whole part that the provider chose: `hosted-by.example.net`.
const RENTED: &[&str] = &[
    "cloud-server",
    "dedicated-server",
    "hosted-by",
    "hostedby",
    "ptr",
    "ptr-record",
    "rdns",
    "rdns-record",
    "reverse-dns",
    "root-server",
    "virtual-server",
    "vps-server",
];

/// What a provider writes where nobody set a name, as the whole part that it chose: `undefined.example.net`.
const STAND_INS: &[&str] = &[
    "no-data",
    "no-dns-yet",
    "no-mans-land",
    "nodns",
    "noptr",
    "nordns",
    "norevdns",
    "noreverse",
    "not-assigned",
    "not-configured",
    "not-in-use",
    "not-set",
    "placeholder",
    "undefined",
    "unknown",
    "unset",
    "unspecified",
    "unused",
];

/// Words for a customer's host that tell it only in the domain of a network.
const CUSTOMERS: &[&str] = &[
    "client",
    "clients",
    "cust",
    "customer",
    "customers",
    "dedi",
    "dedicated",
    "guest",
    "kunde",
    "static",
    "vds",
    "vps",
];

/// Words that deny, and words for what they deny, in one label: `no-rdns`, `undefined-hostname`.
const DENIALS: &[&str] = &["missing", "no", "unassigned", "unconfigured", "undefined", "unset", "without"];
const DENIED: &[&str] = &["dns", "hostname", "ptr", "rdns", "rev", "revdns", "reverse", "reversedns"];
/// Words behind `not` that deny with it: `reverse-dns-not-set`.
const NOT_DONE: &[&str] = &["assigned", "available", "configured", "defined", "found", "registered", "set"];

/// Whether some label says that no name was set; the registrable domain's own label too.
pub(super) fn says_unset(name: &str) -> bool {
    // Most names hold no hyphen, and this looks at every PTR name.
    name.bytes().any(|b| b == b'-') && name.split('.').any(denies)
}

fn denies(label: &str) -> bool {
    let (mut has_denial, mut has_thing, mut before) = (false, false, "");
    for word in label.split('-') {
        has_denial |= DENIALS.contains(&word) || before == "not" && NOT_DONE.contains(&word);
        has_thing |= DENIED.contains(&word);
        before = word;
    }
    has_denial && has_thing
}

/// Whether the part that the provider chose stands in for a name that nobody set.
pub(super) fn is_stand_in(host: &str) -> bool {
    STAND_INS.contains(&host)
}

/// Whether the part that the provider chose says only that the host is rented.
pub(super) fn says_rented(host: &str) -> bool {
    RENTED.contains(&host)
}

/// Whether the part that the provider chose is a word for a customer.
pub(super) fn says_customer(host: &str) -> bool {
    CUSTOMERS.contains(&host)
}

/// What the words of a name say.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Whether a word of lines stands among them.
    pub(super) is_line: bool,
    /// A word that tells it under a condition.
    pub(super) word: Option<(Class, Need)>,
    /// A word that names a class and tells nothing alone.
    pub(super) hint: Option<Class>,
    /// Whether a word of mail stands among them.
    pub(super) is_mail: bool,
}

impl Words {
    pub(super) fn of(host: &str) -> Self {
        let mut words = Self::default();
        for word in host.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 1) {
            if LINES.contains(&word) {
                words.is_line = true;
            } else if MAIL.contains(&word) {
                words.is_mail = true;
            } else if let Some((_, class, need)) = WORDS.iter().find(|(known, ..)| *known == word) {
                words.word.get_or_insert((*class, *need));
            } else if let Some((_, class)) = HINTS.iter().find(|(known, _)| *known == word) {
                words.hint.get_or_insert(*class);
            }
        }
        words
    }
}
