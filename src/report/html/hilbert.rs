//! A map of the IPv4 networks that were met, along a Hilbert curve: neighbours in address space are neighbours on the map.
//!
//! A cell is a /24, and the map the smallest network of 4, 16, 64, … such cells that holds all of them; where that would
//! be more than 64 × 64 cells, the map is the smallest network at all, and a cell what becomes of it. On a curve of order 1 the four quarters of the map stand so: 0 top left, 1 below it, 2 right of that,
//! 3 above; a curve of the next order repeats this in each quarter, turned so that the ends meet.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};

use super::text::Html;
use crate::judge::Severity;
use crate::prefix::{GROUP_V4, Prefix};
use crate::report::summary::{Groups, Tally};
use crate::report::table::grouped;

/// The finest map: 64 × 64 cells, each still wide enough to point at.
const MOST_ORDER: u8 = 6;
/// The side of the map, in user units.
const SIDE: u32 = 512;

/// Writes the section of the map; nothing if there is no IPv4 network.
pub(super) fn map(prefixes: &Groups<Prefix>, out: &mut dyn Write) -> io::Result<()> {
    let networks: Vec<(u32, &Tally)> =
        prefixes.iter().filter_map(|(prefix, tally)| Some((first_v4(*prefix)?, tally))).collect();
    let Some(frame) = Frame::around(networks.iter().map(|&(first, _)| first)) else { return Ok(()) };
    let mut cells: BTreeMap<u32, Tally> = BTreeMap::new();
    for (first, tally) in networks {
        cells.entry(frame.cell(first)).or_default().merge(tally);
    }
    let side = SIDE >> frame.order;
    writeln!(
        out,
        "<section><h2>map</h2>\n<p class=\"faint\">{} along a Hilbert curve, a /{} a cell.</p>\n\
         <svg class=\"map\" viewBox=\"0 0 {SIDE} {SIDE}\" role=\"img\" aria-label=\"map of networks\">",
        frame.network(),
        frame.cell_length(),
    )?;
    for (cell, tally) in &cells {
        let (column, row) = place(frame.order, *cell);
        let (x, y) = (column * side, row * side);
        writeln!(
            out,
            "<rect class=\"{}\" x=\"{x}\" y=\"{y}\" width=\"{side}\" height=\"{side}\"><title>{}</title></rect>",
            worst(tally),
            Html(format_args!(
                "{}: {} records, {} high, {} medium, {} low",
                frame.prefix_of(*cell),
                grouped(tally.records),
                grouped(tally.severity(Severity::High)),
                grouped(tally.severity(Severity::Medium)),
                grouped(tally.severity(Severity::Low)),
            )),
        )?;
    }
    out.write_all(b"</svg></section>\n")
}

/// The severity that most of a cell's judged records reach; a tie goes to the worse.
fn worst(tally: &Tally) -> &'static str {
    let counted = Severity::ALL.iter().filter(|&&severity| tally.severity(severity) > 0);
    let most = counted.max_by_key(|&&severity| (tally.severity(severity), severity));
    most.map_or("unjudged", |severity| severity.as_str())
}

fn first_v4(prefix: Prefix) -> Option<u32> {
    match prefix.first() {
        IpAddr::V4(v4) => Some(u32::from(v4)),
        IpAddr::V6(_) => None,
    }
}

/// What the map shows: a network of `length` bits, cut into 4^`order` cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    first: u32,
    length: u8,
    order: u8,
}

impl Frame {
    /// The frame around some /24s.
    fn around(mut networks: impl Iterator<Item = u32>) -> Option<Self> {
        let first = networks.next()?;
        let differing = networks.fold(0, |differing, other| differing | (first ^ other));
        // `leading_zeros` of a u32 is at most 32; of /24s, 24 bits are told apart.
        let common = u8::try_from(differing.leading_zeros()).unwrap_or(GROUP_V4).min(GROUP_V4);
        // A curve has four quarters, so the bits between map and cell come in pairs.
        let order = (GROUP_V4 - common).div_ceil(2).min(MOST_ORDER);
        let length = common.min(GROUP_V4 - 2 * order);
        Some(Self { first: first & mask(length), length, order })
    }

