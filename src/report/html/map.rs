//! The map of what was met: a square for each dense part of the address space, or one for all, every cell
//! coloured by the verdict that most of it has.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;

use super::hilbert::{Frame, MOST_ORDER, place};
use super::text::Html;
use crate::judge::Verdict;
use crate::prefix::GROUP_V4;
use crate::report::summary::Summary;
use crate::report::summary::detail::{Mark, marks::weight};
use crate::report::table::grouped;

/// The side of a square, in user units.
const SIDE: u32 = 512;
/// The most squares: where the address space met is in more pieces, one square shows all of it, coarser.
const MOST_SQUARES: usize = 12;
/// A square is dense if at least one cell in so many is met.
const SPARSE: usize = 16;
/// A record without a verdict, and one for each verdict.
const MARKS: usize = Verdict::ALL.len() + 1;

/// How often each mark was met, by [`index`].
type Counts = [u64; MARKS];
/// One address or network, by its first address.
type Unit = (u32, Counts);

/// Writes the section; nothing if there is no IPv4 address.
pub(super) fn map(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let (units, unit) = units(summary);
    if units.is_empty() {
        return Ok(());
    }
    let squares = squares(&units, unit);
    let cell = match unit {
        32 => "A cell is one address",
        _ => "A cell is one /24",
    };
    let coarser = squares.iter().any(|&part| frame(part, unit).cell_length() < unit);
    let cell = if coarser { "A cell is what its square says" } else { cell };
    write!(
        out,
        "<section class=\"wide\" id=\"map\"><h2>Map</h2>\n<p class=\"faint\">{cell}; neighbours in address space are \
         neighbours here (a Hilbert curve). Empty cells have no record.</p>\n<ul class=\"legend\">"
    )?;
    for mark in marks() {
        write!(out, "<li><span class=\"key {0}\"></span>{0}</li>", word(mark))?;
    }
    out.write_all(b"</ul>\n<div class=\"maps\">\n")?;
    for part in squares {
        square(part, unit, out)?;
    }
    out.write_all(b"</div>\n")?;
    let v6 = summary.prefixes.iter().filter(|(prefix, _)| prefix.first().is_ipv6()).count() as u64;
    if v6 > 0 {
        writeln!(
            out,
            "<p class=\"faint\">IPv6 has no place on a map: {} networks of it are in the tables.</p>",
            grouped(v6)
        )?;
    }
    out.write_all(b"</section>\n")
}

/// What was met, in order: addresses if they are few enough, networks if not; and the length of one.
fn units(summary: &Summary) -> (Vec<Unit>, u8) {
    let addresses = summary.detail.as_ref().and_then(|detail| detail.marks.addresses());
    if let Some(addresses) = addresses {
        let one = |mark| {
            let mut counts = Counts::default();
            counts[index(mark)] = 1;
            counts
        };
        return (addresses.map(|(address, mark)| (address, one(mark))).collect(), 32);
    }
    let mut networks: Vec<Unit> = summary
        .prefixes
        .iter()
        .filter_map(|(prefix, tally)| {
            let IpAddr::V4(first) = prefix.first() else { return None };
            let mut counts = Counts::default();
            for verdict in Verdict::ALL {
                counts[index(Some(verdict))] = tally.verdict(verdict);
            }
            counts[index(None)] = tally.records.saturating_sub(tally.verdicts.total());
            Some((first.to_bits(), counts))
        })
        .collect();
    networks.sort_unstable_by_key(|&(first, _)| first);
    (networks, GROUP_V4)
}

/// The parts that are dense enough for a square of their own, or all in one if these are too many.
fn squares(units: &[Unit], unit: u8) -> Vec<&[Unit]> {
    let mut dense = Vec::new();
    let mut open = vec![units];
    while let Some(part) = open.pop() {
        let frame = frame(part, unit);
        let is_coarse = frame.cell_length() < unit;
        let room = 1usize << (2 * frame.order.min(MOST_ORDER));
        match split(part) {
            Some((lower, upper)) if is_coarse || part.len() * SPARSE < room => open.extend([upper, lower]),
            _ => dense.push(part),
        }
        if dense.len() + open.len() > MOST_SQUARES {
            return vec![units];
        }
    }
    dense
}

/// The halves of a part, at the first bit in which its ends differ; `None` of a single unit.
fn split(part: &[Unit]) -> Option<(&[Unit], &[Unit])> {
    let (&(lowest, _), &(highest, _)) = (part.first()?, part.last()?);
    let differing = 31u32.checked_sub((lowest ^ highest).leading_zeros())?;
    let at = part.partition_point(|&(first, _)| first >> differing & 1 == 0);
    Some(part.split_at(at))
}

fn frame(part: &[Unit], unit: u8) -> Frame {
    let end = |at: Option<&Unit>| at.map_or(0, |&(first, _)| first);
    Frame::around(end(part.first()), end(part.last()), unit)
}

