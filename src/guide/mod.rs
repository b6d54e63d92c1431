//! The guide: its chapters are the Markdown files beside this one, and `cargo doc` shows each as a page.
//! Knows nothing of the rest of the crate.

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
    target_lists, "target-lists", "what can be scanned, and how a list of targets is read";
    verdicts, "verdicts", "the verdicts, what one change would clear, accepted findings, further providers";
    probing, "probing", "how far a conversation goes: greeting, EHLO, STARTTLS, samples";
    manners, "manners", "pace, exclusions, and what a scan does when something is wrong with its own network";
    dns, "dns", "what happens when DNS fails, and which resolvers are believed";
    records, "records", "the fields of a record, and how each form is read: JSONL, CSV, ECS, syslog";
    reports, "reports", "report, diff and judge: what can be done with stored records";
    resuming, "resuming", "going on after a stop, output files, exit codes";
    watching, "watching", "status lines and metrics of a running scan";
    settings, "settings", "flags, environment and settings file; the flags that a scan is tuned by";
    one_server, "one-server", "check: everything about one server, and why a fix does not show yet";
}

impl Chapter {
    /// The chapter with this name, as typed.
    pub fn named(name: &str) -> Option<&'static Self> {
        CHAPTERS.iter().find(|chapter| chapter.name == name)
    }
}
