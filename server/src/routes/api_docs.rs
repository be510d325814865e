//! `/openapi.json` and `/docs/`: what the server answers, for programs and for people, from one description.

use axum::Json;
use axum::extract::State;
use axum::http::header::{self, HeaderName};
use axum::response::{Html, IntoResponse, Response};
use leptos::prelude::*;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::{OpenApi, RefOr, Required};

use crate::respond::assets;
use crate::state::AppState;

/// What the page may do: show itself in the site's style.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The chapters, by the tag of their operations.
const CHAPTERS: [(&str, &str); 7] = [
    ("rooms", "Rooms"),
    ("messages", "Messages"),
    ("people", "People"),
    ("order", "Order in rooms"),
    ("lobby", "The lobby"),
    ("operation", "Operation"),
    ("pages", "Pages"),
];

/// The problems that clients meet, and what to do about each.
const PROBLEMS: [(u16, &str, &str); 15] = [
    (
        400,
        "Malformed request",
        "The body or the query cannot be read: broken JSON, not UTF-8. Correct it.",
    ),
    (
        401,
        "Not signed in",
        "Sign in, or ask for a guest’s key, and send that; a token that is not good is refused. The lobby is joined first.",
    ),
    (403, "Not allowed", "“detail” says why."),
    (
        404,
        "Not found",
        "There is nothing at this address, and there never was. Check the ID.",
    ),
    (
        405,
        "Method not allowed",
        "The Allow header names the methods that this address answers.",
    ),
    (
        408,
        "Request timeout",
        "The body did not arrive in time. Send it again.",
    ),
    (409, "Taken", "Somebody else has that name. Choose another."),
    (
        410,
        "Room closed",
        "The room fell quiet or was closed by its owner, and was deleted. Create a new one.",
    ),
    (
        413,
        "Too large",
        "The body is larger than any message can be. Send less.",
    ),
    (
        415,
        "Unsupported media type",
        "Send application/json or application/x-www-form-urlencoded.",
    ),
    (
        422,
        "Invalid field",
        "The request is understood, but the field named in “field” breaks the rule in “detail”.",
    ),
    (
        426,
        "Upgrade required",
        "The address speaks WebSocket (RFC 6455).",
    ),
    (
        429,
        "Too many requests",
        "Wait as many seconds as Retry-After says.",
    ),
    (
        500,
        "Internal error",
        "Something broke on the server; its log says more under the ID in “detail”.",
    ),
    (
        503,
        "Not available",
        "The server is about to stop, or the provider of sign-in does not answer. Come back after Retry-After seconds.",
    ),
];

/// The events of a room's stream, by name, and what each carries.
const EVENTS: [(&str, &str); 12] = [
    (
        "none",
        "A message as JSON; its `id:` is the cursor to resume from.",
    ),
    (
        "`reset`",
        "The cursor cannot be honoured. Forget what you have; everything follows.",
    ),
    (
        "`edit`, `deletion`",
        "A message was changed or deleted: `message` as it is now; `id:` is the cursor to resume from.",
    ),
    (
        "`closing`",
        "The room is deleted at `expires_at` unless somebody writes.",
    ),
    ("`closed`", "The room has been deleted. The stream ends."),
    (
        "`presence`",
        "Who is here: `here` names at most 100, `count` counts all. Never moves the cursor.",
    ),
    (
        "`typing`",
        "Who types: `usernames`. Never moves the cursor.",
    ),
    (
        "`removed`",
        "Whoever listens may not any longer, or not at all. The stream of the room ends.",
    ),
    (
        "`signed-out`",
        "Whoever listens is no longer signed in. The stream ends.",
    ),
    (
        "`rooms`",
        "The public rooms, where they are asked for: a list, as a whole.",
    ),
    (
        "`overview`",
        "One’s own rooms and chats, where they are asked for, as a whole.",
    ),
    (
        "`beat`",
        "Nothing, at least every 15 seconds, where that is asked for.",
    ),
];

/// The OpenAPI 3.1 document.
#[utoipa::path(get, path = "/openapi.json", tag = "operation",
    responses((status = 200, description = "The document", body = Object, content_type = "application/json")))]
pub(crate) async fn show_openapi(State(state): State<AppState>) -> Response {
    Json(&state.api.openapi).into_response()
}

/// The same as a page to read.
#[utoipa::path(get, path = "/docs/", tag = "operation",
    responses((status = 200, description = "The page", body = String, content_type = "text/html")))]
