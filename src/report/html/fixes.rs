//! What is to be fixed as a CSV file beside the page, one row a host in the order of addresses, and where the
//! hosts of a group stand in it, so that the page can lead there.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::judge::Code;
use crate::judge::cause::{Fixer, Side};
use crate::judge::fix::Step;
use crate::judge::remedy::Remedy;
use crate::judge::settings::settings;
use crate::record::list::JOIN;
use crate::report::csv::put;
use crate::report::summary::detail::{BrokenHost, Fixes};

/// The row of the first host; the header is row 1, as programs count that open the file, and RFC 7111.
const FIRST_ROW: usize = 2;
/// The most stretches of rows that one link names: beyond, the file has columns to filter by.
const STRETCHES: usize = 40;

/// The hosts of the file, in its order.
#[derive(Debug, Clone)]
pub struct Sheet {
    fixes: Vec<BrokenHost>,
    met: u64,
}

/// Where the hosts of a group stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// How many they are.
    pub hosts: usize,
    /// The fragment that selects their rows (RFC 7111 §2), as `row=2-5;9`; empty if that would be too long.
    pub fragment: String,
}

impl Sheet {
    /// The file of these hosts.
    pub fn new(fixes: Fixes) -> Self {
        Self { met: fixes.met, fixes: fixes.sorted() }
    }

    /// The worst hosts, each severity in the order of the file.
    pub(super) fn worst(&self, most: usize) -> Vec<&BrokenHost> {
        let mut worst: Vec<&BrokenHost> = self.fixes.iter().collect();
        worst.sort_by_key(|host| std::cmp::Reverse(host.severity));
        worst.truncate(most);
        worst
    }

    /// Hosts in the file, and hosts with something to fix.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.fixes.len() as u64, self.met)
    }

    /// Where the hosts stand for which `is_meant` holds; `None` if there are none.
    pub(super) fn place(&self, is_meant: impl Fn(&BrokenHost) -> bool) -> Option<Place> {
        let rows = self.fixes.iter().enumerate().filter(|(_, fix)| is_meant(fix));
        let (mut hosts, mut stretches): (usize, Vec<(usize, usize)>) = (0, Vec::new());
        for row in rows.map(|(index, _)| index + FIRST_ROW) {
            hosts += 1;
            match stretches.last_mut() {
                Some((_, last)) if *last + 1 == row => *last = row,
                _ => stretches.push((row, row)),
            }
        }
        let mut fragment = String::new();
        if stretches.len() <= STRETCHES {
            for (first, last) in stretches {
                fragment.push_str(if fragment.is_empty() { "row=" } else { ";" });
                // Writing to a `String` does not fail.
                let _ = if first == last {
                    write!(fragment, "{first}")
                } else {
                    write!(fragment, "{first}-{last}")
                };
            }
        }
        (hosts > 0).then_some(Place { hosts, fragment })
    }

    /// Writes the file.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut line = Vec::new();
        header(&mut line);
        out.write_all(&line)?;
        for fix in &self.fixes {
            line.clear();
            row(fix, &mut line);
            out.write_all(&line)?;
        }
        Ok(())
    }
}

/// Appends the header of such a file.
pub(in crate::report) fn header(line: &mut Vec<u8>) {
    cells(line, COLUMNS.iter().map(|(name, _)| (*name).to_owned()));
}

/// Appends the row of a host.
pub(in crate::report) fn row(fix: &BrokenHost, line: &mut Vec<u8>) {
    cells(line, COLUMNS.iter().map(|(_, cell)| cell(fix)));
}

/// A column: its name, and what its cell of a host holds.
type Column = (&'static str, fn(&BrokenHost) -> String);

/// The columns.
const COLUMNS: [Column; 18] = [
    ("ip", |fix| fix.ip.to_string()),
    ("port", |fix| fix.port.to_string()),
    ("prefix", |fix| fix.prefix().to_string()),
    ("severity", |fix| fix.severity.as_str().to_owned()),
    ("findings", |fix| join(fix.findings.iter().map(Code::as_str))),
    ("who", |fix| join(fix.fixers().into_iter().map(Fixer::as_str))),
    ("what", |fix| {
        if !fix.changes.is_empty() {
            return what(fix);
        }
        let mut remedies: Vec<&str> = Vec::new();
        for remedy in fix.findings.iter().map(Code::remedy) {
            if !remedies.contains(&remedy) {
                remedies.push(remedy);
            }
        }
        remedies.join(" ")
    }),
    // The PTR record is set elsewhere.
    ("set_by", |fix| {
        if !fix.changes.is_empty() {
            let steps = fix.fix().steps();
            let banner = steps.iter().find(|step| step.remedy == Remedy::Banner);
            return banner.map(Step::by).unwrap_or_default();
        }
        let names = fix.findings.iter().any(|code| code.side() != Side::Reverse);
        let settings = fix.platform.as_deref().filter(|_| names).into_iter().flat_map(settings);
        settings.map(|setting| setting.by).collect::<Vec<_>>().join("; ")
    }),
    ("banner_name", |fix| fix.banner_name.as_deref().unwrap_or_default().to_owned()),
    ("ptr_names", |fix| join(fix.ptr_names.iter().map(String::as_str))),
    ("platform", |fix| fix.platform.as_deref().unwrap_or_default().to_owned()),
    ("asn", |fix| fix.asn.map(|asn| asn.to_string()).unwrap_or_default()),
    ("asked", |fix| fix.asked.to_string()),
    ("fix", |fix| join(fix.changes.iter().map(ToString::to_string))),
    ("record", |fix| join(fix.fix().steps().into_iter().filter_map(|step| step.record))),
    ("check", |fix| join(fix.fix().steps().into_iter().map(|step| step.check))),
    ("expected_name", |fix| fix.expected_name.as_deref().unwrap_or_default().to_owned()),
    ("tags", |fix| join(fix.tags.iter().map(|(name, value)| format!("{name}={value}")))),
];

/// The changes in sentences, in their order.
fn what(fix: &BrokenHost) -> String {
    let fix = fix.fix();
    let mut sentences: Vec<String> = fix.to_agree().into_iter().map(str::to_owned).collect();
    sentences.extend(fix.steps().into_iter().map(|step| format!("{}.", step.what)));
    sentences.join(" ")
}

fn cells(line: &mut Vec<u8>, cells: impl Iterator<Item = String>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            line.push(b',');
        }
        put(line, &cell);
    }
    line.push(b'\n');
}

