//! Who would act on it, rule by rule.

use super::Page;
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
        self.helo_name(&forecast);
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
}

/// The points of each receiver, added up.
pub(super) fn scores(acting: &[&Reaction]) -> Vec<String> {
    let mut totals: Vec<(&str, f32, f32)> = Vec::new();
    for reaction in acting {
        let Effect::Score(least, most) = reaction.effect else { continue };
        let rule = reaction.rule;
        match totals.iter_mut().find(|(receiver, ..)| *receiver == rule.receiver) {
            Some((_, low, high)) => (*low, *high) = (*low + least, *high + most),
            None => totals.push((rule.receiver, least, most)),
        }
    }
    let told = totals
        .into_iter()
        .map(|(receiver, least, most)| format!("{receiver} {}", effect(Effect::Score(least, most))));
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
