//! Records → files and summaries. Knows no network.
