//! What a browser sends and keeps: forms of a page of this site, and cookies.

use std::collections::BTreeMap;

use reqwest::{Method, Response};
use serde_json::Value;

use super::TestUser;

/// The cookies of a browser for one host, whatever the port.
#[derive(Default)]
pub struct CookieJar(BTreeMap<String, String>);

impl CookieJar {
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// Keeps the cookies that a response sets, and forgets those that it removes.
    pub fn keep(&mut self, response: &Response) {
        for cookie in set_cookie_headers(response) {
            let (pair, attributes) = cookie.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.split("; ").any(|one| one == "Max-Age=0") {
                self.0.remove(name);
            } else {
                self.set(name, value);
            }
        }
    }

    /// The `Cookie` header of the next request.
    pub fn header(&self) -> String {
        let cookies = self.0.iter().map(|(name, value)| format!("{name}={value}"));
        cookies.collect::<Vec<_>>().join("; ")
    }
}

/// The cookies that a response sets, as the `Cookie` header of the next request.
pub fn cookie_header(response: &Response) -> String {
    let set = response
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap());
    set.map(|cookie| cookie.split(';').next().unwrap())
        .collect::<Vec<_>>()
        .join("; ")
}

pub async fn submit_form_with_cookie(
    user: &TestUser,
    path: &str,
    cookie: &str,
    form: &[(&str, &str)],
) -> Response {
    let request = user
        .request(Method::POST, path)
        .header("accept", "text/html")
        .header("cookie", cookie);
    request
        .header("origin", &user.origin)
        .form(form)
        .send()
        .await
        .unwrap()
}

pub fn set_cookie_headers(response: &Response) -> Vec<String> {
    let set = response.headers().get_all("set-cookie").iter();
    set.map(|cookie| cookie.to_str().unwrap().to_owned())
        .collect()
}

/// The cookies that a response sets, without their attributes.
pub fn set_cookie_pairs(response: &Response) -> Vec<String> {
    let set = response
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap());
    set.map(|cookie| cookie.split(';').next().unwrap().to_owned())
        .collect()
}

pub async fn username_of_cookie(user: &TestUser, cookie: &str) -> Option<String> {
    let request = user
        .request(Method::GET, "/profile/")
        .header("accept", "application/json");
    let response: Value = request
        .header("cookie", cookie)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    response["username"].as_str().map(str::to_owned)
}
