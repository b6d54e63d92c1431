//! Hosts of which DNS tells nothing certain, each by another fault: never a finding against them.

use super::super::script::POSTFIX;
use super::super::zone::{Answer, Fault};
use super::{Life, Persona, UNDETERMINED};
use crate::demo::host::Host;

pub(super) const ROWS: &[Persona] = &[
    row("ptr_servfail", "The reverse zone fails: SERVFAIL", [2, 4, 12], |host| {
        reverse(host, Fault::ServFail)
    }),
    row("ptr_refused", "The reverse zone's server refuses", [0, 1, 3], |host| reverse(host, Fault::Refused)),
    row("ptr_notimp", "The reverse zone's server does not implement it", [0, 0, 0], |host| {
        reverse(host, Fault::NotImp)
    }),
    row("ptr_formerr", "The reverse zone's server calls the question malformed", [0, 0, 0], |host| {
        reverse(host, Fault::FormErr)
    }),
    row("ptr_timeout", "The reverse zone's server does not answer", [0, 1, 3], |host| {
        reverse(host, Fault::Silence)
    }),
    row(
        "ptr_lame",
        "The reverse zone is delegated to a server that knows nothing of it",
        [0, 1, 3],
        |host| reverse(host, Fault::Lame),
    ),
    row("ptr_alias_loop", "The reverse name is an alias of an alias of itself", [0, 0, 1], |host| {
        reverse(host, Fault::AliasLoop)
    }),
    row("ptr_other_owner", "The answer is about another name", [0, 0, 0], |host| {
        reverse(host, Fault::OtherOwner)
    }),
    row("ptr_empty", "The answer is empty, and nobody answers for that", [0, 0, 1], |host| {
        reverse(host, Fault::Empty)
    }),
    row("ptr_pointer_loop", "The answer holds a pointer to itself", [0, 0, 0], |host| {
        reverse(host, Fault::PointerLoop)
    }),
    row("ptr_cut_short", "The answer ends in the middle of a record", [0, 0, 0], |host| {
        reverse(host, Fault::CutShort)
    }),
    row("forward_servfail", "The PTR name can't be asked: SERVFAIL", [1, 2, 6], |host| {
        forward(host, Fault::ServFail)
    }),
    row("forward_timeout", "The PTR name's server does not answer", [0, 1, 2], |host| {
        forward(host, Fault::Silence)
    }),
    row("forward_alias_loop", "The PTR name is an alias of an alias of itself", [0, 0, 1], |host| {
        forward(host, Fault::AliasLoop)
    }),
];

const fn row(code: &'static str, about: &'static str, shares: [u16; 3], live: fn(Host) -> Life) -> Persona {
    Persona { code, about, shares, truth: UNDETERMINED, live }
}

/// A healthy host whose PTR question ends in a fault.
fn reverse(host: Host, fault: Fault) -> Life {
    let own = host.own("mail");
    greets(&own).reverse(host, Answer::Fault(fault)).at(&own, host.ip)
}

/// A healthy host whose PTR name, also its banner, ends in a fault.
fn forward(host: Host, fault: Fault) -> Life {
    let own = host.own("mail");
    greets(&own).ptr(host, &[&own]).forward(&own, Answer::Fault(fault))
}

fn greets(own: &str) -> Life {
    Life::says(format!("220 {own} ESMTP Postfix"), own, POSTFIX)
}
