//! `banneret report` and `banneret diff`.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use banneret::judge::{Code, Finding, Severity, Verdict};
use banneret::record::Record;
use banneret::targets::Inventory;
use serde_json::Value;

use crate::cli::{program, run, run_with, write};
use crate::support::records::healthy_record;

/// Another one at each call.
fn without_ptr() -> Record {
    static CALLS: AtomicU64 = AtomicU64::new(1);
    let mut record = healthy_record();
    record.time += Duration::from_secs(CALLS.fetch_add(1, Ordering::Relaxed));
    record.judgement.verdict = Some(Verdict::NoPtr);
    record.judgement.severity = Some(Severity::High);
    record.judgement.findings = vec![Finding { code: Code::PtrMissing, severity: Severity::High }];
    record
}

#[test]
fn many_files_are_one_summary_in_every_format() {
    let directory = tempfile::tempdir().unwrap();
    let one = write(directory.path(), "a.jsonl.gz", &[healthy_record(), without_ptr()]);
    let other = write(directory.path(), "b.csv", &[healthy_record()]);
    let files = [one.to_str().unwrap(), other.to_str().unwrap()];
    let shown = |flags: &[&str]| run(&[&["report"], &files[..], flags].concat()).fine();
    let json: Value = serde_json::from_str(&shown(&["--format", "json"])).unwrap();
    assert_eq!((&json["records"], &json["by_verdict"]["no_ptr"]), (&3.into(), &1.into()));
    for kind in ["prefix", "asn", "domain", "platform", "banner_name"] {
        assert!(json["groups"][kind].is_array(), "{kind}");
    }
    assert!(shown(&["--format", "csv"]).lines().count() > 3);
    assert!(shown(&["--format", "markdown"]).contains('|'));
    assert!(shown(&["--format", "prometheus"]).contains("banneret_records"));
    assert!(shown(&[]).contains("no_ptr"));
}

#[test]
fn records_are_grouped_as_wished_and_the_worst_come_first() {
    let directory = tempfile::tempdir().unwrap();
    let mut tagged = without_ptr();
    let inventory =
        Inventory { tags: vec![(Arc::from("customer"), "B-2".to_owned())], ..Inventory::default() };
    tagged.target.inventory = Some(Arc::new(inventory));
    let one = write(directory.path(), "a.jsonl", &[healthy_record(), healthy_record(), tagged.clone()]);
    let other = write(directory.path(), "b.csv", &[tagged]);
    let words = ["report", one.to_str().unwrap(), other.to_str().unwrap(), "--group-by", "tag:customer"];
    let json: Value =
        serde_json::from_str(&run(&[&words[..], &["--format", "json"]].concat()).fine()).unwrap();
    let groups = json["groups"]["tag:customer"].as_array().unwrap();
    let told: Vec<_> =
        groups.iter().map(|group| (group["key"].as_str(), group["records"].as_u64())).collect();
    assert_eq!(told, [(Some("B-2"), Some(1)), (Some("C-17"), Some(2))], "CSV written without tags has none");
    assert_eq!(groups[0]["by_severity"]["high"], 1);
    let text = run(&words).fine();
    assert!(text.contains("by tag:customer\n  group") && !text.contains("worst networks"), "{text}");
    let path = directory.path().join("banneret.prom");
    let to_file = ["--group-by", "severity", "--format", "prometheus", "-o", path.to_str().unwrap()];
    for _ in 0..2 {
        assert_eq!(run(&[&words[..], &to_file].concat()).fine(), "", "what it wrote before is replaced");
    }
    let metrics = fs::read_to_string(path).unwrap();
    for line in [
        "banneret_group_verdict_records{group_by=\"tag:customer\",key=\"B-2\",verdict=\"no_ptr\"} 1",
        "banneret_group_verdict_records{group_by=\"severity\",key=\"high\",verdict=\"no_ptr\"} 2",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
    }
}

