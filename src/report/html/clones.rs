//! Names that hosts share which nobody renamed, as a table.

use std::io::{self, Write};

use super::text::Html;
use crate::report::table::grouped;

/// How many names are shown unless told otherwise.
pub(super) const LISTED: usize = 25;

pub(super) fn clones(listed: &[(&str, u64)], most: usize, out: &mut dyn Write) -> io::Result<()> {
    if listed.is_empty() {
        return Ok(());
    }
    out.write_all(
        b"<section><h2>Cloned images</h2>\n<table>\n<thead><tr><th scope=\"col\">default or foreign name</th>\
          <th scope=\"col\">records</th></tr></thead>\n<tbody>\n",
    )?;
    for (name, records) in listed.iter().take(most) {
        writeln!(out, "<tr><th scope=\"row\">{}</th><td>{}</td></tr>", Html(name), grouped(*records))?;
    }
    out.write_all(b"</tbody>\n</table></section>\n")
}
