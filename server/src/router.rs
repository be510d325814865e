//! The router: every route with its description, the redirects to them, and the layers around them.
//!
//! # Guarantees
//! Every route but the redirects is in the OpenAPI document, because there is no other way to add
//! one.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Extensions, HeaderMap, StatusCode, Version, header};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use axum::{Extension, Router};
use protocol::schema::LobbyName;
use protocol::{Problem, Refusal};
use texts::refusal;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::trace::TraceLayer;
use tracing::Span;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use crate::error::Error;
use crate::extract::accept;
use crate::extract::caller::Caller;
use crate::extract::https::Https;
use crate::middleware::answer_admission::SiteFile;
use crate::middleware::language::choose as choose_language;
use crate::middleware::problem_pages::ProblemFormat;
use crate::middleware::{answer_admission, client_ip, instance_cookies, security_headers};
use crate::respond::negotiated::Uncompressed;
use crate::respond::{assets, page};
use crate::routes::{
    accounts, api_docs, audit_log, direct_chats, events, export, file_list, file_previews, files,
    guests, health, home, invitations, language, lobby, members, messages, notification_settings,
    oidc, overview, password, person, profile, provider_link, qr_code, read_marker, room_listing,
    room_notifications, room_settings, room_socket, rooms, sanctions, sign_out, typing, uploads,
};
use crate::state::AppState;

/// The frame of the OpenAPI document.
#[derive(OpenApi)]
#[openapi(
    info(title = "webchat", description = "Rooms over HTTP: a room is a log of messages, a client is a cursor on it. \
            Every route answers 400 to a request without exactly one valid `Host`, \
            415 to a body with a `Content-Encoding`, and 429 to a client that leaves many answers unread.",),
    components(schemas(Problem, LobbyName, rooms::CreateRoom, room_settings::ChangeRoom, invitations::CreateInvitation)),
    modifiers(&Tokens)
)]
struct Api;

/// Describes the tokens by which scripts authenticate.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
    }
}

/// Every route with its description.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(home::show_home))
        .routes(routes!(language::show_languages, language::choose_language))
        .routes(routes!(rooms::list_rooms, rooms::create_room))
        .routes(routes!(
            rooms::show_room,
            room_settings::change_room,
            rooms::close_room
        ))
        .routes(routes!(room_settings::show_settings))
        .routes(routes!(
            room_notifications::show_room_notifications,
            room_notifications::set_room_notifications
        ))
        .routes(routes!(
            room_listing::show_listing,
            room_listing::choose_listing
        ))
        .routes(routes!(qr_code::show_room_code))
        .routes(routes!(qr_code::show_invitation_code))
        .routes(routes!(members::list_members))
        .routes(routes!(members::change_role, members::remove_member))
        .routes(routes!(person::show_person))
        .routes(routes!(
            invitations::create_invitation,
            invitations::list_invitations
        ))
        .routes(routes!(invitations::revoke_invitation))
        .routes(routes!(
            invitations::show_invitation,
            invitations::accept_invitation
        ))
        .routes(routes!(
            sanctions::create_sanction,
            sanctions::list_sanctions
        ))
        .routes(routes!(sanctions::lift_sanction))
        .routes(routes!(audit_log::list_audit_log))
        .routes(routes!(rooms::open_named_room))
        .routes(routes!(messages::read_messages, messages::post_message))
        .routes(routes!(messages::edit_message, messages::delete_message))
        .routes(routes!(files::send_files))
        .routes(routes!(file_list::list_files))
        .routes(routes!(files::download_file))
        .routes(routes!(files::delete_file))
        .routes(routes!(
            file_previews::download_preview,
            file_previews::send_preview
        ))
        .routes(routes!(files::show_limits))
        .routes(
            routes!(uploads::describe_uploads, uploads::create_upload)
                .layer(map_response(uploads::name_version)),
        )
        .routes(
            routes!(
                uploads::show_upload,
                uploads::continue_upload,
                uploads::delete_upload
            )
            .layer(map_response(uploads::name_version)),
        )
        .routes(routes!(typing::report_typing))
        .routes(routes!(events::follow_rooms))
        .routes(routes!(overview::show_overview))
        .routes(routes!(room_socket::open_room_socket))
        .routes(routes!(room_socket::open_named_room_socket))
        .routes(routes!(
            accounts::show_sign_up_form,
            accounts::register_account
        ))
        .routes(routes!(
            accounts::show_sign_in_form,
            accounts::sign_in_account
        ))
        .routes(routes!(oidc::begin_oidc_sign_in))
        .routes(routes!(oidc::finish_oidc_sign_in))
        .routes(routes!(accounts::list_accounts))
        .routes(routes!(sign_out::sign_out))
        .routes(routes!(profile::show_profile, profile::rename_account))
        .routes(routes!(
            notification_settings::show_notification_settings,
            notification_settings::replace_notification_settings,
            notification_settings::adjust_notification_settings
        ))
        .routes(routes!(password::change_password))
        .routes(routes!(profile::claim_guest))
        .routes(routes!(provider_link::link_provider))
        .routes(routes!(provider_link::unlink_provider))
        .routes(routes!(sign_out::sign_out_everywhere))
        .routes(routes!(profile::delete_account))
        .routes(routes!(guests::create_guest))
        .routes(routes!(direct_chats::list_direct_chats))
        .routes(routes!(direct_chats::open_direct_chat))
        .routes(routes!(read_marker::move_read_marker))
        .routes(routes!(lobby::join_lobby))
        .routes(routes!(lobby::follow_lobby))
        .routes(routes!(lobby::send_to_lobby))
        .routes(routes!(lobby::leave_lobby, lobby::delete_from_lobby))
        .routes(routes!(export::download_archive))
        .routes(routes!(export::download_transcript))
        .routes(routes!(export::download_zip))
        .routes(routes!(health::report_health))
        .routes(routes!(health::report_readiness))
        .routes(routes!(api_docs::show_openapi))
        .routes(routes!(api_docs::show_api_docs))
}

