//! Parsers for the values of flags.
//!
//! # Guarantees
//! An unusable value, even one that is not UTF-8, is refused in one line that contains the flag,
//! the value and an example. The value of a secret is not shown.
//!
//! # Not here
//! The flags (`config`), and which of them belong together (`combinations`).

use std::ffi::OsStr;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use axum::http::Uri;
use chat::Scanner;
use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};
use ipnet::IpNet;
use openidconnect::IssuerUrl;
use percent_encoding::percent_decode_str;
use rustls::pki_types::DnsName;
use rustls_acme::acme::LETS_ENCRYPT_PRODUCTION_DIRECTORY as LETS_ENCRYPT;
use texts::Language;

use crate::config::database;
use crate::config::shown::show_value;
use crate::config::types::{LogFormat, Switch};

/// The longest name of a sign-in provider, in characters.
const PROVIDER_NAME_MAX: usize = 40;

/// A parser of one flag's value. The error of the function completes the sentence that begins with
/// the value and the flag: `"soon" for '--timeout <DURATION>' …`.
#[derive(Clone)]
pub(crate) struct FlagParser<T>(pub fn(&str) -> Result<T, String>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for FlagParser<T> {
    type Value = T;

    fn parse_ref(&self, _: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let parsed = match value.to_str() {
            Some(text) => (self.0)(text),
            // The value with replacement characters is usually invalid too, and then the error has
            // an example of this flag.
            None => Err((self.0)(&value.to_string_lossy())
                .err()
                .unwrap_or_else(|| "is not UTF-8".to_owned())),
        };
        parsed.map_err(|reason| value_error(arg, value, &reason))
    }
}

fn value_error(arg: Option<&Arg>, value: &OsStr, reason: &str) -> Error {
    let flag = arg.map(ToString::to_string).unwrap_or_default();
    let shown = show_value(arg, value);
    Error::raw(
        ErrorKind::ValueValidation,
        format!("{shown} for '{flag}' {reason}"),
    )
}

/// A duration, as in `1h30m`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    chat::parse_duration(text).map_err(|error| format!("{error}; write it like 1h30m"))
}

/// An IP address with a port.
pub fn parse_address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "is not an IP address and a port; write it like 127.0.0.1:8080".to_owned())
}

/// A network, or an address as a network of one.
pub fn parse_network(text: &str) -> Result<IpNet, String> {
    let network = text
        .parse()
        .or_else(|_| text.parse().map(|address: IpAddr| address.into()));
    network
        .map_err(|_| "is neither an IP address nor a network; write it like 10.0.0.0/8".to_owned())
}

/// A domain name in lower case, without a wildcard.
pub fn parse_domain(text: &str) -> Result<String, String> {
    let name = text.trim().to_ascii_lowercase();
    match DnsName::try_from(name.as_str()) {
        Ok(_) if name.parse::<IpAddr>().is_err() && !name.ends_with('.') => Ok(name),
        _ => Err("is not a domain name; write it like chat.example.org".to_owned()),
    }
}

/// A mail address, with or without `mailto:`, as a `mailto:` URL.
pub fn parse_contact(text: &str) -> Result<String, String> {
    let address = text.strip_prefix("mailto:").unwrap_or(text);
    match address.split_once('@') {
        Some((user, domain))
            if !user.is_empty() && domain.contains('.') && !address.contains([' ', ',', '?']) =>
        {
            Ok(format!("mailto:{address}"))
        }
        _ => Err("is not a mail address; write it like mailto:admin@example.org".to_owned()),
    }
}

/// The HTTPS URL of an ACME directory.
pub fn parse_directory_url(text: &str) -> Result<String, String> {
    match text.parse::<Uri>() {
        Ok(url) if url.scheme_str() == Some("https") && url.host().is_some() => Ok(text.to_owned()),
        _ => Err(format!("is not an HTTPS URL; write it like {LETS_ENCRYPT}")),
    }
}

/// The issuer URL of an OpenID Connect provider: HTTPS, or plain HTTP on this machine.
pub fn parse_issuer(text: &str) -> Result<IssuerUrl, String> {
    let issuer = IssuerUrl::new(text.to_owned()).ok().filter(|issuer| {
        let url = issuer.url();
        let host = url.host_str().unwrap_or_default();
        let is_loopback = host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse()
                .is_ok_and(|ip: IpAddr| ip.is_loopback());
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback);
        is_safe && url.query().is_none() && url.fragment().is_none() && url.username().is_empty()
    });
    issuer.ok_or_else(|| "is not an HTTPS URL; write it like https://id.example".to_owned())
}

/// The name of a sign-in provider.
pub fn parse_provider_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    let length = name.chars().count();
    if (1..=PROVIDER_NAME_MAX).contains(&length) && !name.contains(char::is_control) {
        Ok(name.to_owned())
    } else {
        Err(format!(
            "is not a name of 1 to {PROVIDER_NAME_MAX} characters; write it like 'Our accounts'"
        ))
    }
}

