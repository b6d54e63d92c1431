//! A rate as a user gives it: so many a second, fractions included, or no limit.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Events a second, above zero, or no limit.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub enum Rate {
    /// So many a second; fractions mean less than one a second.
    PerSecond(f64),
    /// As fast as the machine goes.
    Unlimited,
}

/// Why a text is not a rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a rate; write a number above 0, as `1000` or `0.5`, or `unlimited`")]
pub struct RateError(String);

impl Rate {
    /// The time between two events; zero without a limit.
    pub fn interval(self) -> Duration {
        match self {
            Self::PerSecond(rate) => Duration::from_secs_f64(1.0 / rate),
            Self::Unlimited => Duration::ZERO,
        }
    }

    /// The number, infinite without a limit.
    pub fn per_second(self) -> f64 {
        match self {
            Self::PerSecond(rate) => rate,
            Self::Unlimited => f64::INFINITY,
        }
    }

    /// What is promised: in any window no more than rate × window + burst. One event, or ten milliseconds'
    /// worth.
    pub fn burst(self) -> f64 {
        (self.per_second() / 100.0).max(1.0)
    }
}

/// The slowest rate, one event in some eleven days: below it an interval is longer than any scan.
const SLOWEST: f64 = 1e-6;
/// The fastest rate that is still a limit.
const FASTEST: f64 = 1e9;

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        if text.eq_ignore_ascii_case("unlimited") {
            return Ok(Self::Unlimited);
        }
        let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        match text.parse::<f64>() {
            Ok(rate) if plain && (SLOWEST..=FASTEST).contains(&rate) => Ok(Self::PerSecond(rate)),
            _ => Err(RateError(text.chars().take(40).collect())),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PerSecond(rate) => write!(f, "{rate}"),
            Self::Unlimited => f.write_str("unlimited"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_written() {
        for (text, rate) in [
            ("1000", Rate::PerSecond(1000.0)),
            ("0.05", Rate::PerSecond(0.05)),
            ("unlimited", Rate::Unlimited),
            ("Unlimited", Rate::Unlimited),
        ] {
            assert_eq!(text.parse(), Ok(rate));
            assert_eq!(rate.to_string().parse(), Ok(rate));
        }
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for text in ["0", "-1", "", "1e3", "inf", "NaN", "ten", "0.0", "+5", "1 000", "99999999999"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_burst_is_ten_milliseconds_worth_and_at_least_one() {
        for (rate, burst) in [(50.0, 1.0), (1000.0, 10.0), (20_000.0, 200.0), (0.05, 1.0)] {
            assert!((Rate::PerSecond(rate).burst() - burst).abs() < 1e-9);
        }
    }
}
