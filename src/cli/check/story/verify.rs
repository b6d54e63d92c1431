//! Whether a fix is published, for how long it is hidden, and what greets behind the name's addresses.

use std::time::Duration;

use super::super::json::kind;
use super::super::verify::{Compared, Door, Outlook, Standing, Verified, content};
use super::{Detail, Page};
use crate::record::time;

impl Page<'_> {
    pub(super) fn verified(&mut self, verified: &Verified) {
        self.text.push('\n');
        self.line(&format!("  verify: {}", verified.outlook.as_str()));
        let left = verified.left().map(for_so_long).unwrap_or_default();
        let clean = verified.outlook.clean().map(time::to_string).unwrap_or_default();
        self.row(
            "",
            &match verified.outlook {
                Outlook::Current => "what the zones' own servers say is what was judged".to_owned(),
                Outlook::FixedPendingCache(_) => format!(
                    "fixed: the fix is published, and the resolver keeps the old answer for {left} more; all see it from {clean}"
                ),
                Outlook::ChangedPendingCache(_) => format!(
                    "something else is published, which makes it no better; the resolver keeps the old answer for {left} more, all see it from {clean}"
                ),
                Outlook::Divided => {
                    "the servers of a zone contradict each other: some have not taken over the change"
                        .to_owned()
                }
                Outlook::Unknown => "no server of the zones gave a definite answer".to_owned(),
            },
        );
        for compared in &verified.compared {
            self.compared(compared);
        }
        let Some(name) = verified.name.as_ref().filter(|_| !verified.doors.is_empty()) else { return };
        self.text.push('\n');
        self.line(&format!("  what greets at the addresses of {name}"));
        for doors in verified.doors.chunk_by(|one, next| one.at.ip() == next.at.ip()) {
            let told: Vec<String> = doors.iter().map(door).collect();
            if let Some(first) = doors.first() {
                let ptr = content(&first.ptr);
                self.row("", &format!("{} (PTR {ptr}): {}", first.at.ip(), told.join(", ")));
            }
        }
    }

    fn compared(&mut self, compared: &Compared) {
        let Compared { question, cached, said } = compared;
        let standing = match compared.standing() {
            Standing::Same if self.detail == Detail::Screen => {
                format!("{}, the same everywhere", content(cached))
            }
            Standing::Same => "the same".to_owned(),
            Standing::Pending(_) => "another answer is published".to_owned(),
            Standing::Divided => "the servers contradict each other".to_owned(),
            Standing::Unknown => "can't be told".to_owned(),
        };
        self.row(kind(question.kind), &format!("{}: {standing}", question.name));
        if compared.standing() == Standing::Same && self.detail == Detail::Screen {
            return;
        }
        let left = if cached.status.is_definite() {
            format!(", for {} more", for_so_long(cached.ttl))
        } else {
            String::new()
        };
        self.row("", &format!("resolver: {}{left}", content(cached)));
        for said in said {
            self.row("", &format!("{} ({}): {}", said.server, said.at.ip(), content(&said.answer)));
        }
    }
}

fn door(door: &Door) -> String {
    let outcome = match &door.outcome {
        Ok(outcome) => outcome.as_str().to_owned(),
        Err(trouble) => format!("not tried: {trouble}"),
    };
    let banner = door.banner_name.as_ref().map(|name| format!(" as {name}")).unwrap_or_default();
    format!("{} {outcome}{banner}", door.at.port())
}

/// Whole seconds, as `9m 58s`.
fn for_so_long(time: Duration) -> String {
    humantime::format_duration(Duration::from_secs(time.as_secs())).to_string()
}
