//! Addresses behind proxies. The first line of the input is the peer, each other line is an
//! `X-Forwarded-For` header.

#![no_main]

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use libfuzzer_sys::fuzz_target;
use server::fuzzing::client_address;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

fuzz_target!(|data: &[u8]| {
    let mut lines = data.split(|byte| *byte == b'\n');
    let peer = lines
        .next()
        .and_then(|line| std::str::from_utf8(line).ok()?.parse().ok());
    let peer: IpAddr = peer.unwrap_or(IpAddr::from([10, 0, 0, 1]));
    let headers: HeaderMap = lines
        .filter_map(|line| Some((FORWARDED_FOR, HeaderValue::from_bytes(line).ok()?)))
        .collect();
    let proxies: Vec<IpNet> = ["10.0.0.0/8", "::1/128", "fd00::/8"]
        .map(|net| net.parse().unwrap())
        .to_vec();
    assert_eq!(client_address(&[], peer, headers.clone()), Some(peer));
    let client = client_address(&proxies, peer, headers.clone()).unwrap();
    check_chain(&proxies, peer, &headers, client);
    check_faked_entries(&proxies, peer, &headers, client);
});

fn is_trusted(proxies: &[IpNet], address: IpAddr) -> bool {
    proxies
        .iter()
        .any(|net| net.contains(&address.to_canonical()))
}

/// The client is the peer or in the chain, and everything behind it is a trusted proxy.
fn check_chain(proxies: &[IpNet], peer: IpAddr, headers: &HeaderMap, client: IpAddr) {
    let values = headers.get_all(FORWARDED_FOR).iter().rev();
    let entries = values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    let chain: Vec<IpAddr> = std::iter::once(Some(peer))
        .chain(
            entries
                .filter(|entry| !entry.trim_ascii().is_empty())
                .map(read_entry),
        )
        .map_while(|address| address)
        .collect();
    let position = chain.iter().position(|address| *address == client);
    let position = position.expect("the client is the peer or in the chain");
    let behind = &chain[..position];
    assert!(
        behind.iter().all(|proxy| is_trusted(proxies, *proxy)),
        "a proxy is trusted"
    );
}

/// The address in an entry. Entries that the server refuses may be read too: the chain goes on then.
fn read_entry(entry: &[u8]) -> Option<IpAddr> {
    let entry = std::str::from_utf8(entry).ok()?.trim_ascii();
    let host = match entry.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next()?,
        None if entry.matches(':').count() == 1 => entry.split(':').next()?,
        None => entry,
    };
    let address: IpAddr = host.split('%').next()?.parse().ok()?;
    Some(address.to_canonical())
}

/// What the client has sent itself comes before the entry that a trusted proxy has added, and
/// changes nothing.
fn check_faked_entries(proxies: &[IpNet], peer: IpAddr, headers: &HeaderMap, client: IpAddr) {
    if is_trusted(proxies, client) {
        return;
    }
    let faked = HeaderMap::from_iter(
        std::iter::once((
            FORWARDED_FOR,
            HeaderValue::from_static("203.0.113.9, 10.0.0.7"),
        ))
        .chain(
            headers
                .get_all(FORWARDED_FOR)
                .iter()
                .cloned()
                .map(|v| (FORWARDED_FOR, v)),
        ),
    );
    assert_eq!(client_address(proxies, peer, faked), Some(client));
}