pub(crate) async fn show_api_docs(
    State(state): State<AppState>,
) -> ([(HeaderName, &'static str); 1], Html<String>) {
    let page = state.api.page.get_or_init(|| render(&state.api.openapi));
    (
        [(header::CONTENT_SECURITY_POLICY, POLICY)],
        Html(page.clone()),
    )
}

fn render(document: &OpenApi) -> String {
    let css = assets::urls().css;
    let chapters = CHAPTERS
        .map(|(tag, title)| view! { <h2 id=tag>{title}</h2> {view_operations(document, tag)} });
    let contents =
        CHAPTERS.map(|(tag, title)| view! { <li><a href=format!("#{tag}")>{title}</a></li> });
    let problems = PROBLEMS.map(|(status, title, text)| {
        view! { <dt id=format!("problem-{status}")><code>{status}</code> " " {title}</dt> <dd>{text}</dd> }
    });
    let events = EVENTS.map(|(name, text)| view! { <dt>{prose(name)}</dt> <dd>{prose(text)}</dd> });
    let page = view! {
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>"API · webchat"</title>
                <link rel="icon" href="/icon.svg" type="image/svg+xml"/>
                <link rel="stylesheet" href=css/>
            </head>
            <body>
                <main class="docs">
                    <p><a href="/">"webchat"</a></p>
                    <h1>"The API"</h1>
                    <p>
                        "A room is a log of messages, and a client is a cursor on it. Programs find the same in "
                        <a href="/openapi.json">"the OpenAPI document"</a> "."
                    </p>
                    <ul class="contents">
                        {contents.into_iter().collect_view()}
                        <li><a href="#events">"Events"</a></li>
                        <li><a href="#problems">"Problems"</a></li>
                    </ul>
                    {chapters.into_iter().collect_view()}
                    <h2 id="events">"Events"</h2>
                    <p>"What a room’s stream says, by the name of the event."</p>
                    <dl>{events.into_iter().collect_view()}</dl>
                    <h2 id="problems">"Problems"</h2>
                    <p>{prose("Every answer that is not a success is `application/problem+json` (RFC 9457).")}</p>
                    <dl>{problems.into_iter().collect_view()}</dl>
                </main>
            </body>
        </html>
    };
    format!("<!DOCTYPE html>{}", page.to_html())
}

/// The operations with a tag.
fn view_operations(document: &OpenApi, tag: &'static str) -> Vec<impl IntoView + use<>> {
    let all = document.paths.paths.iter();
    let all = all.flat_map(|(path, item)| {
        methods(item)
            .into_iter()
            .map(move |(method, about)| (method, path, about))
    });
    let tagged = all.filter(|(_, _, about)| about.tags.iter().flatten().any(|own| own == tag));
    tagged
        .map(|(method, path, about)| view_operation(document, method, path, about))
        .collect()
}

/// A text in which code stands between backticks.
fn prose(text: &str) -> impl IntoView + use<> {
    let part = |(place, part): (usize, &str)| match place % 2 {
        0 => part.to_owned().into_any(),
        _ => view! { <code>{part.to_owned()}</code> }.into_any(),
    };
    text.split('`').enumerate().map(part).collect_view()
}

fn methods(item: &PathItem) -> Vec<(&'static str, &Operation)> {
    let all = [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ];
    all.into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
        .collect()
}

fn view_operation(
    document: &OpenApi,
    method: &'static str,
    path: &str,
    operation: &Operation,
) -> impl IntoView + use<> {
    let paragraphs: Vec<_> = [&operation.summary, &operation.description]
        .into_iter()
        .flatten()
        .map(|text| view! { <p>{prose(text)}</p> })
        .collect();
    let parameters: Vec<_> = operation
        .parameters
        .iter()
        .flatten()
        .filter_map(given)
        .map(view_parameter)
        .collect();
    let parameters =
        (!parameters.is_empty()).then(|| view! { <h4>"Parameters"</h4> <dl>{parameters}</dl> });
    let fields: Vec<_> = fields(document, operation)
        .into_iter()
        .map(|(name, text)| view! { <dt><code>{name}</code></dt> <dd>{prose(&text)}</dd> })
        .collect();
    let fields = (!fields.is_empty()).then(|| view! { <h4>"Fields"</h4> <dl>{fields}</dl> });
    let answers = operation.responses.responses.iter();
    let answers: Vec<_> = answers
        .filter_map(|(status, response)| {
            Some((status.clone(), given(response)?.description.clone()))
        })
        .map(|(status, text)| view! { <dt><code>{status}</code></dt> <dd>{prose(&text)}</dd> })
        .collect();
    view! {
        <section>
            <h3><code><b>{method}</b> " " {path.to_owned()}</code></h3>
            {paragraphs}
            {parameters}
            {fields}
            <h4>"Answers"</h4>
            <dl>{answers}</dl>
        </section>
    }
}

/// The fields of the body that an operation takes, and what they mean.
fn fields(document: &OpenApi, operation: &Operation) -> Vec<(String, String)> {
    let read = || {
        let body = serde_json::to_value(&operation.request_body).ok()?;
        let name = body
            .pointer("/content/application~1json/schema/$ref")?
            .as_str()?
            .rsplit('/')
            .next()?
            .to_owned();
        let schemas = serde_json::to_value(&document.components).ok()?;
        let described = schemas
            .pointer(&format!("/schemas/{name}/properties"))?
            .as_object()?
            .clone();
        let text = |about: &serde_json::Value| {
            about["description"].as_str().unwrap_or_default().to_owned()
        };
        Some(
            described
                .iter()
                .map(|(name, about)| (name.clone(), text(about)))
                .collect(),
        )
    };
    read().unwrap_or_default()
}

/// What is described in its place, as everything here is, and not elsewhere.
fn given<T>(described: &RefOr<T>) -> Option<&T> {
    match described {
        RefOr::T(given) => Some(given),
        RefOr::Ref(_) => None,
    }
}

fn view_parameter(parameter: &Parameter) -> impl IntoView + use<> {
    let place = match parameter.parameter_in {
        ParameterIn::Path => "path",
        ParameterIn::Query | ParameterIn::QueryString => "query",
        ParameterIn::Header => "header",
        ParameterIn::Cookie => "cookie",
    };
    let needed = if parameter.required == Required::True {
        "required"
    } else {
        "optional"
    };
    view! {
        <dt><code>{parameter.name.clone()}</code></dt>
        <dd>{prose(parameter.description.as_deref().unwrap_or_default())} <small>{format!(" {place}, {needed}")}</small></dd>
    }
}
