//! How a scan stands as metrics in Prometheus' text format (version 0.0.4).

use std::fmt::{Display, Write as _};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::Meter;

/// Whether a figure can fall.
#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
}

impl Meter {
    /// All metrics as they stand now.
    pub(super) fn metrics(&mut self, now: Instant) -> String {
        let figures = self.figures(now);
        let progress = &self.watched.progress;
        let health = &self.watched.health;
        let mut text = String::new();
        for (name, kind, help, value) in [
            ("banneret_scan_targets", Kind::Gauge, "Targets of this scan.", &progress.turns),
            (
                "banneret_scan_targets_done_total",
                Kind::Counter,
                "Targets that had their turn.",
                &progress.turns_done,
            ),
            ("banneret_scan_in_flight", Kind::Gauge, "Conversations held just now.", &progress.in_flight),
            ("banneret_scan_waiting", Kind::Gauge, "Targets waiting for another attempt.", &progress.waiting),
            ("banneret_scan_records_written_total", Kind::Counter, "Records written.", &progress.written),
            (
                "banneret_scan_records_dropped_total",
                Kind::Counter,
                "Records left out by --keep.",
                &progress.dropped,
            ),
            ("banneret_scan_retries_total", Kind::Counter, "Attempts made again.", &progress.retried),
            ("banneret_scan_slowdowns_total", Kind::Counter, "Servers that said 421.", &progress.slowdowns),
            (
                "banneret_scan_local_troubles_total",
                Kind::Counter,
                "Troubles of this machine.",
                &progress.troubles,
            ),
            (
                "banneret_dns_questions_ended_total",
                Kind::Counter,
                "Questions of DNS that ended.",
                &health.answers,
            ),
            (
                "banneret_dns_definite_answers_total",
                Kind::Counter,
                "Definite ones of these.",
                &health.definite,
            ),
        ] {
            head(&mut text, name, kind, help);
            series(&mut text, name, "", value.load(Relaxed));
        }
        head(&mut text, "banneret_scan_rate", Kind::Gauge, "Connections a second over the last seconds.");
        series(&mut text, "banneret_scan_rate", "", format_args!("{:.3}", figures.rate));
        if let Some(left) = figures.left {
            head(&mut text, "banneret_scan_eta_seconds", Kind::Gauge, "Time left at the pace so far.");
            series(&mut text, "banneret_scan_eta_seconds", "", left.as_secs());
        }
        for (name, label, help, counts) in [
            ("banneret_scan_outcomes_total", "outcome", "Targets by outcome.", &figures.outcomes[..]),
            ("banneret_scan_verdicts_total", "verdict", "Targets by verdict.", &figures.verdicts[..]),
        ] {
            head(&mut text, name, Kind::Counter, help);
            for (word, count) in counts {
                series(&mut text, name, &format!("{{{label}=\"{word}\"}}"), count);
            }
        }
        self.upstreams(&mut text);
        text
    }

    fn upstreams(&self, text: &mut String) {
        let upstreams = &self.watched.health.upstreams;
        let mut each = |name: &str, kind, help: &str, value: &dyn Fn(usize) -> u64| {
            head(text, name, kind, help);
            for (at, upstream) in upstreams.iter().enumerate() {
                // An address holds nothing that a label would have to escape.
                series(text, name, &format!("{{upstream=\"{}\"}}", upstream.address), value(at));
            }
        };
        each("banneret_dns_upstream_up", Kind::Gauge, "Whether a resolver is asked.", &|at| {
            u64::from(upstreams[at].up.load(Relaxed))
        });
        each("banneret_dns_upstream_rate", Kind::Gauge, "Packets a second it is given.", &|at| {
            u64::from(upstreams[at].rate.load(Relaxed))
        });
        each("banneret_dns_upstream_sent_total", Kind::Counter, "Packets sent to it.", &|at| {
            upstreams[at].sent.load(Relaxed)
        });
        each("banneret_dns_upstream_answered_total", Kind::Counter, "Packets it answered.", &|at| {
            upstreams[at].answered.load(Relaxed)
        });
        each("banneret_dns_upstream_timeouts_total", Kind::Counter, "Packets it did not answer.", &|at| {
            upstreams[at].timeouts.load(Relaxed)
        });
        each("banneret_dns_upstream_servfail_total", Kind::Counter, "Answers of failure.", &|at| {
            upstreams[at].servfail.load(Relaxed)
        });
        each("banneret_dns_upstream_refused_total", Kind::Counter, "Refusals.", &|at| {
            upstreams[at].refused.load(Relaxed)
        });
    }
}

fn head(text: &mut String, name: &str, kind: Kind, help: &str) {
    let kind = match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
    };
    // Writing to a `String` does not fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn series(text: &mut String, name: &str, labels: &str, value: impl Display) {
    let _ = writeln!(text, "{name}{labels} {value}");
}

#[cfg(test)]
mod tests {
    use super::super::tests::meter;

    #[test]
    fn every_figure_is_a_series_under_its_own_head() {
        let mut meter = meter();
        let text = meter.metrics(meter.first.at + std::time::Duration::from_secs(2));
        for line in [
            "# TYPE banneret_scan_targets gauge",
            "banneret_scan_targets 400",
            "banneret_scan_targets_done_total 100",
            "banneret_scan_in_flight 10",
            "banneret_scan_eta_seconds 6",
            "banneret_scan_outcomes_total{outcome=\"greeted\"} 1",
            "banneret_scan_outcomes_total{outcome=\"timed_out\"} 0",
            "banneret_scan_verdicts_total{verdict=\"match\"} 1",
            "banneret_dns_upstream_up{upstream=\"192.0.2.53:53\"} 1",
            "banneret_dns_upstream_sent_total{upstream=\"192.0.2.53:53\"} 4",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        let mut family = "";
        for line in text.lines() {
            match line.strip_prefix("# TYPE ") {
                Some(head) => family = head.split(' ').next().unwrap(),
                None if line.starts_with('#') => {}
                None => {
                    let (series, value) = line.rsplit_once(' ').unwrap();
                    assert_eq!(series.split('{').next().unwrap(), family);
                    assert!(value.parse::<f64>().is_ok(), "{line}");
                }
            }
        }
    }
}
