//! `/profile/notifications/`: when the caller receives no notifications.
//!
//! # Not here
//! The level of a room (`room_notifications`). Sound, and whether a browser shows notifications: the
//! browser stores that (`public/notification_settings.js`).

use std::time::Duration;

use app::NotificationSettingsPage;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use chat::Person;
use protocol::{NotificationSettings, QuietHours, Refusal, Time};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::next::local_path;
use crate::extract::payload::Payload;
use crate::extract::query::Query;
use crate::openapi::responses::{AccountRefused, BodyRefused, QueryRefused, TokenRefused};
use crate::respond::negotiated::{self, Format};
use crate::respond::{form_page, page};
use crate::state::AppState;

const HOUR: i64 = 60 * 60 * 1_000;
const DAY: i64 = 24 * HOUR;
/// When a pause "until tomorrow" ends, after midnight.
const MORNING: i64 = 8 * HOUR;
/// The greatest distance of a time zone from UTC, in minutes.
const OFFSET_MAX: i64 = 14 * 60;

/// Shows when the caller receives no notifications.
#[utoipa::path(get, path = "/profile/notifications/", tag = "people",
    params(
        ("changed" = Option<String>, Query,
            description = "Present if the settings were just changed; the page shows that"),
        ("next" = Option<String>, Query,
            description = "For the page: the way back, a path of this site"),
    ),
    responses(
        (status = 200,
            description = "The settings",
            content((NotificationSettings = "application/json"), (String = "text/html"))),
        QueryRefused,
        TokenRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn show_notification_settings(
    State(state): State<AppState>,
    Caller(by): Caller,
    format: Format,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Error> {
    let settings = state.chat.load_notification_settings(&by).await?;
    if format == Format::Json {
        return Ok(negotiated::json(settings));
    }
    let page = NotificationSettingsPage {
        settings,
        changed: query.text("changed").is_some(),
    };
    let sheet = form_page::sheet_of(&state, &by, &headers, query.text("next")).await?;
    let mut answer = form_page::show(app::notification_settings_page(&sheet, &page));
    // The forms of the page need someone whose settings they change.
    if let Some(key) = page::new_guest_cookie(&state, &by) {
        answer.headers_mut().append(header::SET_COOKIE, key);
    }
    Ok(answer)
}

/// When the caller receives no notifications, as a whole.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ReplaceNotificationSettings {
    /// Until when notifications are paused, at most a year; not given or `null` for no pause.
    #[schema(value_type = Option<String>, format = DateTime)]
    pause_until: Option<String>,
    /// The hours of each day without notifications; not given or `null` for none.
    quiet: Option<QuietHours>,
}

/// Replaces the settings: when the caller, who needs an account or a guest key, receives no
/// notifications.
#[utoipa::path(put, path = "/profile/notifications/", tag = "people",
    request_body(content = ReplaceNotificationSettings, content_type = "application/json"),
    responses(
        (status = 200, description = "The settings", body = NotificationSettings),
        BodyRefused,
        AccountRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn replace_notification_settings(
    State(state): State<AppState>,
    Caller(by): Caller,
    payload: Payload<ReplaceNotificationSettings>,
) -> Result<Response, Error> {
    let sent = payload.read()?;
    let quiet = sent.quiet.map(|quiet| {
        let QuietHours { from, to, zone } = quiet;
        QuietHours::parse(&from, &to, &zone)
    });
    let settings = NotificationSettings {
        pause_until: sent.pause_until.as_deref().map(parse_pause).transpose()?,
        quiet: quiet.transpose()?,
    };
    let chat = &state.chat;
    chat.change_notification_settings(&by, &settings).await?;
    let stored = chat.load_notification_settings(&by).await?;
    Ok(negotiated::json(stored))
}

fn parse_pause(text: &str) -> Result<Time, Refusal> {
    let rule = "must be a time like 2026-11-20T06:41:00Z";
    let time = text.parse();
    time.map_err(|_| Refusal::invalid("pause_until", rule))
}

/// How long notifications are paused.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pause {
    /// One hour.
    Hour,
    /// Until eight in the morning of the next day.
    Tomorrow,
    /// No longer.
    Resume,
}

/// A change of one of the settings. A field that is not given does not change.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct AdjustNotificationSettings {
    /// Pauses or resumes notifications.
    pause: Option<Pause>,
    /// The distance of the caller's time zone from UTC, in minutes; positive in the east. It says
    /// when the next day begins.
    #[schema(pattern = "^-?[0-9]{1,3}$", example = "60")]
    utc_offset: Option<String>,
    /// Whether there are quiet hours.
    quiet: Option<bool>,
    /// When the quiet hours begin; required with `quiet`.
    #[schema(example = "22:00")]
    from: Option<String>,
    /// When the quiet hours end; required with `quiet`.
    #[schema(example = "07:00")]
    to: Option<String>,
    /// The time zone of the quiet hours, by its IANA name; required with `quiet`.
    #[schema(example = "Europe/Berlin")]
    zone: Option<String>,
}

