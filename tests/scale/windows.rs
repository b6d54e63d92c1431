//! How many events fall into any window of time, the first included.

/// The most events that any window of `width` nanoseconds holds. A window that holds most can be taken to
/// begin with an event, so these are all that need a look. `times` are sorted.
pub(crate) fn most(times: &[u64], width: u64) -> usize {
    let mut most = 0;
    let mut first = 0;
    for (at, &time) in times.iter().enumerate() {
        while time - times[first] >= width {
            first += 1;
        }
        most = most.max(at + 1 - first);
    }
    most
}

#[test]
fn the_fullest_window_is_found_wherever_it_lies() {
    for (times, width, count) in [
        (&[][..], 10, 0),
        (&[5], 10, 1),
        (&[0, 9, 10, 19, 20], 10, 2),
        (&[0, 1, 2, 50, 51, 52, 53], 10, 4),
        (&[0, 0, 0, 0], 10, 4),
        (&[0, 10, 20, 30], 31, 4),
    ] {
        assert_eq!(most(times, width), count, "{times:?}");
    }
}
