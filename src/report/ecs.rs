//! JSON Lines in the Elastic Common Schema. The line is [`crate::record::ecs`]'s.

use super::rows::Encode;
use crate::record::{Record, ecs};

/// Writes lines.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ecs;

impl Encode for Ecs {
    fn head(&mut self, _block: &mut Vec<u8>) {}

    fn row(&mut self, record: &Record, block: &mut Vec<u8>) {
        ecs::encode(record, block);
    }
}
