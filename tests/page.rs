//! The report as a browser shows it: of a healthy block and of one whose names mean harm, no script runs, no
//! error is told, nothing is asked of the network, and it fits a phone.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail by panic")]

#[path = "page/chromium.rs"]
mod chromium;
#[path = "page/hostile.rs"]
mod hostile;
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use chromium::{Browser, Look, Seen, Theme};
use serde_json::Value;
use support::namespace::alone;
use support::program::run;

/// Where pictures are left for a person, if it is set.
const PICTURES: &str = "TEST_PICTURES";
/// A phone and a desk, in CSS pixels.
const WIDTHS: [u32; 2] = [390, 1280];

/// Looks at a page at every width and in both themes.
fn look(browser: &mut Browser, name: &str, page: &Path) -> Vec<Seen> {
    let mut looks = Vec::new();
    for width in WIDTHS {
        for theme in [Theme::Light, Theme::Dark] {
            let seen = browser.look(page, Look { width, theme });
            if let Some(folder) = std::env::var_os(PICTURES) {
                for (piece, picture) in browser.pictures(&seen).iter().enumerate() {
                    let file = format!("{name}-{width}-{}-{piece:02}.png", theme.word());
                    fs::write(PathBuf::from(&folder).join(file), picture).unwrap();
                }
            }
            looks.push(seen);
        }
    }
    looks
}

fn assert_quiet(seen: &[Seen]) {
    for seen in seen {
        assert_eq!(seen.errors, Vec::<String>::new(), "{:?}", seen.look);
        assert_eq!(seen.dialogs, Vec::<String>::new(), "{:?}", seen.look);
        assert_eq!(seen.requests.len(), 1, "only the page itself: {:?}", seen.requests);
        assert_eq!(seen.say("typeof window.hacked"), "undefined", "a script ran");
        assert_eq!(
            seen.say("document.querySelectorAll('script,iframe,object,embed,img,form,base').length"),
            0,
            "a name made an element"
        );
        assert!(seen.wide <= seen.look.width.into(), "{} pixels in {:?}", seen.wide, seen.look);
        assert_eq!(
            seen.say("[...document.styleSheets].filter(sheet => sheet.cssRules.length > 50).length"),
            1,
            "the policy lets its own style through"
        );
    }
}

#[test]
fn the_page_of_the_demo_block_is_quiet_and_whole() {
    alone("the_page_of_the_demo_block_is_quiet_and_whole", |work| {
        let folder = work.join("block");
        run(&["demo", "-q", "-o", folder.to_str().unwrap()]).ends(0);
        let mut browser = Browser::start(work);
        let seen = look(&mut browser, "demo", &folder.join("demo.html"));
        assert_quiet(&seen);
        // What a person looks for is there, as the browser understands it.
        for (expression, count) in [
            ("document.querySelectorAll('figure').length", 1),
            ("document.querySelectorAll('figure rect').length", 1024),
            ("document.querySelectorAll('#headline li').length", 7),
            (
                "document.querySelectorAll('article').length - document.querySelectorAll('th a[href^=\"#\"]').length",
                0,
            ),
            ("document.querySelectorAll('#run dt').length > 10 ? 1 : 0", 1),
        ] {
            assert_eq!(seen[0].say(expression), count, "{expression}");
        }
        assert_list(&seen[0], &folder);
        browser.end();
    });
}

/// Each link into the list leads to rows of hosts of its own network.
fn assert_list(seen: &Seen, folder: &Path) {
    let text = fs::read_to_string(folder.join("demo.fixes.csv")).unwrap();
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_reader(text.as_bytes()).records().map(Result::unwrap).collect();
    let links = seen.say(
        "[...document.querySelectorAll('section')].filter(s => s.querySelector('h2')?.textContent === 'Worst networks')\
         .flatMap(s => [...s.querySelectorAll('tbody tr')])\
         .map(tr => [tr.cells[0].textContent, tr.querySelector('a').getAttribute('href'), tr.querySelector('a').textContent])",
    );
    let links = links.as_array().unwrap();
    assert_eq!(links.len(), 4);
    let mut led_to = 0;
    for link in links {
        let [network, to, text] = [0, 1, 2].map(|at| link[at].as_str().unwrap());
        let rows_of = to.strip_prefix("./demo.fixes.csv#row=").unwrap();
        let (first, last): (usize, usize) =
            rows_of.split_once('-').map(|(a, b)| (a.parse().unwrap(), b.parse().unwrap())).unwrap();
        // Row 1 is the header.
        let hosts = &rows[first - 2..last - 1];
        assert!(hosts.iter().all(|row| &row[2] == network), "{network}");
        assert_eq!(text, format!("{} hosts", hosts.len()));
        led_to += hosts.len();
    }
    assert_eq!(led_to, rows.len());
}

#[test]
fn the_pages_of_a_hostile_block_are_quiet_and_show_what_was_meant_to_act() {
    alone("the_pages_of_a_hostile_block_are_quiet_and_show_what_was_meant_to_act", |work| {
        let pages = hostile::pages(work);
        let mut browser = Browser::start(work);
        for (page, name) in pages.iter().zip(["hostile", "changes"]) {
            let seen = look(&mut browser, name, page);
            assert_quiet(&seen);
            let text = seen[0].say("document.body.innerText");
            for shown in ["<script>window.hacked", "\\x1b[31m", "=HYPERLINK", "\\u{202e}"] {
                assert!(text.as_str().unwrap().contains(shown), "{shown} is not shown on {name}");
            }
        }
        browser.end();
    });
}

#[test]
fn the_browser_tells_of_a_page_that_does_act() {
    alone("the_browser_tells_of_a_page_that_does_act", |work| {
        let page = work.join("acting.html");
        let text = "<!doctype html><title>x</title><script>window.hacked = 1; console.error('told'); alert('asked')</script>\
                    <img src=\"http://198.18.0.1/x.png\"><div style=\"width: 2000px\">wide</div>";
        fs::write(&page, text).unwrap();
        let mut browser = Browser::start(work);
        let seen = browser.look(&page, Look { width: 390, theme: Theme::Light });
        assert_eq!(seen.say("typeof window.hacked"), "number");
        assert!(seen.errors.iter().any(|error| error.contains("told")), "{:?}", seen.errors);
        assert_eq!(seen.dialogs, ["asked"]);
        assert!(seen.requests.iter().any(|url| url == "http://198.18.0.1/x.png"), "{:?}", seen.requests);
        assert!(seen.wide > 390);
        assert_eq!(seen.say("1 + 1"), Value::from(2));
        browser.end();
    });
}
