//! Lists in folders that are new, used before, or somebody else's.

use super::*;
use proptest::prelude::*;

fn line(last: u8, finding: &str, customer: &str) -> String {
    let record = serde_json::json!({
        "schema": "banneret.record/1", "time": "2026-01-02T03:04:05.678Z", "outcome": "greeted",
        "target": {"ip": format!("192.0.2.{last}"), "port": 25, "tags": {"customer": customer}},
        "findings": [finding], "tenancy": "unknown", "network": {"asn": 64500},
    });
    record.to_string()
}

fn add(split: &mut Split, last: u8, customer: &str) {
    split.add(&Row::from_json(&line(last, "ptr_missing", customer)).unwrap());
}

fn split(folder: &Path, existing: Existing) -> Split {
    Split::new(
        Place { folder, existing, taken: Vec::new() },
        Kind::Tag("customer".into()),
        Template::default(),
    )
    .unwrap()
}

fn lists(folder: &Path) -> Vec<(String, usize)> {
    let mut lists: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "csv") && !path.ends_with(TABLE))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("ip,port,"), "{text}");
            (path.file_name().unwrap().to_str().unwrap().to_owned(), text.lines().count() - 1)
        })
        .collect();
    lists.sort();
    lists
}

#[test]
fn every_group_has_its_list_and_what_looks_alike_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("lists");
    for _ in 0..2 {
        let mut split = split(&inside, Existing::Keep);
        for (last, customer) in
            [(1, "C-17"), (2, "c-17"), (3, "C-17"), (4, "../C-17"), (5, "C/17"), (6, "C:17"), (7, "")]
        {
            add(&mut split, last, customer);
        }
        split.add(&Row::from_json(&line(9, "ptr_multiple", "sound")).unwrap());
        assert_eq!((split.without, split.finish().unwrap().written), (1, 5));
    }
    let lists = lists(&inside);
    let told: Vec<(&str, usize)> = lists.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(
        told,
        [
            ("C-17-5f2e53e8.csv", 1),
            ("C-17.csv", 2),
            ("C_17-07379c29.csv", 1),
            ("C_17-7c98581f.csv", 1),
            ("c-17~2.csv", 1),
        ]
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is written beside");
}

/// Splits for customers, one host each.
fn customers(folder: &Path, existing: Existing, customers: &[&str]) -> Result<Lists, SplitError> {
    let mut split = split(folder, existing);
    for customer in customers {
        add(&mut split, 1, customer);
    }
    split.finish()
}

fn found(folder: &Path) -> Vec<String> {
    lists(folder).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn lists_of_who_has_nothing_to_fix_any_more_are_gone_unless_somebody_changed_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("notes.csv"), "ip,port,\n").unwrap();
    let first = customers(folder, Existing::Keep, &["a", "b", "c", "d"]).unwrap();
    assert_eq!(first, Lists { written: 4, removed: 0, changed: Vec::new() });
    let edited = folder.join("c.csv");
    let text = fs::read_to_string(&edited).unwrap();
    fs::write(&edited, text.replace("192.0.2.1", "192.0.2.9")).unwrap();
    let again = customers(folder, Existing::Keep, &["a", "e"]).unwrap();
    assert_eq!(again, Lists { written: 2, removed: 2, changed: vec![edited] });
    assert_eq!(found(folder), ["a.csv", "c.csv", "e.csv", "notes.csv"]);
    let third = customers(folder, Existing::Keep, &[]).unwrap();
    assert_eq!(third, Lists { written: 0, removed: 2, changed: Vec::new() });
    assert_eq!(found(folder), ["c.csv", "notes.csv"]);
}

#[test]
fn nothing_is_replaced_that_no_report_wrote_and_then_nothing_is_written_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let precious = folder.join("b.csv");
    fs::write(&precious, "kept").unwrap();
    let wrong = customers(folder, Existing::Keep, &["a", "b"]).unwrap_err();
    assert!(matches!(&wrong, SplitError::Occupied { path } if *path == precious), "{wrong}");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "no list, no index, nothing unfinished");
    assert_eq!(fs::read_to_string(&precious).unwrap(), "kept");
    customers(folder, Existing::Overwrite, &["a", "b"]).unwrap();
    assert_eq!(lists(folder), [("a.csv".to_owned(), 1), ("b.csv".to_owned(), 1)]);
    // A list that was changed since is no longer that of the index.
    fs::write(&precious, "changed").unwrap();
    customers(folder, Existing::Keep, &["a", "b"]).unwrap_err();
    fs::remove_file(&precious).unwrap();
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), &precious).unwrap();
    customers(folder, Existing::Overwrite, &["a", "b"]).unwrap_err();
    assert!(precious.is_symlink() && fs::read(elsewhere.path()).unwrap().is_empty());
    fs::remove_file(&precious).unwrap();
    let taken = vec![identity(&precious, stdin()).unwrap()];
    let place = Place { folder, existing: Existing::Overwrite, taken };
    let mut split = Split::new(place, Kind::Tag("customer".into()), Template::default()).unwrap();
    add(&mut split, 1, "b");
    assert!(matches!(split.finish(), Err(SplitError::Clash { .. })));
}

