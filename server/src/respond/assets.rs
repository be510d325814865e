//! The static files: WebAssembly, scripts, style sheets, fonts and icons.
//!
//! With the feature `embed` the files are part of the program; without it the server reads them
//! from `LEPTOS_SITE_ROOT` or `target/site`.
//!
//! # Guarantees
//! A file is sent in the smallest encoding that the client accepts. Clients may cache a file with a
//! hash in its name forever; they revalidate every other file, and get 304 while it is unchanged.
//! No path leads outside of the site.
//!
//! # Not here
//! The pages (`page`).

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

use axum::body::{Body, Bytes};
use axum::http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::response::Builder;
use axum::http::{HeaderMap, Method, Response, StatusCode};
use axum::response::IntoResponse;
use protocol::Refusal;
use texts::Language;

use crate::error::Error;
use crate::extract::accept::{self, Preference};

/// The addresses of the page's script, WebAssembly and style sheet. Constant while the server runs.
pub fn urls() -> app::Assets {
    let manifest = site::read(MANIFEST);
    addresses(&manifest.map(|file| file.bytes).unwrap_or_default())
}

/// The file that lists the others under `pkg`, as `tools/site.mjs` writes it. A development build
/// has none.
const MANIFEST: &str = "pkg/manifest.json";

/// The addresses according to a manifest: an object whose keys are the names without hashes.
fn addresses(manifest: &[u8]) -> app::Assets {
    let names: HashMap<String, String> = serde_json::from_slice(manifest).unwrap_or_default();
    let url = |name: &str| format!("/pkg/{}", names.get(name).map_or(name, String::as_str));
    let built = |name: &str| names.get(name).map(|name| format!("/pkg/{name}"));
    let files_texts = |language| built(&files_catalogue_name(language));
    app::Assets {
        js: url("webchat.js"),
        wasm: url("webchat.wasm"),
        css: url("webchat.css"),
        notifications: match names.get("notifications.js") {
            Some(name) => format!("/pkg/{name}"),
            // Its parts as they are in `public`.
            None => "/notifications/main.js".to_owned(),
        },
        code_colours: built("code_colours.js").unwrap_or_default(),
        files: built("files.js").unwrap_or_default(),
        files_css: built("files.css").unwrap_or_default(),
        // The language for tests of the layout has none.
        files_texts: files_texts(Language::current())
            .or_else(|| files_texts(Language::default()))
            .unwrap_or_default(),
        texts: url(&catalogue_name(Language::current())),
        default_texts: url(&catalogue_name(Language::default())),
    }
}

/// The name of a language's catalogue of texts, without its hash.
fn catalogue_name(language: Language) -> String {
    format!("{}.json", language.tag())
}

/// The name of a language's texts about files, without its hash.
fn files_catalogue_name(language: Language) -> String {
    format!("files.{}.json", language.tag())
}

/// A catalogue by its name without a hash: a development build has no others, and the language for
/// tests of the layout is in no build.
fn catalogue(path: &str) -> Option<File> {
    let tag = path.strip_prefix("pkg/")?.strip_suffix(".json")?;
    let language = Language::find(tag).filter(|language| language.tag() == tag)?;
    Some(File::tagged(language.browser_catalogue().into_bytes()))
}

/// The answer for a static file; `None` if `path` (as in the request line, from the first slash)
/// names no file.
///
/// The answer has a body also for `HEAD`: the HTTP library leaves it out.
pub fn serve(method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
    answer(method, path, headers, |path| {
        site::read(path).or_else(|| catalogue(path))
    })
}

/// Whether a method only reads.
pub(crate) fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// The script of the service worker. Its policy is that of its answer: it may load nothing but pages
/// and files of this server.
const SERVICE_WORKER: &str = "sw.js";
const SERVICE_WORKER_POLICY: &str = "default-src 'none'; connect-src 'self'";

/// A stored file: its bytes, and a tag that changes with them.
struct File {
    bytes: Cow<'static, [u8]>,
    tag: u64,
}

impl File {
    /// A file with a tag that is computed from its bytes.
    fn tagged(bytes: Vec<u8>) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(&bytes);
        Self {
            bytes: bytes.into(),
            tag: hasher.finish(),
        }
    }
}

