//! The simulated block as its users meet it: sockets on the loopback network and a truth to hold against
//! them.
#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use banneret::demo::dns::{Questions, Sockets};
use banneret::demo::load::Load;
use banneret::demo::plain::{self, Plain};
use banneret::demo::{Block, Running, Truth};
use banneret::evidence::Outcome;
use banneret::name::DnsName;
use banneret::prefix::Prefix;
use hickory_resolver::proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RecordType};

/// Far beyond what an answer on one machine takes.
const PATIENCE: Duration = Duration::from_secs(20);
/// Short, for hosts that never say a word.
const IMPATIENCE: Duration = Duration::from_millis(50);

fn block() -> Block {
    Block::new(Prefix::parse("127.26.0.0/22").unwrap(), 1).unwrap()
}

fn home(block: &Block, persona: &str) -> Truth {
    block.truths().find(|truth| truth.persona == persona).unwrap()
}

fn connect(truth: &Truth, running: &Running) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(SocketAddr::new(truth.ip.into(), running.smtp_port()))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Reads to the last line of a reply, or to the end.
fn reply(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut heard = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte)? == 1 {
        heard.push(byte[0]);
        let last = heard.strip_suffix(b"\n").and_then(|lines| lines.rsplit(|&b| b == b'\n').next());
        if last.is_some_and(|line| line.get(3) != Some(&b'-')) {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&heard).into_owned())
}

fn ask(dns: SocketAddr, owner: &str, kind: RecordType) -> Message {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(owner).unwrap(), kind));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send_to(&message.to_vec().unwrap(), dns).unwrap();
    let mut reply = [0; 4096];
    let length = socket.recv(&mut reply).unwrap();
    Message::from_vec(&reply[..length]).unwrap()
}

#[test]
fn hosts_say_what_their_truth_says() {
    let block = block();
    let running = block.serve().unwrap();
    for persona in ["postfix", "postscreen", "cpanel", "related", "momentum", "no_ptr", "generic_ptr"] {
        let truth = home(&block, persona);
        let mut stream = connect(&truth, &running).unwrap();
        let greeting = reply(&mut stream).unwrap();
        assert!(
            greeting.starts_with("220") && greeting.contains(&truth.banner_name.unwrap()),
            "{greeting:?}"
        );
        stream.write_all(b"QUIT\r\n").unwrap();
        assert_eq!(reply(&mut stream).unwrap(), "221 2.0.0 Bye\r\n");
        assert_eq!(stream.read(&mut [0]).unwrap(), 0, "{persona} closes");
    }
    let manners = running.manners();
    assert_eq!((manners.connections, manners.early, manners.quits, manners.most_at_once), (7, 0, 7, 1));
}

