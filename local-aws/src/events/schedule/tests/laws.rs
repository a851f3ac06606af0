//! The next time against a search for it, day by day and minute by minute, by other definitions of the days.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate, TimeDelta, Timelike};
use proptest::collection::btree_set;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::Schedule;
use super::at;

/// A field of an expression, and the values that it means.
fn field(least: u32, most: u32) -> impl Strategy<Value = (String, BTreeSet<u32>)> {
    let round = most - least + 1;
    let range = (least..=most, 0..round, 1..=most.min(9)).prop_map(move |(first, length, step)| {
        let value = |offset: u32| least + (first - least + offset) % round;
        let values = (0..=length).filter(|offset| offset % step == 0).map(value).collect();
        (format!("{first}-{}/{step}", value(length)), values)
    });
    let list = btree_set(least..=most, 1..4).prop_map(|values| {
        let text: Vec<String> = values.iter().map(ToString::to_string).collect();
        (text.join(","), values)
    });
    prop_oneof![Just(("*".to_owned(), (least..=most).collect())), list, range]
}

/// Of one day and its month, whether it is due; with the fields that say so.
type Days = (String, String, fn(NaiveDate, u32) -> bool, u32);

fn days() -> impl Strategy<Value = Days> {
    const NAMES: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
    fn is_weekday(date: NaiveDate) -> bool {
        date.weekday().number_from_monday() <= 5
    }
    let any = "?".to_owned();
    let of_month = (1..=31_u32).prop_map({
        let any = any.clone();
        move |day| -> Days { (day.to_string(), any.clone(), |date, day| date.day() == day, day) }
    });
    let last: Days = ("L".to_owned(), any.clone(), |date, _| date.succ_opt().unwrap().day() == 1, 0);
    let last_weekday: Days = (
        "LW".to_owned(),
        any.clone(),
        |date, _| {
            let later = date.iter_days().skip(1).take_while(|later| later.month() == date.month());
            is_weekday(date) && !later.into_iter().any(is_weekday)
        },
        0,
    );
    // The nearest of all weekdays in the month; a weekend is nearer to one end than to the other.
    let nearest = (1..=31_u32).prop_map({
        let any = any.clone();
        move |day| -> Days {
            let is_nearest = |date: NaiveDate, day: u32| {
                let Some(wanted) = date.with_day(day) else { return false };
                let weekdays = (1..=31).filter_map(|day| date.with_day(day)).filter(|date| is_weekday(*date));
                weekdays.min_by_key(|date| (*date - wanted).num_days().abs()) == Some(date)
            };
            (format!("{day}W"), any.clone(), is_nearest, day)
        }
    });
    let of_week = (1..=7_u32).prop_map({
        let any = any.clone();
        move |day| -> Days {
            let name = NAMES[day as usize - 1].to_owned();
            (any.clone(), name, |date, day| date.weekday().number_from_sunday() == day, day)
        }
    });
    let last_of_week = (1..=7_u32).prop_map({
        let any = any.clone();
        move |day| -> Days {
            let is_last = |date: NaiveDate, day: u32| {
                let next = date + TimeDelta::days(7);
                date.weekday().number_from_sunday() == day && next.month() != date.month()
            };
            (any.clone(), format!("{day}L"), is_last, day)
        }
    });
    let nth = (1..=7_u32, 1..=5_u32).prop_map(move |(day, nth)| -> Days {
        let is_nth = |date: NaiveDate, both: u32| {
            let before = (0..5).filter(|weeks| (date - TimeDelta::days(7 * weeks)).month() == date.month()).count();
            date.weekday().number_from_sunday() == both / 10 && before == (both % 10) as usize
        };
        (any.clone(), format!("{day}#{nth}"), is_nth, day * 10 + nth)
    });
    prop_oneof![of_month, select(vec![last, last_weekday]), nearest, of_week, last_of_week, nth]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Day by day, then minute by minute: the first that is in all fields.
    #[test]
    fn the_next_time_is_the_first_that_fits(
        (minutes, minute) in field(0, 59),
        (hours, hour) in field(0, 23),
        (months, month) in field(1, 12),
        (of_month, of_week, is_due, argument) in days(),
        seconds in 0..400_000_000_i64,
    ) {
        let expression = format!("cron({minutes} {hours} {of_month} {months} {of_week} *)");
        let after = at("2023-01-01T00:00:00Z") + TimeDelta::seconds(seconds);
        let next = Schedule::parse(&expression).unwrap().next_after(after, after);
        // Long enough for what there is every year, or every other month.
        let days = after.date_naive().iter_days().take(800);
        let days = days.filter(|date| month.contains(&date.month()) && is_due(*date, argument));
        let mut times = days.flat_map(|date| (0..1440).map(move |minute| {
            date.and_hms_opt(minute / 60, minute % 60, 0).unwrap().and_utc()
        }));
        let expected = times
            .find(|time| *time > after && hour.contains(&time.hour()) && minute.contains(&time.minute()));
        match expected {
            Some(expected) => prop_assert_eq!(next, Some(expected), "{}", expression),
            None => prop_assert!(next.is_none_or(|next| next > after + TimeDelta::days(798)), "{}", expression),
        }
    }

    #[test]
    fn a_rate_is_next_within_its_period(minutes in 2..10_000_i64, since in 0..10_000_000_i64, after in 0..10_000_000_i64) {
        let start = at("2026-01-01T00:00:00Z");
        let (since, after) = (start + TimeDelta::milliseconds(since), start + TimeDelta::milliseconds(after));
        let next = Schedule::parse(&format!("rate({minutes} minutes)")).unwrap().next_after(since, after).unwrap();
        prop_assert!(next > after && next > since);
        prop_assert!(next - after <= TimeDelta::minutes(minutes) || next - since == TimeDelta::minutes(minutes));
        prop_assert_eq!((next - since).num_milliseconds() % (minutes * 60_000), 0);
    }

    #[test]
    fn no_text_is_too_much(text in "(cron|rate)\\([-0-9*?/,LW#A-Z ]{0,40}\\)") {
        if let Ok(schedule) = Schedule::parse(&text) {
            let after = at("2026-01-01T00:00:00Z");
            prop_assert!(schedule.next_after(after, after).is_none_or(|next| next > after));
        }
    }
}
