//! The page of a person's notifications: this browser, sound, pause and quiet hours.
//!
//! # Guarantees
//! The pause and the quiet hours work without a script. What depends on the browser is hidden until
//! `public/notification_settings.js` has found out which of its texts holds.

use leptos::prelude::*;
use protocol::{NotificationSettings, QuietHours, Time};
use texts::page as p;

use crate::pages::form::{Field, FormPage, sentence};
use crate::time::local_time::LocalTime;

/// The address of the forms.
const ACTION: &str = "/profile/notifications/";

/// The data of the page.
#[derive(Clone, Debug, Default)]
pub struct NotificationSettingsPage {
    /// The settings; after an error with the entered values.
    pub settings: NotificationSettings,
    /// Whether they were just changed; the page confirms it once.
    pub changed: bool,
}

/// Renders the page.
pub fn notification_settings_page(page: &FormPage, content: &NotificationSettingsPage) -> String {
    let NotificationSettingsPage { settings, changed } = content;
    let content = view! {
        <p class="status-message" role="status">{changed.then(|| p::SAVED.text())}</p>
        {browser_section()}
        {pause_section(page, settings.pause_until)}
        {quiet_section(page, settings.quiet.as_ref())}
        <script type="module" src="/notification_settings.js"></script>
    };
    page.render(p::NOTIFICATIONS.text(), content)
}

/// Notifications in this browser. The script shows the part whose `data-when` holds.
fn browser_section() -> AnyView {
    view! {
        <section aria-labelledby="browser-title">
            <h2 id="browser-title">{p::IN_THIS_BROWSER.text()}</h2>
            <p class="hint" data-when="no-script">{p::SCRIPTS_NEEDED.text()}</p>
            <p class="hint" data-when="unsupported" hidden>{p::NOTIFICATIONS_UNSUPPORTED.text()}</p>
            <p class="hint" data-when="denied" hidden>{p::NOTIFICATIONS_DENIED.text()}</p>
            <section data-when="off" hidden>
                <p class="row"><button type="button" class="primary" id="turn-on">{p::TURN_ON.text()}</button></p>
                <p class="hint">{p::TURN_ON_HINT.text()}</p>
            </section>
            <section data-when="on" hidden>
                <p>{p::NOTIFICATIONS_ON.text()}</p>
                <p><label class="choice"><input type="checkbox" id="notification-sound"/><span>{p::PLAY_SOUND.text()}</span></label></p>
                <p class="row"><button type="button" id="turn-off">{p::TURN_OFF.text()}</button></p>
            </section>
        </section>
    }
    .into_any()
}

fn pause_section(page: &FormPage, until: Option<Time>) -> AnyView {
    let status = match until {
        Some(until) => {
            let full = format!("{} UTC", LocalTime::new(until, 0).full());
            let time = view! { <time datetime=until.to_string()>{full}</time> };
            view! { <p>{sentence(p::PAUSED_UNTIL, [time.into_any()])}</p> }.into_any()
        }
        None => view! { <p>{p::NOT_PAUSED.text()}</p> }.into_any(),
    };
    let resume =
        until.map(|_| view! { <button name="pause" value="resume">{p::RESUME.text()}</button> });
    view! {
        <section aria-labelledby="pause-title">
            <h2 id="pause-title">{p::PAUSE.text()}</h2>
            {status}
            <form class="row" method="post" action=ACTION>
                {page.next_field()}
                <input type="hidden" name="utc_offset" value="0"/>
                <button name="pause" value="hour">{p::FOR_AN_HOUR.text()}</button>
                <button name="pause" value="tomorrow">{p::UNTIL_TOMORROW.text()}</button>
                {resume}
            </form>
        </section>
    }
    .into_any()
}

fn quiet_section(page: &FormPage, quiet: Option<&QuietHours>) -> AnyView {
    let none = QuietHours {
        from: "22:00".to_owned(),
        to: "07:00".to_owned(),
        zone: String::new(),
    };
    let hours = quiet.unwrap_or(&none);
    let field = |name, label, value, hint| Field {
        name,
        label,
        autocomplete: "off",
        value,
        hint,
        ..Field::default()
    };
    let from = field(
        "from",
        p::FROM.text(),
        hours.from.as_str(),
        p::HOURS_AND_MINUTES.text(),
    );
    let to = field("to", p::TO.text(), hours.to.as_str(), "");
    let zone = field(
        "zone",
        p::TIME_ZONE.text(),
        hours.zone.as_str(),
        p::TIME_ZONE_HINT.text(),
    );
    let end = quiet.map(|_| {
        view! { <button name="quiet" value="off" formnovalidate>{p::NO_QUIET_HOURS.text()}</button> }
    });
    let status = if quiet.is_some() {
        p::QUIET_STATUS.text()
    } else {
        p::NO_QUIET_STATUS.text()
    };
    view! {
        <section aria-labelledby="quiet-title">
            <h2 id="quiet-title">{p::QUIET_HOURS.text()}</h2>
            <p>{status}</p>
            <form class="form" method="post" action=ACTION>
                {page.next_field()}
                {from.view(page)}
                {to.view(page)}
                {zone.view(page)}
                <p class="row"><button name="quiet" value="on">{p::SAVE_QUIET_HOURS.text()}</button>{end}</p>
            </form>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::form::FieldError;
    use crate::pages::form::tests::form_page;

    fn render(settings: NotificationSettings, error: Option<FieldError>) -> String {
        let page = NotificationSettingsPage {
            settings,
            changed: false,
        };
        notification_settings_page(&form_page(error), &page)
    }

    #[test]
    fn page_without_settings_offers_no_end_of_them() {
        let html = render(NotificationSettings::default(), None);
        assert!(html.contains("are not paused") && html.contains("no quiet hours yet"));
        assert!(!html.contains("\"resume\"") && !html.contains("No quiet hours<"));
    }

    #[test]
    fn page_with_settings_shows_them_and_offers_their_end() {
        let settings = NotificationSettings {
            pause_until: Some(Time::from_millis(0)),
            quiet: QuietHours::parse("23:30", "06:15", "Europe/Berlin").ok(),
        };
        let html = render(settings, None);
        for part in [
            "Thursday, 1 January 1970 at 00:00:00 UTC",
            "\"resume\"",
            "23:30",
            "06:15",
            "Europe/Berlin",
            "No quiet hours<",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
    }

    #[test]
    fn wrong_time_zone_keeps_what_was_entered_and_shows_the_error_at_its_field() {
        let settings = NotificationSettings {
            pause_until: None,
            quiet: Some(QuietHours {
                from: "22:00".into(),
                to: "07:00".into(),
                zone: "<b>Berlin".into(),
            }),
        };
        let error = FieldError {
            field: "zone",
            text: "Zone must be a name.".into(),
            is_invalid: true,
        };
        let html = render(settings, Some(error));
        assert!(
            html.contains("id=\"zone-error\"") && !html.contains("<b>"),
            "{html}"
        );
    }

    #[test]
    fn what_depends_on_the_browser_is_hidden_at_first() {
        let html = render(NotificationSettings::default(), None);
        for state in ["unsupported", "denied", "off", "on"] {
            let at = html.find(&format!("data-when=\"{state}\"")).unwrap();
            let tag = html[at..].split('>').next().unwrap();
            assert!(tag.contains("hidden"), "{tag}");
        }
    }
}
