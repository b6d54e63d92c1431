//! A group's list as a page and as a mail, made from the rows of its CSV file, so that all three say the
//! same.

use std::fmt::Write as _;
use std::io::{self, Read};

use super::template::{Subject, Template};
use crate::judge::Tenancy;
use crate::judge::cause::Fixer;
use crate::judge::fix::{HostFix, Step};
use crate::judge::remedy::Change;
use crate::record::cell;
use crate::record::list::JOIN;
use crate::record::neutral::Safe;
use crate::report::html::text::Html;
use crate::report::html::{figure, head};
use crate::report::table::grouped;

/// Hosts on a page; the CSV file holds all.
const ON_PAGE: u64 = 1000;
/// Hosts in a mail, which people read.
const IN_MAIL: u64 = 25;
/// The severities, the worst first.
const SEVERITIES: [&str; 3] = ["high", "medium", "low"];

/// Both views of a group, and how many hosts of each severity it has.
#[derive(Debug)]
pub(super) struct Views {
    pub(super) page: Vec<u8>,
    pub(super) mail: String,
    pub(super) severities: [u64; 3],
}

/// Makes them from the CSV file of a group, which is called `file`.
pub(super) fn views(csv: impl Read, (group, file): (&str, &str), template: &Template) -> io::Result<Views> {
    let mut reader = csv::Reader::from_reader(csv);
    let header = reader.headers()?.clone();
    let (mut severities, mut met) = ([0; 3], 0);
    let (mut hosts, mut list) = (Vec::new(), String::new());
    for row in reader.records() {
        let row = row?;
        let get = |name: &str| {
            let at = header.iter().position(|column| column == name);
            at.and_then(|at| row.get(at)).and_then(cell::read).unwrap_or_default()
        };
        if let Some(at) = SEVERITIES.iter().position(|word| *word == get("severity")) {
            severities[at] += 1;
        }
        met += 1;
        if met <= ON_PAGE {
            on_page(&get, &mut hosts)?;
        }
        if met <= IN_MAIL {
            in_mail(&get, &mut list);
        }
    }
    if met > IN_MAIL {
        // Writing to a `String` does not fail.
        let _ = writeln!(list, "... and {} more, in {file}\n", grouped(met - IN_MAIL));
    }
    let page = page((group, file), severities, (&hosts, met))?;
    let mail = template.fill(&Subject { group, file, severities, list: &list });
    Ok(Views { page, mail, severities })
}

/// The changes of a row, rendered, and what has to be agreed on before.
fn steps<'a>(get: &impl Fn(&str) -> &'a str) -> (Option<&'static str>, Vec<Step>) {
    let changes: Vec<Change> = get("fix").split(JOIN).filter_map(Change::parse).collect();
    let (Ok(ip), Ok(port)) = (get("ip").parse(), get("port").parse()) else { return (None, Vec::new()) };
    // On a shared host everything is the provider's.
    let is_shared = get("who") == Fixer::Provider.as_str();
    let tenancy = if is_shared { Tenancy::Shared } else { Tenancy::Unknown };
    let platform = Some(get("platform")).filter(|name| !name.is_empty());
    let fix = HostFix { ip, port, changes: &changes, platform, tenancy };
    (fix.to_agree(), fix.steps())
}

fn in_mail<'a>(get: &impl Fn(&str) -> &'a str, list: &mut String) {
    let name = |cell: &'a str| if cell.is_empty() { "no name" } else { cell };
    let _ = writeln!(
        list,
        "{} port {} ({}): {}\n  greets with {}; reverse name {}\n  for the {}",
        get("ip"),
        get("port"),
        get("severity"),
        get("findings").replace(JOIN, ", "),
        Safe(name(get("banner_name"))),
        Safe(name(get("ptr_names"))),
        get("who").replace(JOIN, " and the ")
    );
    let (agree, steps) = steps(get);
    if let Some(agree) = agree {
        let _ = writeln!(list, "  {agree}");
    }
    if steps.is_empty() {
        let _ = writeln!(list, "  {}", Safe(get("what")));
    }
    for (at, step) in steps.iter().enumerate() {
        let _ = writeln!(list, "  {}. {}: {}", at + 1, step.who.as_str(), Safe(&step.what));
        let by = step.by();
        if !by.is_empty() {
            let _ = writeln!(list, "     set by: {}", Safe(by));
        }
        let _ = writeln!(list, "     check: {}, expected: {}", Safe(&step.check), Safe(&step.expected));
    }
    list.push('\n');
}

fn on_page<'a>(get: &impl Fn(&str) -> &'a str, hosts: &mut Vec<u8>) -> io::Result<()> {
    use io::Write as _;
    let severity = SEVERITIES.iter().find(|word| **word == get("severity")).unwrap_or(&"info");
    write!(
        hosts,
        "<article><h3><span class=\"key {severity}\"></span>{}</h3>\n<dl><dt>severity</dt><dd>{severity}: {}</dd>",
        Html(get("ip")),
        Html(get("findings").replace(JOIN, ", ")),
    )?;
    let rows = [
        ("greets with", "banner_name"),
        ("reverse name", "ptr_names"),
        ("expected name", "expected_name"),
        ("tags", "tags"),
        ("who", "who"),
        ("what to do", "what"),
    ];
    for (title, column) in rows {
        let cell = get(column);
        if !cell.is_empty() {
            write!(hosts, "<dt>{title}</dt><dd>{}</dd>", Html(cell.replace(JOIN, "; ")))?;
        }
    }
    for step in steps(get).1 {
        for (label, form) in &step.forms {
            write!(hosts, "<dt>{label}</dt><dd>{}</dd>", Html(form.replace('\n', " / ")))?;
        }
        write!(
            hosts,
            "<dt>how to check</dt><dd>{} \u{2192} {}</dd>",
            Html(&step.check),
            Html(&step.expected)
        )?;
    }
    hosts.extend_from_slice(b"</dl></article>\n");
    Ok(())
}

fn page(
    (group, file): (&str, &str),
    severities: [u64; 3],
    (hosts, met): (&[u8], u64),
) -> io::Result<Vec<u8>> {
    use io::Write as _;
    let mut page = Vec::new();
    head(&format!("banneret: {group}"), &mut page)?;
    write!(
        page,
        "<header><h1>{}</h1><p>What is to be fixed, host by host; all of it is in <code>{}</code>.</p></header>\n\
         <main>\n<section class=\"wide\" id=\"headline\"><ul class=\"figures\">\n",
        Html(group),
        Html(file),
    )?;
    for (word, count) in SEVERITIES.into_iter().zip(severities) {
        figure(grouped(count), word, if count > 0 { word } else { "faint" }, &mut page)?;
    }
    page.extend_from_slice(b"</ul></section>\n<section class=\"wide\"><div class=\"cards\">\n");
    page.extend_from_slice(hosts);
    page.extend_from_slice(b"</div>\n");
    if met > ON_PAGE {
        writeln!(page, "<p class=\"faint\">and {} more</p>", grouped(met - ON_PAGE))?;
    }
    page.extend_from_slice(b"</section></main>\n</body>\n</html>\n");
    Ok(page)
}
