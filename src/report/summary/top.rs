//! How many groups of a kind are shown: a number, or `all`.

use std::str::FromStr;

/// The worst so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Top(pub usize);

/// A text that is no number of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no number of groups; write how many are shown, as `50`, or `all`")]
pub struct TopError;

impl FromStr for Top {
    type Err = TopError;

    fn from_str(text: &str) -> Result<Self, TopError> {
        if text == "all" {
            return Ok(Self(usize::MAX));
        }
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|&count: &usize| is_plain && count > 0).map(Self).ok_or(TopError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_all_is_read_and_nothing_else() {
        assert_eq!(("50".parse(), "all".parse()), (Ok(Top(50)), Ok(Top(usize::MAX))));
        for wrong in ["", "0", "-1", "+5", "ALL", "5%", "99999999999999999999999"] {
            assert_eq!(wrong.parse::<Top>(), Err(TopError), "{wrong}");
        }
    }
}