/// The encodings in the server's order of preference, with the suffix of their files.
const ENCODINGS: [(&str, &str); 3] = [("br", ".br"), ("gzip", ".gz"), ("identity", "")];

fn answer(
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    read: impl Fn(&str) -> Option<File>,
) -> Option<Response<Body>> {
    let path = path.strip_prefix('/').filter(|path| is_public(path))?;
    let forms = accepted(headers).into_iter().map(|at| ENCODINGS[at]);
    let (encoding, file) = forms
        .filter_map(|(name, suffix)| Some((name, read(&format!("{path}{suffix}"))?)))
        .next()?;
    if !is_read(method) {
        return Some(
            (
                [(ALLOW, "GET,HEAD")],
                Error::from(Refusal::MethodNotAllowed),
            )
                .into_response(),
        );
    }
    let tag = format!("\"{:016x}\"", file.tag);
    let unchanged = knows(headers, &tag);
    let answer = Response::builder()
        .header(VARY, "accept-encoding")
        .header(
            CACHE_CONTROL,
            if is_hashed(path) {
                "public, max-age=31536000, immutable"
            } else {
                "no-cache"
            },
        )
        .header(ETAG, tag);
    if unchanged {
        not_modified(answer).ok()
    } else {
        content(answer, path, encoding, file).ok()
    }
}

fn not_modified(answer: Builder) -> axum::http::Result<Response<Body>> {
    answer.status(StatusCode::NOT_MODIFIED).body(Body::empty())
}

fn content(
    answer: Builder,
    path: &str,
    encoding: &str,
    file: File,
) -> axum::http::Result<Response<Body>> {
    let answer = if encoding == "identity" {
        answer
    } else {
        answer.header(CONTENT_ENCODING, encoding)
    };
    let answer = if path == SERVICE_WORKER {
        answer.header(CONTENT_SECURITY_POLICY, SERVICE_WORKER_POLICY)
    } else {
        answer
    };
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    answer
        .header(CONTENT_TYPE, content_type(path))
        .header(CONTENT_LENGTH, bytes.len())
        .body(bytes.into())
}

fn content_type(path: &str) -> String {
    let mime = mime_guess::from_path(path).first_or_octet_stream();
    let charset = if mime.type_() == "text" {
        "; charset=utf-8"
    } else {
        ""
    };
    format!("{mime}{charset}")
}

/// Whether clients may request a path: no way out of the folder, no hidden file, no compressed file
/// by its own name.
fn is_public(path: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', '\0', ':'])
    };
    path.split('/').all(plain) && !path.ends_with(".br") && !path.ends_with(".gz")
}

