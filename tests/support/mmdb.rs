//! Writes small MMDB files (version 2.0 of <https://maxmind.github.io/MaxMind-DB/>): a binary tree of 24-bit
//! records over IPv6, IPv4 below `::/96`, then the data, then what they say of themselves.

use std::net::IpAddr;

/// A value of the data section.
#[derive(Debug, Clone)]
pub enum Value {
    Text(&'static str),
    Small(u16),
    Number(u32),
    Big(u64),
    Map(Vec<(&'static str, Value)>),
    List(Vec<Value>),
}

#[derive(Debug, Clone, Copy)]
enum Side {
    Nothing,
    Node(usize),
    Data(usize),
}

/// A data base with these prefixes; a longer one goes into a shorter one that stands before it.
pub fn mmdb(kind: &'static str, prefixes: &[(&str, Value)]) -> Vec<u8> {
    let mut nodes = vec![[Side::Nothing; 2]];
    let mut data = Vec::new();
    for (prefix, value) in prefixes {
        let (ip, length) = prefix.split_once('/').expect("a prefix");
        let length: usize = length.parse().expect("a length");
        let (bits, length) = match ip.parse().expect("an address") {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()), length + 96),
            IpAddr::V6(v6) => (v6.to_bits(), length),
        };
        let at = data.len();
        encode(value, &mut data);
        insert(&mut nodes, bits, length, Side::Data(at));
    }
    let count = nodes.len();
    let mut file = Vec::new();
    for side in nodes.iter().flatten() {
        let number = match side {
            Side::Nothing => count,
            Side::Node(node) => *node,
            Side::Data(at) => count + 16 + at,
        };
        file.extend_from_slice(&u32::try_from(number).expect("a small file").to_be_bytes()[1..]);
    }
    file.extend_from_slice(&[0; 16]);
    file.extend_from_slice(&data);
    file.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    let about = Value::Map(vec![
        ("binary_format_major_version", Value::Small(2)),
        ("binary_format_minor_version", Value::Small(0)),
        // 2026-01-02T03:04:05Z.
        ("build_epoch", Value::Big(1_767_323_045)),
        ("database_type", Value::Text(kind)),
        ("description", Value::Map(vec![("en", Value::Text("made for a test"))])),
        ("ip_version", Value::Small(6)),
        ("languages", Value::List(vec![Value::Text("en")])),
        ("node_count", Value::Number(u32::try_from(count).expect("a small file"))),
        ("record_size", Value::Small(24)),
    ]);
    encode(&about, &mut file);
    file
}

fn insert(nodes: &mut Vec<[Side; 2]>, bits: u128, length: usize, leaf: Side) {
    let mut node = 0;
    for depth in 0..length {
        let side = usize::from(bits >> (127 - depth) & 1 == 1);
        if depth + 1 == length {
            nodes[node][side] = leaf;
            return;
        }
        node = match nodes[node][side] {
            Side::Node(next) => next,
            held => {
                nodes.push([held; 2]);
                let next = nodes.len() - 1;
                nodes[node][side] = Side::Node(next);
                next
            }
        };
    }
}

/// A control byte (type in its upper three bits, size below), then the value.
fn encode(value: &Value, out: &mut Vec<u8>) {
    let small = |size: usize| u8::try_from(size).expect("a small value");
    match value {
        Value::Text(text) => {
            match text.len() {
                size @ ..29 => out.push((2 << 5) + small(size)),
                size => out.extend([(2 << 5) + 29, small(size - 29)]),
            }
            out.extend_from_slice(text.as_bytes());
        }
        Value::Small(number) => {
            out.push((5 << 5) + 2);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Value::Number(number) => {
            out.push((6 << 5) + 4);
            out.extend_from_slice(&number.to_be_bytes());
        }
        // Types above 7 stand in a byte of their own.
        Value::Big(number) => {
            out.extend([8, 9 - 7]);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Value::Map(pairs) => {
            out.push((7 << 5) + small(pairs.len()));
            for (key, value) in pairs {
                encode(&Value::Text(key), out);
                encode(value, out);
            }
        }
        Value::List(items) => {
            out.extend([small(items.len()), 11 - 7]);
            for item in items {
                encode(item, out);
            }
        }
    }
}
