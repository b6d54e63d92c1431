//! What became of a host, by its meaning.

use super::*;
use crate::evidence::Outcome;
use crate::judge::Tenancy;
use crate::judge::{Code, Verdict};
use crate::record::row::{PtrNames, Tags};
use std::time::{Duration, SystemTime};

pub(super) fn row(last: u8, verdict: Verdict, findings: &[Code]) -> Row<'static> {
    Row {
        time: SystemTime::UNIX_EPOCH,
        ip: Some(IpAddr::from([192, 0, 2, last])),
        port: 25,
        asked: "192.0.2.0/24".into(),
        outcome: Outcome::Greeted,
        verdict: Some(verdict),
        severity: None,
        findings: findings.iter().copied().collect(),
        banner_name: Some("mail.example.org".into()),
        ptr_status: None,
        ptr_names: PtrNames::Text(vec!["mail.example.org".into()]),
        fcrdns: None,
        platform: None,
        tenancy: Tenancy::Unknown,
        asn: None,
        as_name: None,
        accepted: crate::record::row::Codes::default(),
        clears_by: None,
        fix: Vec::new(),
        expected_name: None,
        tags: Tags::Text(Vec::new()),
        unresolved: None,
        odd: crate::record::foreign::Oddities::default(),
    }
}

pub(super) fn scan(rows: &[Row<'static>]) -> Scan {
    let mut scan = Scan::default();
    for row in rows {
        scan.add(row);
    }
    scan
}

fn named(row: Row<'static>, name: &'static str) -> Row<'static> {
    Row { banner_name: Some(name.into()), ..row }
}

fn refused() -> Row<'static> {
    Row { outcome: Outcome::Refused, verdict: None, banner_name: None, ..sound() }
}

fn sound() -> Row<'static> {
    row(1, Verdict::Match, &[])
}

fn no_ptr() -> Row<'static> {
    row(1, Verdict::NoPtr, &[Code::PtrMissing])
}

fn generic() -> Row<'static> {
    row(1, Verdict::Mismatch, &[Code::PtrGeneric])
}

fn undetermined() -> Row<'static> {
    row(1, Verdict::Undetermined, &[])
}

#[test]
fn a_change_is_told_by_its_meaning() {
    let light = || row(1, Verdict::Mismatch, &[Code::PtrMultiple]);
    let ptr_renamed = Row { ptr_names: PtrNames::Text(vec!["mx.example.org".into()]), ..sound() };
    for (old, new, change) in [
        (vec![no_ptr()], vec![sound()], Some(Change::Fixed)),
        (vec![sound()], vec![no_ptr()], Some(Change::Regressed)),
        (vec![generic()], vec![no_ptr()], Some(Change::Regressed)),
        (vec![no_ptr()], vec![generic()], Some(Change::StillWrong)),
        (vec![no_ptr()], vec![no_ptr()], Some(Change::StillWrong)),
        (vec![sound()], vec![named(sound(), "mx.example.org")], Some(Change::Renamed)),
        (vec![sound()], vec![ptr_renamed], Some(Change::Renamed)),
        (vec![no_ptr()], vec![named(no_ptr(), "mx.example.org")], Some(Change::StillWrong)),
        (vec![], vec![sound()], Some(Change::New)),
        (vec![refused()], vec![no_ptr()], Some(Change::New)),
        (vec![sound()], vec![], Some(Change::Gone)),
        (vec![no_ptr()], vec![refused()], Some(Change::Gone)),
        (vec![no_ptr()], vec![undetermined()], Some(Change::Unknown)),
        (vec![undetermined()], vec![no_ptr()], Some(Change::Unknown)),
        (vec![sound(), no_ptr()], vec![sound()], Some(Change::Flapping)),
        (vec![no_ptr()], vec![sound(), named(sound(), "b.example.org")], Some(Change::Flapping)),
        (vec![sound()], vec![sound()], Some(Change::Same)),
        (vec![sound()], vec![light()], Some(Change::Same)),
        (vec![refused()], vec![refused()], None),
        (vec![refused()], vec![], None),
    ] {
        let (old, new) = (scan(&old), scan(&new));
        let entries = old.compare(&new);
        assert_eq!(entries.first().map(|entry| entry.change), change, "{old:?} → {new:?}");
    }
}