/// Whether a name carries the hash of its content, as in `pkg/webchat.0a1b2c3d.wasm`.
fn is_hashed(path: &str) -> bool {
    let hash = path.strip_prefix("pkg/").and_then(|name| {
        name.rsplit('.')
            .nth(1)
            .filter(|_| name.matches('.').count() > 1)
    });
    hash.is_some_and(|hash| {
        hash.len() >= 8 && hash.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Which of [`ENCODINGS`] the client accepts, best first (RFC 9110, section 12.5.3). Unencoded is
/// the last resort.
fn accepted(headers: &HeaderMap) -> Vec<usize> {
    let offers = accept::preferences(headers, ACCEPT_ENCODING);
    let mut order: Vec<usize> = (0..ENCODINGS.len())
        .filter(|&at| quality(&offers, at) > 0)
        .collect();
    order.sort_by_key(|&at| Reverse(quality(&offers, at)));
    order.extend((!order.contains(&2)).then_some(2));
    order
}

/// How much the client wants an encoding. One that it does not name counts as 0, unencoded as a
/// little more.
fn quality(offers: &[Preference], at: usize) -> u16 {
    let name = ENCODINGS[at].0;
    let is_identity = name == "identity";
    let of = |name: &str| {
        offers
            .iter()
            .find(|offered| offered.name == name)
            .map(|offered| offered.quality)
    };
    of(name)
        .or_else(|| of("*").filter(|_| !is_identity))
        .unwrap_or(u16::from(is_identity))
}

/// Whether the client already has the file with this tag (RFC 9110, section 13.1.2: compared
/// weakly).
fn knows(headers: &HeaderMap, tag: &str) -> bool {
    let mut known = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    known.any(|value| {
        value
            .split(',')
            .map(str::trim)
            .any(|one| one == "*" || one.trim_start_matches("W/") == tag)
    })
}

/// The files as part of the program.
#[cfg(feature = "embed")]
mod site {
    use super::File;

    #[derive(rust_embed::Embed)]
    #[folder = "$CARGO_MANIFEST_DIR/../target/site"]
    struct Site;

    pub(super) fn read(path: &str) -> Option<File> {
        let file = Site::get(path)?;
        let hash = file.metadata.sha256_hash().first_chunk().copied()?;
        Some(File {
            bytes: file.data,
            tag: u64::from_be_bytes(hash),
        })
    }
}

/// The files as they are on disk.
#[cfg(not(feature = "embed"))]
mod site {
    use std::path::PathBuf;

    use super::File;

    fn root() -> PathBuf {
        std::env::var_os("LEPTOS_SITE_ROOT")
            .map_or_else(|| PathBuf::from("target/site"), PathBuf::from)
    }

    pub(super) fn read(path: &str) -> Option<File> {
        let bytes = std::fs::read(root().join(path)).ok()?;
        Some(File::tagged(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `GET path` answers from a site of three files, with one request header.
    fn get(path: &str, header: (axum::http::HeaderName, &str)) -> Option<Response<Body>> {
        ask(&Method::GET, path, header)
    }

    fn ask(
        method: &Method,
        path: &str,
        header: (axum::http::HeaderName, &str),
    ) -> Option<Response<Body>> {
        let files = [
            "pkg/webchat.0a1b2c3d.js",
            "pkg/webchat.0a1b2c3d.js.br",
            "pkg/webchat.0a1b2c3d.js.gz",
            "sw.js",
        ];
        let read = |path: &str| {
            let tag = files.iter().position(|file| *file == path)? as u64;
            Some(File {
                bytes: path.as_bytes().to_vec().into(),
                tag,
            })
        };
        answer(
            method,
            path,
            &HeaderMap::from_iter([(header.0, header.1.parse().unwrap())]),
            read,
        )
    }

    fn encoding(accepts: &str) -> String {
        let answer = get("/pkg/webchat.0a1b2c3d.js", (ACCEPT_ENCODING, accepts)).unwrap();
        answer
            .headers()
            .get(CONTENT_ENCODING)
            .map_or("identity", |value| value.to_str().unwrap())
            .to_owned()
    }

    #[test]
    fn best_accepted_encoding_is_sent() {
        for accepts in [
            "gzip, deflate, br, zstd",
            "br",
            "*",
            "gzip;q=0.5, BR;q=0.9",
            "br;q=0.1",
        ] {
            assert_eq!(encoding(accepts), "br", "{accepts}");
        }
        for accepts in [
            "gzip",
            "br;q=0, *",
            "br;q=0.2, gzip;q=0.3",
            "br ; q=0 , gzip",
        ] {
            assert_eq!(encoding(accepts), "gzip", "{accepts}");
        }
        for accepts in [
            "",
            "zstd",
            "br;q=0, gzip;q=0",
            "*;q=0",
            "identity, br;q=0.5",
            "br;q=nonsense",
            "identity;q=0",
        ] {
            assert_eq!(encoding(accepts), "identity", "{accepts}");
        }
    }

    #[test]
    fn hashed_file_is_cached_forever_and_others_are_revalidated() {
        let kept = |path| {
            get(path, (ACCEPT_ENCODING, "")).unwrap().headers()[CACHE_CONTROL]
                .to_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            kept("/pkg/webchat.0a1b2c3d.js"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(kept("/sw.js"), "no-cache");
        assert!(
            !is_hashed("pkg/webchat.js")
                && !is_hashed("pkg/webchat.css")
                && !is_hashed("a.0a1b2c3d.js")
        );
    }

    #[test]
    fn service_worker_alone_may_load_what_the_server_has() {
        let policy = |path| {
            let answer = get(path, (ACCEPT_ENCODING, "")).unwrap();
            answer.headers().get(CONTENT_SECURITY_POLICY).cloned()
        };
        assert_eq!(policy("/sw.js").unwrap(), SERVICE_WORKER_POLICY);
        assert_eq!(policy("/pkg/webchat.0a1b2c3d.js"), None);
    }

    #[test]
    fn file_that_the_client_has_is_not_sent_again() {
        let tag = get("/sw.js", (ACCEPT_ENCODING, "")).unwrap().headers()[ETAG]
            .to_str()
            .unwrap()
            .to_owned();
        for known in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"other\", {tag}"),
            "*".to_owned(),
        ] {
            assert_eq!(
                get("/sw.js", (IF_NONE_MATCH, &known)).unwrap().status(),
                StatusCode::NOT_MODIFIED,
                "{known}"
            );
        }
        assert_eq!(
            get("/sw.js", (IF_NONE_MATCH, "\"other\""))
                .unwrap()
                .status(),
            StatusCode::OK
        );
    }

    #[test]
    fn encodings_of_a_file_have_different_tags() {
        let tag = |accepts| {
            get("/pkg/webchat.0a1b2c3d.js", (ACCEPT_ENCODING, accepts))
                .unwrap()
                .headers()[ETAG]
                .clone()
        };
        assert_ne!(tag("br"), tag("gzip"));
    }

    #[test]
    fn method_that_does_not_read_a_file_is_refused() {
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            let answer = ask(&method, "/sw.js", (ACCEPT_ENCODING, "br")).unwrap();
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
            assert_eq!(answer.headers()[ALLOW], "GET,HEAD", "{method}");
            assert!(
                ask(&method, "/missing.js", (ACCEPT_ENCODING, "br")).is_none(),
                "{method}"
            );
        }
        assert_eq!(
            ask(&Method::HEAD, "/sw.js", (ACCEPT_ENCODING, "br"))
                .unwrap()
                .status(),
            StatusCode::OK
        );
    }

    #[test]
    fn path_outside_of_the_site_is_not_found() {
        for path in [
            "/",
            "",
            "sw.js",
            "/missing.js",
            "/../Cargo.toml",
            "/pkg/../sw.js",
            "/pkg//sw.js",
            "/.env",
            "/pkg/",
        ] {
            assert!(get(path, (ACCEPT_ENCODING, "br")).is_none(), "{path}");
        }
        assert!(get("/pkg/webchat.0a1b2c3d.js.br", (ACCEPT_ENCODING, "br")).is_none());
    }

    #[test]
    fn file_has_its_content_type() {
        assert_eq!(content_type("a.wasm"), "application/wasm");
        assert_eq!(content_type("a.js"), "text/javascript; charset=utf-8");
        assert_eq!(content_type("a.css"), "text/css; charset=utf-8");
        assert_eq!(content_type("a.svg"), "image/svg+xml");
        assert_eq!(content_type("a.webmanifest"), "application/manifest+json");
        assert_eq!(content_type("a.woff2"), "font/woff2");
    }

    #[cfg(feature = "embed")]
    #[test]
    fn catalogues_of_the_site_are_those_of_the_server() {
        use serde_json::Value;
        let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
        let manifest = read(&site::read(MANIFEST).unwrap().bytes);
        for language in Language::all() {
            let name = manifest[catalogue_name(language)].as_str().unwrap();
            let built = site::read(&format!("pkg/{name}")).unwrap();
            assert_eq!(
                read(&built.bytes),
                read(language.browser_catalogue().as_bytes())
            );
        }
    }

    #[test]
    fn addresses_are_those_of_the_manifest_or_of_a_development_build() {
        let urls =
            addresses(br#"{"webchat.js":"webchat.1234abcd.js","other.js":"other.0a1b2c3d.js"}"#);
        assert_eq!(urls.js, "/pkg/webchat.1234abcd.js");
        assert_eq!(urls.css, "/pkg/webchat.css");
        assert_eq!(addresses(b"").wasm, "/pkg/webchat.wasm");
        let bundled = addresses(br#"{"notifications.js":"notifications.1234abcd.js"}"#);
        assert_eq!(bundled.notifications, "/pkg/notifications.1234abcd.js");
        assert_eq!(addresses(b"").notifications, "/notifications/main.js");
    }
}
