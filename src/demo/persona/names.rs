//! Hosts whose reverse DNS is sound, and whose banner says something else or nothing.

use super::super::script::{EXCHANGE, EXIM, End, Manner, PLAIN, POSTFIX, Script};
use super::{Life, MATCH, MISMATCH, NO_NAME, Persona, RELATED};
use crate::demo::host::Host;
use crate::demo::zone::{Answer, Fault};

pub(super) const ROWS: &[Persona] = &[
    Persona {
        code: "generic_ptr",
        about: "The provider's PTR, the customer's banner",
        shares: [60, 130, 150],
        truth: MISMATCH
            .must(&["ptr_generic"])
            .never(&["ptr_missing", "banner_unresolvable", "ptr_malformed"])
            .clears(&["ptr"]),
        live: |host| {
            let own = host.own("mail");
            Life::says(format!("220 {own} ESMTP Postfix (Ubuntu)"), &own, POSTFIX)
                .known_as(host, &host.generic())
                .at(&own, host.ip)
        },
    },
    Persona {
        code: "two_identities",
        about: "Banner and PTR in different domains, both sound",
        shares: [8, 12, 8],
        truth: MISMATCH
            .must(&["banner_differs"])
            .never(&["banner_unresolvable", "banner_resolves_elsewhere"]),
        live: |host| {
            let (own, other) = (host.own("mail"), host.other("web"));
            Life::says(format!("220 {own} ESMTP Exim 4.96"), &own, EXIM)
                .known_as(host, &other)
                .at(&own, host.ip)
        },
    },
    Persona {
        code: "banner_nxdomain",
        about: "The banner's name does not exist",
        shares: [4, 10, 20],
        truth: MISMATCH
            .must(&["banner_unresolvable", "banner_differs"])
            .never(&["banner_resolves_elsewhere"])
            .clears(&["banner", "forward"]),
        live: |host| {
            let (own, other) = (host.own("mail"), host.other("smtp"));
            Life::says(format!("220 {own} ESMTP Postfix"), &own, POSTFIX).known_as(host, &other)
        },
    },
    Persona {
        code: "banner_no_data",
        about: "The banner's name exists, without an address; its domain is the PTR's",
        shares: [4, 6, 6],
        truth: RELATED
            .must(&["banner_unresolvable"])
            .never(&["banner_differs", "banner_resolves_elsewhere"])
            .clears(&["banner", "forward"]),
        live: |host| {
            let (own, limiter) = (host.own("post"), host.own("limiter"));
            Life::says(format!("220 {own} ESMTP Postfix"), &own, POSTFIX)
                .known_as(host, &limiter)
                .forward(&own, Answer::NoData)
        },
    },
    Persona {
        code: "banner_elsewhere",
        about: "The banner's name lives at another address",
        shares: [4, 8, 10],
        truth: MISMATCH
            .must(&["banner_resolves_elsewhere", "banner_differs"])
            .never(&["banner_unresolvable"]),
        live: |host| {
            let (own, other) = (host.own("mail"), host.other("smtp"));
            Life::says(format!("220 {own} ESMTP Postfix"), &own, POSTFIX)
                .known_as(host, &other)
                .at(&own, host.elsewhere())
        },
    },
    Persona {
        code: "banner_servfail",
        about: "The banner's name can't be asked: that proves nothing",
        shares: [1, 1, 2],
        truth: MISMATCH
            .must(&["banner_differs"])
            .never(&["banner_unresolvable", "banner_resolves_elsewhere"]),
        live: |host| {
            let (own, other) = (host.own("mail"), host.other("smtp"));
            Life::says(format!("220 {own} ESMTP Postfix"), &own, POSTFIX)
                .known_as(host, &other)
                .forward(&own, Answer::Fault(Fault::ServFail))
        },
    },
    Persona {
        code: "exchange",
        about: "Exchange, with its name in the internal directory",
        shares: [8, 12, 10],
        truth: NO_NAME.must(&["banner_private_name"]).clears(&["banner"]),
        live: |host| {
            let greeting =
                "220 EX01.corp.local Microsoft ESMTP MAIL Service ready at Fri, 2 Jan 2026 03:04:05 +0000";
            Life::says(greeting, "ex01.corp.local", EXCHANGE).known_as(host, &host.own("mail"))
        },
    },
    Persona {
        code: "localhost",
        about: "Postfix as installed: localhost.localdomain",
        shares: [3, 14, 60],
        truth: NO_NAME.must(&["banner_default"]).clears(&["banner"]),
        live: |host| {
            let name = "localhost.localdomain";
            Life::says(format!("220 {name} ESMTP Postfix"), name, POSTFIX).known_as(host, &host.own("srv"))
        },
    },
    Persona {
        code: "ubuntu",
        about: "The distribution's name as the host's",
        shares: [2, 12, 50],
        truth: NO_NAME.must(&["banner_default", "ptr_generic"]).clears(&[]),
        live: |host| {
            let greeting = "220 ubuntu ESMTP Postfix (Ubuntu)";
            Life::says(greeting, "ubuntu", POSTFIX).known_as(host, &host.generic())
        },
    },
    Persona {
        code: "one_label",
        about: "A name of one label that is nobody's default",
        shares: [2, 6, 10],
        truth: NO_NAME
            .must(&["banner_unqualified"])
            .never(&["banner_default", "banner_absent"])
            .clears(&["banner"]),
        live: |host| {
            let name = format!("{}box", letter_word(host));
            Life::says(format!("220 {name} ESMTP Postfix"), &name, POSTFIX).known_as(host, &host.own("mail"))
        },
    },
    Persona {
        code: "vps_default",
        about: "The name that the image gave",
        shares: [2, 12, 60],
        truth: NO_NAME.must(&["banner_default", "ptr_generic"]).clears(&[]),
        live: |host| {
            let name = format!("vps{}", 10_000 + host.pick("vps", 89_999));
            Life::says(format!("220 {name} ESMTP Postfix (Debian/GNU)"), &name, POSTFIX)
                .known_as(host, &host.generic())
        },
    },
    Persona {
        code: "example_com",
        about: "The name out of the manual",
        shares: [2, 8, 20],
        truth: NO_NAME.must(&["banner_default"]).clears(&[]),
        live: |host| {
            let name = "mail.example.com";
            Life::says(format!("220 {name} ESMTP Postfix"), name, POSTFIX).known_as(host, &host.generic())
        },
    },
    Persona {
        code: "masked",
        about: "A firewall that masks the greeting",
        shares: [3, 5, 5],
        truth: NO_NAME.nameless().must(&["banner_masked"]).never(&["banner_absent", "banner_unqualified"]),
        live: |host| {
            let own = host.own("mail");
            let greeting = "220 ***************************2******************0*****0 ************";
            Life::says(greeting, &own, PLAIN).nameless().known_as(host, &own)
        },
    },
    Persona {
        code: "literal",
        about: "An address literal in the name's place",
        shares: [1, 4, 8],
        truth: NO_NAME
            .nameless()
            .must(&["banner_literal"])
            .never(&["banner_bare_address", "banner_absent"])
            .clears(&["banner"]),
        live: |host| {
            let greeting = format!("220 [{}] ESMTP ready", host.ip);
            Life::says(greeting, "localhost", PLAIN).nameless().known_as(host, &host.own("mail"))
        },
    },
    Persona {
        code: "bare_address",
        about: "An address in the name's place, without brackets",
        shares: [1, 4, 10],
        truth: NO_NAME
            .nameless()
            .must(&["banner_bare_address"])
            .never(&["banner_literal", "banner_absent"])
            .clears(&["banner"]),
        live: |host| {
            let greeting = format!("220 {} ESMTP Postfix", host.ip);
            Life::says(greeting, "localhost", PLAIN).nameless().known_as(host, &host.own("mail"))
        },
    },
    Persona {
        code: "exim_nameless",
        about: "Exim that leaves its name out",
        shares: [1, 3, 6],
        truth: NO_NAME.nameless().must(&["banner_absent"]).clears(&["banner"]),
        live: |host| {
            let own = host.own("mail");
            let greeting = "220 ESMTP Exim 4.92 Fri, 02 Jan 2026 03:04:05 +0000";
            Life::says(greeting, &own, EXIM).nameless().known_as(host, &own)
        },
    },
    Persona {
        code: "code_alone",
        about: "A code and no text",
        shares: [0, 1, 2],
        truth: NO_NAME.nameless().must(&["banner_absent"]).never(&["banner_masked"]).clears(&["banner"]),
        live: |host| {
            let own = host.own("mail");
            Life::says("220", &own, PLAIN).nameless().known_as(host, &own)
        },
    },
    Persona {
        code: "placeholder",
        about: "MailEnable with a variable that nobody filled in",
        shares: [0, 3, 8],
        truth: NO_NAME.must(&["banner_placeholder"]).clears(&["banner"]),
        live: |host| {
            let greeting =
                "220 %WPI_HOSTNAME% ESMTP MailEnable Service, Version: 10.30-- ready at 01/02/26 03:04:05";
            Life::says(greeting, "%wpi_hostname%", PLAIN).known_as(host, &host.own("mail"))
        },
    },
    Persona {
        code: "doubled_suffix",
        about: "The domain stands in the name twice",
        shares: [1, 3, 5],
        truth: NO_NAME.must(&["banner_placeholder"]).clears(&["banner"]),
        live: |host| {
            let own = host.own("mail");
            let domain = own.split_once('.').map_or("", |(_, domain)| domain);
            let doubled = format!("{own}.{domain}");
            Life::says(format!("220 {doubled} ESMTP Postfix"), &doubled, POSTFIX).known_as(host, &own)
        },
    },
    Persona {
        code: "banner_underscore",
        about: "An underscore in the banner's name",
        shares: [0, 2, 4],
        truth: NO_NAME.must(&["banner_placeholder"]).never(&["banner_absent"]).clears(&["banner"]),
        live: |host| {
            let (own, odd) = (host.own("mail"), host.own("mail_out"));
            Life::says(format!("220 {odd} ESMTP Postfix"), &odd, POSTFIX).known_as(host, &own)
        },
    },
    Persona {
        code: "rblsmtpd",
        about: "A stand-in that greets those on a block list: its name is not the server's",
        shares: [1, 1, 1],
        truth: NO_NAME.nameless().never(&["banner_private_name", "ptr_missing"]).clears(&["banner"]),
        live: |host| {
            let own = host.own("mail");
            Life::says("220 rblsmtpd.local", &own, PLAIN).nameless().known_as(host, &own)
        },
    },
    Persona {
        code: "rejected_421",
        about: "Busy: 421 with a name, then closed",
        shares: [2, 3, 2],
        truth: MATCH.rejected(),
        live: |host| {
            let own = host.own("mail");
            let bytes =
                format!("421 {own} Service not available, closing transmission channel\r\n").into_bytes();
            Life::plays(Script::raw(bytes, End::Close)).named(&own).known_as(host, &own)
        },
    },
    Persona {
        code: "rejected_554",
        about: "Not a receiving host: 554 with a name, waits for QUIT",
        shares: [8, 5, 2],
        truth: MATCH.rejected(),
        live: |host| {
            let own = host.own("out");
            refuses(&format!("554 {own} ESMTP not accepting messages\r\n")).named(&own).known_as(host, &own)
        },
    },
    Persona {
        code: "rejected_gateway",
        about: "A gateway that dislikes us: two lines of 554, the name on the first",
        shares: [6, 4, 1],
        truth: MATCH.rejected(),
        live: |host| {
            let own = host.own("gateway");
            let text = format!(
                "554-{own}\r\n554 Your access to this mail system has been rejected due to the sending MTA's poor \
                 reputation.\r\n"
            );
            refuses(&text).named(&own).known_as(host, &own)
        },
    },
    Persona {
        code: "rejected_nameless",
        about: "A refusal without a name",
        shares: [2, 3, 3],
        truth: NO_NAME.nameless().rejected().must(&["banner_absent"]),
        live: |host| {
            refuses("554 5.7.1 You are not allowed to connect.\r\n").known_as(host, &host.own("mail"))
        },
    },
];

fn refuses(text: &str) -> Life {
    Life::plays(Script::raw(text.as_bytes().to_vec(), End::Converse(Manner::Refusing)))
}

/// A made-up word of its own for each address, without digits.
fn letter_word(host: Host) -> &'static str {
    const WORDS: [&str; 8] = ["post", "atlas", "orion", "zeus", "hermes", "pluto", "iris", "vega"];
    usize::try_from(host.pick("label", 8)).ok().and_then(|at| WORDS.get(at)).copied().unwrap_or("post")
}
