//! What a watch must do, shown on sockets of the loopback network.

use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, SockRef, Type};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

fn connecting(to: SocketAddr) -> Stream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None).unwrap();
    let _ = socket.connect(&to.into());
    Stream::of(socket).unwrap()
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[tokio::test]
async fn all_that_was_said_is_heard_and_then_the_end() {
    let (listener, address) = listener();
    watched(async {
        let mut stream = connecting(address);
        assert!(matches!(stream, Stream::Own(_)));
        assert_eq!(stream.attempted().await.unwrap(), Attempt::Made);
        let (mut peer, _) = listener.accept().unwrap();
        stream.write_all(b"QUIT\r\n").await.unwrap();
        let mut heard = [0; 6];
        peer.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"QUIT\r\n");
        // More than is read at once, in pieces, and the end behind it.
        let text: Vec<u8> = (0..40_000_u32).map(|at| b'a' + (at % 26) as u8).collect();
        let told = text.clone();
        let peer = std::thread::spawn(move || {
            told.chunks(7_000).for_each(|piece| peer.write_all(piece).unwrap());
        });
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, text);
        peer.join().unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_reset_is_an_error_and_no_end() {
    let (listener, address) = listener();
    watched(async {
        let mut stream = connecting(address);
        assert_eq!(stream.attempted().await.unwrap(), Attempt::Made);
        let (peer, _) = listener.accept().unwrap();
        SockRef::from(&peer).set_linger(Some(std::time::Duration::ZERO)).unwrap();
        drop(peer);
        let error = stream.read(&mut [0; 16]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    })
    .await;
}

#[tokio::test]
async fn an_attempt_that_fails_says_why() {
    let (listener, address) = listener();
    drop(listener);
    watched(async {
        let stream = connecting(address);
        assert_eq!(stream.attempted().await.unwrap(), Attempt::Failed);
        let error = stream.take_error().unwrap().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    })
    .await;
}

#[tokio::test]
async fn a_place_is_used_again_and_knows_nothing_of_who_left_it() {
    let (listener, address) = listener();
    watched(async {
        for _ in 0..100 {
            let mut stream = connecting(address);
            assert_eq!(stream.attempted().await.unwrap(), Attempt::Made);
            let (mut peer, _) = listener.accept().unwrap();
            let mut heard = [0; 64];
            for piece in [b"220-one\r\n", b"220 two\r\n"] {
                peer.write_all(piece).unwrap();
                let length = stream.read(&mut heard).await.unwrap();
                assert_eq!(&heard[..length], piece, "no end was told yet");
            }
            drop(peer);
            assert_eq!(stream.read(&mut heard).await.unwrap(), 0);
        }
        let places = SET.with_borrow(|set| set.as_ref().map(|set| set.places.len()));
        assert_eq!(places, Some(1));
    })
    .await;
    assert!(SET.with_borrow(Option::is_none), "the set is gone with the work");
}

#[tokio::test]
async fn many_wait_at_once_and_each_is_woken_for_what_is_its_own() {
    let (listener, address) = listener();
    let tasks = tokio::task::LocalSet::new();
    watched(tasks.run_until(async {
        let mut waiting = Vec::new();
        let mut peers = Vec::new();
        for _ in 0..2 * EVENTS {
            let mut stream = connecting(address);
            assert_eq!(stream.attempted().await.unwrap(), Attempt::Made);
            peers.push(listener.accept().unwrap().0);
            waiting.push(tokio::task::spawn_local(async move {
                let mut heard = String::new();
                stream.read_to_string(&mut heard).await.unwrap();
                heard
            }));
        }
        tokio::task::yield_now().await;
        for (number, mut peer) in peers.into_iter().enumerate() {
            write!(peer, "{number}").unwrap();
        }
        for (number, task) in waiting.into_iter().enumerate() {
            assert_eq!(task.await.unwrap(), number.to_string());
        }
    }))
    .await;
}

#[tokio::test]
async fn elsewhere_a_socket_is_tokios() {
    let (_listener, address) = listener();
    let stream = connecting(address);
    assert!(matches!(stream, Stream::Tokio(_)));
    assert_eq!(stream.attempted().await.unwrap(), Attempt::Made);
}
