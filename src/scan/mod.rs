//! The engine: order, pace, probe, resolve, judge and write joined into one stream. Knows no command line, draws nothing.

pub mod gate;
pub mod pace;
pub mod watermark;
