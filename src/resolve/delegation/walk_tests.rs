//! Ways through an Internet of a few tables, without a socket.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::exchange::{Ask, Exchange, Manner, NoReply, Reply};
use super::{Basis, Listed, Said, Trouble, Walk, Walker};
use crate::name::DnsName;
use crate::resolve::question::{Kind, Question};
use crate::resolve::wire::{Data, Held, Sections};

/// The resolver, the root's server, and some others.
const RESOLVER: &str = "192.0.2.53";
/// Who is asked, the zone that it has, the owner of a record, its type, and what it holds. What `resolver`
/// has is its cache.
type Line = (&'static str, &'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const WORLD: &[Line] = &[
    ("192.0.2.53", "", ".", "NS", "ns.root.example"),
    ("192.0.2.53", "", "ns.root.example", "A", "192.0.2.1"),
    ("192.0.2.1", ".", "example", "NS", "ns.root.example"),
    ("192.0.2.1", ".", "org", "NS", "ns.org.example"),
    ("192.0.2.1", ".", "ns.org.example", "A", "192.0.2.2"),
    // The root's server has this one, too, and answers for it without a referral.
    ("192.0.2.1", "example", "example", "NS", "ns.root.example"),
    ("192.0.2.1", "example", "ns.root.example", "A", "192.0.2.1"),
    ("192.0.2.1", "example", "ns.org.example", "A", "192.0.2.2"),
    ("192.0.2.1", "example", "ns3.example", "A", "192.0.2.3"),
    ("192.0.2.1", "example", "ns4.example", "A", "192.0.2.4"),
    ("192.0.2.1", "example", "ns5.example", "A", "192.0.2.5"),
    // Servers of other zones, without glue.
    ("192.0.2.2", "org", "a.org", "NS", "ns3.example"),
    ("192.0.2.2", "org", "b.org", "NS", "ns4.example"),
    ("192.0.2.2", "org", "b.org", "NS", "ns5.example"),
    ("192.0.2.2", "org", "lame.org", "NS", "ns4.example"),
    ("192.0.2.3", "a.org", "a.org", "NS", "ns3.example"),
    ("192.0.2.3", "a.org", "host.a.org", "CNAME", "host.b.org"),
    ("192.0.2.3", "a.org", "round.a.org", "CNAME", "round.a.org"),
    ("192.0.2.3", "a.org", "below.a.org", "DNAME", "b.org"),
    ("192.0.2.3", "a.org", "to.a.org", "CNAME", "host.lame.org"),
    ("192.0.2.4", "b.org", "b.org", "NS", "ns4.example"),
    ("192.0.2.4", "b.org", "host.b.org", "A", "198.51.100.4"),
    // The resolver keeps that b.org has a server of before, which still says what was there.
    ("192.0.2.3", "b.org", "host.b.org", "A", "198.51.100.9"),
    ("192.0.2.53", "", "b.org", "NS", "ns3.example"),
];

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

fn held((_, _, owner, kind, data): &Line) -> Held {
    let data = match *kind {
        "NS" => Data::Ns(name(data)),
        "CNAME" => Data::Cname(name(data)),
        "DNAME" => Data::Dname(name(data)),
        _ => Data::Address(data.parse().unwrap()),
    };
    Held { owner: name(owner), ttl: 60, data }
}

fn is_of(held: &Held, question: &Question) -> bool {
    let fits = match (&held.data, question.kind) {
        (Data::Ns(_), kind) => kind == Kind::Ns,
        (Data::Address(ip), kind) => kind == Kind::of_family(*ip),
        (Data::Cname(_), _) => true,
        (Data::Dname(_), _) => {
            return held.owner != question.name && held.owner.is_at_or_above(&question.name);
        }
        _ => false,
    };
    fits && held.owner == question.name
}

struct World(&'static [Line]);

impl World {
    fn reply(&self, ask: &Ask) -> Reply {
        let (question, server) = (&ask.question, ask.at.ip().to_string());
        let own: Vec<&Line> = self.0.iter().filter(|(at, ..)| *at == server).collect();
        if own.is_empty() {
            return Err(NoReply::Silent);
        }
        let said = |answers: Vec<Held>, code| Ok(Sections { code, answers, ..Sections::default() });
        if ask.manner != Manner::Authority {
            let answers: Vec<Held> =
                own.iter().map(|line| held(line)).filter(|held| is_of(held, question)).collect();
            let code = if answers.is_empty() { 2 } else { 0 };
            return said(answers, code);
        }
        let above =
            own.iter().map(|(_, zone, ..)| name(zone)).filter(|zone| zone.is_at_or_above(&question.name));
        let Some(zone) = above.max_by_key(|zone| zone.as_wire().len()) else { return said(Vec::new(), 5) };
        let records: Vec<Held> =
            own.iter().filter(|(_, of, ..)| name(of) == zone).map(|line| held(line)).collect();
        let cut = |held: &&Held| {
            matches!(held.data, Data::Ns(_))
                && held.owner != zone
                && held.owner.is_at_or_above(&question.name)
        };
        let delegation: Vec<Held> = records.iter().filter(cut).cloned().collect();
        let soa = Held { owner: zone.clone(), ttl: 30, data: Data::Soa(zone.clone(), 20) };
        if !delegation.is_empty() {
            let is_glue = |held: &&Held| matches!(held.data, Data::Address(_));
            let additionals = records.iter().filter(is_glue).cloned().collect();
            return Ok(Sections { authorities: delegation, additionals, ..Sections::default() });
        }
        let mut sections = Sections { is_authoritative: true, ..Sections::default() };
        sections.answers = records.iter().filter(|held| is_of(held, question)).cloned().collect();
        if question.kind == Kind::Soa && question.name == zone {
            sections.answers.push(soa);
        } else if sections.answers.is_empty() {
            sections.code = 3;
            sections.authorities.push(soa);
        }
        Ok(sections)
    }
}

impl Exchange for World {
    fn put(&self, asks: &[Ask], _: &dyn Fn(usize, &Reply) -> bool) -> Vec<Option<Reply>> {
        asks.iter().map(|ask| Some(self.reply(ask))).collect()
    }
}

fn walk(lines: &'static [Line], host: &str) -> Walk {
    let resolver: IpAddr = RESOLVER.parse().unwrap();
    let (world, may_ask) = (World(lines), |_: IpAddr| true);
    let mut walker = Walker::new(&world, SocketAddr::new(resolver, 53), &may_ask);
    walker.walk(&Question::new(name(host), Kind::A))
}

fn zones(walk: &Walk) -> Vec<String> {
    walk.legs.iter().map(|leg| leg.zone.to_string()).collect()
}

#[test]
fn aliases_lead_to_the_zone_where_the_record_lives() {
    for host in ["host.a.org", "host.below.a.org"] {
        let walk = walk(WORLD, host);
        assert_eq!(zones(&walk), ["a.org", "b.org"], "{walk:#?}");
        let published = walk.published().unwrap();
        assert_eq!(published.addresses(), ["198.51.100.4".parse::<IpAddr>().unwrap()]);
        assert!(walk.legs.iter().all(|leg| leg.basis == Basis::Parent), "{walk:#?}");
        assert_eq!(walk.legs[1].delegated_for, Some(Duration::from_secs(60)));
        assert_eq!(
            walk.legs[1].absent_for,
            Some(Duration::from_secs(20)),
            "the lesser of SOA and its minimum"
        );
    }
}

#[test]
fn servers_come_from_the_zone_above_and_those_of_the_cache_do_not_count() {
    let walk = walk(WORLD, "host.b.org");
    let servers: Vec<_> = walk.legs[0]
        .servers
        .iter()
        .map(|server| (server.name.to_string(), server.listed, &server.said))
        .collect();
    let [(four, Listed::Delegated, Said::Answer(_)), five, three] = &servers[..] else {
        panic!("{servers:#?}");
    };
    assert_eq!(four, "ns4.example");
    assert_eq!(*five, ("ns5.example".to_owned(), Listed::Delegated, &Said::Trouble(Trouble::Silent)));
    let (Listed::ResolverOnly, Said::Answer(old)) = (three.1, three.2) else { panic!("{servers:#?}") };
    assert_eq!(old.addresses(), ["198.51.100.9".parse::<IpAddr>().unwrap()]);
    assert_eq!(walk.legs[0].kept, Some(Duration::from_secs(60)));
    let published = walk.published().unwrap().addresses();
    assert_eq!(published, ["198.51.100.4".parse::<IpAddr>().unwrap()], "one of two answers");
}

#[test]
fn a_server_that_does_not_serve_what_it_is_delegated_is_named() {
    let walk = walk(WORLD, "to.a.org");
    assert_eq!(zones(&walk), ["a.org", "lame.org"]);
    let lame = &walk.legs[1].servers;
    assert_eq!((lame.len(), &lame[0].said), (1, &Said::Trouble(Trouble::Refused)), "{lame:#?}");
    assert_eq!(walk.published(), None);
}

#[test]
fn a_zone_at_the_server_of_the_zone_above_is_told_from_it() {
    let walk = walk(WORLD, "ns3.example");
    assert_eq!((zones(&walk), walk.legs[0].basis), (vec!["example".to_owned()], Basis::Parent), "{walk:#?}");
    assert_eq!(walk.legs[0].servers[0].name.to_string(), "ns.root.example");
}

#[test]
fn a_circle_of_aliases_ends() {
    let walk = walk(WORLD, "round.a.org");
    assert!(walk.is_endless && walk.published().is_none(), "{walk:#?}");
}

#[test]
fn without_a_root_the_way_begins_where_the_resolver_knows_of_servers() {
    #[rustfmt::skip]
    const INSIDE: &[Line] = &[
        ("192.0.2.53", "", "inside.org", "NS", "ns.inside.org"),
        ("192.0.2.53", "", "ns.inside.org", "A", "192.0.2.3"),
        ("192.0.2.3", "inside.org", "inside.org", "NS", "ns.inside.org"),
        ("192.0.2.3", "inside.org", "host.inside.org", "A", "198.51.100.4"),
    ];
    let walk = walk(INSIDE, "host.inside.org");
    assert_eq!(
        (zones(&walk), walk.legs[0].basis),
        (vec!["inside.org".to_owned()], Basis::Resolver),
        "{walk:#?}"
    );
    assert!(walk.published().is_some());
}
