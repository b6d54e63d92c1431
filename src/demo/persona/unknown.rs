//! Hosts of which DNS tells nothing certain, each by another fault: never a finding against them.

use super::super::script::POSTFIX;
use super::super::zone::{Answer, Fault};
use super::{Life, Persona, UNDETERMINED};
use crate::demo::host::Host;
use crate::evidence::Status;

pub(super) const ROWS: &[Persona] = &[
    Persona {
        code: "ptr_servfail",
        about: "The reverse zone fails: SERVFAIL",
        shares: [2, 4, 12],
        truth: UNDETERMINED.ptr(Status::ServFail),
        live: |host| reverse(host, Fault::ServFail),
    },
    Persona {
        code: "ptr_refused",
        about: "The reverse zone's server refuses",
        shares: [0, 1, 3],
        truth: UNDETERMINED.ptr(Status::Refused),
        live: |host| reverse(host, Fault::Refused),
    },
    Persona {
        code: "ptr_notimp",
        about: "The reverse zone's server does not implement it",
        shares: [0, 0, 0],
        truth: UNDETERMINED.ptr(Status::ServFail),
        live: |host| reverse(host, Fault::NotImp),
    },
    Persona {
        code: "ptr_formerr",
        about: "The reverse zone's server calls the question malformed",
        shares: [0, 0, 0],
        truth: UNDETERMINED.ptr(Status::Malformed),
        live: |host| reverse(host, Fault::FormErr),
    },
    Persona {
        code: "ptr_timeout",
        about: "The reverse zone's server does not answer",
        shares: [0, 1, 3],
        truth: UNDETERMINED.ptr(Status::TimedOut),
        live: |host| reverse(host, Fault::Silence),
    },
    Persona {
        code: "ptr_lame",
        about: "The reverse zone is delegated to a server that knows nothing of it",
        shares: [0, 1, 3],
        truth: UNDETERMINED.ptr(Status::Malformed),
        live: |host| reverse(host, Fault::Lame),
    },
    Persona {
        code: "ptr_alias_loop",
        about: "The reverse name is an alias of an alias of itself",
        shares: [0, 0, 1],
        truth: UNDETERMINED.ptr(Status::Malformed),
        live: |host| reverse(host, Fault::AliasLoop),
    },
    Persona {
        code: "ptr_other_owner",
        about: "The answer is about another name",
        shares: [0, 0, 0],
        truth: UNDETERMINED.ptr(Status::Malformed),
        live: |host| reverse(host, Fault::OtherOwner),
    },
    Persona {
        code: "ptr_empty",
        about: "The answer is empty, and nobody answers for that",
        shares: [0, 0, 1],
        truth: UNDETERMINED.ptr(Status::Malformed),
        live: |host| reverse(host, Fault::Empty),
    },
    Persona {
        code: "ptr_pointer_loop",
        about: "The answer holds a pointer to itself",
        shares: [0, 0, 0],
        truth: UNDETERMINED,
        live: |host| reverse(host, Fault::PointerLoop),
    },
    Persona {
        code: "ptr_cut_short",
        about: "The answer ends in the middle of a record",
        shares: [0, 0, 0],
        truth: UNDETERMINED,
        live: |host| reverse(host, Fault::CutShort),
    },
    Persona {
        code: "forward_servfail",
        about: "The PTR name can't be asked: SERVFAIL",
        shares: [1, 2, 6],
        truth: UNDETERMINED.ptr(Status::Found),
        live: |host| forward(host, Fault::ServFail),
    },
    Persona {
        code: "forward_timeout",
        about: "The PTR name's server does not answer",
        shares: [0, 1, 2],
        truth: UNDETERMINED.ptr(Status::Found),
        live: |host| forward(host, Fault::Silence),
    },
    Persona {
        code: "forward_alias_loop",
        about: "The PTR name is an alias of an alias of itself",
        shares: [0, 0, 1],
        truth: UNDETERMINED.ptr(Status::Found),
        live: |host| forward(host, Fault::AliasLoop),
    },
];

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