/// Changes one of the settings, as the forms of the page do.
#[utoipa::path(post, path = "/profile/notifications/", tag = "people",
    request_body(content(
        (AdjustNotificationSettings = "application/json"),
        (AdjustNotificationSettings = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "The settings", body = NotificationSettings),
        (status = 303, description = "Back to the page, for clients that prefer pages"),
        BodyRefused,
        AccountRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn adjust_notification_settings(
    State(state): State<AppState>,
    Caller(by): Caller,
    format: Format,
    headers: HeaderMap,
    payload: Payload<AdjustNotificationSettings>,
) -> Result<Response, Error> {
    format
        .answer(
            apply_adjustment(&state, &by, &payload).await,
            |_| redirect_changed(payload.next()),
            negotiated::json,
            async |error| rerender(&state, &by, &headers, &payload, error).await,
        )
        .await
}

async fn apply_adjustment(
    state: &AppState,
    by: &Person,
    payload: &Payload<AdjustNotificationSettings>,
) -> Result<NotificationSettings, Error> {
    let sent = payload.read()?;
    let chat = &state.chat;
    let mut settings = chat.load_notification_settings(by).await?;
    if let Some(pause) = sent.pause {
        let offset = parse_offset(sent.utc_offset.as_deref())?;
        settings.pause_until = pause_end(pause, chat.now(), offset);
    }
    if let Some(is_quiet) = sent.quiet {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let parse = || QuietHours::parse(&text(&sent.from), &text(&sent.to), &text(&sent.zone));
        settings.quiet = is_quiet.then(parse).transpose()?;
    }
    chat.change_notification_settings(by, &settings).await?;
    Ok(settings)
}

fn parse_offset(text: Option<&str>) -> Result<i64, Refusal> {
    let minutes = text.unwrap_or("0").parse::<i64>();
    let minutes = minutes.ok().filter(|minutes| minutes.abs() <= OFFSET_MAX);
    minutes.ok_or_else(|| {
        let rule = format!("must be a whole number from -{OFFSET_MAX} to {OFFSET_MAX}");
        Refusal::invalid("utc_offset", rule)
    })
}

/// When a pause ends that begins now, in a time zone that is `offset` minutes east of UTC.
fn pause_end(pause: Pause, now: Time, offset: i64) -> Option<Time> {
    match pause {
        Pause::Hour => Some(now.after(Duration::from_secs(60 * 60))),
        Pause::Tomorrow => {
            let offset = offset * 60_000;
            let day = (now.millis() + offset).div_euclid(DAY);
            Some(Time::from_millis((day + 1) * DAY + MORNING - offset))
        }
        Pause::Resume => None,
    }
}

fn redirect_changed(next: Option<&str>) -> Response {
    let next = app::percent_encode(local_path(next));
    let page = format!("/profile/notifications/?changed=1&next={next}");
    negotiated::redirect(None, &page).into_response()
}

/// The page with the values that the client sent, and the error beside its field.
async fn rerender(
    state: &AppState,
    by: &Person,
    headers: &HeaderMap,
    payload: &Payload<AdjustNotificationSettings>,
    error: Error,
) -> Result<Response, Error> {
    let mut settings = state.chat.load_notification_settings(by).await?;
    if payload.raw("quiet").is_some() {
        settings.quiet = Some(QuietHours {
            from: payload.raw_text("from").to_owned(),
            to: payload.raw_text("to").to_owned(),
            zone: payload.raw_text("zone").to_owned(),
        });
    }
    let place = |field: Option<&str>| match field {
        Some("from") => "from",
        Some("to") => "to",
        Some("zone") => "zone",
        _ => "",
    };
    let page = NotificationSettingsPage {
        settings,
        changed: false,
    };
    let sheet = form_page::sheet_of(state, by, headers, payload.next()).await?;
    form_page::rerender_with_error(error, place, |wrong| {
        app::notification_settings_page(&sheet.with_errors(wrong), &page)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_until_tomorrow_ends_at_eight_in_the_morning_of_the_zone() {
        for (now, offset, end) in [
            ("2026-11-30T12:00:00Z", 0, "2026-12-01T08:00:00.000Z"),
            ("2026-11-30T00:00:00Z", 0, "2026-12-01T08:00:00.000Z"),
            ("2026-11-30T23:30:00Z", 60, "2026-12-02T07:00:00.000Z"),
            ("2026-11-30T02:00:00Z", -300, "2026-11-30T13:00:00.000Z"),
        ] {
            let until = pause_end(Pause::Tomorrow, now.parse().unwrap(), offset);
            assert_eq!(until.unwrap().to_string(), end, "{now} {offset}");
        }
    }

    #[test]
    fn offset_of_no_time_zone_is_refused() {
        assert_eq!(parse_offset(None), Ok(0));
        assert_eq!(parse_offset(Some("-300")), Ok(-300));
        for text in ["", "x", "841", "-841", "1.5"] {
            assert!(parse_offset(Some(text)).is_err(), "{text}");
        }
    }
}
