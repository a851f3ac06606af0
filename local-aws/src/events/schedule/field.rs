//! One field of a cron expression: a list of values, ranges and steps.

/// What a field may hold.
pub(super) struct Kind {
    pub(super) least: u32,
    pub(super) most: u32,
    /// The names of its values, from the least.
    pub(super) names: &'static [&'static str],
    /// Whether a range may go over the end: `FRI-MON`, `22-2`.
    pub(super) is_round: bool,
    /// Whether AWS documents `/` for it.
    pub(super) has_steps: bool,
}

pub(super) const MINUTES: Kind = Kind { least: 0, most: 59, names: &[], is_round: true, has_steps: true };
pub(super) const HOURS: Kind = Kind { least: 0, most: 23, names: &[], is_round: true, has_steps: true };
pub(super) const DAYS_OF_MONTH: Kind = Kind { least: 1, most: 31, names: &[], is_round: true, has_steps: true };
pub(super) const MONTHS: Kind = Kind {
    least: 1,
    most: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    is_round: true,
    has_steps: true,
};
pub(super) const DAYS_OF_WEEK: Kind = Kind {
    least: 1,
    most: 7,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    is_round: true,
    has_steps: false,
};
pub(super) const YEARS: Kind = Kind { least: 1970, most: 9999, names: &[], is_round: false, has_steps: true };

/// Digits and nothing else.
pub(super) fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

impl Kind {
    /// The values that the text stands for.
    pub(super) fn values(&self, text: &str) -> Option<Vec<u32>> {
        let parts = text.split(',').map(|part| self.part(part));
        parts.collect::<Option<Vec<_>>>().map(|parts| parts.concat())
    }

    /// One value, by number or name.
    pub(super) fn value(&self, text: &str) -> Option<u32> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = match named {
            Some(place) => self.least + u32::try_from(place).ok()?,
            None => number(text)?,
        };
        (self.least..=self.most).contains(&value).then_some(value)
    }

    fn part(&self, text: &str) -> Option<Vec<u32>> {
        let (range, step) = match text.split_once('/') {
            Some(_) if !self.has_steps => return None,
            Some((range, step)) => (range, Some(number(step).filter(|step| (1..=self.most).contains(step))?)),
            None => (text, None),
        };
        let (first, last) = match (range.split_once('-'), step) {
            _ if range == "*" => (self.least, self.most),
            (Some((first, last)), _) => (self.value(first)?, self.value(last)?),
            (None, Some(_)) => (self.value(range)?, self.most),
            (None, None) => (self.value(range)?, self.value(range)?),
        };
        if first > last && !self.is_round {
            return None;
        }
        let round = self.most - self.least + 1;
        let length = (last + round - first) % round;
        let steps = (0..=length).step_by(usize::try_from(step.unwrap_or(1)).ok()?);
        Some(steps.map(|step| self.least + (first - self.least + step) % round).collect())
    }
}
