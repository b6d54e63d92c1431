//! The engine: order, pace, probe, resolve, judge and write joined into one stream. Knows no command line, draws nothing.
