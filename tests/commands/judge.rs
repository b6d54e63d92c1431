//! `banneret judge`.

use std::fs;
use std::net::IpAddr;

use banneret::evidence::{Forward, Status};
use banneret::record::Record;
use banneret::smtp::reply::{Code, Reply};
use serde_json::Value;

use crate::cli::{run, run_with, sound, write};
use crate::support::schema::assert_lines;

#[test]
fn a_stored_record_comes_back_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"] {
        let path = write(directory.path(), name, &[sound(), sound()]);
        let plain = write(directory.path(), "plain.jsonl", &[sound(), sound()]);
        let judged = run(&["judge".as_ref(), path.as_os_str()]).fine();
        assert_eq!(judged, fs::read_to_string(plain).unwrap());
    }
}

#[test]
fn a_stored_judgement_gives_way_to_todays() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a.jsonl", &[sound()]);
    let honest = fs::read_to_string(&path).unwrap();
    let doctored = honest.replace(r#""verdict":"match""#, r#""verdict":"no_ptr""#);
    assert_ne!(honest, doctored);
    assert_eq!(run_with(&["judge", "-"], doctored.as_bytes()).fine(), honest);
}

#[test]
fn confirmation_follows_from_the_addresses_and_not_from_the_word_in_the_record() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a.jsonl", &[sound()]);
    let honest = fs::read_to_string(&path).unwrap();
    let told = r#""status":"found","addresses":["192.0.2.1"],"confirms":true"#;
    let elsewhere = |count: usize| vec![r#""198.51.100.7""#; count].join(",");
    let list = |count: usize, confirms: &str| {
        format!(r#""status":"found","addresses":[{}],"confirms":{confirms}"#, elsewhere(count))
    };
    for (stored, confirms, verdict) in [
        (list(1, "true"), Value::Bool(false), "unconfirmed"),
        (list(63, "true"), Value::Bool(false), "unconfirmed"),
        (list(64, "false"), Value::Null, "undetermined"),
        (list(0, "true"), Value::Null, "undetermined"),
        (told.replace("true", "false"), Value::Bool(true), "match"),
        (told.replace(",\"confirms\":true", ""), Value::Bool(true), "match"),
        (told.replace("192.0.2.1", "2001:db8::1"), Value::Null, "undetermined"),
        (told.replace("192.0.2.1", "0.0.0.0"), Value::Null, "undetermined"),
        (told.replace("found", "servfail"), Value::Null, "undetermined"),
        (told.replace("found", "nxdomain"), Value::Null, "unconfirmed"),
    ] {
        let line = honest.replace(told, &stored);
        let records = assert_lines(&run_with(&["judge", "-"], line.as_bytes()).fine());
        let name = &records[0]["dns"]["ptr"]["names"][0];
        assert_eq!((&name["confirms"], &records[0]["verdict"]), (&confirms, &verdict.into()), "{stored}");
        assert_eq!(records[0]["dns"]["banner_forward"]["confirms"], confirms, "{stored}");
    }
}

#[test]
fn each_greeting_becomes_one_record_in_its_place() {
    let input = b"220 mail.example.org ESMTP Postfix\r\n\
        220-mx.example.net ESMTP\\r\\n220 ready\\r\\n\n\
        \n\
        554 5.7.1 go away\n\
        SSH-2.0-OpenSSH_9.2\n\
        220 caf\\xe9.example \\\\ \xff \x1b[2J\n\
        250-\\q\n\
        220 last.example.org ESMTP";
    let ran = run_with(&["judge", "--from", "greetings", "-"], input);
    assert_eq!(ran.err, "");
    let records = assert_lines(&ran.fine());
    let told: Vec<(&str, &Value, &Value)> = records
        .iter()
        .map(|record| {
            (record["outcome"].as_str().unwrap(), &record["verdict"], &record["smtp"]["banner_name"])
        })
        .collect();
    let (undetermined, null) = (Value::from("undetermined"), Value::Null);
    let name = |name: &str| Value::from(name);
    assert_eq!(
        told,
        [
            ("greeted", &undetermined, &name("mail.example.org")),
            ("greeted", &undetermined, &name("mx.example.net")),
            ("closed", &null, &null),
            ("rejected", &undetermined, &null),
            ("not_smtp", &null, &null),
            ("greeted", &undetermined, &null),
            ("greeted", &undetermined, &null),
            ("greeted", &undetermined, &name("last.example.org")),
        ]
    );
    assert_eq!(records[1]["smtp"]["banner"].as_array().unwrap().len(), 2);
    assert_eq!(records[5]["smtp"]["banner"][0], r"caf\xe9.example \\ \xff \x1b[2J");
    for (at, record) in records.iter().enumerate() {
        assert_eq!(record["target"]["asked"], format!("stdin line {}", at + 1));
        assert_eq!((&record["target"]["ip"], &record["dns"]), (&null, &null));
    }
}

#[test]
fn each_line_of_zgrab2_becomes_one_record_in_its_place() {
    let input = concat!(
        r#"{"ip":"192.0.2.1","data":{"smtp":{"status":"success","protocol":"smtp","result":{"banner":"220 mail.example.org ESMTP Postfix\r\n"},"timestamp":"2026-01-02T03:04:05Z"}}}"#,
        "\n",
        r#"{"ip":"192.0.2.2","data":{"smtp":{"status":"connection-timeout","protocol":"smtp","timestamp":"2026-01-02T03:04:06Z","error":"dial tcp 192.0.2.2:25: i/o timeout"}}}"#,
        "\n{\"ip\":\"192.0.2.3\",\n\n",
        r#"{"domain":"mail.example.net","data":{"smtp":{"status":"success","protocol":"smtp","result":{"banner":"554 no"}}}}"#,
    );
    let ran = run_with(&["judge", "--from", "zgrab2", "-"], input.as_bytes());
    assert_eq!(
        ran.err,
        "banneret: stdin line 3 is not JSON (column 18)\n\
         banneret: 2 lines could not be read; their records say why in the tag `unreadable`\n"
    );
    let records = assert_lines(&ran.fine());
    let outcomes: Vec<&str> = records.iter().map(|record| record["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["greeted", "timed_out", "not_smtp", "not_smtp", "rejected"]);
    assert_eq!(
        (&records[0]["verdict"], &records[0]["platform"]["name"]),
        (&"undetermined".into(), &"postfix".into())
    );
    assert_eq!(records[0]["time"], "2026-01-02T03:04:05.000Z");
    assert_eq!(records[2]["target"]["tags"]["unreadable"], "is not JSON (column 18)");
    assert_eq!(records[4]["target"]["asked"], "mail.example.net");
}

#[test]
fn a_stored_line_that_can_not_be_read_keeps_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a.jsonl", &[sound()]);
    let line = fs::read_to_string(path).unwrap();
    let ran = run_with(&["judge", "-"], format!("{line}{{}}\n{line}").as_bytes());
    assert_eq!(ran.err, "banneret: stdin line 2 has no `schema`\n");
    let records = assert_lines(&ran.fine());
    assert_eq!(records.len(), 3);
    assert_eq!((&records[0], &records[2]), (&assert_lines(&line)[0], &assert_lines(&line)[0]));
    assert_eq!(records[1]["target"]["tags"]["unreadable"], "has no `schema`");
}

#[test]
fn an_input_of_another_kind_is_a_usage_error() {
    let ran = run_with(&["judge", "-"], b"{}\n{}\n");
    assert_eq!((ran.code, assert_lines(&ran.out).len()), (2, 2));
    assert!(
        ran.err.ends_with("banneret: not one line is a record; `--from` reads what other tools have seen\n")
    );
    for (words, told) in [
        (
            &["judge", "missing.jsonl"][..],
            "records `missing.jsonl` can't be read: No such file or directory (os error 2)",
        ),
        (&["judge", "a.csv"], "`a.csv` is CSV, which holds no whole records; give the JSONL or Parquet file"),
        (
            &["judge", "missing.parquet"],
            "records `missing.parquet` can't be read: No such file or directory (os error 2)",
        ),
        (&["judge", "-", "-"], "stdin can be read once only; `-` stands for more than one file"),
        (
            &["judge", "a.jsonl", "-o", "a.jsonl"],
            "output `a.jsonl` is also the records `a.jsonl`; name another file",
        ),
        (
            &["judge", "-", "-o", "a.txt"],
            "`a.txt` has an ending that names no format; end it in `.jsonl`, `.csv` or `.parquet`, or say `--format`",
        ),
        (
            &["judge", "-", "--resolve", "--resolver", "x"],
            "--resolver `x`: is not an address of a resolver; write it as `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:53` or `fe80::53%eth0`",
        ),
    ] {
        assert_eq!(run(words).wrong(2), format!("banneret: {told}"), "{words:?}");
    }
}

/// A record of a host at 192.0.2.`last` that greets so, and whose banner's name leads to `leads`.
fn greets(last: u8, greeting: &str, leads: [u8; 4]) -> Record {
    let mut record = sound();
    let ip = IpAddr::from([192, 0, 2, last]);
    record.target.ip = Some(ip);
    record.evidence.ip = Some(ip);
    record.evidence.observation.greeting =
        Some(Reply { code: Code::new(220), text: [greeting].into_iter().collect() });
    let resolution = record.evidence.resolution.as_mut().unwrap();
    let leads = IpAddr::from(leads);
    resolution.banner_forward = Forward { status: Status::Found, addresses: vec![leads] };
    record
}

#[test]
fn what_only_the_whole_file_shows_is_in_its_records() {
    let directory = tempfile::tempdir().unwrap();
    let records: Vec<Record> = (1..=3)
        .map(|last| greets(last, "localhost ESMTP", [127, 0, 0, 1]))
        .chain((4..=5).map(|last| greets(last, "ubuntu ESMTP", [198, 51, 100, 1])))
        .chain([
            greets(6, "old.example.org ESMTP", [192, 0, 2, 1]),
            greets(7, "gone.example.org ESMTP", [192, 0, 2, 99]),
        ])
        .collect();
    let path = write(directory.path(), "a.jsonl", &records);
    let codes = |out: &str, code: &str| -> Vec<u8> {
        let records = assert_lines(out).into_iter().enumerate();
        let has = |record: &Value| record["findings"].as_array().unwrap().contains(&code.into());
        records.filter(|(_, record)| has(record)).map(|(at, _)| u8::try_from(at).unwrap() + 1).collect()
    };
    let judged = run(&["judge".as_ref(), path.as_os_str()]).fine();
    assert_eq!(codes(&judged, "cloned_image"), [1, 2, 3]);
    assert_eq!(codes(&judged, "stale_banner"), [6]);
    // What can be read but once is judged line by line.
    let streamed = run_with(&["judge", "-"], &fs::read(path).unwrap()).fine();
    assert_eq!((codes(&streamed, "cloned_image"), codes(&streamed, "stale_banner")), (vec![], vec![]));
}

#[test]
fn records_can_go_to_a_table_with_their_tags() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a.jsonl", &[sound()]);
    let table = directory.path().join("b.csv");
    let ran = run(&["judge".as_ref(), path.as_os_str(), "-o".as_ref(), table.as_os_str()]);
    assert_eq!(ran.fine(), "");
    let mut rows = csv::Reader::from_path(table).unwrap();
    let header = rows.headers().unwrap().clone();
    let record: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let row = rows.records().next().unwrap().unwrap();
    for (tag, value) in record["target"]["tags"].as_object().unwrap() {
        let at = header.iter().position(|name| name == format!("tag_{tag}")).unwrap();
        assert_eq!(&row[at], value.as_str().unwrap());
    }
    assert!(header.iter().any(|name| name == "tag_unreadable"));
}

#[test]
fn records_go_into_parquet_and_come_from_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a.jsonl", &[sound(), sound()]);
    let judged = run(&["judge".as_ref(), path.as_os_str()]).fine();
    let columns = directory.path().join("b.parquet");
    assert_eq!(run(&["judge".as_ref(), path.as_os_str(), "-o".as_ref(), columns.as_os_str()]).fine(), "");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3, "nothing is left beside but the manifest");
    let again = run(&["judge".as_ref(), columns.as_os_str()]).fine();
    assert_eq!((again.lines().count(), again), (2, judged));
}

