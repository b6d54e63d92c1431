//! Frequent questions, and the words by which people look for them.

/// A frequent question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Whether the website or the application is to blame.
    AppNotAtFault,
    /// What the warning of a check tool is worth.
    ScannerWarning,
    /// What the banner has to do with the sender's address.
    BannerIsNotFrom,
    /// Why a fix can't be seen yet.
    FixDoesNotShow,
    /// What can be done on a shared host.
    SharedHosting,
    /// Why the banner stands in for the name in HELO.
    BannerAndHelo,
    /// What forward-confirmed means.
    ForwardConfirmed,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::AppNotAtFault,
        Self::ScannerWarning,
        Self::BannerIsNotFrom,
        Self::FixDoesNotShow,
        Self::SharedHosting,
        Self::BannerAndHelo,
        Self::ForwardConfirmed,
    ];

    /// The word by which it is asked for.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AppNotAtFault => "app_not_at_fault",
            Self::ScannerWarning => "scanner_warning",
            Self::BannerIsNotFrom => "banner_is_not_from",
            Self::FixDoesNotShow => "fix_does_not_show",
            Self::SharedHosting => "shared_hosting",
            Self::BannerAndHelo => "banner_and_helo",
            Self::ForwardConfirmed => "forward_confirmed",
        }
    }

    /// The question in a line.
    pub fn title(self) -> &'static str {
        match self {
            Self::AppNotAtFault => {
                "My website or application sends mail, and a check complains about the banner."
            }
            Self::ScannerWarning => "A check tool warns that reverse DNS does not match the SMTP banner.",
            Self::BannerIsNotFrom => "Should the banner show the domain that I send from?",
            Self::FixDoesNotShow => "I changed the record or the name, and the old one still shows.",
            Self::SharedHosting => "My mail goes out through a host that many customers share.",
            Self::BannerAndHelo => "Why the greeting is looked at when receivers see HELO.",
            Self::ForwardConfirmed => "What forward-confirmed reverse DNS is.",
        }
    }

    /// Paragraphs for a person.
    pub fn text(self) -> &'static [&'static str] {
        match self {
            Self::AppNotAtFault => &[
                "The web framework, the shop, the contact form or the Android app hands its mail to a mail server and has no part in what that server calls itself. No setting of the application changes the greeting.",
                "The name is set where the mail server runs, and the PTR record where the address is owned: at the hosting provider. Forward the finding to whoever runs that machine.",
            ],
            Self::ScannerWarning => &[
                "The common warning compares two strings and says nothing of their weight. That a greeting's name and a PTR name differ is allowed, and RFC 5321 §4.1.4 does not let a server refuse mail for it; Google's and Microsoft's servers differ by design.",
                "What receivers do act on is an address without a PTR record, or with one that does not lead back. If those are in order, the warning can be left alone.",
                "A warning can be plainly wrong, too: some tools wait six or fifteen seconds for a greeting that healthy servers delay, and count any DNS error as a missing record. Check by hand before you change anything.",
            ],
            Self::BannerIsNotFrom => &[
                "No. The greeting names the machine, the sender's address names who writes. One machine sends for thousands of domains and has one name.",
                "What ties the sender's domain to its servers is SPF, DKIM and DMARC in that domain's own DNS. The machine's name only has to lead to the machine's address and back.",
            ],
            Self::FixDoesNotShow => &[
                "DNS answers are kept until their time to live runs out; that there was no record is kept as well, for the time in the zone's SOA record. Ask the zone's own server first (`dig -x ADDRESS +trace`): if the new answer stands there, wait.",
                "If it does not stand there, it was set in the wrong place. A PTR record in one's own domain's zone has no effect: it belongs into the reverse zone of the address, at the provider.",
                "Look at the right box: a name may lead to several addresses, and ports 25, 465 and 587 may be answered by different programs. Look at the right family as well: an IPv6 address has a PTR record of its own.",
            ],
            Self::SharedHosting => &[
                "On a shared host the address, its PTR record and the greeting belong to the provider, and all its customers have them in common. They can't match every customer's domain, and no receiver expects it.",
                "What matters there is that the provider's own names agree with each other. If they do not, only the provider can set it right; moving to a relay service or to an address of one's own are the ways around.",
            ],
            Self::BannerAndHelo => &[
                "A mail server has two roles. Whoever connects to it reads its greeting; whoever receives mail from it reads the name that it gives in HELO. Most programs use one setting for both, some have two.",
                "From outside only the greeting can be seen, so it stands in for the other. To be sure, look at the `Received:` line of a mail that the server sent, and give that name as `helo_name` in the target list.",
            ],
            Self::ForwardConfirmed => &[
                "Ask for the PTR names of an address, then for the addresses of each name. If one of them leads back, the name is confirmed: the owner of the address and the owner of the domain agree.",
                "One confirmed name is enough for most receivers. Nobody is judged by a question that got no answer.",
            ],
        }
    }

    /// Words of people who ask it, beside those of the title.
    pub fn words(self) -> &'static str {
        match self {
            Self::AppNotAtFault => {
                "android ios app framework django rails laravel wordpress woocommerce spring php node javamail phpmailer contact form shop web developer code fault"
            }
            Self::ScannerWarning => {
                "reverse dns does not match smtp banner mismatch warning scanner mxtoolbox checker test tool report spam"
            }
            Self::BannerIsNotFrom => {
                "from domain sender spf dkim dmarc alignment hostname every customer virtual"
            }
            Self::FixDoesNotShow => {
                "fixed changed still old ttl cache cached propagation propagate wait delay negative soa update ipv6"
            }
            Self::SharedHosting => {
                "shared host hosting cpanel plesk directadmin webhosting reseller provider customer vps relay"
            }
            Self::BannerAndHelo => "helo ehlo hello banner greeting received header smtp_helo_name observed",
            Self::ForwardConfirmed => "fcrdns rdns ptr pointer reverse forward confirmed a aaaa record iprev",
        }
    }
}
