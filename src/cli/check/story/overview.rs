//! The addresses of one name side by side, both families: a line each, so that the one that is set up
//! otherwise stands out.

use super::{Page, Server};
use crate::judge::{Fcrdns, Severity, Verdict};
use crate::record::neutral::Safe;
use crate::record::row::Row;
use crate::report::table::{cell, clip, columns, padded};

use super::Checked;

/// What a column is given at most.
const WIDEST: usize = 40;
/// What is nowhere to be had.
const NOTHING: &str = "-";

/// Whether the line in the overview is all that there is to say.
pub(super) fn says_all(server: &Server) -> bool {
    let Server::Tried(record, verified) = server else { return true };
    let judged = &record.judgement;
    let is_sound = judged.verdict.is_some_and(|verdict| verdict != Verdict::Undetermined)
        && judged.severity < Some(Severity::Low);
    (is_sound || judged.verdict.is_none()) && verified.is_none()
}

impl Page<'_> {
    pub(super) fn overview(&mut self, checked: &Checked) {
        self.line(&format!("{}: {} places", checked.asked, checked.servers.len()));
        let head = ["address", "verdict", "severity", "FCrDNS", "banner name", "PTR name"];
        let mut lines = vec![head.map(str::to_owned)];
        lines.extend(checked.servers.iter().map(line));
        let widths: [usize; 6] =
            std::array::from_fn(|column| lines.iter().map(|line| columns(&line[column])).max().unwrap_or(0));
        for line in &lines {
            let cells = line.iter().zip(widths).map(|(text, width)| padded(text, width));
            let told = format!("    {}", cells.collect::<Vec<_>>().join("  "));
            self.line(&clip(told.trim_end(), self.width.max(WIDEST)));
        }
    }
}

fn line(server: &Server) -> [String; 6] {
    let nothing = || NOTHING.to_owned();
    match server {
        Server::Tried(record, _) => {
            let row = Row::of(record);
            let judged = &record.judgement;
            let at = match row.ip {
                Some(ip) => std::net::SocketAddr::new(ip, row.port).to_string(),
                None => nothing(),
            };
            let names = row.ptr_names.to_strings();
            let ptr = match names.as_slice() {
                [] => nothing(),
                [only] => only.clone(),
                [first, others @ ..] => format!("{first} +{}", others.len()),
            };
            let verdict = judged.verdict.map_or(row.outcome.as_str(), Verdict::as_str);
            [
                at,
                verdict.to_owned(),
                judged.severity.map_or(NOTHING, Severity::as_str).to_owned(),
                judged.fcrdns.map_or(NOTHING, fcrdns_word).to_owned(),
                cell(judged.banner_name.as_deref().unwrap_or(NOTHING), WIDEST),
                cell(&ptr, WIDEST),
            ]
        }
        Server::Untried(at, trouble) => [
            at.to_string(),
            "not tried".to_owned(),
            nothing(),
            nothing(),
            nothing(),
            Safe(&trouble.to_string()).to_string(),
        ],
    }
}

fn fcrdns_word(fcrdns: Fcrdns) -> &'static str {
    match fcrdns {
        Fcrdns::Pass => "pass",
        Fcrdns::Fail => "fail",
        Fcrdns::TempError => "not known",
        Fcrdns::PermError => "no PTR",
    }
}
