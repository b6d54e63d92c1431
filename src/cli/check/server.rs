//! From a target as typed to what its servers showed: addresses, conversations, DNS, judgement. Writes
//! nothing, and leaves speaking to [`super::conversation`].

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use anyhow::{anyhow, bail};

use super::conversation::{Spoken, Visit, speak};
use super::look::Look;
use super::verify::{Budget, Voice};
use super::{Checked, Server, verify};
use crate::cli::args::{CheckArgs, TenancyWord};
use crate::cli::exit::Unable;
use crate::cli::solve::solve;
use crate::cli::{accept, providers, say, scan, upstreams};
use crate::evidence::{Evidence, Observation, Outcome};
use crate::judge::{Context, Tenancy, tenancy};
use crate::name::HostName;
use crate::probe::{FamilyAccess, Smtp};
use crate::record::{Foreign, Record, Target, Unjudged, Unresolved};
use crate::report::asn::AsnDb;
use crate::resolve::{Settings, Solution, Want};
use crate::scan::schedule::resolved_address::{LeftOut, ResolvedAddresses};
use crate::targets::{
    Exclusions, ExclusionsBuilder, Inventory, Kind, Purpose, ReservedPolicy, read_argument, reserved,
};

/// Looks at a target.
pub(super) fn check(args: &CheckArgs) -> anyhow::Result<Checked> {
    let began = Instant::now();
    let kind = read_argument(Purpose::Targets, &args.target)?.kind;
    if let Kind::Prefix(_) | Kind::Range(..) | Kind::Asn(_) = kind {
        bail!("`{kind}` is more than one server; `banneret scan` looks at many");
    }
    let inventory = inventory(args)?;
    let ports = scan::distinct(&args.probe.port);
    let probe = scan::probe_settings(&args.probe)?;
    let policy = if args.allow_reserved { ReservedPolicy::Allow } else { ReservedPolicy::Exclude };
    let look = Look {
        reach: FamilyAccess::find(&probe.sources),
        scanner: scan::scanner(&args.probe, &probe),
        smtp: Arc::new(Smtp::new(probe.clone())?),
        probe,
        settings: resolver_settings(args)?,
        exclusions: ExclusionsBuilder::new(policy).build(),
        retries: args.probe.retries,
    };
    for line in upstreams::unusable(&look.settings) {
        say(format_args!("banneret: {line}"));
    }

    let networks = args.asn_db.as_deref().map(AsnDb::open).transpose()?;
    let accepts = accept::load(args.accept.as_deref(), SystemTime::now())?;
    let providers = providers::load(args.providers.as_deref())?;
    let context =
        |time| Context { accepts: Some((&accepts, time)), providers: Some(&providers), ..Context::default() };
    let asked = kind.to_string();
    let (found, unresolved) = addresses(&kind, &look.settings, args.verify)?;
    let allowed: Vec<IpAddr> =
        found.iter().copied().filter(|ip| look.exclusions.blocked(*ip).is_none()).collect();
    if let (Kind::Address(ip), true) = (&kind, allowed.is_empty()) {
        bail!("{}", refusal(*ip, &look.exclusions, args.allow_reserved));
    }
    let label: Box<str> = asked.as_str().into();
    let make = |ip: Option<IpAddr>, port: u16| Target {
        ip,
        port,
        asked: label.clone(),
        inventory: inventory.clone(),
        unresolved: None,
    };
    let voice = if args.nagios { Voice::Quiet } else { Voice::Loud };
    let budget = args.verify.then_some(Budget { began, time: args.verify_timeout, voice });
    if allowed.is_empty() {
        let outcome = if found.is_empty() { Outcome::Unresolved } else { Outcome::Excluded };
        let observation = Observation::bare(outcome, 0);
        let evidence =
            Evidence { ip: None, observation, resolution: None, scanner: Some(Arc::clone(&look.scanner)) };
        let target = Target { unresolved, ..make(None, ports.first().copied().unwrap_or_default()) };
        let time = SystemTime::now();
        let record = Unjudged { time, target, evidence, network: None, foreign: Foreign::default() }
            .judge(&context(time));
        let mut servers = vec![Server::Tried(Box::new(record), None)];
        if let Some(budget) = &budget {
            verify_each(&look, &mut servers, |record| context(record.time), budget)?;
        }
        return Ok(Checked { asked, providers, servers });
    }
    let name = match &kind {
        Kind::Host(name) => Some(name),
        _ => None,
    };
    let visit = Visit { addresses: &allowed, ports: &ports, name, samples: args.probe.samples };
    let seen = speak(&look, &look.smtp, look.retries, &visit)?;
    tell_untried(&look, &seen, &asked)?;
    let evidence = resolve(seen, &look.settings)?;
    let mut servers = Vec::with_capacity(evidence.len());
    for (at, evidence) in evidence {
        let (evidence, time) = match evidence {
            Ok(evident) => evident,
            Err(trouble) => {
                servers.push(Server::Untried(at, trouble));
                continue;
            }
        };
        let network = networks.as_ref().and_then(|networks| networks.network(at.ip()));
        let unjudged = Unjudged {
            time,
            target: make(Some(at.ip()), at.port()),
            evidence,
            network,
            foreign: Foreign::default(),
        };
        let record = unjudged.judge(&context(time));
        servers.push(Server::Tried(Box::new(record), None));
    }
    if let Some(budget) = &budget {
        verify_each(&look, &mut servers, |record| context(record.time), budget)?;
    }
    let checked = Checked { asked, providers, servers };
    if let (None, Some(Server::Untried(at, trouble))) = (checked.records().next(), checked.servers.first()) {
        return Err(anyhow!("`{at}` can't be spoken to from this machine: {trouble}").context(Unable));
    }
    Ok(checked)
}