fn join(words: impl Iterator<Item = impl AsRef<str>>) -> String {
    let mut cell = String::new();
    for word in words {
        if !cell.is_empty() {
            cell.push(JOIN);
        }
        cell.push_str(word.as_ref());
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::remedy::Change;
    use crate::judge::{Severity, Tenancy};
    use std::net::IpAddr;

    fn fix(third: u8, last: u8) -> BrokenHost {
        BrokenHost {
            ip: IpAddr::from([192, 0, third, last]),
            port: 25,
            severity: Severity::High,
            findings: [Code::PtrMissing, Code::BannerDefault].into_iter().collect(),
            tenancy: Tenancy::Dedicated,
            banner_name: Some("=localhost".into()),
            ptr_names: Box::from(["a.example.org".to_owned(), "b.example.org".to_owned()]),
            platform: Some("qmail".into()),
            asn: Some(64500),
            asked: "192.0.2.0/24".into(),
            changes: Box::default(),
            expected_name: None,
            tags: Box::from([("customer".into(), "C-17".into())]),
        }
    }

    fn sheet(hosts: &[(u8, u8)]) -> Sheet {
        Sheet { fixes: hosts.iter().map(|&(third, last)| fix(third, last)).collect(), met: 9 }
    }

    #[test]
    fn a_row_says_who_has_to_do_what_and_no_cell_is_run() {
        let mut out = Vec::new();
        sheet(&[(2, 1)]).write(&mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "ip,port,prefix,severity,findings,who,what,set_by,banner_name,ptr_names,platform,asn,asked,fix,record,check,\
             expected_name,tags\n\
             192.0.2.1,25,192.0.2.0/24,high,ptr_missing;banner_default,customer;provider,\
             \"Set one PTR record to a name of the host's own domain, and let that name lead to the address. \
             Let the server call itself by a full name of its own domain, in the greeting and in HELO, with DNS agreeing.\",\
             `control/me`; `control/smtpgreeting` for the greeting and `control/helohost` for mail going out,\
             '=localhost,a.example.org;b.example.org,qmail,64500,192.0.2.0/24,,,,,customer=C-17\n"
        );
    }

    #[test]
    fn where_the_changes_are_known_they_stand_there_to_the_letter() {
        let words = ["forward=mail.example.org", "ptr=mail.example.org", "banner=mail.example.org"];
        let changes = words.map(|word| Change::parse(word).unwrap());
        let host = BrokenHost { changes: changes.into(), ..fix(2, 1) };
        let cell = |name: &str| COLUMNS.iter().find(|(column, _)| *column == name).unwrap().1(&host);
        assert_eq!(cell("fix"), words.join(";"));
        assert_eq!(
            cell("record"),
            "mail.example.org. IN A 192.0.2.1;1.2.0.192.in-addr.arpa. IN PTR mail.example.org."
        );
        assert_eq!(cell("who"), "customer;provider");
        assert!(cell("what").contains("Let the server (qmail) greet"), "{}", cell("what"));
        assert!(
            cell("set_by").starts_with("echo mail.example.org > /var/qmail/control/me; "),
            "{}",
            cell("set_by")
        );
        assert_eq!(
            cell("check"),
            "dig +short mail.example.org A;dig +short -x 192.0.2.1;nc -w 60 192.0.2.1 25"
        );
        assert_eq!(cell("tags"), "customer=C-17");
    }

    #[test]
    fn a_group_is_found_by_its_rows() {
        let sheet = sheet(&[(2, 1), (2, 2), (3, 1), (4, 7), (4, 8), (4, 9)]);
        for (thirds, hosts, fragment) in [
            (&[2][..], 2, "row=2-3"),
            (&[3], 1, "row=4"),
            (&[2, 4], 5, "row=2-3;5-7"),
            (&[2, 3, 4], 6, "row=2-7"),
        ] {
            let meant =
                |fix: &BrokenHost| matches!(fix.ip, IpAddr::V4(v4) if thirds.contains(&v4.octets()[2]));
            assert_eq!(sheet.place(meant), Some(Place { hosts, fragment: fragment.to_owned() }));
        }
        assert_eq!(sheet.place(|_| false), None);
        let scattered: Vec<(u8, u8)> = (0..200).map(|last| (2, last)).collect();
        let odd = super::Sheet { fixes: scattered.iter().map(|&(a, b)| fix(a, b)).collect(), met: 200 };
        let place = odd.place(|fix| matches!(fix.ip, IpAddr::V4(v4) if v4.octets()[3] % 2 == 1)).unwrap();
        assert_eq!((place.hosts, place.fragment.as_str()), (100, ""), "too long for a link");
    }
}
