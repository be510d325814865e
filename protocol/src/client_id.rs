//! The ID by which the sender of a message knows it again.

use sha2::{Digest, Sha256};

use crate::hexadecimal;

/// How many bytes of the digest the ID has.
const LENGTH: usize = 16;

/// The `client_id` of a message that was sent under this idempotency key: a part of the key's
/// SHA-256 digest, in hexadecimal. A client that knows the key recognises its message; the ID does not
/// reveal the key.
pub fn client_id(idempotency_key: &str) -> String {
    let digest = Sha256::digest(idempotency_key.as_bytes());
    hexadecimal(&digest[..LENGTH])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_id_is_the_beginning_of_the_digest() {
        // The example of FIPS 180-2.
        assert_eq!(client_id("abc"), "ba7816bf8f01cfea414140de5dae2223");
    }
}
