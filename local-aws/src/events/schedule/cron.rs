//! `cron(...)`: the minutes that fit all fields.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Timelike, Utc};

use super::days::Days;
use super::field::{HOURS, MINUTES, MONTHS, YEARS};

/// After so many years the calendar repeats, days of the week and all: what has not been by then never will be.
const ROUND: u32 = 400;

/// The six fields of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::events) struct Cron {
    minutes: Vec<u32>,
    hours: Vec<u32>,
    days: Days,
    months: Vec<u32>,
    /// `None`: every year.
    years: Option<Vec<u32>>,
}

impl Cron {
    /// Reads what stands in the parentheses.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minutes, hours, of_month, month, of_week, year] = fields.as_slice() else { return None };
        Some(Self {
            minutes: sorted(MINUTES.values(minutes)?),
            hours: sorted(HOURS.values(hours)?),
            days: Days::parse(of_month, of_week)?,
            months: sorted(MONTHS.values(month)?),
            years: if *year == "*" { None } else { Some(sorted(YEARS.values(year)?)) },
        })
    }

    /// The first fitting minute after this time.
    pub(super) fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let from = after.checked_add_signed(TimeDelta::minutes(1))?.naive_utc();
        let first = u32::try_from(from.year()).ok()?;
        let years = match &self.years {
            Some(years) => years.clone(),
            None => (first..=first.saturating_add(ROUND)).collect(),
        };
        let months = years.iter().flat_map(|year| self.months.iter().map(move |month| (*year, *month)));
        let days = months
            .skip_while(|month| *month < (first, from.month()))
            .flat_map(|(year, month)| self.days.of(year, month))
            .skip_while(|date| *date < from.date());
        let time = |date: NaiveDate| {
            let earliest = if date == from.date() { from.time() } else { NaiveTime::MIN };
            self.time(earliest).map(|time| date.and_time(time).and_utc())
        };
        // At most the first of them is over.
        days.map(time).find_map(|time| time)
    }

    /// The first fitting minute of a day that is not before this one.
    fn time(&self, earliest: NaiveTime) -> Option<NaiveTime> {
        let mut times = self.hours.iter().flat_map(|hour| self.minutes.iter().map(move |minute| (*hour, *minute)));
        let (hour, minute) = times.find(|time| *time >= (earliest.hour(), earliest.minute()))?;
        NaiveTime::from_hms_opt(hour, minute, 0)
    }
}

fn sorted(mut values: Vec<u32>) -> Vec<u32> {
    values.sort_unstable();
    values.dedup();
    values
}
