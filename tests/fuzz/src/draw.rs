//! Decisions drawn from the front of an input, so that what is left of it is the text itself.

/// What is left of an input; an empty one goes on as zeros.
#[derive(Debug)]
pub struct Draw<'a> {
    left: &'a [u8],
}

impl<'a> Draw<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { left: data }
    }

    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.left.split_first() else { return 0 };
        self.left = rest;
        first
    }

    pub fn number(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// Up to so many bytes.
    pub fn take(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.left.split_at(most.min(self.left.len()));
        self.left = rest;
        taken
    }

    pub fn rest(self) -> &'a [u8] {
        self.left
    }
}

/// `bytes` in pieces of sizes that `cuts` names in turn, none of them empty.
pub fn cut<'a>(mut bytes: &'a [u8], cuts: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut sizes = cuts.iter().map(|&size| usize::from(size).max(1)).cycle();
    while !bytes.is_empty() {
        let size = sizes.next().unwrap_or(usize::MAX).min(bytes.len());
        let (piece, rest) = bytes.split_at(size);
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}