#[test]
fn each_customer_gets_a_list_of_what_to_fix() {
    let directory = tempfile::tempdir().unwrap();
    let mut tagged = without_ptr();
    let tags = vec![(Arc::from("customer"), "../../C 17".to_owned())];
    tagged.target.inventory = Some(Arc::new(Inventory { tags, ..Inventory::default() }));
    let mut bare = without_ptr();
    bare.target.inventory = None;
    let parquet = write(directory.path(), "a.parquet", &[without_ptr(), healthy_record(), tagged, bare]);
    let lists = directory.path().join("lists");
    let words = ["report", parquet.to_str().unwrap(), "--group-by", "tag:customer", "--split"];
    let ran = run(&[&words[..], &[lists.to_str().unwrap(), "--format", "json"]].concat());
    assert_eq!(
        ran.err,
        "banneret: 2 lists written; 1 host with something to fix is in none, for their records do not say in which\n"
    );
    let mut names: Vec<String> = fs::read_dir(&lists)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.split_off(6), ["index.csv", "index.json"]);
    assert_eq!(names[..3], ["C-17.csv", "C-17.html", "C-17.txt"]);
    assert!(names[3..].iter().all(|name| name.starts_with("C_17-")), "{names:?}");
    let index: Value = serde_json::from_slice(&fs::read(lists.join("index.json")).unwrap()).unwrap();
    let of_index = |file: &str| {
        let files = index["files"].as_array().unwrap();
        files.iter().find(|entry| entry["name"] == file).unwrap()["group"].clone()
    };
    assert_eq!(of_index(&names[3]), "../../C 17", "a file's name leads back to the group");
    let mail = fs::read_to_string(lists.join("C-17.txt")).unwrap();
    assert!(mail.starts_with("Subject: 1 mail server to put right"), "{mail}");
    // A template of the user's own, and one that is none.
    let template = directory.path().join("mail.txt");
    let own =
        [&words[..], &[lists.to_str().unwrap(), "--mail-template", template.to_str().unwrap()]].concat();
    fs::write(&template, "Subject: {group}: {hosts}\n\n{list}").unwrap();
    run(&own).fine();
    let mail = fs::read_to_string(lists.join("C-17.txt")).unwrap();
    assert!(
        mail.starts_with("Subject: C-17: 1 mail server\n\n192.0.2.1 port 25 (high): ptr_missing\n"),
        "{mail}"
    );
    fs::write(&template, "Subject: {customer}\n\n").unwrap();
    let wrong = run(&own).wrong(2);
    let told = format!(
        "banneret: mail template `{}` has `{{customer}}`, which stands for nothing",
        template.display()
    );
    assert!(wrong.starts_with(&told), "{wrong}");
    let mut list = csv::Reader::from_path(lists.join("C-17.csv")).unwrap();
    let header = list.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = list.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1, "the healthy host has nothing to fix");
    let cell = |name: &str| &rows[0][header.iter().position(|column| column == name).unwrap()];
    assert_eq!(
        (cell("ip"), cell("banner_name"), cell("findings")),
        ("192.0.2.1", "mail.example.org", "ptr_missing")
    );
    assert!(!cell("what").is_empty(), "it says what to do");
}

#[test]
fn each_customer_gets_a_list_of_what_changed() {
    let directory = tempfile::tempdir().unwrap();
    let old = write(directory.path(), "old.jsonl", &[healthy_record()]);
    let new =
        write(directory.path(), "new.jsonl", &[Record { target: healthy_record().target, ..without_ptr() }]);
    let lists = directory.path().join("lists");
    let words = ["diff", old.to_str().unwrap(), new.to_str().unwrap(), "--split", lists.to_str().unwrap()];
    run(&[&words[..], &["--group-by", "tag:customer"]].concat()).fine();
    let list = fs::read_to_string(lists.join("C-17.csv")).unwrap();
    assert!(list.starts_with("change,ip,port,") && list.contains("\nregressed,192.0.2.1,25,"), "{list}");
    assert!(list.ends_with("customer=C-17\n"), "{list}");
    let wrong = run(&[&words[..], &["--group-by", "platform"]].concat()).wrong(2);
    assert!(wrong.starts_with("banneret: `platform` is nothing to split a comparison by"), "{wrong}");
    assert_eq!(run(&words).code, 2, "a list for each of what?");
}

