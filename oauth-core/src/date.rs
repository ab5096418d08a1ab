//! The date of an HTTP header (IMF-fixdate, RFC 9110 section 5.6.7), and what is read from it.

use crate::memory::ClockOffset;
use crate::time::Unix;
use core::time::Duration;
use http::header::{DATE, HeaderMap, RETRY_AFTER};

/// A wait that is honoured at most.
const DAY: Duration = Duration::from_secs(86_400);

/// How far the server's clock is from ours, where its `Date` header tells and the figure is believable.
pub(crate) fn clock_offset(headers: &HeaderMap, now: Unix) -> Option<ClockOffset> {
    let server = fixdate(headers.get(DATE)?.to_str().ok()?)?;
    ClockOffset::between(server, now)
}

/// What `Retry-After` asks for, at most a day (RFC 9110 section 10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap, now: Unix) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        // A moment of the server's clock is measured on the server's clock, where it tells the time.
        let sent = headers.get(DATE).and_then(|date| fixdate(date.to_str().ok()?));
        fixdate(value)?.since(sent.unwrap_or(now))
    };
    Some(wait.min(DAY))
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`. The two obsolete forms are not read.
fn fixdate(text: &str) -> Option<Unix> {
    let mut words = text.split_once(", ")?.1.split(' ');
    let day: u64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        .iter()
        .position(|name| *name == month)?;
    let year: u64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let valid =
        (1970..=9999).contains(&year) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    if !valid || words.next() != Some("GMT") || words.next().is_some() || clock.next().is_some() {
        return None;
    }
    // Days since 1970-01-01, counted in years that begin in March, so that the leap day comes last.
    let month = u64::try_from(month).ok()?;
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let since_epoch = days.checked_sub(719_468)?;
    Some(Unix(since_epoch * 86_400 + hour * 3600 + minute * 60 + second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn rfc9110_5_6_7_an_imf_fixdate_is_read() {
        assert_eq!(fixdate("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Unix(784_111_777)));
        assert_eq!(fixdate("Thu, 01 Jan 1970 00:00:00 GMT"), Some(Unix(0)));
        assert_eq!(fixdate("Thu, 29 Feb 2024 23:59:60 GMT"), Some(Unix(1_709_251_200)));
        for broken in [
            "",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "x, 1 Jan 1 1:1:1 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
        ] {
            assert_eq!(fixdate(broken), None, "{broken}");
        }
    }

    fn header(name: http::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn rfc9110_10_2_3_retry_after_is_read_in_both_forms_and_capped() {
        let now = Unix(784_111_777);
        let read = |value| retry_after(&header(RETRY_AFTER, value), now).map(|wait| wait.as_secs());
        assert_eq!(read("120"), Some(120));
        assert_eq!(read("99999999999999999999999"), Some(86_400));
        assert_eq!(read("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(read("Sun, 06 Nov 1994 08:40:37 GMT"), Some(0));
        assert_eq!(read("soon"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn a_moment_of_the_servers_clock_does_not_need_ours() {
        let mut headers = header(RETRY_AFTER, "Sun, 06 Nov 1994 08:50:37 GMT");
        headers.insert(DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:50:07 GMT"));
        for now in [0, 784_111_777, 4_000_000_000] {
            assert_eq!(retry_after(&headers, Unix(now)), Some(Duration::from_secs(30)));
        }
    }

    #[test]
    fn an_offset_above_a_day_is_not_believed() {
        let at = |now| clock_offset(&header(DATE, "Sun, 06 Nov 1994 08:49:37 GMT"), Unix(now));
        for (now, ahead) in [(784_111_677, true), (784_111_877, false)] {
            let offset = at(now).unwrap();
            assert_eq!((offset.server_is_ahead(), offset.difference()), (ahead, Duration::from_secs(100)));
        }
        assert_eq!(at(784_111_777 + 86_401), None);
    }
}
