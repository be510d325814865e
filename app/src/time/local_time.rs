//! Dates and times of day as text.
//!
//! # Guarantees
//! In the browser they are written as its reader has them; on the server in the form of the
//! language.

#[cfg(not(target_arch = "wasm32"))]
use std::fmt::Write as _;

use protocol::Time;
#[cfg(not(target_arch = "wasm32"))]
use texts::{Text, date as d};

#[cfg(target_arch = "wasm32")]
use crate::language::{DateFormat, write_date, write_number};

const DAY: i64 = 86_400;

/// A time in some time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    seconds: i64,
}

impl LocalTime {
    /// A time in the zone that is `offset` minutes east of UTC.
    pub fn new(time: Time, offset: i32) -> Self {
        Self {
            seconds: time.millis().div_euclid(1000) + i64::from(offset) * 60,
        }
    }

    /// The beginning of a day.
    pub fn of_day(day: i64) -> Self {
        Self { seconds: day * DAY }
    }

    /// The number of its day; day 0 is 1 January 1970.
    pub fn day(self) -> i64 {
        self.seconds.div_euclid(DAY)
    }

    /// Hours and minutes in the form of ISO 8601, like `06:41`.
    pub fn iso_hours(self) -> String {
        let minutes = self.seconds.rem_euclid(DAY) / 60;
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// Writes dates as the browser does.
#[cfg(target_arch = "wasm32")]
impl LocalTime {
    /// Hours and minutes, like `06:41`.
    pub fn hours(self) -> String {
        self.write(DateFormat::Time)
    }

    /// The day, like `Friday 20 November`.
    pub fn day_text(self) -> String {
        self.write(DateFormat::Day)
    }

    /// The day, like `Friday, 20 November 2026`.
    pub fn date(self) -> String {
        self.write(DateFormat::Date)
    }

    /// Date and time, like `Friday, 20 November 2026 at 06:41:05`.
    pub fn full(self) -> String {
        self.write(DateFormat::Full)
    }

    fn write(self, format: DateFormat) -> String {
        write_date(format, self.seconds * 1000)
    }
}

/// Writes dates in the form of the catalogue.
#[cfg(not(target_arch = "wasm32"))]
impl LocalTime {
    /// Hours and minutes, like `06:41`.
    pub fn hours(self) -> String {
        self.iso_hours()
    }

    /// The day, like `Friday 20 November`.
    pub fn day_text(self) -> String {
        let [weekday, day, month, _] = self.date_parts();
        d::DAY_FORMAT.fill([&weekday, &day, &month])
    }

    /// The day, like `Friday, 20 November 2026`.
    pub fn date(self) -> String {
        let [weekday, day, month, year] = self.date_parts();
        d::DATE_FORMAT.fill([&weekday, &day, &month, &year])
    }

    /// Date and time, like `Friday, 20 November 2026 at 06:41:05`.
    pub fn full(self) -> String {
        let seconds = self.seconds.rem_euclid(60);
        let time = format!("{}:{seconds:02}", self.iso_hours());
        d::FULL_FORMAT.fill([&self.date(), &time])
    }

    /// The weekday, the day of the month, the month and the year.
    fn date_parts(self) -> [String; 4] {
        let date = civil_date(self.day());
        let weekday = WEEKDAYS[usize::try_from(self.day().rem_euclid(7)).unwrap_or(0)];
        [
            weekday.text().to_owned(),
            date.day.to_string(),
            MONTHS[date.month].text().to_owned(),
            date.year.to_string(),
        ]
    }
}

/// Whether two days are in the same year.
pub fn is_same_year(day: i64, other: i64) -> bool {
    civil_date(day).year == civil_date(other).year
}

/// A number with separators between its thousands, as the language has them.
pub fn format_number(number: u64) -> String {
    #[cfg(target_arch = "wasm32")]
    return write_number(number);
    #[cfg(not(target_arch = "wasm32"))]
    return group_thousands(number);
}

#[cfg(not(target_arch = "wasm32"))]
fn group_thousands(number: u64) -> String {
    if number < 1_000 {
        return number.to_string();
    }
    let mut text = group_thousands(number / 1_000);
    // Writing to a string does not fail.
    let _ = write!(text, "{}{:03}", d::THOUSANDS.text(), number % 1_000);
    text
}

#[cfg(not(target_arch = "wasm32"))]
const WEEKDAYS: [Text; 7] = [
    d::THURSDAY,
    d::FRIDAY,
    d::SATURDAY,
    d::SUNDAY,
    d::MONDAY,
    d::TUESDAY,
    d::WEDNESDAY,
];
#[cfg(not(target_arch = "wasm32"))]
const MONTHS: [Text; 12] = [
    d::JANUARY,
    d::FEBRUARY,
    d::MARCH,
    d::APRIL,
    d::MAY,
    d::JUNE,
    d::JULY,
    d::AUGUST,
    d::SEPTEMBER,
    d::OCTOBER,
    d::NOVEMBER,
    d::DECEMBER,
];

/// A date of the Gregorian calendar.
struct CivilDate {
    year: i64,
    /// From 0 to 11.
    #[cfg(not(target_arch = "wasm32"))]
    month: usize,
    /// From 1 to 31.
    #[cfg(not(target_arch = "wasm32"))]
    day: i64,
}

/// The date of a day. It counts in years that begin in March, so that the leap day is the last of
/// its year, and in eras of 400 years, which all have the same number of days.
fn civil_date(day: i64) -> CivilDate {
    let since_march_of_year_0 = day + 719_468;
    let era = since_march_of_year_0.div_euclid(146_097);
    let of_era = since_march_of_year_0.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let month = (march_month + 2) % 12;
    let year = year_of_era + era * 400 + i64::from(month < 2);
    CivilDate {
        year,
        #[cfg(not(target_arch = "wasm32"))]
        month: usize::try_from(month).unwrap_or(0),
        #[cfg(not(target_arch = "wasm32"))]
        day: of_year - (153 * march_month + 2) / 5 + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local_time(text: &str, offset: i32) -> LocalTime {
        LocalTime::new(text.parse().unwrap(), offset)
    }

    #[test]
    fn time_is_shown_with_its_offset() {
        assert_eq!(
            local_time("2026-11-20T06:41:05.123Z", 0).full(),
            "Friday, 20 November 2026 at 06:41:05"
        );
        assert_eq!(
            local_time("2026-11-20T23:41:05.123Z", 9 * 60).full(),
            "Saturday, 21 November 2026 at 08:41:05"
        );
        assert_eq!(
            local_time("2026-01-01T00:10:00.000Z", -30).full(),
            "Wednesday, 31 December 2025 at 23:40:00"
        );
        assert_eq!(
            local_time("2024-02-29T12:00:00.000Z", 0).full(),
            "Thursday, 29 February 2024 at 12:00:00"
        );
        assert_eq!(
            local_time("2000-03-01T00:00:00.000Z", 0).full(),
            "Wednesday, 1 March 2000 at 00:00:00"
        );
        assert_eq!(
            local_time("1970-01-01T00:00:00.000Z", -60).full(),
            "Wednesday, 31 December 1969 at 23:00:00"
        );
    }

    #[test]
    fn dates_have_the_form_of_the_language() {
        let german = texts::Language::find("de").unwrap();
        let time = local_time("2026-03-20T06:41:05.123Z", 0);
        assert_eq!(
            german.run(|| time.full()),
            "Freitag, 20. März 2026 um 06:41:05"
        );
        assert_eq!(german.run(|| format_number(1_234_567)), "1.234.567");
        assert_eq!(format_number(1_002), "1,002");
        assert_eq!(format_number(999), "999");
    }
}