/// Verifies all servers together: what one of them was asked for is not asked for again.
fn verify_each<'c>(
    look: &Look,
    servers: &mut [Server],
    context: impl Fn(&Record) -> Context<'c>,
    budget: &Budget,
) -> anyhow::Result<()> {
    let tried = servers.iter().filter_map(|server| match server {
        Server::Tried(record, _) => Some(&**record),
        Server::Untried(..) => None,
    });
    let mut all = verify::verify(look, &tried.collect::<Vec<_>>(), context, budget)?.into_iter();
    for server in servers {
        if let Server::Tried(_, verified) = server {
            *verified = all.next().flatten().map(Box::new);
        }
    }
    Ok(())
}

/// How DNS is asked; with `--verify` no question takes so long that no time is left for the zones' own
/// servers.
fn resolver_settings(args: &CheckArgs) -> anyhow::Result<Settings> {
    let settings = scan::resolver_settings(&args.dns, false)?;
    let longest = if args.verify { args.verify_timeout / 2 } else { settings.timeout };
    Ok(Settings { timeout: settings.timeout.min(longest), ..settings })
}

/// Says what was left untried; where nothing else was asked for, that is all there is to say.
fn tell_untried(look: &Look, seen: &[(SocketAddr, Spoken)], asked: &str) -> anyhow::Result<()> {
    let is_untried = |(_, spoken): &(SocketAddr, Spoken)| {
        spoken.as_ref().is_ok_and(|(evidence, _)| evidence.observation.outcome == Outcome::NotTried)
    };
    if let (true, Some(no_way)) = (seen.iter().all(is_untried), look.reach.missed().next()) {
        return Err(anyhow!("`{asked}` can't be spoken to: {no_way}").context(Unable));
    }
    for no_way in look.reach.missed() {
        say(format_args!("banneret: {no_way}"));
    }
    Ok(())
}

/// What the user said of the server, if anything.
fn inventory(args: &CheckArgs) -> anyhow::Result<Option<Arc<Inventory>>> {
    if let Some(name) = &args.expected_name {
        HostName::parse(name).map_err(|wrong| anyhow!("--expected-name `{name}` {wrong}"))?;
    }
    let inventory = Inventory {
        expected_name: args.expected_name.clone(),
        helo_name: args.helo_name.clone(),
        tags: args
            .tenancy
            .map(|word| (tenancy::TAG.into(), tenancy_of(word).as_str().to_owned()))
            .into_iter()
            .collect(),
    };
    Ok((inventory != Inventory::default()).then(|| Arc::new(inventory)))
}