    fn network(self) -> Prefix {
        Prefix::of(Ipv4Addr::from(self.first).into(), self.length)
    }

    fn cell_length(self) -> u8 {
        self.length + 2 * self.order
    }

    /// Which cell an address is in, counted along the curve.
    fn cell(self, address: u32) -> u32 {
        (address & !mask(self.length)).checked_shr(32 - u32::from(self.cell_length())).unwrap_or(0)
    }

    fn prefix_of(self, cell: u32) -> Prefix {
        let first = self.first | cell.checked_shl(32 - u32::from(self.cell_length())).unwrap_or(0);
        Prefix::of(Ipv4Addr::from(first).into(), self.cell_length())
    }
}

fn mask(length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)
}

/// Column and row of a place along the curve of an order.
fn place(order: u8, along: u32) -> (u32, u32) {
    let (mut column, mut row) = (0, 0);
    for level in 0..order {
        let quarter = along >> (2 * level) & 3;
        let side = 1 << level;
        let (right, below) = match quarter {
            0 => (0, 0),
            1 => (0, 1),
            2 => (1, 1),
            _ => (1, 0),
        };
        // The first and last quarter are mirrored, so that the curve enters and leaves where its neighbours do.
        (column, row) = match quarter {
            0 => (row, column),
            3 => (side - 1 - row, side - 1 - column),
            _ => (column, row),
        };
        column += right * side;
        row += below * side;
    }
    (column, row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn v4(text: &str) -> u32 {
        u32::from(text.parse::<Ipv4Addr>().unwrap())
    }

    fn frame(networks: &[&str]) -> Frame {
        Frame::around(networks.iter().map(|text| v4(text))).unwrap()
    }

    #[test]
    fn the_curve_visits_every_cell_once_and_only_steps_to_neighbours() {
        for order in 0..=MOST_ORDER {
            let cells = 1u32 << (2 * order);
            let places: Vec<_> = (0..cells).map(|along| place(order, along)).collect();
            assert_eq!(places.iter().collect::<HashSet<_>>().len(), places.len());
            for pair in places.windows(2) {
                let step = pair[0].0.abs_diff(pair[1].0) + pair[0].1.abs_diff(pair[1].1);
                assert_eq!(step, 1, "order {order}: {pair:?}");
            }
            assert!(places.iter().all(|&(column, row)| column < 1 << order && row < 1 << order));
        }
        assert_eq!((0..4).map(|along| place(1, along)).collect::<Vec<_>>(), [(0, 0), (0, 1), (1, 1), (1, 0)]);
    }

    #[test]
    fn the_frame_holds_all_networks_and_not_much_more() {
        for (networks, network, cell) in [
            (&["192.0.2.0"][..], "192.0.2.0/24", 24),
            (&["198.18.0.0", "198.18.1.0"], "198.18.0.0/22", 24),
            (&["198.18.0.0", "198.18.15.0"], "198.18.0.0/20", 24),
            (&["198.18.0.0", "198.19.255.0"], "198.16.0.0/14", 24),
            (&["10.0.0.0", "10.7.255.0"], "10.0.0.0/12", 24),
            (&["10.0.0.0", "10.31.255.0"], "10.0.0.0/11", 23),
            (&["192.0.2.0", "203.0.113.0"], "192.0.0.0/4", 16),
            (&["0.0.0.0", "255.255.255.0"], "0.0.0.0/0", 12),
        ] {
            let frame = frame(networks);
            assert_eq!(frame.network().to_string(), network, "{networks:?}");
            assert_eq!(frame.cell_length(), cell, "{networks:?}");
            for address in networks.iter().map(|text| v4(text)) {
                assert!(frame.prefix_of(frame.cell(address)).contains(Ipv4Addr::from(address).into()));
            }
        }
    }
}
