//! The size of a file as a text.

use texts::files as f;

/// A number of bytes in words.
pub fn format_size(size: u64) -> String {
    let units = ["B", "KB", "MB", "GB", "TB"];
    let mut power = 0;
    let mut unit = 1_u64;
    while size / unit >= 1_000 && power + 1 < units.len() {
        unit *= 1_000;
        power += 1;
    }
    let tenths = (size.saturating_mul(10) + unit / 2) / unit;
    let number = if power > 0 && tenths < 100 {
        let point = f::DECIMAL_POINT.text();
        format!("{}{point}{}", tenths / 10, tenths % 10)
    } else {
        ((size + unit / 2) / unit).to_string()
    };
    format!("{number} {}", units[power])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_is_in_words_of_three_digits() {
        for (size, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 KB"),
            (9_949, "9.9 KB"),
            (9_950, "10 KB"),
            (1_250_000, "1.3 MB"),
            (104_857_600, "105 MB"),
            (2_000_000_000, "2.0 GB"),
        ] {
            assert_eq!(format_size(size), text);
        }
    }
}
