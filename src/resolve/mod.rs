//! Asking DNS: which questions a host leaves open, each asked once, through shared sockets, paced, with the health of
//! every upstream watched. Knows no SMTP conversation, no output, no order.
