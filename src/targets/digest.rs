//! A fingerprint of what is to be scanned, the same on every machine and in every version: a checkpoint goes
//! on only with the targets that it was made for. Not meant against an adversary, who would own the file
//! anyway.

use crate::targets::Inventory;

/// An odd number with many bits set on and off: the golden ratio's 128 bits.
const FACTOR: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// A fingerprint that grows.
#[derive(Debug)]
pub(super) struct Digest(u128);

impl Digest {
    pub(super) fn new() -> Self {
        Self(FACTOR)
    }

    /// Takes a number in.
    pub(super) fn number(&mut self, number: u128) {
        // The product carries each bit upwards, the shift brings it back down.
        self.0 = (self.0 ^ number).wrapping_mul(FACTOR);
        self.0 ^= self.0 >> 67;
    }

    /// Takes a text in, its length first.
    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u128);
        for chunk in text.as_bytes().chunks(16) {
            let mut word = [0; 16];
            word[..chunk.len()].copy_from_slice(chunk);
            self.number(u128::from_le_bytes(word));
        }
    }

    /// Takes an inventory in.
    pub(super) fn inventory(&mut self, inventory: Option<&Inventory>) {
        let Some(inventory) = inventory else { return self.number(0) };
        self.number(1);
        self.text(inventory.expected_name.as_deref().unwrap_or(""));
        self.text(inventory.helo_name.as_deref().unwrap_or(""));
        self.number(inventory.tags.len() as u128);
        for (name, value) in &inventory.tags {
            self.text(name);
            self.text(value);
        }
    }

    /// The fingerprint of all taken in so far.
    pub(super) fn finish(self) -> u128 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: &[u128]) -> u128 {
        let mut digest = Digest::new();
        for &number in numbers {
            digest.number(number);
        }
        digest.finish()
    }

    #[test]
    fn the_fingerprint_is_the_same_in_every_version() {
        assert_eq!(of(&[1, 2, 3]), 0x138e_53e3_7ded_0c2a_5094_1626_1b9b_4158);
    }

    #[test]
    fn two_changes_do_not_cancel() {
        for bit in [0, 1, 60, 61, 66, 67, 126, 127] {
            for other in 0..128 {
                assert_ne!(of(&[5, 6]), of(&[5 ^ 1 << bit, 6 ^ 1 << other]), "{bit} {other}");
            }
        }
    }
}
