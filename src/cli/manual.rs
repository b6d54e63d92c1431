//! The chapters of the guide in the program: `banneret help CHAPTER`, and the pages of `banneret man`. Knows
//! Markdown only as far as the chapters use it: headings, paragraphs, lists, tables, fences, code, bold and
//! links.

use std::ffi::OsString;

use anyhow::bail;
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::exit::Exit;
use super::print;
use crate::guide::{CHAPTERS, Chapter};

/// The section of the manual for conventions and overviews.
const SECTION: &str = "7";
/// What the foot of a page says it belongs to.
const SOURCE: &str = concat!("banneret ", env!("CARGO_PKG_VERSION"));

/// The chapters, as the help of the program lists them.
pub(super) fn listed() -> String {
    let longest = CHAPTERS.iter().map(|chapter| chapter.name.len()).max().unwrap_or(0);
    let line = |chapter: &Chapter| format!("  {:<longest$}  {}\n", chapter.name, chapter.about);
    let lines: String = CHAPTERS.iter().map(line).collect();
    format!("Chapters of the guide (`banneret help CHAPTER` prints one):\n{lines}")
}

/// The chapter that `banneret help CHAPTER` asks for. Every other use of `help` is left to the commands.
pub(super) fn asked(arguments: &[OsString]) -> Option<&'static Chapter> {
    match arguments {
        [_, help, name] if help == "help" => Chapter::named(name.to_str()?),
        _ => None,
    }
}

/// Prints the manual page of the program, of one of its commands, or of a chapter.
pub(super) fn page(mut command: Command, name: Option<&str>) -> anyhow::Result<Exit> {
    let mut page = Vec::new();
    let Some(name) = name else {
        Man::new(command).render(&mut page)?;
        return print(&page);
    };
    if let Some(chapter) = Chapter::named(name) {
        return print(rendered(chapter).as_bytes());
    }
    command.build();
    let Some(of_command) = command.find_subcommand(name) else {
        bail!("no command and no chapter of the guide is called `{name}`; `banneret --help` lists both");
    };
    Man::new(of_command.clone()).title(title_of(name)).source(SOURCE).render(&mut page)?;
    print(&page)
}

fn title_of(name: &str) -> String {
    format!("banneret-{name}")
}

/// A chapter as a page of the manual.
fn rendered(chapter: &Chapter) -> String {
    let title = title_of(chapter.name);
    let mut page = Roff::new();
    page.control("TH", [title.as_str(), SECTION, "", SOURCE]);
    page.control("SH", ["NAME"]).text([roman(format!("{title} - {}", chapter.about))]);
    let mut lines = chapter.text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(heading) =
            line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#'))
        {
            page.control("SH", [heading.to_uppercase().as_str()]);
        } else if line.starts_with("```") {
            let code: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
            page.control("PP", []).control("EX", []).text([roman(code.join("\n"))]).control("EE", []);
        } else if line.starts_with('|') {
            // A table's head says what its paragraphs show.
            let is_head = lines.next_if(|next| next.starts_with("| ---")).is_some();
            if !is_head {
                row(&mut page, line);
            }
        } else if !line.is_empty() {
            let mut text = line.to_owned();
            while let Some(next) = lines.next_if(|next| continues(next)) {
                text.extend([" ", next.trim_start()]);
            }
            match text.strip_prefix("- ") {
                Some(item) => page.control("IP", ["\u{2022}", "2"]).text(inlines(item)),
                None => page.control("PP", []).text(inlines(&text)),
            };
        }
    }
    page.to_roff()
}

/// Whether a line goes on with the paragraph or the item before it.
fn continues(line: &str) -> bool {
    !line.is_empty() && !["- ", "|", "#", "```"].iter().any(|start| line.starts_with(start))
}

/// A row of a table as a tagged paragraph.
fn row(page: &mut Roff, line: &str) {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [tag, rest @ ..] = cells.as_slice() else { return };
    page.control("TP", []).text(inlines(tag)).text(inlines(&rest.join("; ")));
}

/// A text with its code in bold, and the words of its links without their addresses.
fn inlines(text: &str) -> Vec<Inline> {
    let parts = text.split('`').enumerate();
    let styled = parts.map(|(at, part)| if at % 2 == 1 { bold(part) } else { roman(plain(part)) });
    styled.collect()
}

/// A text without the marks of bold words and of links.
fn plain(text: &str) -> String {
    let mut told = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("](") {
        let (label, address) = (before.rsplit_once('['), behind.split_once(')'));
        let (Some((before, label)), Some((_, after))) = (label, address) else { break };
        told.extend([before, label]);
        rest = after;
    }
    told.push_str(rest);
    told.replace("**", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_of(text: &'static str) -> String {
        rendered(&Chapter { name: "a", about: "b", text })
    }

    #[test]
    fn a_chapter_becomes_a_page_of_the_manual() {
        let page = page_of(
            "# One\n\nSome `--flag` and\n**more** of [it](https://example.org).\n\n- an item\n  of two\n- next\n",
        );
        for part in [
            ".SH ONE\n",
            ".PP\nSome \\fB\\-\\-flag\\fR and more of it.\n",
            ".IP \u{2022} 2\nan item of two\n.IP",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
    }

    #[test]
    fn tables_and_fences_keep_their_cells_and_lines() {
        let page = page_of("| head | of it |\n| --- | --- |\n| `a` | b |\n\n```sh\n.x\n  y\n```\n");
        assert!(page.contains(".TP\n\\fBa\\fR\nb\n"), "{page}");
        assert!(page.contains(".EX\n\\&.x\n  y\n.EE\n"), "{page}");
        assert!(!page.contains("head") && !page.contains("\\-\\-"), "{page}");
    }
}
