//! The rules of receivers: one row each. They change and have bugs, so the table has a version.

use super::{About, Applies, Effect};

/// The version of the table; it rises when a row changes.
pub const VERSION: &str = "2";

/// What a rule fires on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Condition {
    /// No PTR record.
    NoPtr,
    /// No PTR record, and the address is an IPv6 one.
    NoPtrOnIpv6,
    /// No PTR record, or no PTR name leads back.
    Unconfirmed,
    /// PTR records, and no PTR name leads back.
    UnconfirmedWithPtr,
    /// No PTR record, or the one PTR name that the receiver happens to take does not lead back.
    UnconfirmedByOne,
    /// A PTR name that looks assigned by the provider.
    GenericPtr,
    /// Either of the two.
    UnconfirmedOrGeneric,
    /// A PTR name that says `localhost`.
    PtrLocalhost,
    /// The name in HELO is no PTR name.
    HeloIsNotPtr,
    /// The same, where reverse DNS is sound.
    HeloIsNotPtrOfSound,
    /// The name in HELO is neither the address, nor the confirmed name, nor a name that leads here.
    HeloUnverified,
    /// The name in HELO has addresses, and this is none of them.
    HeloResolvesElsewhere,
    /// The name in HELO has neither an address nor an MX record.
    HeloWithoutAOrMx,
    /// The name in HELO has no dot, or is an address without brackets.
    HeloNotQualified,
    /// The name in HELO is no host name.
    HeloInvalid,
    /// An address without brackets in HELO.
    HeloBareAddress,
    /// One label in HELO.
    HeloOneLabel,
    /// One label in HELO, or a suffix of closed networks.
    HeloOneLabelOrPrivate,
    /// `localhost` in HELO.
    HeloLocalhost,
    /// The name in HELO looks assigned by the provider.
    HeloGeneric,
}

impl Condition {
    /// What it looks at.
    pub fn about(self) -> About {
        if (self as u8) < (Self::HeloIsNotPtr as u8) { About::Reverse } else { About::Helo }
    }
}

/// One rule of one receiver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// The receiver, as its people write it.
    pub receiver: &'static str,
    /// The rule: an option, a symbol, or words where it has no name.
    pub name: &'static str,
    /// The reply that a client sees; empty where there is none.
    pub reply: &'static str,
    /// What it fires on.
    pub condition: Condition,
    /// What it does then; [`Effect::Unknown`] where the receiver does not say.
    pub effect: Effect,
    /// When it is in force.
    pub applies: Applies,
}

const fn rule(
    receiver: &'static str,
    (name, reply): (&'static str, &'static str),
    condition: Condition,
    effect: Effect,
    applies: Applies,
) -> Rule {
    Rule { receiver, name, reply, condition, effect, applies }
}

const fn score(
    receiver: &'static str,
    name: &'static str,
    condition: Condition,
    least: f32,
    most: f32,
) -> Rule {
    rule(receiver, (name, ""), condition, Effect::Score(least, most), Applies::Always)
}

use Applies::{Always, IfConfigured, Sometimes};
use Condition::{
    GenericPtr, HeloBareAddress, HeloGeneric, HeloInvalid, HeloIsNotPtr, HeloIsNotPtrOfSound, HeloLocalhost,
    HeloNotQualified, HeloOneLabel, HeloOneLabelOrPrivate, HeloResolvesElsewhere, HeloUnverified,
    HeloWithoutAOrMx, NoPtr, NoPtrOnIpv6, PtrLocalhost, Unconfirmed, UnconfirmedByOne, UnconfirmedOrGeneric,
    UnconfirmedWithPtr,
};
use Effect::{Defer, Reject};

