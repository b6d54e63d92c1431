//! Greetings as they are met in the field, and texts that only look like them.

use super::*;
use crate::smtp::reply::{Code, Reader};
use proptest::prelude::*;

/// What a row expects.
#[derive(Debug, PartialEq, Eq)]
enum Expect {
    Host(&'static str),
    Label(&'static str),
    Odd(&'static str),
    Not(Form),
}
use Expect::{Host, Label, Not, Odd};

fn own_name() -> HostName {
    HostName::parse("scanner.example.com").unwrap()
}

fn read(said: &[u8]) -> Greeting {
    let mut reader = Reader::default();
    reader.feed(said);
    let own = own_name();
    Greeting::read(
        &reader.finish().unwrap(),
        Own { name: Some(&own), ip: Some("192.0.2.99".parse().unwrap()), ..Own::default() },
    )
}

fn check(rows: &[(&str, Expect)]) {
    for (said, expected) in rows {
        let greeting = read(format!("{said}\r\n").as_bytes());
        let (name, form) = match expected {
            Host(name) => (Some(*name), Form::Host),
            Label(name) => (Some(*name), Form::SingleLabel),
            Odd(name) => (Some(*name), Form::Placeholder),
            Not(form) => (None, *form),
        };
        assert_eq!((greeting.name.as_deref(), greeting.form), (name, form), "{said}");
    }
}

#[test]
fn word_1_is_the_name_if_it_holds_a_dot() {
    check(&[
        ("220 mx.google.com ESMTP 192si278251wma.146 - gsmtp", Host("mx.google.com")),
        (
            "220 CH3PEPF00000015.mail.protection.outlook.com Microsoft ESMTP MAIL Service ready at Tue, 1 Jul 2025 \
             10:00:00 +0000 [08DDB07650EC6878]",
            Host("ch3pepf00000015.mail.protection.outlook.com"),
        ),
        (
            "220 EX01.corp.local Microsoft ESMTP MAIL Service ready at Tue, 1 Jul 2025 10:00:00 +0200",
            Host("ex01.corp.local"),
        ),
        ("220 mail.example.org ESMTP Postfix (Ubuntu)", Host("mail.example.org")),
        ("220 vps1.localdomain ESMTP Postfix", Host("vps1.localdomain")),
        ("220 mail.example.org ESMTP Exim 4.96 Tue, 01 Jul 2025 10:00:00 +0200", Host("mail.example.org")),
        (
            "220-server.example.net ESMTP Exim 4.89 #1 Tue, 01 Jul 2025 10:00:00 +0200 ",
            Host("server.example.net"),
        ),
        (
            "220 mail.example.org ESMTP Sendmail 8.15.2/8.15.2; Tue, 1 Jul 2025; (No UCE/UBE) logging access from: \
             [192.0.2.99]-client.example.net [192.0.2.99]",
            Host("mail.example.org"),
        ),
        ("220 mail.example.org ESMTP", Host("mail.example.org")),
        ("220 mail.example.org", Host("mail.example.org")),
        ("220 mail.example.org ESMTP OpenSMTPD", Host("mail.example.org")),
        ("220 [mail.example.org] Courier Mail Server 0.7 ready", Host("mail.example.org")),
        ("220 (mail.example.org) ready", Host("mail.example.org")),
        (
            "220 <1751357000.1234@mail.example.org> [XMail 1.27 ESMTP Server] service ready",
            Host("mail.example.org"),
        ),
        ("220 mail.example.org ESMTP Haraka/3.0.3 ready (A1B2C3)", Host("mail.example.org")),
        ("220 mail.example.org Stalwart ESMTP at your service", Host("mail.example.org")),
        ("220 mail.example.org KumoMTA", Host("mail.example.org")),
        ("220 mail.example.org (PowerMTA(TM) v3.2r24) ESMTP service ready", Host("mail.example.org")),
        ("220 2.0.0 mail.example.org ESMTP ecelerity 4.0.0.43760 r(Core:4.0.0.0)", Host("mail.example.org")),
        (
            "220 mail.example.org SMTP Server (JAMES SMTP Server 2.3.2) ready Tue, 1 Jul 2025",
            Host("mail.example.org"),
        ),
        (
            "220 box.example.org ESMTP Hi, I'm a Mail-in-a-Box (Ubuntu/Postfix; see https://mailinabox.email/)",
            Host("box.example.org"),
        ),
        ("220 barracuda.foo.bar ESMTP (0a1b2c3d4e5f)", Host("barracuda.foo.bar")),
        ("220 mx0b-00000000.pphosted.com ESMTP mfa-m0000000", Host("mx0b-00000000.pphosted.com")),
        (
            "220 eu-smtp-inbound-1.mimecast.com ESMTP ; Tue, 01 Jul 2025",
            Host("eu-smtp-inbound-1.mimecast.com"),
        ),
        ("220 mail.example.org ESMTP Smtpd; Tue, 1 Jul 2025 10:00:00 +0200", Host("mail.example.org")),
        (
            "220 email-smtp.amazonaws.com ESMTP SimpleEmailService-d-ABCDEF0123456789",
            Host("email-smtp.amazonaws.com"),
        ),
        ("220 smtp.mandrillapp.com ESMTP", Host("smtp.mandrillapp.com")),
        ("220 localhost.localdomain ESMTP Sendmail", Host("localhost.localdomain")),
        ("220 ip-10-0-0-1.ec2.internal ESMTP Postfix", Host("ip-10-0-0-1.ec2.internal")),
        ("220 server1.example.com ESMTP", Host("server1.example.com")),
        ("220 mail.x.com.x.com ESMTP", Host("mail.x.com.x.com")),
        ("220 company.test ESMTP MDaemon 13.0.3", Host("company.test")),
        ("220 MAIL.EXAMPLE.ORG. ESMTP", Host("mail.example.org")),
        ("220  \t mail.example.org\tESMTP", Host("mail.example.org")),
        ("220 mail.example.org\0\0 ESMTP", Host("mail.example.org")),
        ("220 mail.example.org, ESMTP", Host("mail.example.org")),
        ("220 bücher.example ESMTP", Host("xn--bcher-kva.example")),
        ("220-mail.example.org", Host("mail.example.org")),
        ("220mail.example.org ESMTP", Host("mail.example.org")),
        ("421 mail.example.org Service not available", Host("mail.example.org")),
        ("421 4.7.0 mail.example.org Error: too many connections from 192.0.2.99", Host("mail.example.org")),
        ("421-4.3.2 mail.example.org busy", Host("mail.example.org")),
        ("450 mail.example.org later", Host("mail.example.org")),
        ("530 mail.example.org denied access", Host("mail.example.org")),
        ("554-mail.example.org", Host("mail.example.org")),
        ("554 mail.example.org ESMTP not accepting messages", Host("mail.example.org")),
        ("220 mail.example.org ready on other.example.net", Host("mail.example.org")),
    ]);
}

#[test]
fn a_name_inside_the_sentence_counts_behind_words_that_announce_it() {
    check(&[
        (
            "220 SG ESMTP service ready at ismtpd0013p1las1.sendgrid.net",
            Host("ismtpd0013p1las1.sendgrid.net"),
        ),
        ("220 ESMTP ready at mail.example.org", Host("mail.example.org")),
        ("220 ESMTP Ready At mail.example.org.", Host("mail.example.org")),
        ("220 SMTP service on mail.example.org ready", Host("mail.example.org")),
        ("220 service ready at front.example.org (mail.example.org)", Host("mail.example.org")),
        ("220 Server mail.example.org ready", Host("mail.example.org")),
        ("220 Welcome to mail.example.org ESMTP", Host("mail.example.org")),
        ("220 welcome to [mail.example.org]", Host("mail.example.org")),
        ("220 192.0.2.1 ESMTP ready at mail.example.org", Host("mail.example.org")),
        ("220 [192.0.2.1] service ready on mail.example.org", Host("mail.example.org")),
        ("220 scanner.example.com ready at mail.example.org", Host("mail.example.org")),
        ("220 ESMTP ready at mail.example.org for scanner.example.com", Host("mail.example.org")),
        ("220 ESMTP ready at mail.example.org for client.example.net", Host("mail.example.org")),
        ("220 ESMTP on mail.example.org; see www.example.net", Host("mail.example.org")),
        ("220 ESMTP on mail.example.org, logging access from: client.example.net", Host("mail.example.org")),
        ("220 Our Server mail.example.org ready", Host("mail.example.org")),
        ("220 X1 NT-ESMTP Server mail.example.org (IMail 8.15 1-1)", Host("mail.example.org")),
        // Near misses.
        ("421 Too many connections on mail.example.org", Not(Form::Absent)),
        ("220 SG ESMTP service ready for mail.example.org", Label("sg")),
        ("220 ESMTP here at mail.example.org", Not(Form::Absent)),
        ("220 ESMTP ready mail.example.org at noon", Not(Form::Absent)),
        ("220 ESMTP Exim ready at Tue, 1 Jul 2025 10:00:00 +0200", Not(Form::Absent)),
        ("220 ready at https://mail.example.org/", Not(Form::Absent)),
        ("220 ready on 192.0.2.1", Not(Form::Absent)),
        ("220 ready on Linux 6.1.0 v3.2r24 at 10.00", Not(Form::Absent)),
        ("220 ready at scanner.example.com", Not(Form::Absent)),
        ("220 ready; logging access from: client.example.net on client.example.net", Not(Form::Absent)),
        ("220 Logging access from client.example.net", Not(Form::Absent)),
        ("220 You are welcome to mail.example.org", Not(Form::Absent)),
        ("220 Welcome at mail.example.org", Not(Form::Absent)),
        ("220 Welcome to our server", Not(Form::Absent)),
        ("220 Welcome to postmaster@example.org", Not(Form::Absent)),
        ("220 Welcome to us, contact help.example.org", Not(Form::Absent)),
        ("550 Your address is listed on zen.spamhaus.org", Not(Form::Absent)),
        ("554 You are blocked on dnsbl.example.net", Not(Form::Absent)),
        (
            "554 5.7.1 Service unavailable; Client host [192.0.2.99] blocked using zen.spamhaus.org",
            Not(Form::Absent),
        ),
        ("554 more information on www.example.net", Not(Form::Absent)),
    ]);
}

#[test]
fn a_single_label_counts_only_before_the_protocol() {
    check(&[
        (
            "220 foo Microsoft ESMTP MAIL Service, Version: 10.0.17763.1 ready at Tue, 1 Jul 2025",
            Label("foo"),
        ),
        ("220 localhost ESMTP Postfix", Label("localhost")),
        ("220 ubuntu ESMTP Exim 4.96", Label("ubuntu")),
        ("220 Mail SMTP ready", Label("mail")),
        ("220 server LMTP", Label("server")),
        ("220 server ESMTP", Label("server")),
        ("220 WIN-ABCDEFGHIJK ESMTP hMailServer", Label("win-abcdefghijk")),
        ("220 a1b2c3d4e5f6 ESMTP Postfix", Label("a1b2c3d4e5f6")),
        ("220 [foo] ESMTP", Label("foo")),
        ("220 foo esmtp", Label("foo")),
        ("220 foo ESMTP, ready", Label("foo")),
        ("220 2.0.0 foo ESMTP", Label("foo")),
        ("220 unknown ESMTP", Label("unknown")),
        ("450 foo-2 SMTP busy", Label("foo-2")),
        // Near misses.
        ("220 ESMTP Exim", Not(Form::Absent)),
        ("220 ESMTP", Not(Form::Absent)),
        ("220 ESMTP ESMTP", Not(Form::Absent)),
        ("220 SMTP ESMTP", Not(Form::Absent)),
        (
            "220  Microsoft ESMTP MAIL Service, Version: 10.0.17763.1 ready at Tue, 1 Jul 2025",
            Not(Form::Absent),
        ),
        ("220 Microsoft Microsoft ESMTP", Not(Form::Absent)),
        ("220 foo Microsoft SMTP", Not(Form::Absent)),
        ("220 foo Stalwart ESMTP at your service", Not(Form::Absent)),
        ("220 foo", Not(Form::Absent)),
        ("220 foo ready ESMTP", Not(Form::Absent)),
        ("220 foo ESMTPX", Not(Form::Absent)),
        ("220 12345 ESMTP", Not(Form::Absent)),
        ("220 4.96 ESMTP", Not(Form::Absent)),
        ("220 foo/bar ESMTP", Not(Form::Absent)),
        ("220 -foo ESMTP", Not(Form::Absent)),
        ("220 f\u{1b}oo ESMTP", Not(Form::Absent)),
        ("220 2.0.0", Not(Form::Absent)),
        ("220", Not(Form::Absent)),
        ("220 ", Not(Form::Absent)),
        ("220 -", Not(Form::Absent)),
        ("220 ESMTP mail.example.org", Not(Form::Absent)),
        ("421 Too many connections", Not(Form::Absent)),
        ("421 4.7.0 Try again later", Not(Form::Absent)),
        ("554 No SMTP service here", Not(Form::Absent)),
        ("220 This SMTP server is for customers", Not(Form::Absent)),
        ("220 Our ESMTP ready", Not(Form::Absent)),
    ]);
}

#[test]
fn names_that_no_host_may_have_are_kept_as_said() {
    check(&[
        ("220 %WPI_HOSTNAME% ESMTP MailEnable Service, Version: 10.0", Odd("%wpi_hostname%")),
        ("220 %WPI_HOSTNAME% ready", Odd("%wpi_hostname%")),
        ("220 ${HOSTNAME} ESMTP", Odd("${hostname}")),
        ("220 mail.${DOMAIN} ESMTP", Odd("mail.${domain}")),
        ("220 {{inventory_hostname}} ESMTP", Odd("{{inventory_hostname}}")),
        ("220 $myhostname ESMTP $mail_name", Odd("$myhostname")),
        ("220 *.example.org ESMTP", Odd("*.example.org")),
        ("220 mail_1.example.org ESMTP", Odd("mail_1.example.org")),
        ("220 WIN_SRV ESMTP", Odd("win_srv")),
        ("220 (none) ESMTP Postfix", Odd("(none)")),
        ("220 (none)", Odd("(none)")),
        ("220 host.(none) ESMTP Postfix", Odd("host.(none)")),
        // Near misses.
        ("220 100% ESMTP", Not(Form::Absent)),
        ("220 $5 ESMTP", Not(Form::Absent)),
        ("220 $Id: banner 1.2", Not(Form::Absent)),
        ("220 ___ ESMTP", Not(Form::Absent)),
        ("220 ready_for mail", Not(Form::Absent)),
        ("220 ${} ESMTP", Not(Form::Absent)),
        ("220 *. ESMTP", Not(Form::Absent)),
        ("220 a_b@example.org ESMTP", Not(Form::Absent)),
        ("220 <b>mail.example.org</b> ESMTP", Not(Form::Absent)),
        ("220 \u{1b}[31mmail.example.org ESMTP", Not(Form::Absent)),
    ]);
}

#[test]
fn addresses_and_masks_are_no_names() {
    check(&[
        ("220 [192.0.2.1] ESMTP", Not(Form::Literal)),
        ("220 [IPv6:2001:db8::1] ESMTP", Not(Form::Literal)),
        ("220 192.0.2.1 ESMTP", Not(Form::BareAddress)),
        ("220 192.0.2.1", Not(Form::BareAddress)),
        ("220 2001:db8::1 ESMTP", Not(Form::BareAddress)),
        ("220 [192.0.2.99] ESMTP", Not(Form::Absent)),
        ("220 192.0.2.99 denied", Not(Form::Absent)),
        ("220 ::ffff:192.0.2.99 denied", Not(Form::Absent)),
        ("554 192.0.2.99 blocked", Not(Form::Absent)),
        ("220 *************************************************0*2****", Not(Form::Masked)),
        ("220 **2** ***0", Not(Form::Masked)),
        ("220 *", Not(Form::Masked)),
        ("220 2002 0", Not(Form::Absent)),
        ("220 **** ESMTP ****", Not(Form::Absent)),
        ("220 ***1***", Not(Form::Absent)),
        ("220 scanner.example.com ESMTP", Not(Form::Absent)),
        ("220 rblsmtpd.local", Not(Form::Absent)),
        ("SSH-2.0-OpenSSH_9.2", Not(Form::Absent)),
        ("mail.example.org ESMTP", Not(Form::Absent)),
        ("777 mail.example.org ESMTP", Not(Form::Absent)),
    ]);
}

/// Greetings of the field, each with its name.
const FIELD: &str = include_str!("tests/field.tsv");

#[test]
fn greetings_of_one_word_a_sentence_a_product_or_a_list_give_their_name_or_none() {
    let rows = FIELD.lines().filter(|line| !line.starts_with('#'));
    let mut count = 0;
    for row in rows {
        let [said, name, shape] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let expected = (name != "-").then_some(name);
        assert_eq!(read(said.as_bytes()).name.as_deref(), expected, "{said} ({shape})");
        count += 1;
    }
    assert!(count >= 200, "{count} greetings");
}

#[test]
fn a_list_is_not_named_on_a_later_line_of_a_refusal() {
    let said = "-blocked by\r\n554-zen.spamhaus.org\r\n554 mail.example.org\r\n";
    assert_eq!(read(format!("554{said}").as_bytes()).extra_names, ["mail.example.org"]);
}

#[test]
fn without_an_own_name_nothing_is_an_echo() {
    let reply = Reply { code: Code::new(220), text: ["scanner.example.com ESMTP"].into_iter().collect() };
    assert_eq!(Greeting::read(&reply, Own::default()).name.as_deref(), Some("scanner.example.com"));
}

#[test]
fn line_1_is_authoritative_and_later_names_are_extra() {
    for (said, name, extra) in [
        (
            "220-teaser.example.net\r\n220 mail.example.org ESMTP\r\n",
            Some("teaser.example.net"),
            &["mail.example.org"][..],
        ),
        ("220-mail.example.org ESMTP\r\n220 mail.example.org AsyncOS\r\n", Some("mail.example.org"), &[]),
        ("220-please wait\r\n220 mail.example.org ESMTP\r\n", None, &["mail.example.org"]),
        (
            "220-a.example\r\n220-b.example\r\n220-B.example.\r\n220 c.example\r\n",
            Some("a.example"),
            &["b.example", "c.example"],
        ),
        (
            "220-a.example\r\n220-[b.example] x\r\n220-see c.example\r\n220 192.0.2.1\r\n",
            Some("a.example"),
            &["b.example"],
        ),
        ("220-a.example\r\n220-scanner.example.com\r\n220 rblsmtpd.local\r\n", Some("a.example"), &[]),
        (
            "220-a.example ESMTP Exim\r\n220-We do not authorize the use of this system to transport unsolicited, \r\n\
             220 and/or bulk e-mail.\r\n",
            Some("a.example"),
            &[],
        ),
    ] {
        let greeting = read(said.as_bytes());
        assert_eq!(greeting.name.as_deref(), name, "{said}");
        assert_eq!(greeting.extra_names, extra, "{said}");
    }
    let many: String =
        (0..50).flat_map(|n| ["220-n".to_owned(), n.to_string(), ".example.org\r\n".to_owned()]).collect();
    assert_eq!(read(many.as_bytes()).extra_names.len(), MAX_EXTRA_NAMES);
}

#[test]
fn refusals_are_told_by_code_by_words_and_by_the_stand_in() {
    for (said, refusal) in [
        ("220 mail.example.org ESMTP", None),
        ("220 access denied, no mail", None),
        ("421 mail.example.org busy", Some(Refusal::Code)),
        ("554 no", Some(Refusal::Code)),
        ("mail refused: you are blacklisted", Some(Refusal::Words)),
        ("220 rblsmtpd.local", Some(Refusal::Listed)),
        ("451 rblsmtpd.local", Some(Refusal::Listed)),
        ("SSH-2.0-denied mail", None),
    ] {
        assert_eq!(read(said.as_bytes()).refusal, refusal, "{said}");
    }
}

proptest! {
    #![proptest_config(crate::property_tests::usual())]

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 1..400)) {
        let reply = Reply { code: Code::new(220), text: [&bytes].into_iter().collect() };
        let _ = Greeting::read(&reply, Own::default());
    }

    #[test]
    fn a_name_is_in_normal_form_and_one_word(line in "[a-zA-Z0-9 .,_%$(){}<>@:*\\[\\]-]{0,60}( on | ready at | ESMTP)?[a-z. -]{0,30}") {
        let reply = Reply { code: Code::new(220), text: [&line].into_iter().collect() };
        let greeting = Greeting::read(&reply, Own::default());
        if let Some(name) = greeting.name {
            prop_assert_eq!(&name, &name.to_ascii_lowercase());
            prop_assert!(!name.is_empty() && !name.ends_with('.') && !name.contains(' '), "{}", name);
            prop_assert!(line.to_ascii_lowercase().contains(&name), "{}", name);
            if matches!(greeting.form, Form::Host | Form::SingleLabel) {
                let host = HostName::parse(&name).unwrap();
                prop_assert_eq!(host.as_str(), &name);
                prop_assert_eq!(host.is_qualified(), greeting.form == Form::Host);
            }
        }
    }
}
