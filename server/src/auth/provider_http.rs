//! HTTP requests to the sign-in provider.
//!
//! # Guarantees
//! A response is bounded in time and size, and redirects are not followed. Errors do not contain
//! the URL.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;

/// The longest time for a request with its response.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest time for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The largest response, in bytes. Metadata and key sets have a few thousand.
const RESPONSE_MAX: usize = 256 * 1024;

/// An HTTP client for one provider.
#[derive(Debug)]
pub(crate) struct ProviderHttp(reqwest::Client);

impl ProviderHttp {
    pub fn new(is_https_only: bool) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .https_only(is_https_only)
            .redirect(Policy::none())
            .timeout(RESPONSE_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .build()?;
        Ok(Self(client))
    }

    async fn send(&self, request: HttpRequest) -> io::Result<HttpResponse> {
        let request = request.try_into().map_err(without_url)?;
        let mut response = self.0.execute(request).await.map_err(without_url)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(without_url)? {
            body.extend_from_slice(&chunk);
            if body.len() > RESPONSE_MAX {
                return Err(io::Error::other("the response is too large"));
            }
        }
        let mut complete = HttpResponse::new(body);
        *complete.status_mut() = response.status();
        *complete.headers_mut() = std::mem::take(response.headers_mut());
        Ok(complete)
    }
}

/// The error without its URL, which may contain a secret; the log line names the issuer anyway.
fn without_url(error: reqwest::Error) -> io::Error {
    io::Error::other(error.without_url())
}

impl<'c> AsyncHttpClient<'c> for ProviderHttp {
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<HttpResponse>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
