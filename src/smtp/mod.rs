//! The SMTP side as values: replies read from bytes, the name in a greeting, and what to send next. No
//! sockets, no clock.

pub mod dialogue;
pub mod ehlo;
pub mod greeting;
pub mod reply;
pub mod said;