#[test]
fn what_is_no_parquet_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a.parquet", &[healthy_record()]);
    let bytes = fs::read(&path).unwrap();
    for cut in [0, 3, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..cut]).unwrap();
        let told = run(&["report", path.to_str().unwrap()]).wrong(2);
        assert!(
            told.starts_with(&format!("banneret: records `{}` are no sound Parquet: ", path.display())),
            "{told}"
        );
    }
}

#[test]
fn a_manifest_tells_of_targets_that_left_no_record() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a.jsonl", &[healthy_record(), without_ptr()]);
    let manifest = directory.path().join("a.jsonl.manifest.json");
    let coverage = |rows: u64| {
        let told = serde_json::json!({
            "schema": "banneret.manifest/1", "by_outcome": {"greeted": 3, "timed_out": 97},
            "by_verdict": {"match": 1, "no_ptr": 1, "undetermined": 1}, "complete": true, "outputs": [{"rows": rows}],
        });
        fs::write(&manifest, told.to_string()).unwrap();
        let ran = run(&["report", path.to_str().unwrap(), "--format", "json"]);
        (serde_json::from_str::<Value>(&ran.out).unwrap()["coverage"].clone(), ran.err)
    };
    let (told, silent) = coverage(2);
    let expected = serde_json::json!({
        "asked": 100, "answered": 3, "judged": 3, "undetermined": 1, "why": {"not_kept": 1}, "counted_by": "scans",
        "stopped_scans": 0,
    });
    assert_eq!((told, silent.as_str()), (expected, ""));
    let (told, said) = coverage(3);
    assert_eq!(told, Value::Null, "not known");
    assert!(said.ends_with("is not that of the records beside it; it counts for nothing\n"), "{said}");
}

#[test]
fn coverage_goes_with_what_judge_makes_and_is_not_invented_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a.jsonl", &[healthy_record(), without_ptr()]);
    let told = serde_json::json!({
        "schema": "banneret.manifest/1", "by_outcome": {"greeted": 2, "timed_out": 4094},
        "by_verdict": {"match": 1, "no_ptr": 1}, "complete": true, "outputs": [{"rows": 2}],
    });
    fs::write(directory.path().join("a.jsonl.manifest.json"), told.to_string()).unwrap();
    let coverage = |name: &str| {
        let path = directory.path().join(name);
        let ran = run(&["report", path.to_str().unwrap(), "--format", "json"]);
        serde_json::from_str::<Value>(&ran.out).unwrap()["coverage"]["asked"].clone()
    };
    let judged = |input: &Path, name: &str| {
        let output = directory.path().join(name);
        run(&["judge".as_ref(), input.as_os_str(), "-o".as_ref(), output.as_os_str()]).fine();
        output
    };
    let once = judged(&path, "b.jsonl");
    judged(&once, "c.csv");
    judged(&once, "d.parquet");
    for name in ["a.jsonl", "b.jsonl", "c.csv", "d.parquet"] {
        assert_eq!(coverage(name), 4096, "{name}");
    }
    let bare = directory.path().join("bare.jsonl");
    fs::copy(&path, &bare).unwrap();
    judged(&bare, "e.jsonl");
    for name in ["bare.jsonl", "e.jsonl"] {
        assert_eq!(coverage(name), Value::Null, "{name}");
    }
    let text = run(&["report", bare.to_str().unwrap()]).fine();
    assert!(text.contains("coverage\n  not known: no manifest stands beside"), "{text}");
    let both = run(&["report", path.to_str().unwrap(), bare.to_str().unwrap()]);
    assert!(both.out.contains("  not known: a manifest stands beside only some"), "{both:?}");
    assert_eq!(
        both.err,
        "banneret: 2 records were given before (same target, entry and time); each counts as often as it is given\n"
    );
}

