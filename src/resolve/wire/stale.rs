//! Whether a resolver marks its answer as one that it has kept beyond its time, because it could not reach
//! the zone (RFC 8767): extended error 3 or 19 in the OPT record (RFC 8914 §4.4, §4.20). Total, as all
//! readers here.

use super::name;
use super::octets::u16_at;

const TYPE_OPT: u16 = 41;
/// The option that holds an extended error (RFC 8914 §2).
const EXTENDED_ERROR: u16 = 15;
/// Stale Answer, Stale NXDOMAIN Answer.
const STALE: [u16; 2] = [3, 19];
/// The end of nearly every answer: an OPT record's type, size, flags and an empty list of options.
const BARE_OPT: usize = 11;

/// Whether a message is marked so; `authority` is where its answer section ends. A message that breaks behind
/// that is not.
pub(super) fn is_stale(message: &[u8], authority: usize) -> bool {
    if u16_at(message, 10).is_none_or(|additional| additional == 0) || ends_bare(message) {
        return false;
    }
    options(message, authority).is_some_and(has_stale)
}

/// The extended errors of a message whose answer section begins at `answers`.
pub(super) fn extended_errors(message: &[u8], answers: usize) -> Vec<u16> {
    let skip = |at: usize| {
        let fixed = name::skip(message, at)?;
        Some(fixed + 10 + usize::from(u16_at(message, fixed + 8)?))
    };
    let count = u16_at(message, 6).unwrap_or(0);
    let authority = (0..count).try_fold(answers, |at, _| skip(at));
    let options = authority.and_then(|authority| options(message, authority));
    options.map_or_else(Vec::new, |options| errors(options).collect())
}

/// Whether the last record is an OPT record without options.
fn ends_bare(message: &[u8]) -> bool {
    let end = message.len().checked_sub(BARE_OPT).and_then(|at| message.get(at..));
    end.is_some_and(|opt| opt[..3] == [0, 0, 41] && opt[9..] == [0, 0])
}

/// The options of the OPT record.
fn options(message: &[u8], mut at: usize) -> Option<&[u8]> {
    let authority = u16_at(message, 8)?;
    let additional = u16_at(message, 10)?;
    for number in 0..u32::from(authority) + u32::from(additional) {
        let fixed = name::skip(message, at)?;
        let start = fixed + 10;
        let data = message.get(start..start + usize::from(u16_at(message, fixed + 8)?))?;
        if number >= u32::from(authority) && u16_at(message, fixed)? == TYPE_OPT {
            return Some(data);
        }
        at = start + data.len();
    }
    None
}

fn has_stale(options: &[u8]) -> bool {
    errors(options).any(|code| STALE.contains(&code))
}

/// The extended errors among the options, in their order; up to where they break.
fn errors(mut options: &[u8]) -> impl Iterator<Item = u16> {
    std::iter::from_fn(move || {
        loop {
            let length = u16_at(options, 2).map(usize::from)?;
            let data = options.get(4..4 + length)?;
            let is_error = u16_at(options, 0) == Some(EXTENDED_ERROR);
            options = options.get(4 + length..)?;
            if let Some(code) = u16_at(data, 0).filter(|_| is_error) {
                return Some(code);
            }
        }
    })
}
