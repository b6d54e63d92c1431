//! When connections start: the kernel's own time of each SYN as the loopback device took it, within the
//! `connect` that made it. Later places tell less: a server's `accept`, or a tracer's clock, waits for its
//! turn on a busy machine.
//!
//! Unsafe is the one `setsockopt` that asks for these times, and reading the part of a buffer that a call has
//! filled.
#![allow(unsafe_code)]

use std::io;
use std::mem::MaybeUninit;
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::{Domain, MaybeUninitSlice, MsgHdrMut, Protocol, SockFilter, Socket, Type};

/// Between two looks at whether it is over.
const LOOK: Duration = Duration::from_millis(20);
/// As much as a header of IPv4 and one of TCP.
const HEADERS: usize = 60;

/// One connection, as it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Syn {
    /// Nanoseconds of the kernel's clock.
    pub time: u64,
    /// Where to.
    pub ip: Ipv4Addr,
    /// Where to.
    pub port: u16,
}

/// Listens to the loopback device of a namespace.
pub struct Syns {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Syn>>,
}

impl Syns {
    /// Listens from now on.
    pub fn listen() -> Self {
        let socket = open().expect("packets can be heard: this is a namespace of our own");
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        Self { over, thread: std::thread::spawn(move || collect(&socket, &ended)) }
    }

    /// All SYNs so far, in their order.
    pub fn end(self) -> Vec<Syn> {
        self.over.store(true, Ordering::SeqCst);
        let mut syns = self.thread.join().expect("the listener lives");
        syns.sort_by_key(|syn| syn.time);
        syns
    }
}

fn open() -> io::Result<Socket> {
    // What goes out is shown to those who ask for all.
    let all = Protocol::from(i32::from(u16::try_from(libc::ETH_P_ALL).unwrap_or_default().to_be()));
    let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(all))?;
    socket.attach_filter(&filter())?;
    // As much as the kernel grants; the callers count, so a loss is noticed.
    socket.set_recv_buffer_size(16 << 20)?;
    socket.set_read_timeout(Some(LOOK))?;
    let on: libc::c_int = 1;
    let length = libc::socklen_t::try_from(size_of_val(&on)).unwrap_or_default();
    // SAFETY: the descriptor is open, and `on` is live and of the length said.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_TIMESTAMPNS,
            (&raw const on).cast(),
            length,
        )
    };
    if done == 0 { Ok(socket) } else { Err(io::Error::last_os_error()) }
}

/// In the kernel's own words (bpf(4)): what goes out, is IPv4 and TCP, and has of SYN and ACK only SYN.
fn filter() -> [SockFilter; 12] {
    /// `SKF_AD_OFF + SKF_AD_PKTTYPE`: a packet's direction, which is none of its bytes.
    const DIRECTION: u32 = 0xffff_f000 + 4;
    const OUTGOING: u32 = 4;
    /// `SKF_AD_OFF + SKF_AD_PROTOCOL`: as in Ethernet's header.
    const PROTOCOL: u32 = 0xffff_f000;
    const IPV4: u32 = 0x0800;
    const REJECT: u8 = 11;
    let from = |at: u8| REJECT - at - 1;
    [
        SockFilter::new(0x20, 0, 0, DIRECTION),
        SockFilter::new(0x15, 0, from(1), OUTGOING),
        SockFilter::new(0x20, 0, 0, PROTOCOL),
        SockFilter::new(0x15, 0, from(3), IPV4),
        SockFilter::new(0x30, 0, 0, 9),
        SockFilter::new(0x15, 0, from(5), 6),
        SockFilter::new(0xb1, 0, 0, 0),
        SockFilter::new(0x50, 0, 0, 13),
        SockFilter::new(0x54, 0, 0, 0x12),
        SockFilter::new(0x15, 0, from(9), 0x02),
        SockFilter::new(0x06, 0, 0, 60),
        SockFilter::new(0x06, 0, 0, 0),
    ]
}

fn collect(socket: &Socket, over: &AtomicBool) -> Vec<Syn> {
    let mut syns = Vec::new();
    loop {
        match receive(socket) {
            Ok(syn) => syns.extend(syn),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if over.load(Ordering::SeqCst) {
                    return syns;
                }
            }
            Err(error) => panic!("packets can't be heard: {error}"),
        }
    }
}

fn receive(socket: &Socket) -> io::Result<Option<Syn>> {
    let mut packet = [MaybeUninit::<u8>::uninit(); HEADERS];
    let mut control = [MaybeUninit::<u8>::uninit(); 64];
    let mut buffers = [MaybeUninitSlice::new(&mut packet)];
    let mut message = MsgHdrMut::new().with_buffers(&mut buffers).with_control(&mut control);
    let length = socket.recvmsg(&mut message, 0)?;
    let told = message.control_len();
    let packet: Vec<u8> = initialised(&packet[..length.min(HEADERS)]);
    Ok(time_of(&initialised(&control[..told])).and_then(|time| syn_of(&packet, time)))
}

/// The part of a buffer that a call said it has filled.
fn initialised(bytes: &[MaybeUninit<u8>]) -> Vec<u8> {
    // SAFETY: the kernel wrote every one of them, as it told.
    bytes.iter().map(|byte| unsafe { byte.assume_init() }).collect()
}

/// The one control message: its length, level and type, then seconds and nanoseconds (socket(7)).
fn time_of(control: &[u8]) -> Option<u64> {
    let number = |at: usize| Some(u64::from_ne_bytes(control.get(at..at + 8)?.try_into().ok()?));
    Some(number(16)? * 1_000_000_000 + number(24)?)
}

fn syn_of(packet: &[u8], time: u64) -> Option<Syn> {
    let tcp = usize::from(packet.first()? & 15) * 4;
    let ip = <[u8; 4]>::try_from(packet.get(16..20)?).ok()?.into();
    let port = u16::from_be_bytes(packet.get(tcp + 2..tcp + 4)?.try_into().ok()?);
    Some(Syn { time, ip, port })
}