#[test]
fn an_answer_that_nobody_got_neither_contradicts_nor_displaces_one_that_came() {
    for records in [[no_ptr(), undetermined()], [undetermined(), no_ptr()], [no_ptr(), refused()]] {
        let old = scan(&records);
        let new = scan(&[sound()]);
        assert_eq!(old.compare(&new)[0].change, Change::Fixed);
    }
}

#[test]
fn ports_are_hosts_of_their_own_and_names_without_address_none() {
    let submission = Row { port: 587, ..no_ptr() };
    let old = scan(&[sound(), submission.clone(), Row { ip: None, ..sound() }]);
    let new = scan(&[sound(), Row { port: 465, ..sound() }]);
    let changes: Vec<_> = old.compare(&new).iter().map(|entry| (entry.host.port, entry.change)).collect();
    assert_eq!(changes, [(465, Change::New), (587, Change::Gone), (25, Change::Same)]);
}

#[test]
fn a_scan_against_itself_is_the_same_or_still_wrong_and_turned_round_its_opposite() {
    let states = [sound(), no_ptr(), generic(), undetermined(), refused()];
    for old in &states {
        for new in &states {
            let (a, b) = (scan(std::slice::from_ref(old)), scan(std::slice::from_ref(new)));
            let forth = a.compare(&b).first().map(|entry| entry.change);
            let back = b.compare(&a).first().map(|entry| entry.change);
            let opposite = match forth {
                Some(Change::Fixed) => Some(Change::Regressed),
                Some(Change::New) => Some(Change::Gone),
                Some(Change::Gone) => Some(Change::New),
                Some(Change::Regressed) if !old.findings.is_empty() => Some(Change::StillWrong),
                Some(Change::Regressed) => Some(Change::Fixed),
                Some(Change::StillWrong) if old.verdict != new.verdict => Some(Change::Regressed),
                other => other,
            };
            assert_eq!(back, opposite, "{old:?} → {new:?}");
        }
    }
}

/// Scans, one record each, some time apart.
fn history(records: &[Option<Row<'static>>]) -> Vec<Scan> {
    let scan_of = |(day, record): (u64, &Option<Row<'static>>)| {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(day * 86_400);
        scan(&record.iter().map(|row| Row { time, ..row.clone() }).collect::<Vec<_>>())
    };
    (0..).zip(records).map(scan_of).collect()
}

#[test]
fn of_many_scans_the_last_is_compared_with_all_that_the_earlier_ones_know() {
    let day = |day: u64| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(day * 86_400));
    for (records, change, since) in [
        (vec![no_ptr(), no_ptr(), no_ptr()], Change::StillWrong, day(0)),
        (vec![sound(), no_ptr(), generic()], Change::StillWrong, day(1)),
        (vec![no_ptr(), undetermined(), no_ptr()], Change::StillWrong, day(0)),
        (vec![no_ptr(), refused(), no_ptr()], Change::StillWrong, day(0)),
        (vec![no_ptr(), no_ptr(), sound()], Change::Fixed, None),
        (vec![no_ptr(), undetermined(), sound()], Change::Fixed, None),
        (vec![sound(), sound(), no_ptr()], Change::Regressed, day(2)),
        (vec![no_ptr(), sound(), sound()], Change::Same, None),
        (vec![sound(), no_ptr(), sound()], Change::Flapping, None),
        (vec![no_ptr(), sound(), no_ptr()], Change::Flapping, day(2)),
        (vec![no_ptr(), sound(), undetermined(), no_ptr()], Change::Flapping, day(3)),
        (vec![sound(), named(sound(), "b.example.org"), named(sound(), "b.example.org")], Change::Same, None),
        (vec![sound(), refused(), refused()], Change::Gone, None),
        (vec![refused(), refused(), sound()], Change::New, None),
        (vec![no_ptr(), no_ptr(), undetermined()], Change::Unknown, None),
    ] {
        let mut scans = history(&records.iter().cloned().map(Some).collect::<Vec<_>>());
        let last = scans.pop().unwrap();
        let known = scans.into_iter().reduce(Scan::then).unwrap();
        let entries = known.compare(&last);
        assert_eq!((entries[0].change, entries[0].since()), (change, since), "{records:?}");
    }
}

