//! The page's language in the browser: its texts, its plural forms, and how it writes dates, times
//! and numbers.
//!
//! # Guarantees
//! Dates, times and numbers are written as the reader's browser writes them in the language of the
//! page, with 12 or 24 hours as the reader has it.
//!
//! # Not here
//! The texts (`texts`), choosing the language (`server`), and dates on the server (`time`).

#[cfg(target_arch = "wasm32")]
pub use browser::{DateFormat, install, write_date, write_number};

#[cfg(target_arch = "wasm32")]
mod browser {
    use wasm_bindgen::JsValue;
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen(module = "/src/language/intl.js")]
    extern "C" {
        fn open(catalogue: &JsValue) -> String;
        #[wasm_bindgen(js_name = pluralForm)]
        fn plural_form(count: f64) -> u32;
        #[wasm_bindgen(js_name = writeDate)]
        fn write_date_in(format: u8, millis: f64) -> String;
        #[wasm_bindgen(js_name = writeNumber)]
        fn write_number_in(number: f64) -> String;
    }

    /// Sets the texts of the page.
    pub fn install(catalogue: &JsValue) {
        texts::install(open(catalogue), plural_form);
    }

    /// How a time is written: the index of the format in the script.
    #[derive(Clone, Copy)]
    pub enum DateFormat {
        /// Hours and minutes.
        Time,
        /// The day.
        Day,
        /// The day with its year.
        Date,
        /// The day with its year, and the time with its seconds.
        Full,
    }

    /// Writes a time of UTC, in milliseconds.
    pub fn write_date(format: DateFormat, millis: i64) -> String {
        write_date_in(format as u8, millis as f64)
    }

    /// Writes a number.
    pub fn write_number(number: u64) -> String {
        write_number_in(number as f64)
    }
}
