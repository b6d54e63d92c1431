//! Who would act on it: receivers by what they do, or rule by rule.

use super::{Detail, Page};
use crate::judge::receivers::{Applies, Effect, Forecast, Reaction, forecast};
use crate::record::Record;
use crate::targets::Inventory;

impl Page<'_> {
    pub(super) fn receivers(&mut self, record: &Record, inventory: &Inventory) {
        let forecast = forecast(&record.evidence, inventory, &record.judgement);
        let acting: Vec<&Reaction> = forecast
            .reactions
            .iter()
            .filter(|reaction| !matches!(reaction.effect, Effect::Pass | Effect::Unknown))
            .collect();
        let unknown = forecast.reactions.iter().filter(|reaction| reaction.effect == Effect::Unknown).count();
        let passed = forecast.reactions.len() - acting.len() - unknown;
        self.text.push('\n');
        self.line(&format!(
            "  receivers: {passed} rules are passed, {} act, {unknown} can't be told (rules of version {})",
            acting.len(),
            forecast.version
        ));
        if !acting.is_empty() || forecast.helo_observed || self.detail == Detail::All {
            self.helo_name(&forecast);
        }
        if self.detail == Detail::All {
            for reaction in acting {
                let rule = reaction.rule;
                let reply = if rule.reply.is_empty() { String::new() } else { format!(" ({})", rule.reply) };
                let applies = match rule.applies {
                    Applies::Always => "",
                    Applies::IfConfigured => ", where it is switched on",
                    Applies::Sometimes => ", at times",
                };
                let text = format!("{}: {}{reply}{applies}", rule.name, effect(reaction.effect));
                self.row(rule.receiver, &text);
            }
            return;
        }
        let always = |reaction: &&&Reaction| reaction.rule.applies == Applies::Always;
        let refusing = acting.iter().filter(|it| it.effect == Effect::Reject).filter(always);
        self.list("reject", with_replies(refusing));
        let deferring = acting.iter().filter(|it| it.effect == Effect::Defer).filter(always);
        self.list("defer", with_replies(deferring));
        for (title, applies) in [("at times", Applies::Sometimes), ("if switched on", Applies::IfConfigured)]
        {
            let harsh = acting.iter().filter(|it| matches!(it.effect, Effect::Reject | Effect::Defer));
            let harsh = harsh.filter(|it| it.rule.applies == applies);
            self.list(title, harsh.map(|it| format!("{} {}", it.rule.receiver, effect(it.effect))));
        }
        self.list("score", scores(&acting).into_iter());
    }

    fn helo_name(&mut self, forecast: &Forecast) {
        match (&forecast.helo_name, forecast.helo_observed) {
            (Some(name), true) => self.row("HELO name", &format!("{name}, as observed")),
            (Some(name), false) => {
                self.row("HELO name", &format!("{name}: the banner's, as a stand-in (see --helo-name)"));
            }
            (None, _) => {}
        }
    }

    /// A row of receivers, each named once.
    fn list(&mut self, title: &str, receivers: impl Iterator<Item = String>) {
        let mut list: Vec<String> = Vec::new();
        for receiver in receivers {
            if !list.contains(&receiver) {
                list.push(receiver);
            }
        }
        if !list.is_empty() {
            self.row(title, &list.join(", "));
        }
    }
}

/// Receivers that say the same stand together before their reply.
fn with_replies<'a>(reactions: impl Iterator<Item = &'a &'a Reaction>) -> impl Iterator<Item = String> {
    let mut replies: Vec<(&str, Vec<&str>)> = Vec::new();
    for reaction in reactions {
        let rule = reaction.rule;
        match replies.iter_mut().find(|(reply, _)| *reply == rule.reply) {
            Some((_, receivers)) if receivers.contains(&rule.receiver) => {}
            Some((_, receivers)) => receivers.push(rule.receiver),
            None => replies.push((rule.reply, vec![rule.receiver])),
        }
    }
    replies.into_iter().map(|(reply, receivers)| {
        let receivers = receivers.join(", ");
        if reply.is_empty() { receivers } else { format!("{receivers} ({reply})") }
    })
}

/// The points of each receiver, added up, with the rules that give them.
fn scores(acting: &[&Reaction]) -> Vec<String> {
    let mut totals: Vec<(&str, f32, f32, Vec<&str>)> = Vec::new();
    for reaction in acting {
        let Effect::Score(least, most) = reaction.effect else { continue };
        let rule = reaction.rule;
        match totals.iter_mut().find(|(receiver, ..)| *receiver == rule.receiver) {
            Some((_, low, high, names)) => {
                (*low, *high) = (*low + least, *high + most);
                names.push(rule.name);
            }
            None => totals.push((rule.receiver, least, most, vec![rule.name])),
        }
    }
    let told = totals.into_iter().map(|(receiver, least, most, names)| {
        format!("{receiver} {} ({})", effect(Effect::Score(least, most)), names.join(", "))
    });
    told.collect()
}

fn effect(effect: Effect) -> String {
    match effect {
        Effect::Pass => "passes".to_owned(),
        Effect::Defer => "defers".to_owned(),
        Effect::Reject => "rejects".to_owned(),
        Effect::Score(least, most) if (least - most).abs() < 0.001 => format!("{} points", points(least)),
        Effect::Score(least, most) => format!("{} to {} points", points(least), points(most)),
        Effect::Unknown => "can't be told".to_owned(),
    }
}

/// As receivers write them, of which none goes below a thousandth.
fn points(points: f32) -> String {
    let digits = format!("{points:.3}");
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_written_without_what_arithmetic_leaves_behind() {
        for (least, most, told) in [
            (2.0, 2.0, "2 points"),
            (0.4, 0.4, "0.4 points"),
            (0.793, 2.399, "0.793 to 2.399 points"),
            (0.1 + 0.2, 0.3, "0.3 points"),
            (0.0, 2.4, "0 to 2.4 points"),
            (10.0, 10.0, "10 points"),
        ] {
            assert_eq!(effect(Effect::Score(least, most)), told);
        }
    }
}