#[test]
fn greetings_can_go_to_a_table_and_a_full_disk_is_no_usage_error() {
    let table = run_with(
        &["judge", "--from", "greetings", "-", "--format", "csv"],
        b"220 mail.example.org ESMTP\n\n",
    )
    .fine();
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows.len(), 3);
    assert!(rows[0].ends_with(",tag_unreadable") && rows[1].contains("mail.example.org"), "{table}");
    let full =
        run_with(&["judge", "--from", "greetings", "-", "-o", "/dev/full", "--format", "jsonl"], b"220 a\n");
    assert_eq!(
        full.wrong(4),
        "banneret: output `/dev/full` can't be written: No space left on device (os error 28)"
    );
}

#[test]
fn records_go_to_as_many_outputs_as_are_named_or_none_is_touched() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a.jsonl", &[sound(), sound()]);
    let path = path.to_str().unwrap();
    let out = ["b.jsonl.zst", "c.csv", "d.parquet"].map(|name| directory.path().join(name));
    let [lines, table, columns] = out.each_ref().map(|path| path.to_str().unwrap());
    run(&["judge", path, "-o", lines, "-o", table, "-o", columns]).fine();
    for out in [lines, table, columns] {
        let told: serde_json::Value =
            serde_json::from_str(&run(&["report", "--format", "json", out]).fine()).unwrap();
        assert_eq!(told["records"], 2, "{out}");
        assert!(std::path::Path::new(&format!("{out}.manifest.json")).is_file(), "{out}");
    }
    let stdout = run(&["judge", path, "-o", "-", "-o", lines, "--overwrite"]).fine();
    assert_eq!(stdout.lines().count(), 2);
    let wrong = run(&["judge", path, "-o", lines, "-o", lines, "--overwrite"]).wrong(2);
    assert!(wrong.contains("is also the output"), "{wrong}");
    let unwritten = directory.path().join("e.jsonl");
    let wrong = run(&["judge", path, "-o", unwritten.to_str().unwrap(), "-o", table]).wrong(2);
    assert!(wrong.contains("c.csv` exists and is not empty"), "{wrong}");
}

