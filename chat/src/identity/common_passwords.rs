//! The passwords that most people choose, which are the first that an attacker tries.
//!
//! # Not here
//! - What follows: such a password is accepted, and the page advises against it.

/// In lower case, with spaces between them.
const COMMON: &str = "\
    000000 00000000 0123456789 111111 11111111 112233 121212 123123 123123123 123321 1234 12345 \
    123456 1234567 12345678 123456789 1234567890 1234qwer 123654 123abc 123qwe 131313 147258369 \
    159357 159753 1q2w3e 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 222222 333333 444444 555555 654321 666666 \
    696969 777777 7777777 88888888 987654321 999999 a123456 aa123456 aaaaaa abc123 abcd1234 \
    abcdef access admin admin123 administrator andrea andrew angel1 anthony asdf1234 asdfgh \
    asdfghjkl asdfghjkl; ashley azerty bailey baseball basketball batman butterfly changeme \
    charlie chocolate computer cookie daniel default dragon family flower football freedom \
    friends ginger guest hannah hello1 hello123 hottie hunter iloveu iloveyou internet jennifer \
    jessica jordan joshua justin killer letmein liverpool login lovely loveme maggie master \
    matthew michael michelle monkey mustang mypassword nicole ninja p@ssw0rd passw0rd password \
    password1 password12 password123 pepper pokemon princess purple q1w2e3r4 qazwsx qwerty \
    qwerty1 qwerty12 qwerty123 qwertyuiop root samsung secret shadow soccer starwars summer \
    sunshine superman thomas welcome whatever zxcvbnm";

/// Whether a password is one of the most common ones, in any letter case.
pub(crate) fn is_common(password: &str) -> bool {
    let password = password.to_lowercase();
    COMMON.split(' ').any(|common| common == password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_passwords_are_recognised_in_any_case() {
        for common in ["123456", "Password1", "QWERTY", "secret"] {
            assert!(is_common(common), "{common}");
        }
        for other in [
            "",
            "correct horse battery staple",
            "secret of ada",
            "12345a",
        ] {
            assert!(!is_common(other), "{other}");
        }
        assert_eq!(COMMON, COMMON.to_lowercase());
    }
}
