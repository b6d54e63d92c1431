//! A checkpoint that comes from a disk: whole, damaged, or written by somebody else.

use banneret::scan::checkpoint::{Checkpoint, runs};

use super::safe::assert_message;

/// A file as it lies there, and its second line as the contents of a file whose checksum fits.
pub fn checkpoint(data: &[u8]) {
    match Checkpoint::decode(data) {
        Ok(checkpoint) => assert_checkpoint(&checkpoint),
        Err(wrong) => assert_message(&wrong),
    }
    let body = data.iter().position(|&b| b == b'\n').map_or(data, |end| &data[end + 1..]);
    if let Ok(checkpoint) = serde_json::from_slice::<Checkpoint>(body) {
        assert_checkpoint(&checkpoint);
    }
}

fn assert_checkpoint(checkpoint: &Checkpoint) {
    let file = checkpoint.encode();
    match Checkpoint::decode(&file) {
        Ok(again) => assert_eq!(again, *checkpoint),
        Err(wrong) => return assert_message(&wrong),
    }
    assert!(Checkpoint::decode(&file[..file.len() - 1]).is_err(), "a file cut short counts");
    let (turns, mark) = match (checkpoint.pending_turns(), checkpoint.watermark()) {
        (Ok(turns), Ok(mark)) => (turns, mark),
        (turns, mark) => {
            assert!(mark.is_err(), "pending turns that make no sense make a watermark");
            return turns.err().iter().chain(mark.err().iter()).for_each(assert_message);
        }
    };
    assert!(turns.iter().all(|turn| *turn < checkpoint.high));
    assert_eq!(mark.high(), checkpoint.high);
    let mut distinct = turns;
    distinct.sort_unstable();
    distinct.dedup();
    assert!(mark.pending().eq(distinct.iter().copied()), "{:?} of {}", checkpoint.pending, checkpoint.high);
    let again = Checkpoint { pending: runs(mark.pending()), ..checkpoint.clone() };
    assert_eq!(again.pending_turns(), Ok(distinct), "runs say what turns said");
}