#[test]
fn a_host_that_moved_is_told_of_at_both_addresses() {
    let own = |last, name| Row { ip: Some(IpAddr::from([192, 0, 2, last])), ..named(sound(), name) };
    let default = |last| {
        let left_behind = row(last, Verdict::NoName, &[Code::BannerDefault]);
        named(left_behind, "localhost.localdomain")
    };
    let moves = |old: &[Row<'static>], new: &[Row<'static>]| -> Vec<(Change, u8, Option<u8>, Option<u8>)> {
        let last = |ip: IpAddr| match ip {
            IpAddr::V4(v4) => v4.octets()[3],
            IpAddr::V6(_) => 0,
        };
        let (old, new) = (scan(old), scan(new));
        let told = |entry: &Entry<'_>| {
            (entry.change, last(entry.host.ip), entry.moved_to.map(last), entry.moved_from.map(last))
        };
        old.compare(&new).iter().map(told).collect()
    };
    let (a, b, c) = ("a.example.org", "b.example.org", "c.example.org");
    let (to, from) = (Some, Some);
    assert_eq!(
        moves(&[own(1, a)], &[own(2, a)]),
        [(Change::New, 2, None, from(1)), (Change::Gone, 1, to(2), None)]
    );
    // Into the place of another, which is gone.
    assert_eq!(
        moves(&[own(1, a), own(2, b)], &[own(2, a)]),
        [(Change::Renamed, 2, None, from(1)), (Change::Gone, 1, to(2), None)]
    );
    // The old host stays, by another name.
    assert_eq!(
        moves(&[own(1, a)], &[own(1, b), own(2, a)]),
        [(Change::Renamed, 1, to(2), None), (Change::New, 2, None, from(1))]
    );
    // Two swap their names; three pass them round.
    assert_eq!(
        moves(&[own(1, a), own(2, b)], &[own(1, b), own(2, a)]),
        [(Change::Renamed, 1, to(2), from(2)), (Change::Renamed, 2, to(1), from(1))]
    );
    assert_eq!(
        moves(&[own(1, a), own(2, b), own(3, c)], &[own(1, c), own(2, a), own(3, b)]),
        [
            (Change::Renamed, 1, to(2), from(3)),
            (Change::Renamed, 2, to(3), from(1)),
            (Change::Renamed, 3, to(1), from(2))
        ]
    );
    // In trouble before and after, too.
    let wrong = |last, name| Row { ip: own(last, name).ip, ..named(no_ptr(), name) };
    assert_eq!(
        moves(&[wrong(1, a)], &[wrong(1, b), own(2, a)]),
        [(Change::StillWrong, 1, to(2), None), (Change::New, 2, None, from(1))]
    );
    // A second host of the name is no move, nor is a name that is nobody's.
    let stays = [(Change::New, 2, None, None), (Change::Same, 1, None, None)];
    assert_eq!(moves(&[own(1, a)], &[own(1, a), own(2, a)]), stays);
    let two = [(Change::New, 2, None, None), (Change::New, 3, None, None), (Change::Gone, 1, None, None)];
    assert_eq!(moves(&[own(1, a)], &[own(2, a), own(3, a)]), two);
    let left = [(Change::New, 2, None, None), (Change::Gone, 1, None, None)];
    assert_eq!(moves(&[default(1)], &[default(2)]), left);
}

#[test]
fn names_that_lead_to_one_address_are_hosts_of_their_own() {
    let asked = |name: &'static str, row: Row<'static>| Row { asked: name.into(), ..row };
    let old = scan(&[asked("a.example.org", sound()), asked("mx:example.org", no_ptr())]);
    let new = scan(&[asked("a.example.org", no_ptr()), asked("mx:example.org", no_ptr())]);
    let entries = old.compare(&new);
    let told: Vec<_> = entries.iter().map(|entry| (entry.host.asked.as_deref(), entry.change)).collect();
    assert_eq!(
        told,
        [(Some("a.example.org"), Change::Regressed), (Some("mx:example.org"), Change::StillWrong)]
    );
    // What stands for addresses is no name: prefixes may be cut otherwise from scan to scan.
    let all = ["192.0.2.0/24", "192.0.2.1", "192.0.2.0-192.0.2.9", "AS64500", ""];
    for (old, new) in all.iter().zip(all.iter().skip(1)) {
        let (old, new) = (scan(&[asked(old, sound())]), scan(&[asked(new, sound())]));
        assert_eq!(old.compare(&new).iter().map(|it| it.change).collect::<Vec<_>>(), [Change::Same]);
    }
    assert_eq!(asked("as-1.example", sound()).asked_name(), Some("as-1.example"));
}

