//! Mail hosts and a resolver of a test's own, for namespaces: what each address says, and what DNS holds, are
//! functions. For a few hundred conversations; [`banneret::demo::load`] is for many.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use banneret::demo::dns::{Questions, Sockets};
use banneret::demo::zone::Zone;
use socket2::{Domain, Socket, Type};

/// Where [`serve_names`] answers, as `--resolver` takes it.
pub const RESOLVER: &str = "127.0.0.1:53";

/// Greets whoever connects to any address of the namespace at these ports, then listens until the client
/// leaves; an empty greeting closes at once.
pub fn serve_hosts<F>(ports: &[u16], greeting: F)
where
    F: Fn(Ipv4Addr, u16) -> Vec<u8> + Send + Sync + 'static,
{
    let greeting = Arc::new(greeting);
    for &port in ports {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).expect("the port is free here");
        let greeting = Arc::clone(&greeting);
        thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let greeting = Arc::clone(&greeting);
                thread::spawn(move || converse(stream, &*greeting));
            }
        });
    }
}

/// Greets whoever connects to one address of the namespace, of either family.
pub fn serve_at(ip: IpAddr, port: u16, greeting: Vec<u8>) {
    const BACKLOG: i32 = 16;
    let at = SocketAddr::new(ip, port);
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, None).expect("a socket");
    // An IPv6 address is local by its route alone.
    if ip.is_ipv6() {
        socket.set_freebind_v6(true).expect("an IPv6 socket can");
    }
    socket.bind(&at.into()).expect("the port is free here");
    socket.listen(BACKLOG).expect("it can listen");
    let listener = TcpListener::from(socket);
    thread::spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            let greeting = greeting.clone();
            thread::spawn(move || listen_until_left(stream, &greeting));
        }
    });
}

/// A client that goes away ends its own conversation and nothing else.
fn converse(stream: TcpStream, greeting: &(impl Fn(Ipv4Addr, u16) -> Vec<u8> + ?Sized)) -> Option<()> {
    let own = stream.local_addr().ok()?;
    let IpAddr::V4(ip) = own.ip() else { return None };
    listen_until_left(stream, &greeting(ip, own.port()))
}

fn listen_until_left(mut stream: TcpStream, greeting: &[u8]) -> Option<()> {
    stream.write_all(greeting).ok()?;
    let mut said = [0; 512];
    while !greeting.is_empty() {
        let length = stream.read(&mut said).ok().filter(|&length| length > 0)?;
        let quit = said[..length].starts_with(b"QUIT");
        stream.write_all(if quit { b"221 2.0.0 Bye\r\n" } else { b"250 2.0.0 Ok\r\n" }).ok()?;
        if quit {
            return None;
        }
    }
    Some(())
}

/// Answers at [`RESOLVER`] until the program ends.
pub fn serve_names(zone: impl Zone + 'static) {
    let address: SocketAddrV4 = RESOLVER.parse().expect("it is one");
    let sockets = Sockets::bind(address).expect("the port is free here");
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(sockets.serve(Arc::new(zone), Arc::new(Questions::default())))
    });
}
