//! Serves a block of hosts and its DNS until it is killed, for load tests and scripts.
//!
//! `cargo bench --bench blockd -- --hosts 127.64.0.0/15` on the loopback network, or in a network namespace
//! that routes a block to itself (`unshare -Urn`, `ip link set lo up`,
//! `ip route add local 198.18.0.0/15 dev lo`), there with `--smtp-port 25 --dns 127.0.0.1:53` if wanted. Once
//! it serves, one line of stdout says where: `smtp 40123 dns 127.0.0.1:40124`. With `--seed` the hosts are
//! the demo's personas, without it all are alike, healthy, and cheap.

use std::io::Write;
use std::net::SocketAddrV4;
use std::sync::Arc;

use anyhow::Context;
use banneret::demo::dns::{Questions, Sockets};
use banneret::demo::load::Load;
use banneret::demo::plain::Plain;
use banneret::demo::{Block, Running};
use banneret::prefix::Prefix;
use clap::Parser;

#[derive(Parser)]
struct Args {
    /// The block.
    #[arg(long, value_parser = Prefix::parse)]
    hosts: Prefix,
    /// The hosts' port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    smtp_port: u16,
    /// Where DNS is answered; port 0 takes a free one. Personas always have a free port of 127.0.0.1.
    #[arg(long, default_value = "127.0.0.1:0")]
    dns: SocketAddrV4,
    /// Personas by this seed, a listener for each address.
    #[arg(long)]
    seed: Option<u64>,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    match args.seed {
        Some(seed) => {
            let running: Running = Block::new(args.hosts, seed)?.serve_on(args.smtp_port)?;
            ready(running.smtp_port(), &running.dns())?;
            loop {
                std::thread::park();
            }
        }
        None => plain(&args),
    }
}

fn plain(args: &Args) -> anyhow::Result<()> {
    let hosts = Plain::of(args.hosts);
    let sockets = Sockets::bind(args.dns).with_context(|| format!("can't answer at `{}`", args.dns))?;
    let dns = sockets.address()?;
    let load = Load::start(hosts, args.smtp_port)
        .with_context(|| format!("can't listen at port {}", args.smtp_port))?;
    ready(load.port(), &dns)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(sockets.serve(Arc::new(hosts), Arc::new(Questions::default())))?;
    Ok(())
}

fn ready(smtp: u16, dns: &dyn std::fmt::Display) -> std::io::Result<()> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "smtp {smtp} dns {dns}")?;
    stdout.flush()
}
