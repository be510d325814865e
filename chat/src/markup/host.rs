//! The host of an address: its form in ASCII, and whether it can be mistaken for another one.
//!
//! # Guarantees
//! - A host that browsers would read as another one than it looks like is shown beside the link:
//!   letters of several scripts, letters that all look like Latin ones, or a user name in front of
//!   the host.

use super::count_work;
use unicode_security::restriction_level::{RestrictionLevel, RestrictionLevelDetection};
use unicode_security::skeleton;

/// The longest host ([RFC 1035](https://www.rfc-editor.org/rfc/rfc1035)).
const HOST_MAX: usize = 253;

/// Where an address leads.
pub(super) struct Target {
    /// The authority with the host in ASCII.
    pub authority: String,
    /// Whether that is what the text says.
    pub is_as_written: bool,
    /// The host, if the text can be mistaken for another address.
    pub shown_host: Option<String>,
}

/// Resolves the authority of an address (`user@host:port`); `None` if it has no usable host.
pub(super) fn resolve(authority: &str) -> Option<Target> {
    count_work(authority.len());
    let (user, rest) = match authority.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, authority),
    };
    let (host, port) = split_port(rest)?;
    let ascii = to_ascii(host)?;
    let is_as_written = host.is_ascii();
    let is_mistakable = user.is_some() || (!is_as_written && looks_like_another(host, &ascii));
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Some(Target {
        authority: format!("{user}{ascii}{port}"),
        is_as_written,
        shown_host: is_mistakable.then_some(ascii),
    })
}

fn split_port(rest: &str) -> Option<(&str, Option<&str>)> {
    if rest.starts_with('[') {
        let end = rest.find(']')? + 1;
        let port = rest[end..].strip_prefix(':');
        return (port.is_some() || end == rest.len()).then_some((&rest[..end], port));
    }
    Some(match rest.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    })
    .filter(|(_, port)| port.is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit())))
}

fn to_ascii(host: &str) -> Option<String> {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    if host.is_empty() || host.len() > HOST_MAX {
        return None;
    }
    if let Some(address) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let is_part = |b: u8| b.is_ascii_hexdigit() || b":.".contains(&b);
        return address.bytes().all(is_part).then(|| host.to_owned());
    }
    let ascii = match host.is_ascii() {
        true => host.to_owned(),
        false => idna::domain_to_ascii(host).ok()?,
    };
    (!ascii.is_empty() && ascii.bytes().all(is_part)).then_some(ascii)
}

/// Whether a host of other letters than ASCII can be mistaken for another host.
fn looks_like_another(host: &str, ascii: &str) -> bool {
    let (unicode, _) = idna::domain_to_unicode(ascii);
    unicode != host.to_lowercase() || unicode.split('.').any(is_mistakable_label)
}

/// Whether a label mixes scripts that no language mixes, or looks like a label of ASCII letters.
fn is_mistakable_label(label: &str) -> bool {
    let is_mixed = !label.check_restriction_level(RestrictionLevel::HighlyRestrictive);
    let looks_ascii = || !label.is_ascii() && skeleton(label).all(|c| c.is_ascii());
    is_mixed || looks_ascii()
}

/// Whether a host ends with a label of at least two letters after another label.
pub(super) fn has_top_level_domain(host: &str) -> bool {
    let mut labels = host.trim_end_matches('.').rsplit('.');
    let is_top = |label: &str| {
        label.chars().nth(1).is_some() && label.chars().all(|c| c.is_alphabetic() || c == '-')
    };
    let top = labels.next().is_some_and(is_top);
    let rest: Vec<&str> = labels.collect();
    let is_label = |label: &&str| !label.is_empty() && !label.starts_with('-');
    top && !rest.is_empty() && rest.iter().all(is_label)
}
