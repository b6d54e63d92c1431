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
        accepted: crate::record::row::Codes::default(),
        clears_by: None,
        fix: Vec::new(),
        expected_name: None,
        tags: Tags::Text(Vec::new()),
        unresolved: None,
        odd: crate::record::foreign::Oddities::default(),
    }
}

fn page(text: &str) -> String {
    let mut summary = Summary::new().detailed();
    summary.add(&row(1, text));
    let sheet = Sheet::new(std::mem::take(&mut summary.detail.as_mut().unwrap().fixes));
    let runs = [
        Run {
            name: text.to_owned(),
            manifest: Some(serde_json::json!({ "seed": 7, "settings": { text: [text] } })),
        },
        Run { name: text.to_owned(), manifest: None },
    ];
    shown(&summary, &Page { fixes: Some((&sheet, &format!("{text}.csv"))), runs: &runs, ..bare(text) })
}

fn bare(subject: &str) -> Page<'_> {
    Page { subject, made: SystemTime::UNIX_EPOCH, fixes: None, runs: &[] }
}

fn shown(summary: &Summary, page: &Page<'_>) -> String {
    let mut out = Vec::new();
    write(summary, page, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A tag without what its attributes hold.
fn bones(tag: &str) -> String {
    tag.split('"').step_by(2).collect()
}

/// All that stands between `<` and `>`.
fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()).collect()
}

#[test]
fn who_has_to_act_stands_first_and_severities_in_their_own_order() {
    let mut summary = Summary::new().detailed();
    for (host, severity) in [(1, Severity::Low), (2, Severity::Low), (3, Severity::High)] {
        summary.add(&Row { severity: Some(severity), ..row(host, "mail.example.org") });
    }
    let sheet = Sheet::new(std::mem::take(&mut summary.detail.as_mut().unwrap().fixes));
    let page = shown(&summary, &Page { fixes: Some((&sheet, "list.csv")), ..bare("x") });
    let titles: Vec<_> = page.split("<h2>").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
    let first = ["How the mail servers stand", "Who has to fix what is wrong"];
    assert_eq!(titles[..2], first, "{titles:?}");
    let place = |title: &str| titles.iter().position(|it| *it == title).unwrap();
    assert!(place("What to set, host by host") < place("Outcomes"), "{titles:?}");
    assert!(place("What to do") < place("Outcomes"), "{titles:?}");
    let severity = page.split("<h2>Severity</h2>").nth(1).unwrap();
    assert!(severity.find("<th scope=\"row\">high<") < severity.find("<th scope=\"row\">low<"), "{severity}");
    assert!(page.contains("<th scope=\"row\">in trouble<"), "a word that is no code is plain");
}

#[test]
fn the_page_forbids_all_but_its_own_style() {
    let page = page("mail.example.org");
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let policy = format!("default-src 'none'; style-src 'sha256-{}'", base64(&Sha256::digest(style)));
    assert!(page.contains(&format!("http-equiv=\"Content-Security-Policy\" content=\"{policy}\"")));
    for tag in tags(&page) {
        let name = tag.split([' ', '/']).find(|name| !name.is_empty()).unwrap();
        assert!(!["script", "link", "img", "iframe", "object", "base", "form"].contains(&name), "{tag}");
        let bones = bones(tag);
        assert!(!bones.contains("style=") && !bones.contains(" on") && !bones.contains("src="), "{tag}");
        if let Some((_, to)) = tag.split_once("href=\"") {
            assert!(to.starts_with('#') || to.starts_with("./mail.example.org.csv"), "{tag}");
        }
    }
    assert!(!style.contains("url(") && !style.contains("@import"));
}

#[test]
fn every_number_and_name_is_on_the_page() {
    let page = page("mail.example.org");
    for part in [
        "made 1970-01-01T00:00:00.000Z",
        "<b class=\"\">1</b><span>record</span>",
        "<h2>What to set, host by host</h2>",
        "<b class=\"none\">0.0 %</b><span>of them fine</span>",
        "<b class=\"high\">1</b><span>high</span>",
        "<h2>Verdicts</h2>",
        ">no_ptr</th><td>1</td><td>100.0 %</td>",
        "<a href=\"#ptr_missing\">ptr_missing</a></th>",
        "<article id=\"ptr_missing\">",
        "<rect class=\"no_ptr\" x=\"128\" y=\"0\" width=\"127\" height=\"127\"><title>192.0.2.1: no_ptr</title></rect>",
        "<figcaption>192.0.2.0/28</figcaption>",
        "<a href=\"./mail.example.org.csv\">What is to be fixed, as CSV</a>: 1 host<",
        "<a href=\"./mail.example.org.csv#row=2\" title=\"row=2\">1 host</a>",
        "<dt>seed</dt><dd>7</dd>",
        "No manifest stands beside it.",
        "helo_observed: false",
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
    let page = shown(&Summary::new().detailed(), &bare("nothing"));
    assert!(page.contains("<b class=\"\">0</b><span>records</span>") && page.ends_with("</html>\n"));
    for absent in ["id=\"map\"", "id=\"advice\"", "id=\"run\"", "href"] {
        assert!(!page.contains(absent), "{absent}");
    }
}

proptest! {
    #![proptest_config(crate::property_tests::usual())]

    #[test]
    fn no_name_adds_or_changes_an_element(
        text in prop_oneof![any::<String>(), "[<>&\"' =/a-z\u{202e}-]{1,30}", Just("</style><script>".to_owned())]
    ) {
        // A name without a registrable domain is in one table less, so here none has one.
        let text = format!("{}!", text.replace('.', ""));
        let (plain, hostile) = (page("plain!"), page(&text));
        let bones_of = |page| tags(page).into_iter().map(bones).collect::<Vec<_>>();
        prop_assert_eq!(bones_of(&plain), bones_of(&hostile));
        prop_assert!(!hostile.chars().any(|c| c != '\n' && crate::record::neutral::acts(c)));
    }
}
