//! The OpenAPI document and the page that shows it.
//!
//! The document is made of the same router as the server, so what it lists is what is routed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use reqwest::Method;
use serde_json::Value;

use crate::harness::{TestServer, TestUser, expect_problem};

/// The methods of each path of the document.
type Operations = BTreeMap<String, BTreeSet<Method>>;

async fn read_operations(user: &TestUser) -> Operations {
    let document: Value = user.get("/openapi.json", "*/*").await.json().await.unwrap();
    let version = document["openapi"].as_str().unwrap();
    assert!(version.starts_with("3.1"), "{version}");
    let paths = document["paths"].as_object().unwrap();
    let operations: Operations = paths
        .iter()
        .map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            let methods = methods.map(|method| method.to_uppercase().parse().unwrap());
            (path.clone(), methods.collect())
        })
        .collect();
    assert!(!operations.is_empty());
    operations
}

#[tokio::test]
async fn every_operation_of_the_openapi_document_is_answered() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    for (template, methods) in read_operations(&ada).await {
        for method in methods {
            let path = template.replace("{id}", &room);
            // These have nothing to read but a page.
            let accept = match path.as_str() {
                "/login" | "/register" => "text/html",
                _ => "*/*",
            };
            let request = ada.request(method.clone(), &path).header("accept", accept);
            let response = request.send().await.unwrap();
            let status = response.status();
            assert_ne!(status, 405, "{method} {path}");
            if status == 404 {
                // The path exists, but its person, code or message does not, or there is no
                // provider.
                let problem = expect_problem(response, 404).await;
                let is_known = path.contains('{') && problem.detail.contains("such")
                    || problem.detail.contains("no provider");
                assert!(is_known, "{method} {path}: {}", problem.detail);
            }
        }
    }
}

#[tokio::test]
async fn paths_of_the_openapi_document_allow_no_other_method() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    for (template, mut methods) in read_operations(&ada).await {
        let path = template.replace(['{', '}'], "");
        let response = ada.request(Method::TRACE, &path).send().await.unwrap();
        assert_eq!(response.status(), 405, "{path}");
        let allow = response.headers()["allow"].to_str().unwrap();
        let allowed = allow
            .split(',')
            .map(|method| method.trim().parse().unwrap());
        if methods.contains(&Method::GET) {
            methods.insert(Method::HEAD);
        }
        assert_eq!(allowed.collect::<BTreeSet<Method>>(), methods, "{path}");
    }
}

#[tokio::test]
async fn every_reference_of_the_openapi_document_is_defined() {
    let server = TestServer::new().await;
    let response = server.visitor("ada").get("/openapi.json", "*/*").await;
    let document: Value = response.json().await.unwrap();
    let mut references = BTreeSet::new();
    collect_references(&document, &mut references);
    assert!(references.contains("#/components/schemas/LobbyName"));
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect_references<'a>(value: &'a Value, references: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            references.extend(fields.get("$ref").and_then(Value::as_str));
            for field in fields.values() {
                collect_references(field, references);
            }
        }
        Value::Array(items) => {
            for item in items {
                collect_references(item, references);
            }
        }
        _ => {}
    }
}

/// `OpenApiRouter` takes only described handlers. The plain router adds two routes, both to
/// described ones, and the listener of the metrics has its own.
#[test]
fn no_route_is_added_outside_of_the_openapi_router() {
    let mut routes = Vec::new();
    collect_plain_routes(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut routes,
    );
    let is_expected = |route: &String| {
        route.contains("any(add_slash)")
            || route.contains(".route(\"/users/\", get(")
            || route.contains(".route(\"/metrics\", get(")
    };
    let others: Vec<&String> = routes.iter().filter(|route| !is_expected(route)).collect();
    assert!(others.is_empty(), "not in the document: {others:?}");
    assert_eq!(routes.len(), 3, "{routes:?}");
}

fn collect_plain_routes(folder: &Path, routes: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_plain_routes(&path, routes);
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let lines = source.lines().filter(|line| line.contains(".route("));
        routes.extend(lines.map(|line| line.trim().to_owned()));
    }
}

#[tokio::test]
async fn api_docs_page_lists_every_operation() {
    let server = TestServer::new().await;
    let page = server
        .visitor("ada")
        .get("/docs/", "text/html")
        .await
        .text()
        .await
        .unwrap();
    for part in [
        "/rooms/{id}/messages/",
        "Idempotency-Key",
        "problem-410",
        "at most the server's own limit",
        "<code>closed</code>",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains('`'));
    let page = page.replace("<!>", "");
    for (path, methods) in read_operations(&server.visitor("ada")).await {
        for method in methods {
            let heading = format!("<b>{method}</b> {path}<");
            assert!(page.contains(&heading), "{method} {path}");
        }
    }
}
