//! The names that a host gives itself, taken from what it showed.
//!
//! Evidence holds neither our name nor our address, so an echo of them can't be told from the server's own name here.

use crate::evidence::Observation;
use crate::smtp::ehlo;
use crate::smtp::greeting::{Form, Greeting, Own};

/// The greeting of a host that sent one, read.
pub(super) fn banner(observation: &Observation) -> Greeting {
    match &observation.greeting {
        Some(reply) => Greeting::read(reply, Own::default()),
        None => Greeting { name: None, form: Form::Absent, extra_names: Vec::new(), refusal: None },
    }
}

/// The name in the reply to EHLO or HELO, in normal form.
pub(super) fn ehlo_name(observation: &Observation) -> Option<String> {
    observation.ehlo.as_ref().and_then(ehlo::name)
}
