//! Rust source as a row of tokens: comments and literals gone, tests marked, each token with its line and the
//! inline module it stands in, and the paths that it names. Reads just enough of the language for the rules
//! of the house; knows none of these rules.

/// One word, number or mark of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// The text; `::` is one token, every other mark is one character.
    pub(crate) text: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// Stands in an item under `#[cfg(test)]`.
    pub(crate) test: bool,
    /// The inline modules around it, outermost first.
    pub(crate) inside: Vec<String>,
}

/// A path as it is named in the code, `use` groups spread out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    /// Its segments; a glob ends in `*`.
    pub(crate) segments: Vec<String>,
    /// Counted from 1.
    pub(crate) line: usize,
    /// Stands in an item under `#[cfg(test)]`.
    pub(crate) test: bool,
    /// The inline modules around it, outermost first.
    pub(crate) inside: Vec<String>,
}

/// The tokens of a file.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = split(&blanked(source));
    mark_tests(&mut tokens);
    mark_modules(&mut tokens);
    tokens
}

/// Every path in the tokens: a lone word counts as a path of one segment.
pub(crate) fn paths(tokens: &[Token]) -> Vec<Path> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if !is_word(&tokens[at].text) {
            at += 1;
            continue;
        }
        at = path_from(tokens, at, &[], &mut found);
    }
    found
}

/// Reads one path, with the groups behind it, into `found`; gives the index behind it.
fn path_from(tokens: &[Token], start: usize, before: &[String], found: &mut Vec<Path>) -> usize {
    let mut segments = before.to_vec();
    let mut at = start;
    let path = |segments: Vec<String>| Path {
        segments,
        line: tokens[start].line,
        test: tokens[start].test,
        inside: tokens[start].inside.clone(),
    };
    loop {
        segments.push(tokens[at].text.clone());
        at += 1;
        // A turbofish is no segment: `parse::<u8>::x` does not occur in what the rules look for.
        if text(tokens, at) != "::" {
            break;
        }
        match text(tokens, at + 1) {
            "{" => {
                let mut inner = at + 2;
                while inner < tokens.len() && tokens[inner].text != "}" {
                    if is_word(&tokens[inner].text) || tokens[inner].text == "*" {
                        inner = path_from(tokens, inner, &segments, found);
                    } else {
                        inner += 1;
                    }
                }
                return inner + 1;
            }
            "*" => {
                segments.push("*".into());
                found.push(path(segments));
                return at + 2;
            }
            word if is_word(word) => at += 1,
            _ => break,
        }
    }
    // `use a::{self}` names `a`.
    if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
        segments.pop();
    }
    found.push(path(segments));
    at
}

fn text(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).map_or("", |token| token.text.as_str())
}

fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// The source with comments and literals turned to blanks; every line break stays.
pub(crate) fn blanked(source: &str) -> String {
    let text: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < text.len() {
        let end = literal_end(&text, at);
        if end == at {
            out.push(text[at]);
            // Words are taken whole: the `r` of `for` starts no raw string.
            at += 1;
            while text[at - 1].is_alphanumeric()
                && at < text.len()
                && (text[at].is_alphanumeric() || text[at] == '_')
            {
                out.push(text[at]);
                at += 1;
            }
        } else {
            out.push(' ');
            out.extend(text[at..end].iter().filter(|&&c| c == '\n'));
            at = end;
        }
    }
    out
}

/// The end of the comment or literal that starts here; `at` itself if none does.
fn literal_end(text: &[char], at: usize) -> usize {
    let next = |ahead: usize| text.get(at + ahead).copied();
    match (text[at], next(1)) {
        ('/', Some('/')) => find(text, at, |&c| c == '\n'),
        ('/', Some('*')) => block_comment_end(text, at),
        ('"', _) => string_end(text, at + 1),
        ('b' | 'c', Some('"')) => string_end(text, at + 2),
        ('b', Some('\'')) => char_end(text, at + 1).unwrap_or(at),
        ('b' | 'c', Some('r')) if matches!(next(2), Some('"' | '#')) => {
            raw_string_end(text, at + 2).unwrap_or(at)
        }
        ('r', Some('"' | '#')) => raw_string_end(text, at + 1).unwrap_or(at),
        ('\'', _) => char_end(text, at).unwrap_or(at),
        _ => at,
    }
}

fn find(text: &[char], from: usize, what: impl Fn(&char) -> bool) -> usize {
    text[from..].iter().position(what).map_or(text.len(), |ahead| from + ahead)
}

fn block_comment_end(text: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at + 1 < text.len() {
        match (text[at], text[at + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn string_end(text: &[char], mut at: usize) -> usize {
    while at < text.len() {
        match text[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// `at` is behind the `r`. `r#name` is a word, not a string.
fn raw_string_end(text: &[char], at: usize) -> Option<usize> {
    let quote = find(text, at, |&c| c != '#');
    if text.get(quote) != Some(&'"') {
        return None;
    }
    let hashes = quote - at;
    let closes =
        |&end: &usize| text[end] == '"' && (1..=hashes).all(|ahead| text.get(end + ahead) == Some(&'#'));
    Some((quote + 1..text.len()).find(closes).map_or(text.len(), |end| end + 1 + hashes))
}

/// A character literal; `None` for a lifetime.
fn char_end(text: &[char], at: usize) -> Option<usize> {
    if text.get(at + 1) == Some(&'\\') {
        return Some(find(text, at + 3, |&c| c == '\'') + 1);
    }
    (text.get(at + 2) == Some(&'\'')).then_some(at + 3)
}

fn split(code: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if first.is_alphanumeric() || first == '_' {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            let text = rest[..length].to_owned();
            tokens.push(Token { text, line: index + 1, test: false, inside: Vec::new() });
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

/// Marks each item that stands under an attribute `#[cfg(test)]` or `#[cfg(all(test, …))]`.
fn mark_tests(tokens: &mut [Token]) {
    let mut at = 0;
    while at + 1 < tokens.len() {
        if tokens[at].text != "#" || tokens[at + 1].text != "[" {
            at += 1;
            continue;
        }
        let end = closing(tokens, at + 1);
        let attribute: Vec<&str> = tokens[at..end].iter().map(|token| token.text.as_str()).collect();
        if attribute.contains(&"cfg") && attribute.contains(&"test") && !attribute.contains(&"not") {
            let last = item_end(tokens, end);
            tokens[at..last].iter_mut().for_each(|token| token.test = true);
            at = last;
        } else {
            at = end;
        }
    }
}

/// The index behind the item that starts here: behind its `;`, or its closing brace.
fn item_end(tokens: &[Token], start: usize) -> usize {
    let mut at = start;
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            ";" => return at + 1,
            "{" => {
                let end = closing(tokens, at);
                // `use a::{b};` goes on behind its group.
                return if text(tokens, end) == ";" { end + 1 } else { end };
            }
            "(" | "[" => at = closing(tokens, at),
            _ => at += 1,
        }
    }
    tokens.len()
}

/// The index behind the bracket that closes the one at `open`.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

fn mark_modules(tokens: &mut [Token]) {
    let mut modules: Vec<(String, usize)> = Vec::new();
    for at in 0..tokens.len() {
        modules.retain(|(_, end)| at < *end);
        tokens[at].inside = modules.iter().map(|(name, _)| name.clone()).collect();
        if tokens[at].text == "mod" && text(tokens, at + 2) == "{" {
            modules.push((text(tokens, at + 1).to_owned(), closing(tokens, at + 2)));
        }
    }
}
