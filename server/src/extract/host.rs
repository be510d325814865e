//! The host that a client has reached, from the header `Host`.
//!
//! # Guarantees
//! The default port of a scheme is the same as none, and upper case is the same as lower case. A
//! name with a dot at its end is another name, as it is for browsers.
//!
//! # Not here
//! That each request has exactly one host (`middleware::one_host`).

use std::net::Ipv6Addr;

use axum::http::{HeaderMap, header};

/// A host with its port, if it names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    name: String,
    port: Option<u16>,
}

impl Host {
    /// The host of a request.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        Self::parse(headers.get(header::HOST)?.to_str().ok()?)
    }

    /// Parses `chat.example`, `chat.example:8443`, `[::1]:8080`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, port) = match text.rsplit_once(':') {
            // The colons of an IPv6 address stand inside its brackets.
            Some((name, port)) if !port.ends_with(']') => (name, port),
            _ => (text, ""),
        };
        let port = match port {
            "" => None,
            port if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(port.parse().ok()?),
            _ => return None,
        };
        let name = parse_name(name)?;
        Some(Self { name, port })
    }

    /// The name without the port.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The origin of a site at this host, like `https://chat.example`.
    pub fn origin(&self, scheme: &str) -> String {
        let name = &self.name;
        match self.port.filter(|port| default_port(scheme) != Some(*port)) {
            Some(port) => format!("{scheme}://{name}:{port}"),
            None => format!("{scheme}://{name}"),
        }
    }

    /// Whether an `Origin` header names the site at this host with one of these schemes.
    pub fn has_origin(&self, origin: &str, schemes: &[&str]) -> bool {
        let Some((scheme, host)) = origin.split_once("://") else {
            return false;
        };
        schemes.contains(&scheme)
            && Self::parse(host).is_some_and(|host| host.origin(scheme) == self.origin(scheme))
    }
}

/// The name in lower case. It ends up in pages and links, so it contains nothing else than a name.
fn parse_name(name: &str) -> Option<String> {
    if let Some(address) = name.strip_prefix('[') {
        let address: Ipv6Addr = address.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (!name.is_empty() && name.bytes().all(is_plain)).then(|| name.to_ascii_lowercase())
}

/// The port of an address that names none.
fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_port_is_left_out_of_the_origin() {
        for (host, scheme, origin) in [
            ("chat.example:443", "https", "https://chat.example"),
            ("chat.example:80", "https", "https://chat.example:80"),
            ("Chat.Example:80", "http", "http://chat.example"),
            ("chat.example:", "http", "http://chat.example"),
            ("chat.example:8443", "https", "https://chat.example:8443"),
            ("[::1]:443", "https", "https://[::1]"),
            ("[0:0:0:0:0:0:0:1]:8080", "http", "http://[::1]:8080"),
            ("127.0.0.1", "http", "http://127.0.0.1"),
        ] {
            let parsed = Host::parse(host).map(|host| host.origin(scheme));
            assert_eq!(parsed.as_deref(), Some(origin), "{host}");
        }
    }

    #[test]
    fn text_that_is_no_host_is_refused() {
        for text in [
            "",
            ":80",
            "a b",
            "a, b",
            "a\"><b>",
            "ada@chat.example",
            "chat.example/",
            "chat.example:http",
            "chat.example:+80",
            "chat.example:65536",
            "::1",
            "[::1",
            "[chat.example]",
            "[::1]8080",
        ] {
            assert_eq!(Host::parse(text), None, "{text}");
        }
    }

    #[test]
    fn origin_with_another_name_or_port_is_another_site() {
        let has_origin = |host: &str, origin| {
            let host = Host::parse(host).unwrap();
            host.has_origin(origin, &["http", "https"])
        };
        for (host, origin) in [
            ("chat.example:443", "https://chat.example"),
            ("chat.example", "https://chat.example:443"),
            ("chat.example:80", "http://CHAT.example"),
            ("chat.example", "http://chat.example"),
            ("[::1]:80", "http://[::1]"),
        ] {
            assert!(has_origin(host, origin), "{host} {origin}");
        }
        for (host, origin) in [
            ("chat.example:443", "http://chat.example"),
            ("chat.example:80", "https://chat.example"),
            ("chat.example", "https://chat.example:80"),
            ("chat.example", "https://chat.example."),
            ("chat.example", "https://chat.example.evil.example"),
            ("chat.example", "ftp://chat.example"),
            ("chat.example", "null"),
        ] {
            assert!(!has_origin(host, origin), "{host} {origin}");
        }
    }
}