/// The whole application: the routes, the redirects to them, and the layers around both.
pub(crate) fn with_layers(router: Router<AppState>, state: AppState) -> Router {
    let document = &state.api.openapi;
    let with_slash = document
        .paths
        .paths
        .keys()
        .filter(|path| path.len() > 1 && path.ends_with('/'));
    let router = with_slash.fold(router, |router, path| {
        router.route(path.trim_end_matches('/'), any(add_slash))
    });
    let router = router
        .route("/users/", get(accounts::list_accounts))
        .fallback(serve_file_or_not_found)
        .method_not_allowed_fallback(async || Error::from(Refusal::MethodNotAllowed));
    let compression = CompressionLayer::new()
        .quality(tower_http::CompressionLevel::Precise(4))
        .compress_when(is_text);
    // All in one layer of the router: each layer boxes every request once more.
    let layers = ServiceBuilder::new()
        // `Error` has logged every fault already.
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(request_span)
                .on_failure(()),
        )
        .layer(from_fn_with_state(state.clone(), run_middleware))
        // Inside, so that the share of an answer counts its encoder, too.
        .layer(compression);
    router.layer(layers).with_state(state)
}

/// The span of a request in the log: its route instead of its address, which may have a text, a code
/// or a name.
fn request_span(request: &Request) -> Span {
    let route = request.extensions().get::<MatchedPath>();
    tracing::debug_span!(
        "request",
        method = %request.method(),
        route = route.map_or("none", MatchedPath::as_str),
        version = ?request.version(),
    )
}

/// Redirects to the same address with a slash at its end, permanently.
async fn add_slash(request: Request) -> Redirect {
    let uri = request.uri();
    let query = uri
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    Redirect::permanent(&format!("{}/{query}", uri.path()))
}

/// A file of the site, or "not found".
async fn serve_file_or_not_found(State(state): State<AppState>, request: Request) -> Response {
    if let Some(file) = assets::serve(request.method(), request.uri().path(), request.headers()) {
        return (Extension(SiteFile), file).into_response();
    }
    if assets::is_read(request.method()) && accept::prefers_html(request.headers()) {
        return match Caller::of(request.headers(), &state).await {
            Ok(Caller(by)) => page::render(&state, &by, request).await,
            Err(error) => error.into_response(),
        };
    }
    Error::from(Refusal::NotFound(refusal::NO_PAGE)).into_response()
}

/// The steps around every handler, as one layer: each layer costs every request.
async fn run_middleware(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    client_ip::apply_forwarded(&state.proxies, &mut request);
    let format = ProblemFormat::of(&request);
    let https = Https::of(request.extensions());
    let moves = instance_cookies::take_own(&state, &mut request).await;
    let language = choose_language(request.headers(), state.language);
    let answer = async { format.apply(answer_admission::answer(&state, request, next).await) };
    let mut answer = language.scope(answer).await;
    state.answers.count(answer.status());
    instance_cookies::name_own(&state, https, &mut answer, moves);
    security_headers::add(answer, https)
}

/// Whether an answer is compressed: pages and JSON are, unless they are very long; the site's files
/// are stored compressed, and streams never are.
fn is_text(_: StatusCode, _: Version, headers: &HeaderMap, extensions: &Extensions) -> bool {
    if extensions.get::<Uncompressed>().is_some() {
        return false;
    }
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    kind.starts_with("text/html") || kind.starts_with("application/json")
}
