//! The rules of the house, each a function from one file to the places where it is broken. Knows source as
//! tokens and paths; reads no file.

use super::code::{self, Token};

/// The longest that a file may be, in lines. Tables of data may be longer, if they are listed.
const LONGEST: usize = 600;
/// Tables of data, whose length is that of the world.
const TABLES: &[&str] = &["src/judge/platform/tests.rs"];
/// Shells, of which none may name another.
const SHELLS: &[&str] = &["probe", "resolve", "report"];
/// Names that say nothing of what is in a module.
const EMPTY_WORDS: &[&str] = &["utils", "util", "common", "helpers", "helper", "types", "misc"];
/// Crates with one home each: the file or folder (ending in `/`) that may name them.
const HOMES: &[(&str, &[&str])] = &[
    ("hickory_resolver", &["src/resolve/engine/hickory.rs"]),
    ("clap", &["src/cli/"]),
    ("clap_complete", &["src/cli/"]),
    ("clap_mangen", &["src/cli/"]),
    ("anyhow", &["src/cli/", "src/main.rs"]),
    ("indicatif", &["src/cli/"]),
];
/// Where printing is the job.
const PRINTERS: &[&str] = &["src/cli/", "src/main.rs"];
const PRINTING: &[&str] = &["println", "eprintln", "print", "eprint", "dbg"];

/// Words that no pure module says, tests in it included.
const SOCKETS: &[&str] = &[
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "UnixDatagram",
    "ToSocketAddrs",
    "tokio",
    "socket2",
    "libc",
    "hickory_resolver",
];
/// Words that no pure module says outside its tests, each with what it stands for.
const IMPURE: &[(&str, &[&str])] = &[
    ("files", &["File", "OpenOptions"]),
    ("async", &["async", "await"]),
    ("tasks", &["spawn", "block_on"]),
    ("standard streams", &["stdout", "stderr", "stdin"]),
];
/// Paths that no pure module names outside its tests.
const IMPURE_PATHS: &[(&str, &[&str])] = &[
    ("files", &["std", "fs"]),
    ("threads", &["std", "thread"]),
    ("the environment", &["std", "env"]),
    ("processes", &["std", "process"]),
    ("the clock", &["Instant", "now"]),
    ("the clock", &["SystemTime", "now"]),
];

/// The layers, as `src/lib.rs` declares them.
#[derive(Debug)]
pub(crate) struct House {
    /// Top-level modules in their declared order.
    order: Vec<String>,
    /// How many of these, from the first, are pure.
    pure: usize,
}

/// A place where a rule is broken.
#[derive(Debug)]
pub(crate) struct Breach {
    pub(crate) file: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// What is wrong there and what to do.
    pub(crate) what: String,
}

impl House {
    /// Reads the law: `mod` lines in order, in groups headed by `// pure`, `// shells`, and so on.
    pub(crate) fn read(lib: &str) -> Self {
        let (mut order, mut pure) = (Vec::new(), 0);
        let mut group = "";
        for line in lib.lines().map(str::trim) {
            if let Some(head) = line.strip_prefix("// ") {
                group = head;
            }
            let declared = line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ");
            if let Some(name) = declared.and_then(|rest| rest.strip_suffix(';')) {
                order.push(name.to_owned());
                if group == "pure" {
                    assert_eq!(pure + 1, order.len(), "the pure modules of src/lib.rs stand first");
                    pure += 1;
                }
            }
        }
        assert!(pure > 0, "src/lib.rs has its pure modules under the line `// pure`");
        Self { order, pure }
    }

    fn place(&self, module: &str) -> Option<usize> {
        self.order.iter().position(|known| known == module)
    }

    fn is_pure(&self, module: &str) -> bool {
        self.place(module).is_some_and(|place| place < self.pure)
    }
}

/// Every breach in one file; `path` is from the root, as `src/judge/mod.rs`.
pub(crate) fn breaches(house: &House, path: &str, source: &str) -> Vec<Breach> {
    let file = Source::read(path, source);
    let mut found = Vec::new();
    file.length(&mut found);
    file.opening(&mut found);
    if path.starts_with("src/") {
        file.module_names(&mut found);
        file.order(house, &mut found);
        file.purity(house, &mut found);
        file.homes(&mut found);
        file.printing(&mut found);
        file.unsafety(&mut found);
    }
    found.sort_by_key(|breach| breach.line);
    found
}

