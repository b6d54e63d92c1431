//! The guide: its chapters are the Markdown files beside this one. `cargo doc` shows each as a page,
//! `banneret help CHAPTER` prints it, and `banneret man CHAPTER` makes a manual page of it. Knows nothing of
//! the rest of the crate.

#![allow(
    clippy::doc_markdown,
    reason = "a chapter is prose, also in a terminal: names of products stand in it as they are"
)]

/// One chapter of the guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chapter {
    /// The word that `banneret help` takes: no command has this name.
    pub name: &'static str,
    /// What the chapter is about, in one line.
    pub about: &'static str,
    /// The whole chapter, in Markdown.
    pub text: &'static str,
}

/// Declares each chapter once: a page of the documentation and an entry of [`CHAPTERS`].
macro_rules! chapters {
    ($($module:ident, $name:literal, $about:literal;)+) => {
        $(
            #[doc = include_str!(concat!(stringify!($module), ".md"))]
            pub mod $module {}
        )+

        /// Every chapter, in reading order.
        pub const CHAPTERS: &[Chapter] = &[
            $(Chapter {
                name: $name,
                about: $about,
                text: include_str!(concat!(stringify!($module), ".md")),
            },)+
        ];
    };
}

chapters! {
    target_lists, "target-lists", "what can be scanned, and how a target list is read";
    verdicts, "verdicts", "what each verdict means, what one change would clear";
    probing, "probing", "how far a conversation goes: greeting, EHLO, TLS, samples";
    manners, "manners", "pace, exclusions, and trouble of the scanning network";
    dns, "dns", "what happens when DNS fails, and which resolvers are believed";
    records, "records", "the fields of a record, and how to read each format";
    reports, "reports", "what to do with stored records: report, diff, judge";
    resuming, "resuming", "going on after a stop, output files, exit codes";
    many_machines, "many-machines", "one scan divided among many machines";
    watching, "watching", "status lines and metrics of a running scan";
    settings, "settings", "flags, environment variables and the settings file";
    one_server, "one-server", "check: everything about one server, and about a fix";
}

impl Chapter {
    /// The chapter with this name, as typed.
    pub fn named(name: &str) -> Option<&'static Self> {
        CHAPTERS.iter().find(|chapter| chapter.name == name)
    }
}
