//! Who cares: what receivers of mail do with a client that looks as this host does. Rules are data with a
//! version; what they need and evidence does not hold gives [`Effect::Unknown`], never a refusal.
//!
//! Receivers look at the name in HELO or EHLO of the sending side, which nobody sees by connecting. Where the
//! user has not told it, the banner's name stands in, and the forecast says so.

mod facts;
mod table;

use super::Judgement;
use crate::evidence::Evidence;
use crate::targets::Inventory;
use facts::Facts;

pub use table::{Condition, RULES, Rule, VERSION};

/// What a receiver does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effect {
    /// Nothing: the host satisfies the rule.
    Pass,
    /// A 4xx reply: the mail comes later, or never.
    Defer,
    /// A 5xx reply, or a block.
    Reject,
    /// Points towards spam, the least and the most that the rule is published with.
    Score(f32, f32),
    /// Evidence does not settle it, or the receiver does not say.
    Unknown,
}

/// When a rule is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Applies {
    /// At this receiver, for every client.
    Always,
    /// Where the administrator has switched it on.
    IfConfigured,
    /// As the receiver sees fit.
    Sometimes,
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum About {
    /// Reverse DNS.
    Reverse,
    /// The name in HELO or EHLO.
    Helo,
}

/// What one rule makes of one host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reaction {
    /// The rule.
    pub rule: &'static Rule,
    /// What it does.
    pub effect: Effect,
}

/// What all receivers make of one host.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The rules' version.
    pub version: &'static str,
    /// The name that the HELO rules were tried on.
    pub helo_name: Option<String>,
    /// Whether the user observed that name; otherwise it is the banner's, as a stand-in.
    pub helo_observed: bool,
    /// One reaction a rule, in the order of the table.
    pub reactions: Vec<Reaction>,
}

/// What receivers would do with mail from this host. `judgement` is [`super::judge`]'s of the same evidence.
pub fn forecast(evidence: &Evidence, inventory: &Inventory, judgement: &Judgement) -> Forecast {
    let facts = Facts::of(evidence, inventory, judgement);
    let reactions = RULES.iter().map(|rule| Reaction { rule, effect: facts.effect(rule) }).collect();
    let helo_name = facts.helo_name().map(str::to_owned);
    Forecast { version: VERSION, helo_name, helo_observed: facts.is_observed(), reactions }
}

#[cfg(test)]
mod tests;
