//! `/openapi.json` and `/docs/`: the description of the API, for programs and as a page.

use axum::extract::State;
use axum::http::header::{self, HeaderName};
use axum::response::Html;
use bytes::Bytes;
use leptos::prelude::*;
use protocol::EventName;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::{OpenApi, RefOr, Required};

use crate::respond::assets;
use crate::state::AppState;

/// The content security policy of the page: the site's style sheet and icons, nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The chapters of the page, by the tag of their operations.
const CHAPTERS: [(&str, &str); 8] = [
    ("rooms", "Rooms"),
    ("messages", "Messages"),
    ("files", "Files"),
    ("people", "People"),
    ("order", "Order in rooms"),
    ("lobby", "The lobby"),
    ("operation", "Operation"),
    ("pages", "Pages"),
];

/// The problems that clients meet, and what a client can do about each.
const PROBLEMS: [(u16, &str, &str); 17] = [
    (
        400,
        "Malformed request",
        "The body or the query cannot be read: broken JSON, not UTF-8. Correct it.",
    ),
    (
        401,
        "Not signed in",
        "Sign in, or request a guest’s key, and send the token; an invalid token is refused. In the lobby, join first.",
    ),
    (403, "Not allowed", "“detail” names the reason."),
    (
        404,
        "Not found",
        "This address never existed. Check the ID.",
    ),
    (
        405,
        "Method not allowed",
        "The header Allow names the methods of this address.",
    ),
    (
        408,
        "Request timeout",
        "The body did not arrive in time. Send it again.",
    ),
    (
        409,
        "Taken",
        "Another person has that name: choose another one. Or an upload is at another byte: ask with HEAD how far it is.",
    ),
    (
        410,
        "Room closed",
        "The room expired or its owner closed it, and it was deleted. Create a new room.",
    ),
    (
        412,
        "Unknown protocol version",
        "Uploads speak tus 1.0.0; name it in the header Tus-Resumable.",
    ),
    (
        413,
        "Too large",
        "The body is larger than the largest message or file; “detail” has the limit. Send less.",
    ),
    (
        415,
        "Unsupported media type",
        "Send application/json or application/x-www-form-urlencoded.",
    ),
    (
        422,
        "Invalid field",
        "The field named in “field” breaks the rule in “detail”.",
    ),
    (
        426,
        "Upgrade required",
        "This address needs a WebSocket (RFC 6455).",
    ),
    (
        429,
        "Too many requests",
        "Wait for the number of seconds in Retry-After.",
    ),
    (
        460,
        "Wrong checksum",
        "The bytes of the upload do not have the checksum in Upload-Checksum. Send them again.",
    ),
    (
        500,
        "Internal error",
        "The server failed. Its log has the details under the ID in “detail”.",
    ),
    (
        503,
        "Not available",
        "The server is stopping, or the provider of sign-in does not answer. Try again after Retry-After seconds.",
    ),
];

/// What an event of a stream says.
fn event_text(event: EventName) -> &'static str {
    match event {
        EventName::Message => {
            "A message as JSON; its `id:` is the cursor from which a client resumes."
        }
        EventName::Change => {
            "A message was changed: `kind` says how (`edit`, `deletion`; others may be added), `id` is the change's own sequence, `target` that of the message, and `message` its new state. `id:` is the cursor from which a client resumes, also after a kind that it does not know."
        }
        EventName::Reset => {
            "The server cannot honour the cursor. Discard the messages that you have; every message follows."
        }
        EventName::Closing => {
            "The room is deleted at `expires_at` unless it receives a message before."
        }
        EventName::Closed => {
            "The room has been deleted; `problem` says why, as the room’s address does. The stream of the room ends."
        }
        EventName::Removed => {
            "The reader may not follow the room (any longer); `problem` says why, as the room’s address does. The stream of the room ends."
        }
        EventName::SignedOut => "The reader’s session has ended. The stream ends.",
        EventName::Presence => {
            "The people in the room: `here` names at most 100 of them, `count` is the number of all. Never moves the cursor."
        }
        EventName::Typing => "The people who are typing: `usernames`. Never moves the cursor.",
        EventName::Name => {
            "An account has another display name: its `username` and its new `name`. Never moves the cursor."
        }
        EventName::Roles => {
            "The owner, the moderators or the operators whom everyone in the room sees have changed, or the name of one of them: `roles` of the room, which the room’s address answers, has them. Never moves the cursor."
        }
        EventName::Rooms => "The public rooms, as a complete list, if the client asks for them.",
        EventName::Overview => {
            "The caller’s rooms and direct messages, as a complete list, if the client asks for them."
        }
        EventName::Beat => "No content; at least every 15 seconds, if the client asks for it.",
    }
}

/// The name of an event, as the documentation writes it.
fn event_title(event: EventName) -> String {
    match event {
        EventName::Message => "none".to_owned(),
        named => format!("`{}`", named.text()),
    }
}

