//! A frame of the IPv4 address space, cut into cells along a Hilbert curve: neighbours in address space are
//! neighbours on the map. Draws nothing.
//!
//! A cell is one address or one /24, the unit, and a frame the smallest network of 16, 64, 256, … units that
//! holds all of them; where that would be more than 64 × 64 cells, it is the smallest network at all, and a
//! cell what becomes of it. On a curve of order 1 the four quarters stand so: 0 top left, 1 below it, 2 right
//! of that, 3 above; a curve of the next order repeats this in each quarter, turned so that the ends meet.

use std::net::Ipv4Addr;

use crate::prefix::Prefix;

/// The finest frame: 64 × 64 cells, each still wide enough to point at.
pub(super) const MOST_ORDER: u8 = 6;
/// The coarsest: 4 × 4.
const LEAST_ORDER: u8 = 2;

/// A network of `length` bits, cut into 4^`order` cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    first: u32,
    length: u8,
    pub order: u8,
}

impl Frame {
    /// The frame around units of so many bits, the lowest and the highest of them given.
    pub(super) fn around(lowest: u32, highest: u32, unit: u8) -> Self {
        // `leading_zeros` of a u32 is at most 32.
        let common = u8::try_from((lowest ^ highest).leading_zeros()).unwrap_or(unit).min(unit);
        // A curve has four quarters, so the bits between frame and cell come in pairs.
        let order = (unit - common).div_ceil(2).clamp(LEAST_ORDER, MOST_ORDER);
        let length = common.min(unit - 2 * order);
        Self { first: lowest & mask(length), length, order }
    }

    pub(super) fn network(self) -> Prefix {
        Prefix::of(Ipv4Addr::from(self.first).into(), self.length)
    }

    pub(super) fn cell_length(self) -> u8 {
        self.length + 2 * self.order
    }

    /// Which cell an address is in, counted along the curve.
    pub(super) fn cell(self, address: u32) -> u32 {
        (address & !mask(self.length)).checked_shr(32 - u32::from(self.cell_length())).unwrap_or(0)
    }

    pub(super) fn prefix_of(self, cell: u32) -> Prefix {
        let first = self.first | cell.checked_shl(32 - u32::from(self.cell_length())).unwrap_or(0);
        Prefix::of(Ipv4Addr::from(first).into(), self.cell_length())
    }
}

fn mask(length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)
}

/// Column and row of a place along the curve of an order.
pub(super) fn place(order: u8, along: u32) -> (u32, u32) {
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
        // The first and last quarter are mirrored, so that the curve enters and leaves where its neighbours
        // do.
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
    fn the_frame_holds_all_units_and_not_much_more() {
        for (unit, lowest, highest, network, cell) in [
            (32, "192.0.2.1", "192.0.2.1", "192.0.2.0/28", 32),
            (32, "192.0.2.0", "192.0.2.255", "192.0.2.0/24", 32),
            (32, "192.0.2.0", "192.0.3.255", "192.0.0.0/22", 32),
            (32, "127.25.0.0", "127.25.3.255", "127.25.0.0/22", 32),
            (32, "198.18.0.0", "198.18.255.255", "198.18.0.0/16", 28),
            (24, "192.0.2.0", "192.0.2.0", "192.0.0.0/20", 24),
            (24, "198.18.0.0", "198.18.15.0", "198.18.0.0/20", 24),
            (24, "198.18.0.0", "198.19.255.0", "198.16.0.0/14", 24),
            (24, "10.0.0.0", "10.7.255.0", "10.0.0.0/12", 24),
            (24, "10.0.0.0", "10.31.255.0", "10.0.0.0/11", 23),
            (24, "192.0.2.0", "203.0.113.0", "192.0.0.0/4", 16),
            (24, "0.0.0.0", "255.255.255.0", "0.0.0.0/0", 12),
            (32, "0.0.0.0", "255.255.255.255", "0.0.0.0/0", 12),
        ] {
            let frame = Frame::around(v4(lowest), v4(highest), unit);
            assert_eq!(frame.network().to_string(), network, "{lowest} to {highest}");
            assert_eq!(frame.cell_length(), cell, "{lowest} to {highest}");
            for address in [lowest, highest].map(v4) {
                assert!(frame.prefix_of(frame.cell(address)).contains(Ipv4Addr::from(address).into()));
            }
        }
    }
}
