//! Points in time, as people and scripts read them. The time is always passed in.

use jiff::Timestamp;

/// `2024-03-01`, in UTC.
#[must_use]
pub fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// `10:14:07`, in UTC.
#[must_use]
pub fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

/// `2024-03-01 10:14 UTC`.
#[must_use]
pub fn date_and_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// `2024-03-01T10:14:00.500000+00:00`: as the AWS CLI prints a timestamp.
#[must_use]
pub fn iso(at: Timestamp) -> String {
    let seconds = at.strftime("%Y-%m-%dT%H:%M:%S");
    match at.subsec_nanosecond() / 1_000 {
        0 => format!("{seconds}+00:00"),
        micros => format!("{seconds}.{micros:06}+00:00"),
    }
}

/// How long ago in the largest unit that fits: `3 days ago`, `2 years ago`, `in 6 days`.
#[must_use]
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - at.as_second();
    let span = seconds.unsigned_abs();
    let (count, unit) = match span {
        0..60 => return "now".to_owned(),
        60..3_600 => (span / 60, "minute"),
        3_600..86_400 => (span / 3_600, "hour"),
        86_400..5_184_000 => (span / 86_400, "day"),
        5_184_000..63_072_000 => (span / 2_592_000, "month"),
        _ => (span / 31_536_000, "year"),
    };
    let plural = if count == 1 { "" } else { "s" };
    if seconds >= 0 { format!("{count} {unit}{plural} ago") } else { format!("in {count} {unit}{plural}") }
}

/// For serde: a present timestamp in the AWS CLI's form. Absent ones are skipped by their field.
///
/// # Errors
/// As the serializer's.
pub fn iso_8601<S: serde::Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.serialize_str(&iso(*at)),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_as_people_and_scripts_expect() {
        let at: Timestamp = "2024-03-01T10:14:00Z".parse().unwrap();
        assert_eq!(date(at), "2024-03-01");
        assert_eq!(date_and_time(at), "2024-03-01 10:14 UTC");
        assert_eq!(iso(at), "2024-03-01T10:14:00+00:00");
        for (now, words) in [
            ("2024-03-01T10:14:30Z", "now"),
            ("2024-03-01T10:16:00Z", "2 minutes ago"),
            ("2024-03-02T10:14:00Z", "1 day ago"),
            ("2026-11-24T10:14:00Z", "2 years ago"),
            ("2024-02-24T10:14:00Z", "in 6 days"),
        ] {
            assert_eq!(ago(at, now.parse().unwrap()), words);
        }
    }
}
