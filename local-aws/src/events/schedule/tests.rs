mod laws;

use chrono::{DateTime, TimeDelta, Utc};

use super::Schedule;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The first times after this one, as `2026-11-25 16:10`.
fn next(expression: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = Schedule::parse(expression).unwrap();
    let after = at(after);
    let times = std::iter::successors(Some(after), |time| schedule.next_after(after, *time));
    times.skip(1).take(count).map(|time| time.format("%Y-%m-%d %H:%M").to_string()).collect()
}

#[test]
fn a_rate_keeps_its_beat() {
    for (expression, minutes) in [
        ("rate(1 minute)", 1),
        ("rate(5 minutes)", 5),
        ("rate(1 hour)", 60),
        ("rate(12 hours)", 720),
        ("rate(1 day)", 1440),
        ("rate(7 days)", 10080),
    ] {
        assert_eq!(Schedule::parse(expression).unwrap(), Schedule::Rate(TimeDelta::minutes(minutes)), "{expression}");
    }
    let (rate, since) = (Schedule::parse("rate(5 minutes)").unwrap(), at("2026-11-25T16:10:07.5Z"));
    let next = |after: &str| rate.next_after(since, at(after)).unwrap();
    assert_eq!(next("2026-11-25T16:10:07.5Z"), at("2026-11-25T16:15:07.5Z"));
    assert_eq!(next("2026-11-25T16:15:07.5Z"), at("2026-11-25T16:20:07.5Z"));
    assert_eq!(next("2026-11-25T16:17:00Z"), at("2026-11-25T16:20:07.5Z"));
    assert_eq!(next("2026-11-28T00:00:00Z"), at("2026-11-28T00:00:07.5Z"));
    assert_eq!(next("2026-11-25T16:00:00Z"), at("2026-11-25T16:15:07.5Z"), "before there was the rule");
    let slow = Schedule::parse("rate(4294967295 days)").unwrap();
    assert_eq!(slow.next_after(since, since), None);
}

#[test]
fn what_aws_refuses_is_refused() {
    for expression in [
        "",
        "rate",
        "rate(10 minutes",
        "rate(10 seconds)",
        "rate(10 years)",
        "rate(1 minutes)",
        "rate(1 hours)",
        "rate(1 days)",
        "rate(10 minute)",
        "rate(10 hour)",
        "rate(10 day)",
        "rate()",
        "rate(10)",
        "rate(10 minutess)",
        "rate(foo minutes)",
        "rate(0 minutes)",
        "rate(-10 minutes)",
        "rate(+10 minutes)",
        "rate(99999999999 minutes)",
        "rate(10 MINUTES)",
        "rate( 10 minutes )",
        " rate(10 minutes)",
        "at(2026-11-25T16:10:16)",
        "cron(0 1 * * * *)",
        "cron(0 1 ? * ? *)",
        "cron(7 20 * * NOT *)",
        "cron(INVALID)",
        "cron(0 dummy ? * MON-FRI *)",
        "cron(71 8 1 * ? *)",
        "cron(0 24 1 * ? *)",
        "cron(0 8 0 * ? *)",
        "cron(0 8 32 * ? *)",
        "cron(0 8 1 13 ? *)",
        "cron(0 8 ? * 8 *)",
        "cron(0 8 ? * 0 *)",
        "cron(0 8 1 * ?)",
        "cron(0 8 1 * ? * *)",
        "cron(0 8 1#2 * ? *)",
        "cron(0 8 ? * 3#1,6#3 *)",
        "cron(0 8 ? * 3#6 *)",
        "cron(0 8 ? * 2/2 *)",
        "cron(0 8 1,15W * ? *)",
        "cron(0 8 1,L * ? *)",
        "cron(? 8 1 * ? *)",
        "cron(0/0 8 1 * ? *)",
        "cron(/5 8 1 * ? *)",
        "cron(0, 8 1 * ? *)",
        "cron(0 8 1 * ? 1969)",
        "cron(0 8 1 * ? 2030-2028)",
    ] {
        let error = Schedule::parse(expression).unwrap_err();
        let expected = ("ValidationException", "Parameter ScheduleExpression is not valid.");
        assert_eq!((error.code.as_str(), error.message.as_str()), expected, "{expression}");
    }
}

