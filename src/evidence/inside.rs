//! How many hosts of a run were seen as from inside a network: their names lead to private addresses only, as
//! split DNS says inside and nobody else sees.

use std::fmt;

/// One host in so many may be seen so; more, and it is the resolver that stands inside.
const ONE_IN: u64 = 100;

/// The hosts of a run that were seen from inside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InsideViews {
    /// So many hosts have such a name.
    pub hosts: u64,
    /// So many were judged.
    pub judged: u64,
}

impl InsideViews {
    /// The same, if there are so many that the records may not show what the world sees.
    pub fn too_many(self) -> Option<Self> {
        (self.hosts.saturating_mul(ONE_IN) > self.judged).then_some(self)
    }
}

impl fmt::Display for InsideViews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hosts, judged } = self;
        let have = if *hosts == 1 { "has" } else { "have" };
        write!(
            f,
            "{hosts} of {judged} judged hosts {have} names that lead to private addresses only, as DNS says inside a network: \
             what the world sees may differ; ask a public resolver with `--resolver`"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_one_in_a_hundred_is_too_many() {
        for (hosts, judged, is_told) in
            [(0, 0, false), (0, 50, false), (1, 50, true), (1, 100, false), (2, 199, true), (2, 200, false)]
        {
            let views = InsideViews { hosts, judged };
            assert_eq!(views.too_many().is_some(), is_told, "{views}");
        }
    }
}
