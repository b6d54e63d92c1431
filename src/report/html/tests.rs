//! The page is one file of known elements, whatever strangers call themselves.

use super::*;
use crate::evidence::Outcome;
use crate::judge::{Code, Tenancy, Verdict};
use crate::record::row::{PtrNames, Row, Tags};
use proptest::prelude::*;
use std::net::IpAddr;

fn row(last: u8, text: &str) -> Row<'_> {
    Row {
        time: SystemTime::UNIX_EPOCH,
        ip: Some(IpAddr::from([192, 0, 2, last])),
        port: 25,
        asked: "192.0.2.0/24".into(),
        outcome: Outcome::Greeted,
        verdict: Some(Verdict::NoPtr),
        severity: Some(Severity::High),
        findings: std::iter::once(Code::PtrMissing).collect(),
        banner_name: Some(text.into()),
        ptr_status: None,
        ptr_names: PtrNames::Wire(&[]),
        fcrdns: None,
        platform: Some(text.into()),
        tenancy: Tenancy::Unknown,
        asn: Some(64500),
        as_name: Some(text.into()),
        tags: Tags::Text(Vec::new()),
    }
}

fn page(text: &str) -> String {
    let mut summary = Summary::new();
    summary.add(&row(1, text));
    let mut out = Vec::new();
    write(&summary, &Title { subject: text, made: SystemTime::UNIX_EPOCH }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// All that stands between `<` and `>`.
fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()).collect()
}

#[test]
fn the_page_forbids_all_but_its_own_style() {
    let page = page("mail.example.org");
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let policy = format!("default-src 'none'; style-src 'sha256-{}'", base64(&Sha256::digest(style)));
    assert!(page.contains(&format!("http-equiv=\"Content-Security-Policy\" content=\"{policy}\"")));
    for tag in tags(&page) {
        let name = tag.split([' ', '/']).find(|name| !name.is_empty()).unwrap();
        assert!(!["script", "link", "img", "iframe", "a", "object", "base", "form"].contains(&name), "{tag}");
        assert!(!tag.contains("style=") && !tag.contains(" on") && !tag.contains("href"), "{tag}");
    }
    assert!(!style.contains("url(") && !style.contains("@import"));
}

#[test]
fn every_number_and_name_is_on_the_page() {
    let page = page("mail.example.org");
    for part in [
        "1 records; made 1970-01-01T00:00:00.000Z",
        "<h2>verdict</h2>",
        ">no_ptr</th><td>1</td><td>100.0 %</td>",
        ">ptr_missing</th>",
        "<title>192.0.2.0/24: 1 records, 1 high, 0 medium, 0 low</title>",
        "<th scope=\"row\">192.0.2.0/24</th>",
        "<th scope=\"row\">AS64500 mail.example.org</th>",
        "<th scope=\"row\">mail.example.org</th>",
        "<th scope=\"row\">example.org</th>",
    ] {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
}

#[test]
fn a_scan_without_records_has_a_page() {
    let mut out = Vec::new();
    write(&Summary::new(), &Title { subject: "nothing", made: SystemTime::UNIX_EPOCH }, &mut out).unwrap();
    let page = String::from_utf8(out).unwrap();
    assert!(page.contains("0 records") && page.ends_with("</html>\n"));
}

proptest! {
    #[test]
    fn no_name_adds_or_changes_an_element(
        text in prop_oneof![any::<String>(), "[<>&\"' =/a-z\u{202e}-]{1,30}", Just("</style><script>".to_owned())]
    ) {
        // A name without a registrable domain is in one table less, so here none has one.
        let text = format!("{}!", text.replace('.', ""));
        let (plain, hostile) = (page("plain!"), page(&text));
        prop_assert_eq!(tags(&plain), tags(&hostile));
        prop_assert!(!hostile.chars().any(|c| c != '\n' && crate::record::neutral::acts(c)));
    }
}
