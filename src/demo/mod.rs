//! A simulated provider block with ground truth, for `banneret demo`, tests and benches.