/// Shows the OpenAPI 3.1 document.
#[utoipa::path(get, path = "/openapi.json", tag = "operation",
    responses(
        (status = 200,
            description = "The document", body = Object, content_type = "application/json"),
    ))]
pub(crate) async fn show_openapi(
    State(state): State<AppState>,
) -> ([(HeaderName, &'static str); 1], Bytes) {
    // Texts, numbers and lists always serialize.
    let encode = || serde_json::to_vec(&state.api.openapi).unwrap_or_default();
    let json = state.api.json.get_or_init(|| encode().into());
    ([(header::CONTENT_TYPE, "application/json")], json.clone())
}

/// Shows the same description as a page.
#[utoipa::path(get, path = "/docs/", tag = "operation",
    responses((status = 200, description = "The page", body = String, content_type = "text/html")))]
pub(crate) async fn show_api_docs(
    State(state): State<AppState>,
) -> ([(HeaderName, &'static str); 1], Html<Bytes>) {
    let page = state
        .api
        .page
        .get_or_init(|| render_page(&state.api.openapi).into());
    (
        [(header::CONTENT_SECURITY_POLICY, POLICY)],
        Html(page.clone()),
    )
}

fn render_page(document: &OpenApi) -> String {
    let css = assets::urls().css;
    let chapters = CHAPTERS
        .map(|(tag, title)| view! { <h2 id=tag>{title}</h2> {view_operations(document, tag)} });
    let contents =
        CHAPTERS.map(|(tag, title)| view! { <li><a href=format!("#{tag}")>{title}</a></li> });
    let problems = PROBLEMS.map(|(status, title, text)| {
        view! { <dt id=format!("problem-{status}")><code>{status}</code> " " {title}</dt> <dd>{text}</dd> }
    });
    let events = EventName::ALL.map(|event| {
        view! { <dt>{view_text(&event_title(event))}</dt> <dd>{view_text(event_text(event))}</dd> }
    });
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
                        "A room is a log of messages, and a client is a cursor on it. Programs read the same in "
                        <a href="/openapi.json">"the OpenAPI document"</a> "."
                    </p>
                    <ul class="contents">
                        {contents.into_iter().collect_view()}
                        <li><a href="#events">"Events"</a></li>
                        <li><a href="#problems">"Problems"</a></li>
                    </ul>
                    {chapters.into_iter().collect_view()}
                    <h2 id="events">"Events"</h2>
                    <p>"The events of a room’s stream, by name."</p>
                    <dl>{events.into_iter().collect_view()}</dl>
                    <h2 id="problems">"Problems"</h2>
                    <p>{view_text("Every refusal is an `application/problem+json` document (RFC 9457).")}</p>
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
        operations_of(item)
            .into_iter()
            .map(move |(method, about)| (method, path, about))
    });
    let tagged = all.filter(|(_, _, about)| about.tags.iter().flatten().any(|own| own == tag));
    tagged
        .map(|(method, path, about)| view_operation(document, method, path, about))
        .collect()
}

/// A text with code between backticks.
fn view_text(text: &str) -> impl IntoView + use<> {
    let part = |(place, part): (usize, &str)| match place % 2 {
        0 => part.to_owned().into_any(),
        _ => view! { <code>{part.to_owned()}</code> }.into_any(),
    };
    text.split('`').enumerate().map(part).collect_view()
}

fn operations_of(item: &PathItem) -> Vec<(&'static str, &Operation)> {
    let all = [
        ("GET", &item.get),
        ("HEAD", &item.head),
        ("OPTIONS", &item.options),
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
        .map(|text| view! { <p>{view_text(text)}</p> })
        .collect();
    let parameters: Vec<_> = operation
        .parameters
        .iter()
        .flatten()
        .filter_map(inline)
        .map(view_parameter)
        .collect();
    let parameters =
        (!parameters.is_empty()).then(|| view! { <h4>"Parameters"</h4> <dl>{parameters}</dl> });
    let fields: Vec<_> = body_fields(document, operation)
        .into_iter()
        .map(|(name, text)| view! { <dt><code>{name}</code></dt> <dd>{view_text(&text)}</dd> })
        .collect();
    let fields = (!fields.is_empty()).then(|| view! { <h4>"Fields"</h4> <dl>{fields}</dl> });
    let answers = operation.responses.responses.iter();
    let answers: Vec<_> = answers
        .filter_map(|(status, response)| {
            Some((status.clone(), inline(response)?.description.clone()))
        })
        .map(|(status, text)| view! { <dt><code>{status}</code></dt> <dd>{view_text(&text)}</dd> })
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

/// The fields of an operation's body, and their descriptions.
fn body_fields(document: &OpenApi, operation: &Operation) -> Vec<(String, String)> {
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

/// An inline description; the server writes no others.
fn inline<T>(described: &RefOr<T>) -> Option<&T> {
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
        <dd>{view_text(parameter.description.as_deref().unwrap_or_default())} <small>{format!(" {place}, {needed}")}</small></dd>
    }
}