#[test]
fn an_inside_view_of_dns_is_warned_of_and_the_warning_travels() {
    let directory = tempfile::tempdir().unwrap();
    let inside = || {
        let mut record = sound();
        let resolution = record.evidence.resolution.as_mut().unwrap();
        for ptr in &mut resolution.names {
            ptr.forward.addresses = vec!["10.0.0.1".parse().unwrap()];
        }
        record.target.ip = Some("203.0.113.7".parse().unwrap());
        record.evidence.ip = record.target.ip;
        record
    };
    let mut records: Vec<_> = (0..97).map(|_| sound()).collect();
    let few = write(directory.path(), "few.jsonl", &[&records[..], &[]].concat());
    records.extend((0..3).map(|_| inside()));
    let many = write(directory.path(), "many.jsonl", &records);
    let out = directory.path().join("out.jsonl");
    let out = out.to_str().unwrap();
    let ran = run(&["judge", few.to_str().unwrap()]);
    assert_eq!(ran.err, "");
    let ran = run(&["judge", many.to_str().unwrap(), "-o", out]);
    let warning = "3 of 100 judged hosts have names that lead to private addresses only, as DNS says inside a network: what \
        the world sees may differ; ask a public resolver with `--resolver`";
    assert_eq!(ran.err, format!("banneret: {warning}\n"));
    let manifest = std::fs::read_to_string(format!("{out}.manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["warnings"], serde_json::json!([warning]));

    let ran = run(&["report", "--format", "json", out]);
    let told = format!("banneret: of the records in `{out}` their manifest warns: {warning}\n");
    assert!(ran.err.ends_with(&told), "{}", ran.err);
    let told: serde_json::Value = serde_json::from_str(&ran.fine()).unwrap();
    assert_eq!(told["warnings"], serde_json::json!([{ "file": out, "warning": warning }]));
    assert!(run(&["report", "--format", "markdown", out]).fine().contains("Warning: "));
    assert!(run(&["report", out]).fine().contains("\nwarning: "));
    // Judged once more, it is said once.
    let again = directory.path().join("again.jsonl");
    run(&["judge", out, "-o", again.to_str().unwrap()]).fine();
    let manifest = std::fs::read_to_string(format!("{}.manifest.json", again.display())).unwrap();
    assert_eq!(manifest.matches("private addresses only").count(), 1);
}