/// The URL of a site, without a path. The result has no slash at its end, so that paths can follow.
pub fn parse_site_url(text: &str) -> Result<String, String> {
    let uri = text.parse::<Uri>().ok().filter(|uri| {
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        is_web && uri.path() == "/" && uri.query().is_none() && !text.contains(['#', '@'])
    });
    let site = uri.and_then(|uri| Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?)));
    site.ok_or_else(|| {
        "is not a site's URL without a path; write it like https://chat.example".to_owned()
    })
}

/// The URL of a database that outlives the process.
pub fn parse_database_url(text: &str) -> Result<String, String> {
    database::parse_url(text).map(|_| text.to_owned())
}

/// The URL of a `PostgreSQL` database.
pub fn parse_postgres_url(text: &str) -> Result<String, String> {
    match database::parse_url(text) {
        Ok(database::DatabaseUrl::Server) => Ok(text.to_owned()),
        Ok(database::DatabaseUrl::File(_)) => {
            Err(format!("is no server; {}", database::SERVER_EXAMPLE))
        }
        Err(reason) => Err(reason),
    }
}

/// The name of a node: what a log and the database's list of connections can show.
pub fn parse_node(text: &str) -> Result<String, String> {
    let is_shown = |byte: u8| byte.is_ascii_graphic();
    if (1..=40).contains(&text.len()) && text.bytes().all(is_shown) {
        Ok(text.to_owned())
    } else {
        Err("is no name of 1 to 40 letters, digits and signs; write it like chat-1".to_owned())
    }
}

/// The directory of the archives, as a `file` URL.
pub fn parse_archive_url(text: &str) -> Result<PathBuf, String> {
    parse_file_url(text, "write it like file:///srv/webchat/archive")
}

/// The directory of the files of rooms, as a `file` URL.
pub fn parse_directory_of_files(text: &str) -> Result<PathBuf, String> {
    parse_file_url(text, "write it like file:///srv/webchat/files")
}

/// Where a scanner listens.
pub fn parse_scanner(text: &str) -> Result<Scanner, String> {
    let place = text.strip_prefix("clamd:").unwrap_or_default();
    if place.starts_with('/') && !place.contains('\0') {
        return Ok(Scanner::Socket(PathBuf::from(place)));
    }
    let address = place.rsplit_once(':').filter(|(host, port)| {
        let has_host = !host.is_empty() && !host.contains(['/', ' ']);
        has_host && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    match address {
        Some(_) => Ok(Scanner::Tcp(place.to_owned())),
        None => Err(
            "is no address of clamd; write it like clamd:127.0.0.1:3310 or \
             clamd:/run/clamav/clamd.ctl"
                .to_owned(),
        ),
    }
}

/// The directory of a `file` URL, which is absolute.
fn parse_file_url(text: &str, example: &str) -> Result<PathBuf, String> {
    let path = text
        .strip_prefix("file://")
        .filter(|path| path.starts_with('/'));
    let path = path.ok_or_else(|| format!("is no absolute file URL; {example}"))?;
    let decoded = percent_decode_str(path).decode_utf8();
    let decoded = decoded.map_err(|_| format!("is not UTF-8; {example}"))?;
    if decoded.contains('\0') {
        return Err(format!("has no path of a directory; {example}"));
    }
    Ok(PathBuf::from(&*decoded))
}

/// A log level, or a filter of `tracing-subscriber`.
pub fn parse_log_filter(text: &str) -> Result<String, String> {
    match text.parse::<tracing_subscriber::EnvFilter>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("is not a log level or filter; write it like info".to_owned()),
    }
}

/// `on` or `off`.
pub fn parse_switch(text: &str) -> Result<Switch, String> {
    match text {
        "on" => Ok(Switch::On),
        "off" => Ok(Switch::Off),
        _ => Err("is neither on nor off; write it like on".to_owned()),
    }
}

/// A number of bytes, like `100MB`.
pub fn parse_size(text: &str) -> Result<u64, String> {
    match text.parse::<bytesize::ByteSize>() {
        Ok(size) if text.trim_start().starts_with(|c: char| c.is_ascii_digit()) => {
            Ok(size.as_u64())
        }
        _ => Err("is no size; write it like 1GB".to_owned()),
    }
}

/// `text` or `json`.
pub fn parse_language(text: &str) -> Result<Language, String> {
    Language::find(text).ok_or_else(|| {
        let tags: Vec<_> = Language::all().map(Language::tag).collect();
        format!("is none of {}; write it like de", tags.join(", "))
    })
}

/// The format of log lines.
pub fn parse_log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("is neither text nor json; write it like text".to_owned()),
    }
}

/// A text that is not empty.
pub fn parse_non_empty(text: &str) -> Result<String, String> {
    if text.is_empty() {
        Err("is empty; write it like 4f6c1e0b".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// A whole number in a range, with both ends.
pub fn parse_number<N: FromStr + PartialOrd + Display>(
    text: &str,
    least: N,
    most: N,
) -> Result<N, String> {
    match text.parse() {
        Ok(number) if (&least..=&most).contains(&&number) => Ok(number),
        _ => Err(format!(
            "is not a whole number from {least} to {most}; write it like {least}"
        )),
    }
}