fn tenancy_of(word: TenancyWord) -> Tenancy {
    match word {
        TenancyWord::Shared => Tenancy::Shared,
        TenancyWord::Dedicated => Tenancy::Dedicated,
    }
}

/// Why an address is not spoken to.
fn refusal(ip: IpAddr, exclusions: &Exclusions, allowed: bool) -> String {
    let what = reserved(ip).map(|row| format!("{} ({}, {})", row.prefix, row.name, row.source));
    let what = what.unwrap_or_else(|| exclusions.blocked(ip).unwrap_or_default().to_owned());
    let advice = if allowed { "no host answers there" } else { "`--allow-reserved` checks it all the same" };
    format!("`{ip}` is reserved: {what}; {advice}")
}

/// Where a target leads, each address once; else why nowhere. A name that the resolver has no answer for is
/// an error, unless that is what is to be verified.
fn addresses(
    kind: &Kind,
    settings: &Settings,
    verify: bool,
) -> anyhow::Result<(Vec<IpAddr>, Option<Unresolved>)> {
    let want = match kind {
        Kind::Address(ip) => return Ok((vec![ip.to_canonical()], None)),
        Kind::Host(name) => Want::Addresses(name.clone()),
        Kind::Mx(domain) => Want::MailHosts(domain.clone()),
        Kind::Prefix(_) | Kind::Range(..) | Kind::Asn(_) => return Ok((Vec::new(), None)),
    };
    let leads = solve(vec![want], settings)?
        .pop()
        .map(|solution| ResolvedAddresses::of(&solution, None))
        .unwrap_or_default();
    let left_out = LeftOut::default();
    left_out.count(&leads);
    if !left_out.is_empty() {
        say(format_args!("banneret: {left_out}"));
    }
    let unresolved = leads.unresolved.first().copied().filter(|_| leads.within.is_empty());
    let is_verified = verify && matches!(kind, Kind::Host(_));
    if let Some(open) = unresolved.filter(|it| !it.status.is_definite() && !is_verified) {
        let what = open.status.as_str();
        let further = match kind {
            Kind::Host(_) => ", or let `--verify` ask its zone's own servers",
            _ => "",
        };
        let which = leads.failing.iter().find(|(_, status)| *status == open.status);
        let which = which.map(|(name, _)| format!(" of its exchanger `{name}`")).unwrap_or_default();
        let wrong = anyhow!(
            "`{kind}` could not be resolved ({what}{which}); name another resolver with `--resolver`{further}"
        );
        return Err(wrong.context(Unable));
    }
    let mut addresses = Vec::new();
    for ip in leads.within.iter().map(|lead| lead.ip) {
        if !addresses.contains(&ip) {
            addresses.push(ip);
        }
    }
    Ok((addresses, unresolved))
}

/// Asks DNS about every mail server that spoke.
fn resolve(
    seen: Vec<(SocketAddr, Spoken)>,
    settings: &Settings,
) -> anyhow::Result<Vec<(SocketAddr, Spoken)>> {
    let want = |(at, spoken): &(SocketAddr, Spoken)| {
        let (evidence, _) = spoken.as_ref().ok().filter(|(seen, _)| seen.observation.outcome.is_judged())?;
        Some(Want::WholeIdentity { ip: at.ip(), banner: evidence.greeting_source().name_to_resolve() })
    };
    let wants: Vec<Option<Want>> = seen.iter().map(want).collect();
    let mut solutions = solve(wants.iter().flatten().cloned().collect(), settings)?.into_iter();
    let evident = seen.into_iter().zip(wants).map(|((at, mut spoken), want)| {
        let solution = want.and_then(|_| solutions.next());
        if let (Ok((evidence, _)), Some(Solution::Identity(resolution))) = (&mut spoken, solution) {
            evidence.resolution = Some(resolution);
        }
        (at, spoken)
    });
    Ok(evident.collect())
}
