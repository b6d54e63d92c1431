//! Interrupt moderation for a thread of conversations: while something happens all the time, it is taken in
//! strides.
//!
//! A thread that is faster than its peers drains what came, waits, and is woken for the next event alone;
//! each wake-up is a task switch, and dearer than the event. So a wait that was short is followed by a nap
//! before the next one: what happens meanwhile is then taken at once. Where events are further apart than a
//! nap, there is none.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;

/// A nap, and the longest wait that one follows. So much later than it could be is an event seen at most.
pub const NAP: Duration = Duration::from_micros(250);

/// When a thread's wait began, and how long the one before it took; once it is over, how long it took itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waits {
    begin: Instant,
    last: Duration,
}

thread_local! {
    static WAITS: Cell<Option<Waits>> = const { Cell::new(None) };
}

/// Has the thread that runs such a runtime nap between waits that are short.
pub fn moderated(builder: &mut Builder) -> &mut Builder {
    builder.on_thread_park(before_wait).on_thread_unpark(after_wait)
}

fn before_wait() {
    let last = WAITS.get().map_or(Duration::MAX, |waits| waits.last);
    if let Some(nap) = nap_after(last) {
        thread::sleep(nap);
    }
    WAITS.set(Some(Waits { begin: Instant::now(), last }));
}

/// The nap after a wait that took so long.
fn nap_after(last: Duration) -> Option<Duration> {
    (last < NAP).then_some(NAP)
}

fn after_wait() {
    WAITS.set(WAITS.get().map(|waits| Waits { last: waits.begin.elapsed(), ..waits }));
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    /// How long a number of questions take, each of them put as soon as the one before is answered, and how
    /// often the thread that answers waited.
    fn answering(questions: u32, builder: &mut Builder) -> (Duration, u64) {
        let runtime = builder.build().unwrap();
        let (ask, mut asked) = mpsc::unbounded_channel();
        let (answer, answers) = std::sync::mpsc::channel();
        let asking = thread::spawn(move || {
            let begin = Instant::now();
            for question in 0..questions {
                ask.send(question).unwrap();
                assert_eq!(answers.recv().unwrap(), question);
            }
            begin.elapsed()
        });
        runtime.block_on(async {
            while let Some(question) = asked.recv().await {
                let _ = answer.send(question);
            }
        });
        (asking.join().unwrap(), runtime.metrics().worker_park_count(0))
    }

    #[test]
    fn what_comes_in_quick_succession_is_taken_in_strides() {
        let (took, waits) = answering(2000, moderated(&mut Builder::new_current_thread()));
        // Whatever else the machine does: each wait but the last was longer than a nap or followed by one.
        let strides = waits.saturating_sub(2);
        assert!(took.as_micros() >= NAP.as_micros() * u128::from(strides), "{took:?} for {waits} waits");
    }

    #[test]
    fn only_a_short_wait_is_followed_by_a_nap() {
        for (last, naps) in [
            (Duration::MAX, false),
            (NAP, false),
            (NAP.saturating_sub(Duration::from_nanos(1)), true),
            (Duration::ZERO, true),
        ] {
            assert_eq!(nap_after(last).is_some(), naps, "{last:?}");
        }
        assert_eq!(WAITS.get(), None);
        before_wait();
        assert_eq!(
            WAITS.get().map(|waits| waits.last),
            Some(Duration::MAX),
            "the first wait has none before it"
        );
        after_wait();
        assert!(WAITS.get().is_some_and(|waits| waits.last < Duration::MAX));
    }
}
