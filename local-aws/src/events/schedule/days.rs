//! The days of a cron expression: its two fields, of which one says it.

use chrono::{Datelike, NaiveDate};

use super::field::{DAYS_OF_MONTH, DAYS_OF_WEEK, number};

/// On which days of a month.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Days {
    OfMonth(Vec<u32>),
    /// `L`
    LastOfMonth,
    /// `15W`
    NearestWeekday(u32),
    /// `LW`
    LastWeekday,
    /// Sunday is 1.
    OfWeek(Vec<u32>),
    /// `6L`
    LastOfWeek(u32),
    /// `6#3`
    Nth {
        day: u32,
        nth: u32,
    },
}

impl Days {
    /// Reads the day of month and the day of week.
    pub(super) fn parse(of_month: &str, of_week: &str) -> Option<Self> {
        match (of_month, of_week) {
            ("?", "?") => None,
            (of_month, "?") => Self::of_month(of_month),
            ("?", of_week) => Self::of_week(of_week),
            _ => None,
        }
    }

    fn of_month(text: &str) -> Option<Self> {
        match (text, text.strip_suffix('W')) {
            ("L", _) => Some(Self::LastOfMonth),
            ("LW", _) => Some(Self::LastWeekday),
            (_, Some(day)) => DAYS_OF_MONTH.value(day).map(Self::NearestWeekday),
            _ => DAYS_OF_MONTH.values(text).map(Self::OfMonth),
        }
    }

    fn of_week(text: &str) -> Option<Self> {
        if text == "L" {
            return Some(Self::OfWeek(vec![DAYS_OF_WEEK.most]));
        }
        if let Some(day) = text.strip_suffix('L') {
            return DAYS_OF_WEEK.value(day).map(Self::LastOfWeek);
        }
        match text.split_once('#') {
            Some((day, nth)) => {
                let nth = number(nth).filter(|nth| (1..=5).contains(nth))?;
                Some(Self::Nth { day: DAYS_OF_WEEK.value(day)?, nth })
            }
            None => DAYS_OF_WEEK.values(text).map(Self::OfWeek),
        }
    }

    /// The days of this month, in order.
    pub(super) fn of(&self, year: u32, month: u32) -> impl Iterator<Item = NaiveDate> {
        let date = move |day: u32| NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day);
        (1..=31).map_while(date).filter(|date| self.has(*date))
    }

    fn has(&self, date: NaiveDate) -> bool {
        let (day, last) = (date.day(), u32::from(date.num_days_in_month()));
        // Sunday is 1, and so is every day that is a week, or more, behind one.
        let weekday = |day: u32| (date.weekday().num_days_from_sunday() + 35 + day - date.day()) % 7 + 1;
        match self {
            Self::OfMonth(days) => days.contains(&day),
            Self::LastOfMonth => day == last,
            Self::NearestWeekday(wanted) => *wanted <= last && day == near(*wanted, weekday(*wanted), last),
            Self::LastWeekday => day == near(last, weekday(last), last),
            Self::OfWeek(days) => days.contains(&weekday(day)),
            Self::LastOfWeek(wanted) => weekday(day) == *wanted && day + 7 > last,
            Self::Nth { day: wanted, nth } => weekday(day) == *wanted && day.div_ceil(7) == *nth,
        }
    }
}

/// The weekday nearest to a day in the same month.
fn near(day: u32, weekday: u32, last: u32) -> u32 {
    match weekday {
        7 if day == 1 => 3,
        7 => day - 1,
        1 if day == last => day - 2,
        1 => day + 1,
        _ => day,
    }
}
