//! Hosts whose reverse DNS is missing, leads elsewhere, or is no host name.

use super::super::script::{EXIM, PLAIN, POSTFIX};
use super::{Life, MATCH, NO_PTR, Persona, RELATED, UNCONFIRMED};
use crate::demo::zone::{Answer, Fault};
use crate::evidence::Status;
use crate::judge::{Relation, Verdict};

pub(super) const ROWS: &[Persona] = &[
    Persona {
        code: "no_ptr",
        about: "A healthy host without a PTR: NXDOMAIN",
        shares: [8, 60, 150],
        truth: NO_PTR.never(&["ptr_unconfirmed", "banner_unresolvable", "banner_default"]).clears(&["ptr"]),
        live: |host| {
            let own = host.own("mail");
            Life::says(format!("220 {own} ESMTP Postfix"), &own, POSTFIX)
                .reverse(host, Answer::NxDomain)
                .at(&own, host.ip)
        },
    },
    Persona {
        code: "no_ptr_data",
        about: "The reverse name exists, without a PTR: no data",
        shares: [2, 12, 20],
        truth: NO_PTR.ptr(Status::NoData).clears(&["ptr"]),
        live: |host| {
            let own = host.own("mail");
            Life::says(format!("220 {own} ESMTP Exim 4.96"), &own, EXIM)
                .reverse(host, Answer::NoData)
                .at(&own, host.ip)
        },
    },
    Persona {
        code: "no_ptr_default",
        about: "Neither a PTR nor a name of its own",
        shares: [0, 8, 50],
        truth: NO_PTR.must(&["ptr_missing", "banner_default"]).clears(&[]),
        live: |host| {
            let name = "localhost.localdomain";
            Life::says(format!("220 {name} ESMTP Postfix"), name, POSTFIX).reverse(host, Answer::NxDomain)
        },
    },
    Persona {
        code: "ptr_nowhere",
        about: "The PTR names a host that does not exist",
        shares: [4, 12, 30],
        truth: UNCONFIRMED.clears(&["ptr", "forward"]),
        live: |host| {
            let (own, old) = (host.own("mail"), host.other("old"));
            Life::says(format!("220 {own} ESMTP Postfix"), &own, POSTFIX).ptr(host, &[&old]).at(&own, host.ip)
        },
    },
    Persona {
        code: "ptr_no_address",
        about: "The PTR names a host without an address",
        shares: [1, 4, 8],
        truth: UNCONFIRMED.clears(&["ptr", "forward"]),
        live: |host| {
            let (own, old) = (host.own("mail"), host.own("old"));
            Life::says(format!("220 {own} ESMTP Postfix"), &own, POSTFIX)
                .ptr(host, &[&old])
                .forward(&old, Answer::NoData)
                .at(&own, host.ip)
        },
    },
    Persona {
        code: "ptr_elsewhere",
        about: "Banner and PTR agree, and the name lives at another address",
        shares: [4, 12, 30],
        truth: UNCONFIRMED
            .relation(Relation::Exact)
            .must(&["ptr_unconfirmed", "banner_resolves_elsewhere"])
            .never(&["banner_unresolvable"])
            .clears(&["forward"]),
        live: |host| {
            let own = host.own("mail");
            Life::says(format!("220 {own} ESMTP Postfix"), &own, POSTFIX)
                .ptr(host, &[&own])
                .at(&own, host.elsewhere())
        },
    },
    Persona {
        code: "ptr_partly",
        about: "Three PTR names, one of them leads back",
        shares: [4, 6, 4],
        truth: MATCH
            .must(&["ptr_multiple", "ptr_partly_unconfirmed"])
            .never(&["ptr_missing", "ptr_unconfirmed", "banner_differs", "banner_unresolvable"])
            .clears(&["ptr"]),
        live: |host| {
            let (own, gone, moved) = (host.own("mail"), host.own("gone"), host.other("www"));
            Life::says(format!("220 {own} ESMTP Postfix"), &own, POSTFIX)
                .ptr(host, &[&gone, &own, &moved])
                .at(&own, host.ip)
                .at(&moved, host.elsewhere())
        },
    },
    Persona {
        code: "ptr_underscore",
        about: "The PTR has an underscore, and leads back all the same",
        shares: [1, 2, 3],
        truth: RELATED.must(&["ptr_malformed"]).clears(&["ptr"]),
        live: |host| {
            let own = host.own("mail");
            Life::says(format!("220 {own} ESMTP Postfix"), &own, POSTFIX)
                .known_as(host, &host.own("mail_out"))
                .at(&own, host.ip)
        },
    },
    Persona {
        code: "ptr_address",
        about: "The PTR is the address itself",
        shares: [0, 3, 6],
        truth: UNCONFIRMED.must(&["ptr_unconfirmed", "ptr_malformed"]).clears(&["ptr"]),
        live: |host| {
            let own = host.own("mail");
            Life::says(format!("220 {own} ESMTP Postfix"), &own, POSTFIX)
                .ptr(host, &[&host.ip.to_string()])
                .at(&own, host.ip)
        },
    },
    Persona {
        code: "ptr_localhost",
        about: "The PTR says localhost",
        shares: [0, 3, 6],
        truth: UNCONFIRMED.must(&["ptr_unconfirmed", "ptr_malformed"]).clears(&["ptr"]),
        live: |host| {
            let own = host.own("mail");
            Life::says(format!("220 {own} ESMTP Postfix"), &own, POSTFIX)
                .ptr(host, &["localhost"])
                .at("localhost", std::net::Ipv4Addr::LOCALHOST)
                .at(&own, host.ip)
        },
    },
    Persona {
        code: "ptr_hostile",
        about: "The PTR holds control characters, markup and a formula",
        shares: [0, 1, 1],
        truth: UNCONFIRMED.must(&["ptr_unconfirmed", "ptr_malformed"]).clears(&["ptr"]),
        live: |host| {
            let own = host.own("mail");
            let hostile = format!(r"=\027[31m<b>\000\255\,\.{}", host.other("x"));
            Life::says(format!("220 {own} ESMTP"), &own, PLAIN).ptr(host, &[&hostile]).at(&own, host.ip)
        },
    },
    Persona {
        code: "ptr_banner_unknown",
        about: "One PTR name leads back; the one in the banner can't be asked",
        shares: [0, 1, 1],
        truth: super::sound(Verdict::Undetermined).must(&["ptr_multiple"]).never(&[
            "ptr_missing",
            "ptr_unconfirmed",
            "banner_unresolvable",
        ]),
        live: |host| {
            let (own, limiter) = (host.own("mail"), host.own("limiter"));
            Life::says(format!("220 {own} ESMTP Postfix"), &own, POSTFIX)
                .ptr(host, &[&limiter, &own])
                .at(&limiter, host.ip)
                .forward(&own, Answer::Fault(Fault::ServFail))
        },
    },
];