struct Source<'a> {
    path: &'a str,
    text: &'a str,
    /// Its place in the tree of modules, as `["judge", "finding"]`; empty for the crate's roots.
    module: Vec<String>,
    /// Is a file of tests alone, as `src/judge/tests.rs`.
    tests_only: bool,
    tokens: Vec<Token>,
    paths: Vec<code::Path>,
}

impl<'a> Source<'a> {
    fn read(path: &'a str, text: &'a str) -> Self {
        let stem = path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut module: Vec<String> = stem.split('/').map(str::to_owned).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
            module.pop();
        }
        let tests_only = module.last().is_some_and(|last| last == "tests" || last.ends_with("_tests"));
        let tokens = code::tokens(text);
        let paths = code::paths(&tokens);
        Self { path, text, module, tests_only, tokens, paths }
    }

    fn breach(&self, line: usize, what: String) -> Breach {
        Breach { file: self.path.to_owned(), line, what }
    }

    fn length(&self, found: &mut Vec<Breach>) {
        let lines = self.text.lines().count();
        if lines > LONGEST && !TABLES.contains(&self.path) {
            found.push(self.breach(
                lines,
                format!("{lines} lines, {LONGEST} is the most: split it by the second noun in it"),
            ));
        }
    }

    fn opening(&self, found: &mut Vec<Breach>) {
        if !self.text.starts_with("//!") {
            found.push(
                self.breach(1, "opens without `//!`: say what lives here and what it must not know".into()),
            );
        }
    }

    fn module_names(&self, found: &mut Vec<Breach>) {
        if let Some(word) = self.module.iter().find(|name| EMPTY_WORDS.contains(&name.as_str())) {
            found.push(self.breach(1, format!("a module named `{word}` says nothing: name it by its noun")));
        }
    }

    /// A module names only modules declared above it; shells never name one another.
    fn order(&self, house: &House, found: &mut Vec<Breach>) {
        let own = self.module.first().map(String::as_str);
        for path in &self.paths {
            let Some(target) = self.crate_path(path) else { continue };
            let line = path.line;
            match target.first().map(String::as_str) {
                Some("*") | None if own.is_some() => {
                    found.push(
                        self.breach(line, "takes in the whole crate: name the module that is meant".into()),
                    );
                }
                Some(named) if Some(named) != own => self.judge_pair(house, own, (named, line), found),
                _ => {}
            }
        }
    }

    fn judge_pair(
        &self,
        house: &House,
        own: Option<&str>,
        (named, line): (&str, usize),
        found: &mut Vec<Breach>,
    ) {
        let Some(own) = own else { return };
        if SHELLS.contains(&own) && SHELLS.contains(&named) {
            let what =
                format!("`{own}` names `{named}`: no shell knows another; hand the value over in src/scan");
            found.push(self.breach(line, what));
            return;
        }
        match (house.place(own), house.place(named)) {
            (None, _) => {
                let what = format!("module `{own}` is not declared in src/lib.rs: give it its place there");
                found.push(self.breach(line, what));
            }
            (Some(here), Some(there)) if there > here => {
                let what = format!(
                    "`{own}` names `{named}`, which src/lib.rs declares below it: move what is shared up, or pass it in"
                );
                found.push(self.breach(line, what));
            }
            _ => {}
        }
    }

    /// The path from the crate's root, if it is one into this crate.
    fn crate_path(&self, path: &code::Path) -> Option<Vec<String>> {
        let mut base: Vec<String> = match path.segments.first()?.as_str() {
            "crate" | "banneret" => {
                // A lone `crate`, as in `pub(crate)`, names nothing.
                return (path.segments.len() > 1).then(|| path.segments[1..].to_vec());
            }
            "super" | "self" if path.segments.len() > 1 => {
                self.module.iter().chain(&path.inside).cloned().collect()
            }
            _ => return None,
        };
        let mut rest = path.segments.as_slice();
        while let Some((first, behind)) = rest.split_first() {
            match first.as_str() {
                "super" => drop(base.pop()),
                "self" => {}
                _ => break,
            }
            rest = behind;
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// What pure modules never touch: the world.
    fn purity(&self, house: &House, found: &mut Vec<Breach>) {
        let Some(own) = self.module.first() else { return };
        if !house.is_pure(own) {
            return;
        }
        for token in &self.tokens {
            if SOCKETS.contains(&token.text.as_str()) {
                found.push(self.impure(own, token.line, "sockets", &token.text));
            } else if !token.test && !self.tests_only {
                let kind = IMPURE.iter().find(|(_, words)| words.contains(&token.text.as_str()));
                found.extend(kind.map(|(kind, _)| self.impure(own, token.line, kind, &token.text)));
            }
        }
        for call in self.tokens.windows(2).filter(|call| !call[0].test && !self.tests_only) {
            // As a name of a value it is fine; called, it reads the clock.
            if call[0].text == "elapsed" && call[1].text == "(" {
                found.push(self.impure(own, call[0].line, "the clock", "elapsed()"));
            }
        }
        for path in self.paths.iter().filter(|path| !path.test && !self.tests_only) {
            let names = |banned: &[&str]| path.segments.windows(banned.len()).any(|part| part == banned);
            let kind = IMPURE_PATHS.iter().find(|(_, banned)| names(banned));
            found.extend(kind.map(|(kind, banned)| self.impure(own, path.line, kind, &banned.join("::"))));
        }
    }

    fn impure(&self, own: &str, line: usize, kind: &str, word: &str) -> Breach {
        let what = format!(
            "pure module `{own}` says `{word}` ({kind}): take the value as an argument, or move it to a shell"
        );
        self.breach(line, what)
    }

    /// Crates that one file alone may name; tests may use them.
    fn homes(&self, found: &mut Vec<Breach>) {
        for path in self.paths.iter().filter(|path| !path.test && !self.tests_only) {
            for (name, homes) in HOMES {
                let at_home = homes
                    .iter()
                    .any(|home| self.path == *home || home.ends_with('/') && self.path.starts_with(home));
                if path.segments.first().is_some_and(|first| first == name) && !at_home {
                    let what =
                        format!("`{name}` is named outside {}: ask that module instead", homes.join(" and "));
                    found.push(self.breach(path.line, what));
                }
            }
        }
    }

    fn printing(&self, found: &mut Vec<Breach>) {
        if self.tests_only || PRINTERS.iter().any(|home| self.path.starts_with(home)) {
            return;
        }
        for pair in self.tokens.windows(2).filter(|pair| !pair[0].test) {
            if PRINTING.contains(&pair[0].text.as_str()) && pair[1].text == "!" {
                let what = format!(
                    "prints with `{}!`: only src/cli speaks to people; return the value",
                    pair[0].text
                );
                found.push(self.breach(pair[0].line, what));
            }
        }
    }

    /// `unsafe` only where the file's head says why, each with its SAFETY line.
    fn unsafety(&self, found: &mut Vec<Breach>) {
        let mut head = self.text.lines().take_while(|line| line.starts_with("//!"));
        // Either word will do: "`unsafe` for …", "… has no safe form".
        let explained = head.any(|line| line.contains("safe"));
        let lines: Vec<&str> = self.text.lines().map(str::trim).collect();
        for token in self.tokens.iter().filter(|token| token.text == "unsafe") {
            if !explained {
                let what =
                    "`unsafe` in a file whose `//!` does not say why: use a safe call, or explain it there";
                found.push(self.breach(token.line, what.into()));
            }
            if !has_safety_line(&lines, token.line - 1) {
                let what = "`unsafe` without a `// SAFETY:` line right above: say why it holds".into();
                found.push(self.breach(token.line, what));
            }
        }
    }
}

/// The line itself, or the comment above the statement that it is part of, tells of its safety.
fn has_safety_line(lines: &[&str], at: usize) -> bool {
    let is_aside = |line: &str| line.starts_with("//") || line.starts_with("#[");
    let ends_statement = |line: &str| line.is_empty() || line.ends_with([';', '{', '}', ',']);
    let starts_at = (0..at).rev().find(|&above| is_aside(lines[above]) || ends_statement(lines[above]));
    let above = lines[..starts_at.map_or(0, |line| line + 1)].iter().rev().take_while(|line| is_aside(line));
    above.chain([&lines[at]]).any(|line| line.contains("SAFETY:"))
}
