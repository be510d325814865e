//! The client's address behind trusted proxies.
//!
//! # Guarantees
//! Without `--trusted-proxies` the server ignores the headers of proxies. With it, a client cannot
//! fake its address by a header of its own, because the server reads only the entries that trusted
//! proxies have added.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use ipnet::IpNet;

use crate::extract::https::Https;

/// The header to which each proxy appends the address of its client.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The header in which a proxy names the scheme of its client's request.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// Replaces the proxy's address by the client's, and records whether the client came over TLS.
pub(crate) fn apply_forwarded(proxies: &[IpNet], request: &mut Request) {
    let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let Some(ConnectInfo(peer)) = connection.copied() else {
        return;
    };
    if !is_trusted(proxies, peer.ip()) {
        return;
    }
    if let Some(https) = of_client(request.headers()) {
        request.extensions_mut().insert(https);
    }
    let client = SocketAddr::new(client(proxies, peer.ip(), request.headers()), peer.port());
    request.extensions_mut().insert(ConnectInfo(client));
}

/// Whether the address is one of a trusted proxy.
pub(crate) fn is_trusted(proxies: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    proxies.iter().any(|net| net.contains(&address))
}

/// Whether the client of a trusted proxy came over TLS; `None` if the proxy does not say. Of several
/// schemes the first is that of the client.
fn of_client(headers: &HeaderMap) -> Option<Https> {
    let schemes = headers.get(FORWARDED_PROTO)?.to_str().ok()?;
    let scheme = schemes.split(',').next()?.trim().to_ascii_lowercase();
    match scheme.as_str() {
        // Some proxies name the scheme of a WebSocket.
        "https" | "wss" => Some(Https(true)),
        "http" | "ws" => Some(Https(false)),
        _ => None,
    }
}

/// The client of the trusted proxies: from the end of the chain, the first address that is not a
/// trusted proxy.
fn client(proxies: &[IpNet], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let mut client = peer;
    let values = headers.get_all(FORWARDED_FOR).iter().rev();
    // The client's own entries come before those of the proxies in the same value, and may be
    // anything.
    let chain = values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    let chain = chain.map(<[u8]>::trim_ascii);
    for previous in chain.filter(|entry| !entry.is_empty()).map(address) {
        let (true, Some(previous)) = (is_trusted(proxies, client), previous) else {
            break;
        };
        client = previous;
    }
    client
}

/// The address of an entry, which may have a port, brackets and a zone: `192.0.2.1:5678`,
/// `[2001:db8::1]:5678`, `fe80::1%eth0`.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let entry = std::str::from_utf8(entry).ok()?;
    let host = match entry.strip_prefix('[') {
        Some(bracketed) => {
            let (host, port) = bracketed.split_once(']')?;
            let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
            is_port.then_some(host)?
        }
        None => match entry.split_once(':') {
            Some((host, port)) if is_port(port) => host,
            _ => entry,
        },
    };
    let without_zone = host.split_once('%').map_or(host, |(address, _)| address);
    without_zone
        .parse()
        .ok()
        .map(|address: IpAddr| address.to_canonical())
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn seen(proxies: &[&str], peer: &str, chain: &[impl AsRef<[u8]>]) -> String {
        let proxies: Vec<IpNet> = proxies.iter().map(|net| net.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for value in chain {
            headers.append(
                FORWARDED_FOR,
                HeaderValue::from_bytes(value.as_ref()).unwrap(),
            );
        }
        client(&proxies, peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_entries_of_trusted_proxies_name_the_client() {
        let nets = ["10.0.0.0/8", "::1/128"];
        assert_eq!(seen(&[], "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(seen(&nets, "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(seen(&nets, "10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(
            seen(&nets, "::ffff:10.0.0.1", &["198.51.100.7"]),
            "198.51.100.7"
        );
        // The client's own entries come before, and are not read.
        assert_eq!(
            seen(&nets, "10.0.0.1", &["203.0.113.9, 198.51.100.7"]),
            "198.51.100.7"
        );
        assert_eq!(
            seen(
                &nets,
                "10.0.0.1",
                &["203.0.113.9", "198.51.100.7, 10.0.0.2"]
            ),
            "198.51.100.7"
        );
        assert_eq!(seen(&nets, "10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(
            seen(&nets, "10.0.0.1", &[b"\xff, 198.51.100.7"]),
            "198.51.100.7"
        );
        assert_eq!(
            seen(&nets, "10.0.0.1", &[b"198.51.100.7, \xff"]),
            "10.0.0.1"
        );
        assert_eq!(seen(&nets, "10.0.0.1", &[""; 0]), "10.0.0.1");
    }

    #[test]
    fn entry_may_have_a_port_brackets_and_a_zone() {
        for (entry, expected) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1:5678", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:5678", Some("2001:db8::1")),
            ("fe80::1%eth0", Some("fe80::1")),
            ("[fe80::1%25eth0]:80", Some("fe80::1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("[::ffff:192.0.2.1]:5678", Some("192.0.2.1")),
            // No port: the colon belongs to the address.
            ("2001:5678", None),
            ("::1", Some("::1")),
            ("192.0.2.1:", None),
            ("192.0.2.1:http", None),
            ("192.0.2.1:65536", None),
            ("[192.0.2.1", None),
            ("[2001:db8::1]5678", None),
            ("[2001:db8::1]:x", None),
            ("unknown", None),
            ("_hidden", None),
            ("chat.example", None),
        ] {
            let found = address(entry.as_bytes()).map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{entry}");
        }
        let nets = ["10.0.0.0/8"];
        let chain = ["203.0.113.9, 192.0.2.1:5678, 10.0.0.2:443,"];
        assert_eq!(seen(&nets, "10.0.0.1", &chain), "192.0.2.1");
    }

    #[test]
    fn trusted_proxy_names_the_scheme_of_its_client() {
        let seen = |peer: &str, chain: &str, scheme: &[&'static str]| {
            let nets = ["127.0.0.1".parse::<IpAddr>().unwrap().into()];
            let mut request = Request::new(axum::body::Body::empty());
            let peer = SocketAddr::new(peer.parse().unwrap(), 1);
            request.extensions_mut().insert(ConnectInfo(peer));
            let headers = request.headers_mut();
            headers.insert(FORWARDED_FOR, chain.parse().unwrap());
            for value in scheme {
                headers.append(FORWARDED_PROTO, HeaderValue::from_static(value));
            }
            apply_forwarded(&nets, &mut request);
            request.extensions().get().map(|Https(https)| *https)
        };
        let client = "192.0.2.1:5678";
        for (scheme, expected) in [
            (&["https"][..], Some(true)),
            (&["HTTPS"], Some(true)),
            (&["https, http"], Some(true)),
            (&["https", "http"], Some(true)),
            (&[" https ,http"], Some(true)),
            (&["wss"], Some(true)),
            (&["http"], Some(false)),
            (&["http, https"], Some(false)),
            (&["ftp"], None),
            (&[""], None),
            (&[], None),
        ] {
            assert_eq!(seen("127.0.0.1", client, scheme), expected, "{scheme:?}");
        }
        // The client may be on the proxy's host, or have no address that can be read.
        assert_eq!(seen("127.0.0.1", "127.0.0.1", &["https"]), Some(true));
        assert_eq!(seen("127.0.0.1", "unknown", &["https"]), Some(true));
        assert_eq!(seen("192.0.2.7", client, &["https"]), None);
    }
}