#[test]
fn the_page_goes_beside_the_text_or_to_stdout() {
    let directory = tempfile::tempdir().unwrap();
    let records = write(directory.path(), "a.jsonl", &[healthy_record()]);
    let (records, page) = (records.to_str().unwrap(), directory.path().join("a.html"));
    assert!(run(&["report", records, "--html", page.to_str().unwrap()]).fine().contains("match"));
    let page = fs::read_to_string(page).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("a.jsonl"));
    assert!(page.contains("href=\"./a.fixes.csv\""));
    let list = fs::read_to_string(directory.path().join("a.fixes.csv")).unwrap();
    assert_eq!(list.lines().count(), 1, "nothing is to be fixed: {list}");
    let alone = run(&["report", records, "--html", "-"]).fine();
    assert!(
        alone.starts_with("<!doctype html>") && !alone.contains("fixes.csv"),
        "a stream has nothing beside it"
    );
    assert!(
        run(&["report", records, "--html", "/nowhere/a.html"])
            .wrong(4)
            .contains("page `/nowhere/a.html` can't be written: No such file or directory")
    );
}

#[test]
fn a_report_reads_stdin_and_says_what_it_can_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a.csv", &[healthy_record()]);
    let table = fs::read(path).unwrap();
    let counted = run_with(&["report", "-", "--from", "csv", "--format", "json"], &table).fine();
    assert!(counted.contains(r#""records":1"#) || counted.contains(r#""records": 1"#), "{counted}");
    for (words, told) in [
        (
            &["report", "a.xml"][..],
            "`a.xml` has an ending that names no format; end it in `.jsonl`, `.csv` or `.parquet`, or say `--from`",
        ),
        (
            &["report", "missing.jsonl"],
            "records `missing.jsonl` can't be read: No such file or directory (os error 2)",
        ),
        (
            &["report", "a.jsonl", "--format", "xml"],
            "`xml` is no format of a report; there are `json`, `csv`, `markdown` and `prometheus`",
        ),
        (
            &["report", "a.jsonl", "--group-by", "tag:"],
            "`tag:` names no tag; write `tag:customer` for the column `customer` of the target list",
        ),
        (
            &["report", "-", "--from", "parquet"],
            "Parquet is read from its end and can't come from stdin; give the file",
        ),
        (
            &["report", "a.jsonl", "--split", "lists"],
            "--split needs one --group-by that says what each list is for, as `tag:customer`",
        ),
        (&["report", "-", "-"], "stdin can be read once only; `-` stands for more than one file"),
        (
            &["report", "-", "--format", "json", "--html", "-"],
            "--format and `--html -` both write to stdout; name a file for the page",
        ),
    ] {
        assert_eq!(run(words).wrong(2), format!("banneret: {told}"), "{words:?}");
    }
    assert_eq!(run_with(&["report", "-"], b"no record\n").code, 2);
    assert_eq!(run(&["report"]).code, 2);
}

#[test]
fn a_torn_file_is_counted_and_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a.jsonl", &[healthy_record(), healthy_record()]);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() - 20]).unwrap();
    let ran = run(&["report", path.to_str().unwrap(), "--format", "json"]);
    assert!(
        ran.code == 4 && ran.err.contains("are not complete: it ends in the middle of a record; "),
        "{ran:?}"
    );
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap()["records"], 1);
}

