//! Points in time as records hold them: RFC 3339 in UTC with milliseconds, `2026-01-02T03:04:05.678Z`.
//!
//! Days are counted in the proleptic Gregorian calendar by eras of 400 years (146,097 days), each year
//! starting in March so that the leap day is its last. Asks no clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long the text is, in bytes.
pub const LENGTH: usize = 24;
/// The first millisecond of the year 1: certificates may say times before 1970.
const FIRST: i64 = -62_135_596_800_000;
/// The last millisecond that four digits of a year can say.
const LAST: i64 = 253_402_300_799_999;
const DAY: i64 = 86_400_000;

/// The text of a point in time, cut to milliseconds. Times before the year 1 or after 9999 become the nearest
/// that can be said.
pub fn format(time: SystemTime) -> [u8; LENGTH] {
    let millis = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(LAST).min(LAST),
        // Cut downwards, as after 1970.
        Err(before) => {
            let before = before.duration().as_nanos().div_ceil(1_000_000);
            i64::try_from(before).map_or(FIRST, |before| (-before).max(FIRST))
        }
    };
    let (year, month, day) = civil(millis.div_euclid(DAY));
    let of_day = millis.rem_euclid(DAY).unsigned_abs();
    let mut text = *b"0000-00-00T00:00:00.000Z";
    for (at, width, value) in [
        (0, 4, year),
        (5, 2, month),
        (8, 2, day),
        (11, 2, of_day / 3_600_000),
        (14, 2, of_day / 60_000 % 60),
        (17, 2, of_day / 1000 % 60),
        (20, 3, of_day % 1000),
    ] {
        digits(&mut text[at..at + width], value);
    }
    text
}

/// The text of a point in time as a string.
pub fn to_string(time: SystemTime) -> String {
    format(time).iter().map(|&b| char::from(b)).collect()
}

/// Reads `YYYY-MM-DDTHH:MM:SS[.fraction]Z`, years 1 to 9999; anything else is `None`.
pub fn parse(text: &str) -> Option<SystemTime> {
    let (clock, fraction) = match text.strip_suffix('Z')?.split_once('.') {
        Some((clock, fraction)) => (clock, fraction),
        None => (text.strip_suffix('Z')?, "0"),
    };
    let mut form = *b"0000-00-00T00:00:00";
    let bytes = clock.as_bytes();
    if bytes.len() != form.len() || fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    for (shape, byte) in form.iter_mut().zip(bytes) {
        if *shape == b'0' && byte.is_ascii_digit() {
            *shape = *byte;
        }
    }
    if form != bytes {
        return None;
    }
    let part = |from: usize, to: usize| clock.get(from..to).and_then(|digits| digits.parse::<u64>().ok());
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    if year < 1 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days(year, month, day).filter(|&days| civil(days) == (year, month, day))?;
    let of_day = Duration::from_secs(hour * 3600 + minute * 60 + second);
    let distance = Duration::from_secs(days.unsigned_abs() * 86_400);
    let midnight =
        if days < 0 { UNIX_EPOCH.checked_sub(distance)? } else { UNIX_EPOCH.checked_add(distance)? };
    // Digits beyond nanoseconds are more than a clock knows.
    let nanos =
        fraction.bytes().chain(std::iter::repeat(b'0')).take(9).fold(0, |n, b| n * 10 + u32::from(b - b'0'));
    midnight.checked_add(of_day + Duration::from_nanos(nanos.into()))
}

/// Days between 0000-03-01 and 1970-01-01.
const BEFORE_1970: i64 = 719_468;

/// Year, month and day of a day counted from 1970-01-01, not before the year 1.
fn civil(days: i64) -> (u64, u64, u64) {
    let days = (days + BEFORE_1970).unsigned_abs();
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// The day counted from 1970-01-01; `None` for a month or day that no year has. The 30th of February is not
/// caught.
fn days(year: u64, month: u64, day: u64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = year - u64::from(month <= 2);
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    i64::try_from(days).ok().map(|days| days - BEFORE_1970)
}

fn digits(text: &mut [u8], mut value: u64) {
    for digit in text.iter_mut().rev() {
        // A remainder of ten is one digit.
        *digit = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: i64) -> SystemTime {
        let distance = Duration::from_millis(millis.unsigned_abs());
        if millis < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
    }

    #[test]
    fn times_are_written_and_read() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (-631_152_000_000, "1950-01-01T00:00:00.000Z"),
            (-2_203_891_200_000, "1900-03-01T00:00:00.000Z"),
            (FIRST, "0001-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_767_323_045_678, "2026-01-02T03:04:05.678Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (LAST, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(to_string(at(millis)), text);
            assert_eq!(parse(text), Some(at(millis)), "{text}");
        }
    }

    #[test]
    fn what_four_digits_cannot_say_becomes_the_nearest() {
        assert_eq!(to_string(at(FIRST - 1)), "0001-01-01T00:00:00.000Z");
        assert_eq!(to_string(UNIX_EPOCH - Duration::from_nanos(1)), "1969-12-31T23:59:59.999Z");
        assert_eq!(to_string(at(LAST + 1)), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn fractions_of_any_length_are_read() {
        assert_eq!(parse("1970-01-01T00:00:01Z"), Some(at(1000)));
        assert_eq!(parse("1970-01-01T00:00:01.5Z"), Some(at(1500)));
        assert_eq!(parse("1970-01-01T00:00:01.0015000009Z"), Some(at(1001) + Duration::from_micros(500)));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "Z",
            "1970-01-01T00:00:00.000",
            "1970-01-01 00:00:00Z",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00:00.x1Z",
            "1970-01-01T24:00:00Z",
            "1970-01-01T00:60:00Z",
            "1970-01-01T00:00:60Z",
            "1970-13-01T00:00:00Z",
            "1970-00-01T00:00:00Z",
            "2001-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "0000-12-31T23:59:59Z",
            "1970-01-01T+1:00:00Z",
            "1970-01-01T00:00:00+00:00",
            "1970-1-1T00:00:00Z",
            "é970-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(crate::property_tests::usual())]

        #[test]
        fn every_millisecond_comes_back(millis in FIRST..=LAST) {
            prop_assert_eq!(parse(&to_string(at(millis))), Some(at(millis)));
        }

        #[test]
        fn days_follow_each_other(day in FIRST / DAY..LAST / DAY) {
            let (year, month, of_month) = civil(day);
            prop_assert_eq!(days(year, month, of_month), Some(day));
            prop_assert!(civil(day) < civil(day + 1));
        }

        #[test]
        fn reading_is_total(text in "[0-9TZ:.-]{0,30}") {
            let _ = parse(&text);
        }
    }
}
