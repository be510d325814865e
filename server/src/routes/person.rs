//! `/rooms/{id}/person/`: the card of a person in a room.

use app::{PersonChange, PersonPage};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chat::PersonQuery;
use protocol::{PersonCard, Refusal};
use texts::refusal;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::payload::SEQ_MAX;
use crate::extract::query::Query;
use crate::extract::room_path::RoomPath;
use crate::openapi::responses::{QueryRefused, RoomRefused};
use crate::respond::form_page;
use crate::respond::negotiated::{self, Format};
use crate::state::AppState;

/// Shows a person in a room: who they are, and what the caller may do with them. Either `name` or
/// `message` names the person.
///
/// The page has the forms of these actions. A caller without an account finds an account by its name
/// only if it is a member of the room or an operator, has written in the room, or is there.
#[utoipa::path(get, path = "/rooms/{id}/person/", tag = "order",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("name" = Option<String>, Query,
            description = "The name of the person in the room: a username, or the name of a guest"),
        ("message" = Option<u64>, Query, minimum = 1,
            description = "The `id` of a message that the person wrote, under whatever name"),
        ("done" = Option<String>, Query,
            description = "What the caller has just changed: `lifted`, `removed` or `role`; the page shows that"),
        ("was" = Option<String>, Query,
            description = "With `done=role`: the role before, which the page offers to give back"),
    ),
    responses(
        (status = 200,
            description = "The person",
            content((PersonCard = "application/json"), (String = "text/html"))),
        QueryRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn show_person(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    format: Format,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Error> {
    let asked = read_query(&query)?;
    let card = state.chat.load_person_card(&by, &room, &asked).await;
    if !format.is_html() {
        return Ok(negotiated::json(card?));
    }
    let sheet = form_page::room_sheet(&state, &by, &headers, room).await?;
    match (card, asked) {
        (Ok(card), asked) => {
            let person = PersonPage {
                room,
                card,
                query: text_of(&asked),
                change: PersonChange::of_query(query.text("done"), query.text("was")),
                now: app::now(),
            };
            Ok(form_page::show(app::person_page(&sheet, &person)))
        }
        (
            Err(chat::Error::Refusal(refusal @ Refusal::NotFound(refusal::NO_PERSON))),
            PersonQuery::Named(name),
        ) => {
            let html = app::unknown_person_page(&sheet, &name);
            Ok(form_page::error_page(refusal.into(), html))
        }
        (Err(error), _) => Err(error.into()),
    }
}

fn read_query(query: &Query) -> Result<PersonQuery, Refusal> {
    let message = query.number("message", 1, SEQ_MAX)?;
    match (query.text("name"), message) {
        (Some(name), None) => Ok(PersonQuery::Named(name.to_owned())),
        (None, Some(seq)) => Ok(PersonQuery::AuthorOf(seq)),
        _ => Err(Refusal::invalid(
            "name",
            "or message must be given, and not both",
        )),
    }
}

/// The query as a page names it.
fn text_of(asked: &PersonQuery) -> String {
    match asked {
        PersonQuery::Named(name) => app::query_of_name(name),
        PersonQuery::AuthorOf(seq) => app::query_of_author(*seq),
    }
}
