//! Why a request failed, and whether it is worth repeating.
//!
//! # Guarantees
//! - An answer that is not the server's own says nothing about rooms or permissions:
//!   [`Failure::status`] leaves it out.
//! - A failure is final if the same request would fail again.

use protocol::Problem;
use texts::app as t;

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server refused; with the pause that it asks for in seconds, if it asks for one.
    Refused(Box<Problem>, Option<u32>),
    /// An answer with this status and no problem document, which the server did not write: a
    /// firewall or a proxy did. With the pause that it asks for.
    Foreign(u16, Option<u32>),
    /// No answer, or none that could be read.
    Unreachable,
}

impl Failure {
    /// What happened and what to do, as text for the visitor.
    pub fn text(&self) -> String {
        match self {
            Self::Refused(problem, _) => capitalize(&problem.detail),
            Self::Foreign(status, _) if self.is_final() => {
                t::REFUSED_ON_THE_WAY.fill([&status.to_string()])
            }
            Self::Foreign(..) | Self::Unreachable => t::SERVER_UNREACHABLE.text().to_owned(),
        }
    }

    /// A free name like the requested one, if that is taken.
    pub fn free_name(&self) -> Option<String> {
        match self {
            Self::Refused(problem, _) => problem.free.clone(),
            Self::Foreign(..) | Self::Unreachable => None,
        }
    }

    /// The HTTP status of the server's refusal, if it refused.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(problem, _) => Some(problem.status),
            Self::Foreign(..) | Self::Unreachable => None,
        }
    }

    /// The pause that the answer asks for, in seconds.
    pub fn asked_pause(&self) -> Option<u32> {
        match self {
            Self::Refused(_, pause) | Self::Foreign(_, pause) => *pause,
            Self::Unreachable => None,
        }
    }

    /// Whether too many requests are the reason.
    pub fn is_rate_limit(&self) -> bool {
        self.any_status() == 429
    }

    /// Whether the same request would fail again.
    pub fn is_final(&self) -> bool {
        match self.any_status() {
            // Timed out, sent to another server's connection, sent too early, too many requests.
            408 | 421 | 425 | 429 => false,
            // A room that is full stays full; a disk may be cleared.
            507 => self.status().is_some() && self.asked_pause().is_none(),
            status => (400..500).contains(&status),
        }
    }

    /// The HTTP status of the answer, whether or not the server wrote it; 0 without an answer.
    fn any_status(&self) -> u16 {
        match self {
            Self::Refused(problem, _) => problem.status,
            Self::Foreign(status, _) => *status,
            Self::Unreachable => 0,
        }
    }
}

/// The text with a capital first letter: details begin with the name of a field.
pub fn capitalize(text: &str) -> String {
    let mut rest = text.chars();
    rest.next()
        .map(|first| first.to_ascii_uppercase())
        .into_iter()
        .chain(rest)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_that_a_retry_cannot_change_is_final() {
        let is_final = |status| Failure::Foreign(status, None).is_final();
        for status in [
            400, 401, 403, 404, 405, 406, 409, 410, 411, 413, 414, 415, 422, 426, 431, 451,
        ] {
            assert!(is_final(status), "{status}");
        }
        for status in [
            200, 302, 408, 421, 425, 429, 500, 501, 502, 503, 504, 507, 511,
        ] {
            assert!(!is_final(status), "{status}");
        }
        assert!(!Failure::Unreachable.is_final());
    }

    #[test]
    fn answer_of_a_firewall_says_nothing_about_the_room() {
        let refused = Failure::Foreign(403, None);
        assert_eq!(refused.status(), None);
        assert!(refused.text().contains("firewall (status 403)"));
        let busy = Failure::Foreign(502, None);
        assert_eq!(busy.text(), Failure::Unreachable.text());
    }
}
