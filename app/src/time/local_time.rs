//! Dates and times of day as text.
//!
//! # Guarantees
//! The same text on the server and in the browser for the same time and the same offset from UTC;
//! no locale is used.

use protocol::Time;

const DAY: i64 = 86_400;
const WEEKDAYS: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

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

    /// The number of its day; day 0 is 1 January 1970.
    pub fn day(self) -> i64 {
        self.seconds.div_euclid(DAY)
    }

    /// Hours and minutes, like `06:41`.
    pub fn hours(self) -> String {
        let minutes = self.seconds.rem_euclid(DAY) / 60;
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// The day, like `Friday 20 November 2026`.
    pub fn date(self) -> String {
        format!("{} {}", date(self.day()), year(self.day()))
    }

    /// Date and time, like `Friday 20 November 2026, 06:41:05`.
    pub fn full(self) -> String {
        format!(
            "{}, {}:{:02}",
            self.date(),
            self.hours(),
            self.seconds.rem_euclid(60)
        )
    }
}

/// A day as text: `Today`, `Yesterday`, `Friday 20 November`, or with its year if that is not the
/// current one.
pub fn day_name(day: i64, today: i64) -> String {
    match today - day {
        0 => "Today".to_owned(),
        1 => "Yesterday".to_owned(),
        _ if year(day) == year(today) => date(day),
        _ => format!("{} {}", date(day), year(day)),
    }
}

fn date(day: i64) -> String {
    let date = civil_date(day);
    let weekday = WEEKDAYS[usize::try_from(day.rem_euclid(7)).unwrap_or(0)];
    format!("{weekday} {} {}", date.day, MONTHS[date.month])
}

fn year(day: i64) -> i64 {
    civil_date(day).year
}

/// A date of the Gregorian calendar.
struct CivilDate {
    year: i64,
    /// From 0 to 11.
    month: usize,
    /// From 1 to 31.
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
    let of_month = of_year - (153 * march_month + 2) / 5 + 1;
    let month = (march_month + 2) % 12;
    let year = year_of_era + era * 400 + i64::from(month < 2);
    CivilDate {
        year,
        month: usize::try_from(month).unwrap_or(0),
        day: of_month,
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
            "Friday 20 November 2026, 06:41:05"
        );
        assert_eq!(
            local_time("2026-11-20T23:41:05.123Z", 9 * 60).full(),
            "Saturday 21 November 2026, 08:41:05"
        );
        assert_eq!(
            local_time("2026-01-01T00:10:00.000Z", -30).full(),
            "Wednesday 31 December 2025, 23:40:00"
        );
        assert_eq!(
            local_time("2024-02-29T12:00:00.000Z", 0).full(),
            "Thursday 29 February 2024, 12:00:00"
        );
        assert_eq!(
            local_time("2000-03-01T00:00:00.000Z", 0).full(),
            "Wednesday 1 March 2000, 00:00:00"
        );
        assert_eq!(
            local_time("1970-01-01T00:00:00.000Z", -60).full(),
            "Wednesday 31 December 1969, 23:00:00"
        );
    }

    #[test]
    fn recent_days_have_names() {
        let today = local_time("2026-11-20T06:41:05.123Z", 0).day();
        assert_eq!(day_name(today, today), "Today");
        assert_eq!(day_name(today - 1, today), "Yesterday");
        assert_eq!(day_name(today - 2, today), "Wednesday 18 November");
        assert_eq!(day_name(today - 365, today), "Thursday 20 November 2025");
        assert_eq!(day_name(today + 1, today), "Saturday 21 November");
    }
}