#[test]
fn an_index_leads_nowhere_else_and_one_of_somebody_else_stays() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("lists");
    customers(&folder, Existing::Keep, &["a"]).unwrap();
    fs::rename(folder.join("a.csv"), outer.path().join("a.csv")).unwrap();
    let index = fs::read_to_string(folder.join(INDEX)).unwrap();
    fs::write(folder.join(INDEX), index.replace("a.csv", "../a.csv")).unwrap();
    assert_eq!(customers(&folder, Existing::Keep, &[]).unwrap().removed, 0);
    assert!(outer.path().join("a.csv").exists());
    fs::write(folder.join(INDEX), "{\"mine\":1}").unwrap();
    let wrong = customers(&folder, Existing::Keep, &["a"]).unwrap_err();
    assert!(matches!(wrong, SplitError::Occupied { .. }), "{wrong}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn more_lists_than_open_files_lose_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let mut split = split(folder.path(), Existing::Keep);
    for round in 0..3u8 {
        for customer in 0..2 * OPEN {
            let customer = format!("C{customer}");
            add(&mut split, round, &customer);
            let place = split.places[&customer];
            split.write(place).unwrap();
            assert!(split.lists.iter().filter(|list| list.file.is_some()).count() <= OPEN);
        }
    }
    assert_eq!(split.finish().unwrap().written, 2 * OPEN);
    let lists = lists(folder.path());
    assert_eq!(lists.len(), 2 * OPEN);
    assert!(lists.iter().all(|(_, rows)| *rows == 3), "{lists:?}");
}

#[test]
fn a_list_that_can_not_be_written_is_told_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let at = |folder| Place { folder, existing: Existing::Keep, taken: Vec::new() };
    let wrong = Split::new(at(&file), Kind::Asn, Template::default()).unwrap_err().to_string();
    assert!(wrong.starts_with(&format!("fix list `{}` can't be written: ", file.display())), "{wrong}");
    fs::create_dir(folder.path().join("AS64500.csv")).unwrap();
    let mut split = Split::new(at(folder.path()), Kind::Asn, Template::default()).unwrap();
    add(&mut split, 1, "any");
    assert!(
        split.finish().unwrap_err().to_string().contains("AS64500.csv` can't be written: is a directory")
    );
}

proptest! {
    #![proptest_config(crate::property_tests::usual())]

    #[test]
    fn a_file_name_leads_nowhere_else(key in any::<String>()) {
        let name = file_name(&key);
        prop_assert!(!name.is_empty() && name.len() < 120);
        prop_assert!(name.starts_with(|first: char| first.is_ascii_alphanumeric()));
        prop_assert!(!name.contains(['/', '\\', '\0', ':']));
    }
}

#[test]
fn each_group_has_a_page_and_a_mail_that_say_what_its_list_says_and_the_index_leads_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut split = split(folder.path(), Existing::Keep);
    for (last, fix) in [(1, "ptr=mail.example.org"), (2, "ptr=")] {
        let mut record: serde_json::Value =
            serde_json::from_str(&line(last, "ptr_missing", "<C/17>")).unwrap();
        record["fix"] = serde_json::json!([fix]);
        split.add(&Row::from_json(&record.to_string()).unwrap());
    }
    add(&mut split, 3, "index");
    split.finish().unwrap();
    let index: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join(INDEX)).unwrap()).unwrap();
    let files = index["files"].as_array().unwrap();
    let groups: Vec<(&str, Option<&str>)> =
        files.iter().map(|file| (file["name"].as_str().unwrap(), file["group"].as_str())).collect();
    let named = |ending: &str| {
        let is_meant =
            |(name, group): &&(&str, Option<&str>)| name.ends_with(ending) && *group == Some("<C/17>");
        let (name, _) = groups.iter().find(is_meant).unwrap();
        fs::read_to_string(folder.path().join(name)).unwrap()
    };
    assert!(
        groups.contains(&("index~2.csv", Some("index"))) && groups.contains(&(TABLE, None)),
        "{groups:?}"
    );
    let (list, page, mail) = (named(".csv"), named(".html"), named(".txt"));
    for text in [&list, &page, &mail] {
        assert!(text.contains("1.2.0.192.in-addr.arpa. IN PTR mail.example.org."), "{text}");
        assert!(text.contains("Agree on one"), "{text}");
    }
    assert!(
        mail.starts_with("Subject: 2 mail servers to put right")
            && mail.contains("1. provider: Set one PTR record")
            && mail.contains("check: dig +short -x 192.0.2.1, expected: mail.example.org.")
    );
    assert!(page.contains("<h1>&lt;C/17&gt;</h1>") && !page.contains("<C/17>"), "{page}");
    let table = fs::read_to_string(folder.path().join(TABLE)).unwrap();
    assert!(table.starts_with("group,hosts,high,medium,low,list,page,mail\n<C/17>,2,2,0,0,"), "{table}");
}
