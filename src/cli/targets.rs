//! `banneret targets`: what a scan would visit, in its order. Sends nothing.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use anyhow::bail;

use super::args::TargetsArgs;
use super::exit::Exit;
use super::lists::{self, Loaded};
use crate::targets::Order;

/// Lists or counts.
pub fn run(args: &TargetsArgs) -> anyhow::Result<Exit> {
    let loaded = lists::load(&args.targets, &|kind| {
        bail!("exclusion `{kind}` is a name, and listing sends nothing; exclude its addresses")
    })?;
    let seed = args.targets.seed.unwrap_or_else(rand::random);
    let order = Order::new(Arc::clone(&loaded.set), seed, loaded.shard);
    let limit = args.targets.max_targets.unwrap_or(u128::MAX);
    let all = order.len().saturating_add(loaded.own_names().count() as u128).min(limit);
    let out = BufWriter::new(io::stdout().lock());
    let told = if args.count { count(out, all) } else { list(out, &loaded, &order, limit) };
    super::printed(told)
}

fn count(mut out: impl Write, all: u128) -> io::Result<()> {
    writeln!(out, "{all}")?;
    out.flush()
}

fn list(mut out: impl Write, loaded: &Loaded, order: &Order, limit: u128) -> io::Result<()> {
    let mut left = limit;
    for visit in order.iter_from(0) {
        if left == 0 {
            break;
        }
        left -= 1;
        writeln!(out, "{}", visit.ip)?;
    }
    let names = usize::try_from(left).unwrap_or(usize::MAX);
    for entry in loaded.own_names().take(names) {
        writeln!(out, "{}", entry.kind)?;
    }
    out.flush()
}
