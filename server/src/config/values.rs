//! The values of flags: what can be used as one.
//!
//! Promises: one that cannot be used is refused in one line, whatever it is, which names the flag, the value and an
//! example; a secret is not shown. Leaves to others: which flags there are, and what goes together (`config`).

use std::ffi::OsStr;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use axum::http::Uri;
use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};
use ipnet::IpNet;
use openidconnect::IssuerUrl;
use rustls::pki_types::DnsName;
use rustls_acme::acme::LETS_ENCRYPT_PRODUCTION_DIRECTORY as LETS_ENCRYPT;

use crate::config::types::{LogFormat, Switch};

/// Reads a value; what is wrong with it reads on after the value.
#[derive(Clone)]
pub(crate) struct Said<T>(pub fn(&str) -> Result<T, String>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Said<T> {
    type Value = T;

    fn parse_ref(&self, _: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let read = match value.to_str() {
            Some(text) => (self.0)(text),
            // Its likeness is hardly any better, and what is wrong with that comes with an example.
            None => Err((self.0)(&value.to_string_lossy())
                .err()
                .unwrap_or_else(|| "is not UTF-8".to_owned())),
        };
        read.map_err(|why| refused(arg, value, &why))
    }
}

fn refused(arg: Option<&Arg>, value: &OsStr, why: &str) -> Error {
    let flag = arg.map(ToString::to_string).unwrap_or_default();
    let is_secret = arg.is_some_and(Arg::is_hide_env_values_set);
    let shown = if is_secret {
        "…".to_owned()
    } else {
        format!("{value:?}")
    };
    Error::raw(
        ErrorKind::ValueValidation,
        format!("{shown} for '{flag}' {why}"),
    )
}

pub fn duration(text: &str) -> Result<Duration, String> {
    chat::parse_duration(text).map_err(|error| format!("{error}; write it like 1h30m"))
}

pub fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "is not an IP address and a port; write it like 127.0.0.1:8080".to_owned())
}

pub fn network(text: &str) -> Result<IpNet, String> {
    let network = text
        .parse()
        .or_else(|_| text.parse().map(|address: IpAddr| address.into()));
    network.map_err(|_| "is neither an address nor a network; write it like 10.0.0.0/8".to_owned())
}

pub fn domain(text: &str) -> Result<String, String> {
    let name = text.trim().to_ascii_lowercase();
    match DnsName::try_from(name.as_str()) {
        Ok(_) if name.parse::<IpAddr>().is_err() && !name.ends_with('.') => Ok(name),
        _ => Err("is not the name of a domain; write it like chat.example.org".to_owned()),
    }
}

pub fn contact(text: &str) -> Result<String, String> {
    let address = text.strip_prefix("mailto:").unwrap_or(text);
    match address.split_once('@') {
        Some((who, at))
            if !who.is_empty() && at.contains('.') && !address.contains([' ', ',', '?']) =>
        {
            Ok(format!("mailto:{address}"))
        }
        _ => Err("is not a mail address; write it like mailto:admin@example.org".to_owned()),
    }
}

pub fn directory(text: &str) -> Result<String, String> {
    match text.parse::<Uri>() {
        Ok(url) if url.scheme_str() == Some("https") && url.host().is_some() => Ok(text.to_owned()),
        _ => Err(format!(
            "is not an address with https; write it like {LETS_ENCRYPT}"
        )),
    }
}

/// What others could listen to is no place to sign in, but this machine is.
pub fn issuer(text: &str) -> Result<IssuerUrl, String> {
    let issuer = IssuerUrl::new(text.to_owned()).ok().filter(|issuer| {
        let url = issuer.url();
        let host = url.host_str().unwrap_or_default();
        let is_here = host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse()
                .is_ok_and(|ip: IpAddr| ip.is_loopback());
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here);
        is_safe && url.query().is_none() && url.fragment().is_none() && url.username().is_empty()
    });
    issuer
        .ok_or_else(|| "is not an address with https; write it like https://id.example".to_owned())
}

pub fn provider_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    match (1..=40).contains(&name.chars().count()) && !name.contains(char::is_control) {
        true => Ok(name.to_owned()),
        false => {
            Err("is not a name of 1 to 40 characters; write it like 'Our accounts'".to_owned())
        }
    }
}

/// An address without a path, as it begins other ones.
pub fn site(text: &str) -> Result<String, String> {
    let uri = text.parse::<Uri>().ok().filter(|uri| {
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        is_web && uri.path() == "/" && uri.query().is_none() && !text.contains(['#', '@'])
    });
    let site = uri.and_then(|uri| Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?)));
    site.ok_or_else(|| {
        "is not the address of a site; write it like https://chat.example".to_owned()
    })
}

pub fn database(text: &str) -> Result<String, String> {
    match text.strip_prefix("sqlite:") {
        Some(path) if !path.is_empty() => Ok(text.to_owned()),
        _ => {
            Err("is not a database that this build can use; write it like sqlite:/var/lib/webchat/webchat.db"
                .to_owned())
        }
    }
}

pub fn log_filter(text: &str) -> Result<String, String> {
    match text.parse::<tracing_subscriber::EnvFilter>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("is not a log level or filter; write it like info".to_owned()),
    }
}

pub fn switch(text: &str) -> Result<Switch, String> {
    match text {
        "on" => Ok(Switch::On),
        "off" => Ok(Switch::Off),
        _ => Err("is neither on nor off; write it like on".to_owned()),
    }
}

pub fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("is neither text nor json; write it like text".to_owned()),
    }
}

pub fn some_text(text: &str) -> Result<String, String> {
    if text.is_empty() {
        Err("is empty; write it like 4f6c1e0b".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

pub fn number<N: FromStr + PartialOrd + Display>(
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