#[test]
fn a_story_says_where_names_went() {
    let own = |last, name| Row { ip: Some(IpAddr::from([192, 0, 2, last])), ..named(sound(), name) };
    let (a, b) = ("a.example.org", "b.example.org");
    let (old, new) = (scan(&[own(1, a), own(2, b)]), scan(&[own(1, b), own(2, a)]));
    assert_eq!(
        show::story(&old.compare(&new)[0]),
        "a.example.org → b.example.org; swapped names with 192.0.2.2"
    );
    let new = scan(&[own(1, b), own(3, a)]);
    assert_eq!(
        show::story(&old.compare(&new)[0]),
        "a.example.org → b.example.org; its old name is now at 192.0.2.3, its new name was at 192.0.2.2"
    );
}

#[test]
fn where_names_went_has_a_line_of_its_own_where_there_is_no_room() {
    let long = "a-rather-long-name-of-a-host.example.org";
    let own = |last, name| Row { ip: Some(IpAddr::from([192, 0, 2, last])), ..named(sound(), name) };
    let (old, new) =
        (scan(&[own(1, long), own(2, "b.example.org")]), scan(&[own(1, "b.example.org"), own(2, long)]));
    let text = |width| {
        let mut out = Vec::new();
        show::text(&old.compare(&new), width, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let wide = format!("{long} → b.example.org; swapped names with 192.0.2.2\n");
    assert!(text(200).contains(&wide), "{}", text(200));
    let told = text(100);
    let below = format!("{long} → b.example.org\n               swapped names with 192.0.2.2\n");
    assert!(told.contains(&below), "{told}");
}

#[test]
fn tags_stand_in_every_form_and_say_whose_host_it_is() {
    let of = |row: Row<'static>, customer: &'static str| Row {
        tags: Tags::Text(vec![("customer".into(), customer.into())]),
        ..row
    };
    let fix = vec![crate::judge::remedy::Change::parse("ptr=mail.example.org").unwrap()];
    let broken = Row { fix, ..of(row(1, Verdict::NoPtr, &[Code::PtrMissing]), "=C-17") };
    let old = scan(&[of(sound(), "=C-17"), of(row(2, Verdict::NoPtr, &[Code::PtrMissing]), "C-18")]);
    let new = scan(&[broken, row(2, Verdict::Match, &[])]);
    let entries = old.compare(&new);
    let shown = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    };
    let text = shown(&|out| show::text(&entries, 160, out).unwrap());
    assert!(text.contains("+ptr_missing [customer==C-17]\n"), "{text}");
    // What the user no longer says of a host that was fixed still says whose it was.
    assert!(text.contains("-ptr_missing [customer=C-18]\n"), "{text}");
    let json = shown(&|out| show::json(&entries, out).unwrap());
    assert!(json.contains(r#""tags":{"customer":"=C-17"},"fix":["ptr=mail.example.org"]}"#), "{json}");
    let table = shown(&|out| csv::write(&entries, out).unwrap());
    assert!(table.lines().next().unwrap().ends_with(",asked,fix,tag_customer"), "{table}");
    assert!(table.contains(",ptr=mail.example.org,'=C-17\n"), "no spreadsheet runs it: {table}");
    let page = shown(&|out| html::write(&entries, ("x", SystemTime::UNIX_EPOCH), out).unwrap());
    assert!(page.contains("[customer=C-18]</td>"), "{page}");
    let keys: Vec<_> =
        entries.iter().map(|entry| entry.keys(&Kind::Tag("customer".into())).unwrap()).collect();
    assert_eq!(keys, [["=C-17"], ["C-18"]]);
    assert_eq!(entries[0].keys(&Kind::NETWORK), Some(vec!["192.0.2.0/24".to_owned()]));
    assert_eq!(entries[0].keys(&Kind::Platform), None);
}