fn square(part: &[Unit], unit: u8, out: &mut dyn Write) -> io::Result<()> {
    let frame = frame(part, unit);
    let mut cells: BTreeMap<u32, Counts> = BTreeMap::new();
    for (first, counts) in part {
        let cell = cells.entry(frame.cell(*first)).or_default();
        cell.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    let side = SIDE >> frame.order;
    let caption = match frame.cell_length() {
        32 => frame.network().to_string(),
        length => format!("{}, a /{length} a cell", frame.network()),
    };
    writeln!(
        out,
        "<figure><svg class=\"map\" viewBox=\"0 0 {SIDE} {SIDE}\" role=\"img\" aria-label=\"map of {caption}\">"
    )?;
    for (cell, counts) in &cells {
        let (column, row) = place(frame.order, *cell);
        // A hair of paper between cells.
        let (x, y, inner) = (column * side, row * side, side - 1);
        let prefix = frame.prefix_of(*cell);
        let name = if prefix.length() == 32 { prefix.first().to_string() } else { prefix.to_string() };
        writeln!(
            out,
            "<rect class=\"{}\" x=\"{x}\" y=\"{y}\" width=\"{inner}\" height=\"{inner}\"><title>{}: {}</title></rect>",
            word(most(counts)),
            Html(name),
            story(counts),
        )?;
    }
    writeln!(out, "</svg><figcaption>{caption}</figcaption></figure>")
}

/// The mark that most of a cell has; of equal ones the one that matters more. Without a verdict only what has
/// none.
fn most(counts: &Counts) -> Mark {
    let judged = marks().filter(|&mark| mark.is_some() && counts[index(mark)] > 0);
    judged.max_by_key(|&mark| (counts[index(mark)], weight(mark))).flatten()
}

/// The marks of a cell in words.
fn story(counts: &Counts) -> String {
    let met = marks().filter(|&mark| counts[index(mark)] > 0);
    if counts.iter().sum::<u64>() == 1 {
        return met.map(word).collect();
    }
    let told: Vec<String> =
        met.map(|mark| format!("{} {}", grouped(counts[index(mark)]), word(mark))).collect();
    told.join(", ")
}

fn marks() -> impl Iterator<Item = Mark> {
    Verdict::ALL.into_iter().map(Some).chain([None])
}

fn index(mark: Mark) -> usize {
    mark.map_or(MARKS - 1, |verdict| verdict as usize)
}

fn word(mark: Mark) -> &'static str {
    mark.map_or("unjudged", Verdict::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn part(addresses: &[&str]) -> Vec<Unit> {
        let bits = |text: &&str| text.parse::<Ipv4Addr>().unwrap().to_bits();
        addresses.iter().map(|text| (bits(text), Counts::default())).collect()
    }

    #[test]
    fn dense_parts_have_squares_of_their_own_and_scattered_ones_share_one() {
        let shown = |addresses: &[&str], unit| -> Vec<String> {
            let part = part(addresses);
            let squares = squares(&part, unit);
            squares.iter().map(|square| frame(square, unit).network().to_string()).collect()
        };
        assert_eq!(shown(&["192.0.2.1"], 32), ["192.0.2.0/28"]);
        assert_eq!(shown(&["192.0.2.1", "203.0.113.9"], 32), ["192.0.2.0/28", "203.0.113.0/28"]);
        assert_eq!(
            shown(&["198.18.0.0", "198.18.1.0", "203.0.113.0"], 24),
            ["198.18.0.0/20", "203.0.112.0/20"]
        );
        let scattered: Vec<String> = (0..40).map(|first| format!("{}.0.2.1", 10 + 5 * first)).collect();
        let scattered: Vec<&str> = scattered.iter().map(String::as_str).collect();
        assert_eq!(shown(&scattered, 32), ["0.0.0.0/0"]);
    }

    #[test]
    fn a_cell_has_the_colour_of_most_of_it_and_tells_all() {
        let counts = |met: &[(Mark, u64)]| {
            let mut counts = Counts::default();
            for &(mark, count) in met {
                counts[index(mark)] = count;
            }
            counts
        };
        for (met, colour, told) in [
            (&[(Some(Verdict::Match), 1)][..], "match", "match"),
            (&[(None, 1)], "unjudged", "unjudged"),
            (&[(Some(Verdict::Match), 2), (Some(Verdict::NoPtr), 2)], "no_ptr", "2 no_ptr, 2 match"),
            (&[(Some(Verdict::Match), 3), (Some(Verdict::NoPtr), 2)], "match", "2 no_ptr, 3 match"),
            (&[(Some(Verdict::Match), 1), (None, 1000)], "match", "1 match, 1,000 unjudged"),
            (
                &[(Some(Verdict::Undetermined), 2), (Some(Verdict::Match), 2)],
                "match",
                "2 undetermined, 2 match",
            ),
        ] {
            let counts = counts(met);
            assert_eq!((word(most(&counts)), story(&counts).as_str()), (colour, told));
        }
    }
}