#[test]
fn the_examples_of_aws() {
    let after = "2026-11-25T16:10:16Z"; // a Wednesday
    for (expression, expected) in [
        ("cron(0 2 ? * SAT *)", ["2026-11-28 02:00", "2026-12-05 02:00"]),
        ("cron(0 12 * * ? *)", ["2026-11-26 12:00", "2026-11-27 12:00"]),
        ("cron(5,35 14 * * ? *)", ["2026-11-26 14:05", "2026-11-26 14:35"]),
        ("cron(0 2 ? * SAT#3 *)", ["2026-12-19 02:00", "2027-01-16 02:00"]),
        ("cron(* * ? * SAT#3 *)", ["2026-12-19 00:00", "2026-12-19 00:01"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-11-25 18:00", "2026-11-26 18:00"]),
        ("cron(0 8 1 * ? *)", ["2026-12-01 08:00", "2027-01-01 08:00"]),
        ("cron(0/15 * * * ? *)", ["2026-11-25 16:15", "2026-11-25 16:30"]),
        ("cron(0/10 * ? * MON-FRI *)", ["2026-11-25 16:20", "2026-11-25 16:30"]),
        ("cron(0/5 8-17 ? * MON-FRI *)", ["2026-11-25 16:15", "2026-11-25 16:20"]),
        ("cron(0/30 20-2 ? * MON-FRI *)", ["2026-11-25 20:00", "2026-11-25 20:30"]),
        ("cron(1/10 16 * * ? *)", ["2026-11-25 16:11", "2026-11-25 16:21"]),
        ("cron(15 10 ? * 6L 2026-2027)", ["2026-11-27 10:15", "2026-12-25 10:15"]),
        ("cron(0 9 ? * 2#1 *)", ["2026-12-07 09:00", "2027-01-04 09:00"]),
    ] {
        assert_eq!(next(expression, after, 2), expected, "{expression}");
    }
    assert!(next("cron(15 10 ? * 6L 2002-2005)", after, 1).is_empty());
    assert!(next("cron(0/5 5 ? JAN 1-5 2022)", after, 1).is_empty());
}

#[test]
fn days_that_are_not_simply_numbers() {
    let after = "2026-01-01T00:00:00Z";
    for (expression, expected) in [
        ("cron(0 0 L * ? *)", ["2026-01-31 00:00", "2026-02-28 00:00", "2026-03-31 00:00"]),
        ("cron(0 0 LW * ? *)", ["2026-01-30 00:00", "2026-02-27 00:00", "2026-03-31 00:00"]),
        ("cron(0 0 1W * ? *)", ["2026-02-02 00:00", "2026-03-02 00:00", "2026-04-01 00:00"]),
        ("cron(0 0 1W AUG ? *)", ["2026-08-03 00:00", "2027-08-02 00:00", "2028-08-01 00:00"]),
        ("cron(0 0 15W * ? *)", ["2026-01-15 00:00", "2026-02-16 00:00", "2026-03-16 00:00"]),
        ("cron(0 0 31W * ? *)", ["2026-01-30 00:00", "2026-03-31 00:00", "2026-05-29 00:00"]),
        ("cron(0 0 ? * L *)", ["2026-01-03 00:00", "2026-01-10 00:00", "2026-01-17 00:00"]),
        ("cron(0 0 ? * wedL *)", ["2026-01-28 00:00", "2026-02-25 00:00", "2026-03-25 00:00"]),
        ("cron(0 0 ? * SAT-MON *)", ["2026-01-03 00:00", "2026-01-04 00:00", "2026-01-05 00:00"]),
        ("cron(0 0 1 NOV-FEB/2 ? *)", ["2026-11-01 00:00", "2027-01-01 00:00", "2027-11-01 00:00"]),
        ("cron(0 0 29 FEB ? *)", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
        ("cron(0 0 ? FEB MON#5 *)", ["2044-02-29 00:00", "2072-02-29 00:00", "2112-02-29 00:00"]),
        ("cron(0 0 1 1 ? 2500/7)", ["2500-01-01 00:00", "2507-01-01 00:00", "2514-01-01 00:00"]),
    ] {
        assert_eq!(next(expression, after, 3), expected, "{expression}");
    }
    assert!(next("cron(0 0 30 FEB ? *)", after, 1).is_empty());
    assert!(next("cron(59 23 31 12 ? 9999)", "9999-12-31T23:59:00Z", 1).is_empty());
}
