//! Time for one greeting: read from bytes, told apart, and its name found. In nanoseconds for each greeting,
//! over greetings as they are met in the field.

use banneret::smtp::greeting::{Greeting, Own};
use banneret::smtp::reply::{Reader, Reply};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// One after the other, so that no branch of the code gets used to one of them.
const GREETINGS: [&str; 8] = [
    "220 mail.example.org ESMTP Postfix (Debian/GNU)\r\n",
    "220 mx.example.net ESMTP 192si278251wma.146 - gsmtp\r\n",
    "220 CH3PEPF00000015.mail.example.com Microsoft ESMTP MAIL Service ready at Tue, 1 Jul 2025 10:00:00 +0000\r\n",
    "220-server.example.net ESMTP Exim 4.96 #2 Tue, 01 Jul 2025 10:00:00 +0200 \r\n\
     220-We do not authorize the use of this system to transport unsolicited, \r\n220 and/or bulk e-mail.\r\n",
    "220 SG ESMTP service ready at ismtpd0013p1las1.example.net\r\n",
    "220 mail.example.org ESMTP Sendmail 8.15.2/8.15.2; Tue, 1 Jul 2025 10:00:00 +0200; (No UCE/UBE) logging access \
     from: [192.0.2.99](FAIL)-[192.0.2.99]\r\n",
    "554-mail.example.org\r\n554 Your access to this mail system has been rejected due to poor reputation\r\n",
    "220 localhost ESMTP\r\n",
];

fn read(bytes: &[u8]) -> Option<Reply> {
    let mut reader = Reader::default();
    reader.feed(bytes);
    reader.finish()
}

/// Bytes to a reply.
#[divan::bench]
fn parse(bencher: Bencher<'_, '_>) {
    let mut greetings = GREETINGS.iter().cycle();
    bencher
        .with_inputs(|| greetings.next().map_or("", |it| it))
        .bench_local_values(|greeting| read(black_box(greeting.as_bytes())));
}

/// The same bytes in slices of 16.
#[divan::bench]
fn parse_cut(bencher: Bencher<'_, '_>) {
    let mut greetings = GREETINGS.iter().cycle();
    bencher.with_inputs(|| greetings.next().map_or("", |it| it)).bench_local_values(|greeting| {
        let mut reader = Reader::default();
        for part in black_box(greeting).as_bytes().chunks(16) {
            reader.feed(part);
        }
        reader.finish()
    });
}

/// A reply to the name in it.
#[divan::bench]
fn name(bencher: Bencher<'_, '_>) {
    let replies: Vec<Reply> = GREETINGS.iter().filter_map(|greeting| read(greeting.as_bytes())).collect();
    let mut replies = replies.iter().cycle();
    bencher
        .with_inputs(|| replies.next())
        .bench_local_values(|reply| reply.map(|reply| Greeting::read(black_box(reply), Own::default())));
}

/// A line of the greatest length that is kept, all of it words that may be names.
#[divan::bench]
fn name_in_the_worst_line(bencher: Bencher<'_, '_>) {
    let line = format!("220 x ready at {}\r\n", "a.b1 ".repeat(400));
    let reply = read(line.as_bytes());
    bencher.bench_local(|| reply.as_ref().map(|reply| Greeting::read(black_box(reply), Own::default())));
}