#[test]
fn a_regression_is_shown_and_fails_if_wished() {
    let directory = tempfile::tempdir().unwrap();
    let old = write(directory.path(), "old.jsonl", &[healthy_record()]);
    let new = write(directory.path(), "new.csv", &[without_ptr()]);
    let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
    let text = run(&["diff", old, new]).fine();
    assert!(text.starts_with("regressed ") && text.contains("+ptr_missing"), "{text}");
    assert_eq!(run(&["diff", old, new, "--fail-on-regression"]).code, 1);
    assert_eq!(run(&["diff", new, old, "--fail-on-regression"]).code, 0);
    assert!(run(&["diff", new, old]).fine().starts_with("fixed "));
    let json: Value = serde_json::from_str(&run(&["diff", old, new, "--format", "json"]).fine()).unwrap();
    assert_eq!((&json["change"], &json["new"]["trouble"][0]), (&"regressed".into(), &"ptr_missing".into()));
    let csv = run(&["diff", old, new, "--format", "csv"]).fine();
    assert!(csv.lines().nth(1).unwrap().starts_with("regressed,"), "{csv}");
    let same = run(&["diff", old, old, "--fail-on-regression"]).fine();
    assert!(same.contains("same"), "{same}");
}

#[test]
fn a_diff_says_what_it_can_not_read() {
    for (words, told) in [
        (&["diff", "-", "-"][..], "stdin can be read once only; `-` stands for more than one file"),
        (
            &["diff", "missing.jsonl", "-"],
            "records `missing.jsonl` can't be read: No such file or directory (os error 2)",
        ),
    ] {
        assert_eq!(run(words).wrong(2), format!("banneret: {told}"), "{words:?}");
    }
    for words in [&["diff", "a.jsonl"][..], &["diff", "a.jsonl", "b.jsonl", "--fail-on", "worse"]] {
        assert_eq!(run(words).code, 2, "{words:?}");
    }
    assert!(
        run(&["diff", "a.jsonl", "b.jsonl", "--format", "json", "--html", "-"])
            .wrong(2)
            .contains("both write to stdout")
    );
}

#[test]
fn a_reader_who_leaves_ends_it_quietly() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a.jsonl", &(0..2000).map(|_| without_ptr()).collect::<Vec<_>>());
    let path = path.to_str().unwrap();
    for words in [
        &["judge", path][..],
        &["report", path, "--format", "json"],
        &["diff", path, path, "--format", "json"],
    ] {
        let mut child = program(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!((child.wait().unwrap().code(), told.as_str()), (Some(0), ""), "{words:?}");
    }
}

#[test]
fn so_many_groups_are_shown_as_are_wished() {
    let directory = tempfile::tempdir().unwrap();
    let hosts = (0..40).map(|number: u8| {
        let mut record = without_ptr();
        record.target.ip = Some(std::net::IpAddr::from([192, 0, number, 1]));
        record
    });
    let path = write(directory.path(), "a.jsonl", &hosts.collect::<Vec<_>>());
    let path = path.to_str().unwrap();
    let page = directory.path().join("a.html");
    for (top, shown) in [("3", 3), ("all", 40)] {
        for form in ["text", "json", "csv", "markdown", "prometheus"] {
            let words = ["report", path, "--top", top, "--format", form];
            let words = if form == "text" { &words[..4] } else { &words[..] };
            let out = run(words).fine();
            // Prometheus has a series for each verdict.
            let networks: std::collections::BTreeSet<&str> =
                out.match_indices("192.0.").map(|(at, _)| &out[at..at + 9]).collect();
            assert_eq!(networks.len(), shown, "{form}: {out}");
        }
        let words = ["report", path, "--top", top, "--html", page.to_str().unwrap(), "--overwrite"];
        run(&words).fine();
        let written = std::fs::read_to_string(&page).unwrap();
        let section = written.split("Worst networks").nth(1).unwrap().split("</section>").next().unwrap();
        assert_eq!(section.matches("<th scope=\"row\">").count(), shown, "{section}");
    }
    let out = run(&["report", path, "--top", "3", "--format", "json"]).fine();
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    let rest = &told["groups"]["prefix"][3];
    assert_eq!(
        (&rest["key"], &rest["groups"], &rest["records"]),
        (&serde_json::Value::Null, &37.into(), &37.into())
    );
    for wrong in ["0", "-1", "many"] {
        assert_eq!(run(&["report", path, &format!("--top={wrong}")]).code, 2);
    }
}