#[test]
fn hosts_that_are_no_mail_server_fail_each_in_their_own_way() {
    let block = block();
    let running = block.serve().unwrap();
    let refused = connect(&home(&block, "refused"), &running).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    let mut closes = connect(&home(&block, "closes"), &running).unwrap();
    assert_eq!(closes.read(&mut [0]).unwrap(), 0);
    let mut resets = connect(&home(&block, "resets"), &running).unwrap();
    assert_eq!(resets.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    let mut silent = connect(&home(&block, "silent"), &running).unwrap();
    silent.set_read_timeout(Some(IMPATIENCE)).unwrap();
    assert_eq!(silent.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    let mut ssh = connect(&home(&block, "ssh"), &running).unwrap();
    let mut version = [0; 8];
    ssh.read_exact(&mut version).unwrap();
    assert_eq!(&version, b"SSH-2.0-");
}

#[test]
fn every_host_that_has_a_mail_server_accepts_and_no_other() {
    let block = block();
    let running = block.serve().unwrap();
    for truth in block.truths() {
        assert_eq!(connect(&truth, &running).is_ok(), truth.outcome != Outcome::Refused, "{}", truth.ip);
    }
}

#[test]
fn the_names_of_a_sound_host_lead_back_and_those_of_others_do_not() {
    let block = block();
    let running = block.serve().unwrap();
    let truth = home(&block, "postfix");
    let reverse = |truth: &Truth| format!("{}.", DnsName::reverse(truth.ip.into()));
    let answer = ask(running.dns(), &reverse(&truth), RecordType::PTR);
    let name = answer.answers[0].data.to_string();
    assert_eq!(name.strip_suffix('.'), truth.banner_name.as_deref());
    let answer = ask(running.dns(), &name, RecordType::A);
    assert_eq!(answer.answers[0].data.to_string(), truth.ip.to_string());
    for (persona, code) in [("no_ptr", ResponseCode::NXDomain), ("ptr_servfail", ResponseCode::ServFail)] {
        let answer = ask(running.dns(), &reverse(&home(&block, persona)), RecordType::PTR);
        assert_eq!((answer.metadata.response_code, answer.answers.len()), (code, 0), "{persona}");
    }
}

#[test]
fn a_long_answer_comes_whole_over_tcp() {
    let block = block();
    let running = block.serve().unwrap();
    let owner = format!("{}.", DnsName::reverse(home(&block, "forty_ptr_names").ip.into()));
    assert!(ask(running.dns(), &owner, RecordType::PTR).metadata.truncation);
    let mut message = Message::new(9, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(&owner).unwrap(), RecordType::PTR));
    let query = message.to_vec().unwrap();
    let mut stream = TcpStream::connect(running.dns()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&u16::try_from(query.len()).unwrap().to_be_bytes()).unwrap();
    stream.write_all(&query).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(Message::from_vec(&reply).unwrap().answers.len(), 40);
    assert_eq!((running.questions().udp(), running.questions().tcp()), (1, 1));
}

#[test]
fn the_end_of_serving_frees_every_address_and_thread() {
    let block = block();
    let running = block.serve().unwrap();
    let held = connect(&home(&block, "silent"), &running).unwrap();
    let (truth, port, dns) = (home(&block, "postfix"), running.smtp_port(), running.dns());
    drop(running);
    // Both threads were joined, so nothing is left that could hold these.
    let to = SocketAddr::new(truth.ip.into(), port);
    assert_eq!(TcpStream::connect(to).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert!(UdpSocket::bind(dns).is_ok());
    held.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(matches!((&held).read(&mut [0]), Ok(0) | Err(_)));
}

#[test]
fn a_load_server_greets_at_every_address_with_its_own_name() {
    let hosts = Plain::of(Prefix::parse("127.64.0.0/15").unwrap());
    let load = Load::start(hosts, 0).unwrap();
    for ip in ["127.64.0.0", "127.65.255.255", "127.64.9.200"] {
        let ip: IpAddr = ip.parse().unwrap();
        let IpAddr::V4(v4) = ip else { panic!() };
        let mut stream = TcpStream::connect(SocketAddr::new(ip, load.port())).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let name = plain::name(v4);
        assert_eq!(reply(&mut stream).unwrap(), format!("220 {name} ESMTP Postfix\r\n"));
        stream.write_all(b"EHLO scan.example.net\r\n").unwrap();
        assert_eq!(reply(&mut stream).unwrap(), format!("250-{name}\r\n250 PIPELINING\r\n"));
        stream.write_all(b"QUIT\r\n").unwrap();
        assert_eq!(reply(&mut stream).unwrap(), "221 2.0.0 Bye\r\n");
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    }
    let mut outside = TcpStream::connect(("127.0.0.1", load.port())).unwrap();
    outside.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(outside.read(&mut [0]).unwrap(), 0, "closed without a word");
    assert_eq!(load.greeted(), 3);
}

#[tokio::test]
async fn plain_hosts_have_names_that_lead_back_without_a_table() {
    let hosts = Plain::of(Prefix::parse("198.18.0.0/15").unwrap());
    let sockets = Sockets::local().unwrap();
    let dns = sockets.address().unwrap();
    let server = tokio::spawn(sockets.serve(Arc::new(hosts), Arc::new(Questions::default())));
    let asked = tokio::task::spawn_blocking(move || {
        let ptr = ask(dns, "7.0.18.198.in-addr.arpa.", RecordType::PTR).answers[0].data.to_string();
        let back = ask(dns, &ptr, RecordType::A).answers[0].data.to_string();
        (ptr, back)
    });
    let (ptr, back) = asked.await.unwrap();
    assert_eq!((ptr.as_str(), back.as_str()), ("mail.mgbcaaah.bv.", "198.18.0.7"));
    server.abort();
}