/// All rules, by receiver.
pub static RULES: &[Rule] = &[
    rule("Gmail", ("sender guidelines: PTR", "421-4.7.23, later 550-5.7.25"), Unconfirmed, Reject, Always),
    rule("Microsoft 365", ("IPv6 senders need a PTR", "450 4.7.25"), NoPtrOnIpv6, Defer, Always),
    rule("Yahoo", ("sender best practices", ""), UnconfirmedOrGeneric, Effect::Unknown, Sometimes),
    rule("Fastmail", ("forward and reverse DNS agree", ""), Unconfirmed, Reject, Sometimes),
    rule("Fastmail", ("HELO is the PTR name", ""), HeloIsNotPtr, Reject, Sometimes),
    rule("GMX", ("PTR of the client", "550, in place of a greeting"), Unconfirmed, Reject, Always),
    rule("freenet", ("PTR of the client", "550, in place of a greeting"), Unconfirmed, Reject, Always),
    rule("free.fr", ("PTR resolves back", "421"), Unconfirmed, Defer, Always),
    rule("Cloudmark CSI", ("generic PTR", ""), GenericPtr, Reject, Sometimes),
    rule("SpamRATS", ("RATS-NoPtr", ""), NoPtr, Reject, Sometimes),
    rule("SpamRATS", ("RATS-Dyna", ""), GenericPtr, Reject, Sometimes),
    rule("Postfix", ("reject_unknown_client_hostname", "450"), UnconfirmedByOne, Defer, IfConfigured),
    rule("Postfix", ("reject_unknown_reverse_client_hostname", "450"), NoPtr, Defer, IfConfigured),
    rule("Postfix", ("reject_unknown_helo_hostname", "450"), HeloWithoutAOrMx, Defer, IfConfigured),
    rule("Postfix", ("reject_non_fqdn_helo_hostname", "504"), HeloNotQualified, Reject, IfConfigured),
    rule("Postfix", ("reject_invalid_helo_hostname", "501"), HeloInvalid, Reject, IfConfigured),
    rule("Exim", ("verify = reverse_host_lookup", ""), Unconfirmed, Reject, IfConfigured),
    rule("Exim", ("verify = helo", ""), HeloUnverified, Reject, IfConfigured),
    rule("Sendmail", ("FEATURE(require_rdns)", "550 5.7.1"), NoPtr, Reject, IfConfigured),
    rule("Sendmail", ("FEATURE(require_rdns)", "451 4.1.8"), UnconfirmedWithPtr, Defer, IfConfigured),
    rule("OpenSMTPD", ("filter on !rdns", ""), NoPtr, Reject, IfConfigured),
    rule("OpenSMTPD", ("filter on !fcrdns", ""), Unconfirmed, Reject, IfConfigured),
    rule("Haraka", ("fcrdns", ""), Unconfirmed, Reject, IfConfigured),
    rule("Haraka", ("helo.checks", ""), HeloInvalid, Reject, IfConfigured),
    score("rspamd", "RDNS_NONE", NoPtr, 2.0, 2.0),
    score("rspamd", "HFILTER_HOSTNAME_UNKNOWN", Unconfirmed, 2.5, 2.5),
    score("rspamd", "HFILTER_HOSTNAME_1 to 5", GenericPtr, 0.5, 3.0),
    score("rspamd", "HFILTER_HELO_BAREIP", HeloBareAddress, 3.0, 3.0),
    score("rspamd", "HFILTER_HELO_NOT_FQDN", HeloOneLabel, 2.0, 2.0),
    score("rspamd", "HFILTER_HELO_NORES_A_OR_MX", HeloWithoutAOrMx, 0.3, 0.3),
    score("rspamd", "HFILTER_HELO_IP_A", HeloResolvesElsewhere, 1.0, 1.0),
    score("rspamd", "HFILTER_HELO_5", HeloOneLabelOrPrivate, 3.0, 3.0),
    score("rspamd", "HFILTER_HELO_1 to 5", HeloGeneric, 0.5, 3.0),
    score("SpamAssassin", "RDNS_NONE", NoPtr, 0.793, 2.399),
    score("SpamAssassin", "RDNS_DYNAMIC", GenericPtr, 0.363, 2.639),
    score("SpamAssassin", "RDNS_LOCALHOST", PtrLocalhost, 0.0, 3.7),
    score("SpamAssassin", "HELO_LOCALHOST", HeloLocalhost, 2.6, 3.8),
    score("SpamAssassin", "FSL_HELO_NON_FQDN_1", HeloOneLabel, 0.0, 2.4),
    score("SpamAssassin", "FSL_HELO_BARE_IP_1", HeloBareAddress, 1.4, 3.1),
    score("SpamAssassin", "HELO_DYNAMIC_*", HeloGeneric, 1.9, 4.2),
    score("SpamAssassin", "KHOP_HELO_FCRDNS", HeloIsNotPtrOfSound, 0.4, 0.4),
];
