//! Messages read by the table.
