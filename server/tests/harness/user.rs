//! HTTP clients with a name: visitors, guests with a key, and accounts.

use protocol::{Message, Room};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use super::EventReader;

/// An HTTP client with a name to write under.
#[derive(Clone)]
pub struct TestUser {
    pub name: String,
    pub url: String,
    /// The origin of the pages that its forms are on.
    pub origin: String,
    pub http: Client,
    /// The token of an account or the key of a guest; none for a visitor.
    pub token: Option<String>,
}

impl TestUser {
    pub fn new(name: &str, url: &str, http: Client) -> Self {
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
            origin: url.to_owned(),
            http,
            token: None,
        }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn get(&self, path: &str, accept: &str) -> Response {
        self.request(Method::GET, path)
            .header("accept", accept)
            .send()
            .await
            .unwrap()
    }

    pub async fn post_json(&self, path: &str, body: Value) -> Response {
        self.request(Method::POST, path)
            .json(&body)
            .send()
            .await
            .unwrap()
    }

    pub async fn create_room_with(&self, input: Value) -> Room {
        let response = self.post_json("/rooms/", input).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        response.json().await.unwrap()
    }

    /// Creates a room with default settings.
    pub async fn create_room(&self) -> String {
        self.create_room_with(json!({})).await.id.to_string()
    }

    pub async fn post(&self, room: &str, body: &str) -> Message {
        let response = self.try_post(room, body).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        response.json().await.unwrap()
    }

    pub async fn try_post(&self, room: &str, body: &str) -> Response {
        self.post_json(
            &format!("/rooms/{room}/messages/"),
            json!({"username": self.name, "body": body}),
        )
        .await
    }

    pub async fn history(&self, room: &str, query: &str) -> Vec<Message> {
        let response = self
            .get(
                &format!("/rooms/{room}/messages/?{query}"),
                "application/json",
            )
            .await;
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.unwrap()
    }

    pub async fn follow(&self, room: &str, query: &str) -> EventReader {
        EventReader::new(
            self.get(
                &format!("/rooms/{room}/messages/?{query}"),
                "text/event-stream",
            )
            .await,
        )
    }
}
