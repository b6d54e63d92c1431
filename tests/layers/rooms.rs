//! Which files of a room import which. A room is a folder of `src`; each file and each folder in it counts as
//! one.

use std::collections::{BTreeMap, BTreeSet};

/// The rooms that are looked into.
pub(crate) const ROOMS: &[&str] = &[
    "cli",
    "cli/check",
    "judge",
    "probe",
    "record",
    "report",
    "resolve",
    "resolve/engine",
    "resolve/wire",
    "scan",
    "scan/dispatch",
    "smtp",
    "targets",
];

/// For each file or folder of a room, the others that it names outside of comments and tests.
pub(crate) fn imports(room: &str, files: &[(String, String)]) -> BTreeMap<String, BTreeSet<String>> {
    let folder = format!("src/{room}/");
    let inside = |path: &str| {
        let rest = path.strip_prefix(&folder)?;
        Some((rest.split('/').next()?.trim_end_matches(".rs").to_owned(), rest.matches('/').count()))
    };
    let all: BTreeSet<String> = files.iter().filter_map(|(path, _)| Some(inside(path)?.0)).collect();
    let mut found = BTreeMap::new();
    for (path, source) in files {
        let Some((own, depth)) = inside(path).filter(|_| !path.ends_with("tests.rs")) else { continue };
        let absolute = format!("crate::{}::", room.replace('/', "::"));
        // A file names its siblings by one `super`, one a folder deeper by two.
        let relative = "super::".repeat(depth + 1 - usize::from(path.ends_with("/mod.rs")));
        let named: &mut BTreeSet<String> = found.entry(own.clone()).or_default();
        let code = source.split("#[cfg(test)]\nmod").next().unwrap_or(source);
        let lines = code.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        let code = lines.collect::<Vec<_>>().join(" ");
        for start in [&absolute, &relative].into_iter().filter(|start| !start.is_empty()) {
            named.extend(named_behind(&code, start).filter(|name| all.contains(name) && *name != own));
        }
    }
    found
}

/// The words that stand behind `start`, alone or in braces, where that does not stand behind a further
/// `super`.
fn named_behind(code: &str, start: &str) -> impl Iterator<Item = String> {
    let places = code.match_indices(start).filter(|(at, _)| !code[..*at].ends_with("::"));
    places.flat_map(move |(at, _)| {
        let rest = &code[at + start.len()..];
        let group = rest.strip_prefix('{').and_then(|group| group.split("};").next());
        let each: Vec<&str> = group.map_or_else(|| vec![rest], |group| group.split(',').collect());
        each.into_iter().map(|name| {
            name.trim().chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect::<String>()
        })
    })
}

/// A circle of imports, its first name again at the end.
pub(crate) fn circle(imports: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn walk(
        at: &str,
        imports: &BTreeMap<String, BTreeSet<String>>,
        way: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> Option<Vec<String>> {
        if let Some(from) = way.iter().position(|it| it == at) {
            return Some(way[from..].iter().cloned().chain([at.to_owned()]).collect());
        }
        if !done.insert(at.to_owned()) {
            return None;
        }
        way.push(at.to_owned());
        let found = imports.get(at).into_iter().flatten().find_map(|next| walk(next, imports, way, done));
        way.pop();
        found
    }
    let mut done = BTreeSet::new();
    imports.keys().find_map(|start| walk(start, imports, &mut Vec::new(), &mut done))
}

#[test]
fn a_circle_is_found_however_long_and_a_way_that_forks_is_none() {
    let file = |path: &str, source: &str| (path.to_owned(), source.to_owned());
    let mut files = vec![
        file("src/scan/a.rs", "use super::{\n    b::B, c};\n//! `super::c`\nuse crate::scan::c::C;"),
        file("src/scan/b.rs", "use super::c::C;\n#[cfg(test)]\nmod tests { use super::a::A; }"),
        file("src/scan/c.rs", ""),
    ];
    assert_eq!(circle(&imports("scan", &files)), None);
    files.push(file("src/scan/c/deep.rs", "use super::super::a::A;"));
    let found = circle(&imports("scan", &files)).unwrap_or_default();
    assert_eq!(found, ["a", "b", "c", "a"]);
}
