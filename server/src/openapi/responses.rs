//! The refusals that many routes share, as the OpenAPI document describes them.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::RefOr;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{Ref, Schema};

/// A group of refusals: a type for `responses(…)`, with the status and the description of each.
macro_rules! refusals {
    ($($(#[$about:meta])* $name:ident { $($status:literal: $description:literal,)+ })+) => {$(
        $(#[$about])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                [$(($status, $description)),+].map(problem).into()
            }
        }
    )+};
}

refusals! {
    /// Refusals of every route that reads a body.
    BodyRefused {
        400: "The body is malformed",
        413: "The body is too large",
        415: "The body has an unsupported type",
        422: "A field is invalid",
    }

    /// Refusals of every route that reads a query.
    QueryRefused {
        400: "The query is malformed",
        422: "A parameter is invalid",
    }

    /// Refusals of every route in a room.
    RoomRefused {
        401: "The token is invalid",
        403: "The caller is not allowed to do this",
        404: "No such room, or the room has nothing at this address",
        410: "The room was deleted",
        429: "Too many requests, or too many for rooms that do not exist",
    }

    /// Refusals of every route that takes files.
    UploadRefused {
        400: "The body broke off, or the form is malformed",
        408: "The client sent nothing for half a minute",
        413: "The file, or the files of the room together, would have more bytes than they may have, which the text says",
        415: "The body has an encoding",
        422: "The name is missing, or a field is invalid",
    }

    /// Refusals of every route that takes bytes of an upload.
    UploadBytesRefused {
        400: "A header is missing or malformed, or the body broke off",
        408: "The client sent nothing for half a minute",
        413: "The file, or the files of the room together, would have more bytes than they may have, which the text says, or the upload more than its length",
        415: "The body is not `application/offset+octet-stream`, or has an encoding",
        422: "The upload has arrived in too many parts",
        460: "The body does not have the checksum",
    }

    /// Refusals of every route that goes on with an upload.
    UploadChanged {
        409: "The upload is at another byte, or another request goes on with it",
    }

    /// Refusals of every route of the tus protocol.
    UploadVersionRefused {
        412: "`Tus-Resumable` does not name the version of the protocol",
    }

    /// Refusals of every route that stores files.
    FilesRefused {
        507: "The server keeps its free space, or all files together have as many bytes as they may have",
    }

    /// Refusals of every route that sends a message with files.
    UncheckedRefused {
        503: "A file is still being checked for what is harmful",
    }

    /// Refusals of every stream outside of a room.
    StreamRefused {
        429: "The address or the person has too many open streams",
    }

    /// Refusals of every route that stores something of which there may be much.
    StorageRefused {
        507: "The disk of the server is almost full, or the room has as much text as it may have",
    }

    /// Refusals of every route that takes any caller.
    TokenRefused {
        401: "The token is invalid",
    }

    /// Refusals of every `GET` that creates something.
    CrossSiteRefused {
        403: "The request comes from a part of another site's page",
    }

    /// Refusals of the room of a name.
    NamedRoomRefused {
        403: "The request comes from a part of another site's page, or the caller is banned",
        410: "The room was deleted",
    }

    /// Refusals of every route that changes an account.
    AccountRefused {
        401: "The caller is not signed in",
        429: "Too many requests",
    }

    /// Refusals of every route that confirms a password.
    PasswordRefused {
        400: "The password is wrong, or the body is malformed",
        503: "Too many passwords are checked at the moment",
    }

    /// Refusals of every route that adds a way to sign in.
    FreshSessionRefused {
        403: "The account has no password, and the sign-in provider has not asked its person in the last five minutes",
    }

    /// Refusals of every route that needs an account.
    SignInRefused {
        401: "The caller is not signed in",
    }

    /// Refusals of every route that writes.
    RateLimited {
        429: "Too many requests",
    }

    /// Refusals of every route that takes a name.
    NameRefused {
        409: "Another person has the name; `free` is a similar name that is free",
    }

    /// Refusals of every route of an invitation.
    InvitationRefused {
        404: "No such invitation, or it has ended",
        429: "Too many guesses",
    }

    /// Refusals of every route of the lobby.
    LobbyRefused {
        400: "The name, or the message, is missing",
        429: "Too many requests",
    }

    /// Refusals of every lobby route for a name that has joined.
    LobbyNameRefused {
        401: "The name has not joined the lobby",
    }

    /// Refusals of the route by which a name joins the lobby.
    LobbyNameTaken {
        409: "Another client has the name, or one that looks like it",
    }

    /// Refusals of every lobby route that takes a new name or a text.
    LobbyTextRefused {
        422: "The name or the message is invalid",
    }

    /// Refusals of the routes by which a name leaves the lobby.
    LobbyAbsent {
        404: "The name has not joined the lobby",
    }

    /// Refusals of every WebSocket of a room.
    SocketRefused {
        401: "The token is invalid",
        403: "The caller is banned, or the page belongs to another site",
        409: "Another person has the name",
        422: "A parameter is invalid",
        426: "The request does not ask for a WebSocket",
        429: "Too many requests, or too many for rooms that do not exist",
    }

    /// Refusals of every route that writes this server's own address into its answer.
    HostRefused {
        400: "The request has no valid Host header",
    }

    /// Refusals of the report whether the server can answer requests.
    ReadinessRefused {
        503: "The server is stopping, the database cannot be read or written, the disk is almost full, or a part of the server has failed",
    }

    /// Refusals of the report whether the process is healthy.
    HealthRefused {
        503: "A part of the server has failed for good, and the server is stopping",
    }

    /// Refusals of every route of the OpenID Connect provider.
    ProviderRefused {
        404: "This server has no provider of sign-in",
        503: "The provider does not answer, or breaks the protocol",
    }
}

/// One refusal as a problem document.
fn problem((status, description): (u16, &str)) -> (String, RefOr<Response>) {
    let schema = Ref::from_schema_name("Problem").into();
    refusal(status, description, "application/problem+json", schema)
}

/// One refusal with a body of this type and schema.
pub(crate) fn refusal(
    status: u16,
    description: &str,
    content_type: &str,
    schema: RefOr<Schema>,
) -> (String, RefOr<Response>) {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new()
        .description(description)
        .content(content_type, content)
        .build();
    (status.to_string(), response.into())
}
