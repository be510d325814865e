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
    let Some(ConnectInfo(peer)) = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .copied()
    else {
        return;
    };
    let client = client(proxies, peer.ip(), request.headers());
    if client == peer.ip() {
        return;
    }
    if request
        .headers()
        .get(FORWARDED_PROTO)
        .is_some_and(|scheme| scheme == "https")
    {
        request.extensions_mut().insert(Https(true));
    }
    request
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::new(client, peer.port())));
}

/// The client of the trusted proxies: from the end of the chain, the first address that is not a
/// trusted proxy.
fn client(proxies: &[IpNet], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let trusted = |address: &IpAddr| {
        proxies
            .iter()
            .any(|net| net.contains(&address.to_canonical()))
    };
    let mut client = peer;
    let values = headers.get_all(FORWARDED_FOR).iter().rev();
    // The client's own entries come before those of the proxies in the same value, and may be
    // anything.
    let chain = values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    for previous in chain.map(address) {
        let (true, Some(previous)) = (trusted(&client), previous) else {
            break;
        };
        client = previous;
    }
    client
}

fn address(entry: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(entry).ok()?.trim().parse().ok()
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
}
