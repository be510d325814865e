//! The HTML document around the app, rendered by the server alone.
//!
//! # Guarantees
//! - It works under a strict content security policy: the only inline script has the nonce, and
//!   there is no inline style.
//! - If the app cannot start or panics, the page says so and offers to reload. Its plain forms and
//!   links work then.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use protocol::Problem;
use texts::{BROWSER_TEXTS, Language, app as t, page as p};

use crate::App;
use crate::connection::tab_channel::CHANNEL_NAME;
use crate::hydration::{self, structure};
use crate::initial_state::{InitialState, STATE_ELEMENT, document_title};
use crate::room::ids::COMPOSER_LINK;
use crate::shortcuts::shortcuts_dialog;
use crate::ui::identicon;

/// The URLs of the app's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assets {
    /// The script that loads the WebAssembly module.
    pub js: String,
    /// The WebAssembly module.
    pub wasm: String,
    /// The style sheet.
    pub css: String,
    /// The script that shows notifications, for browsers in which they are turned on.
    pub notifications: String,
    /// The script that colours code; empty in a development build.
    pub code_colours: String,
    /// The script that shows and sends files; empty in a development build.
    pub files: String,
    /// Its style sheet.
    pub files_css: String,
    /// Its texts in the page's language.
    pub files_texts: String,
    /// The catalogue of texts in the page's language.
    pub texts: String,
    /// The catalogue of the language that takes its place if it cannot be read.
    pub default_texts: String,
}

/// The document for the [`InitialState`] in the context. The names of the server's cookies end with
/// `cookie_suffix`; `takes_files` says whether it takes files.
pub fn app_page(assets: &Assets, cookie_suffix: &str, takes_files: bool) -> impl IntoView + use<> {
    let state = InitialState::current();
    let nonce = use_nonce();
    let language = Language::current();
    let cookie_suffix = cookie_suffix.to_owned();
    let Assets {
        js,
        wasm,
        css,
        texts,
        files_css,
        ..
    } = assets.clone();
    let script = start_script(assets);
    // In the body: the service worker tells versions of the app by the files in the head.
    let files_css = state
        .content
        .has_files()
        .then(|| view! { <link rel="stylesheet" href=files_css/> });
    let json = state.json();
    let theme = state.visitor.theme.name();
    let title = state.content.title();
    let icon = identicon::identicon_url(state.content.room(), false);
    // The log stands on the composer, so frames that are drawn while a room arrives would move it.
    let first_frame = state
        .content
        .room()
        .map(|_| view! { <link rel="expect" href=COMPOSER_LINK blocking="render"/> });
    let app = view! { <App/> }.to_html();
    let structure = structure::digest(&app);
    view! {
        <!DOCTYPE html>
        <html lang=language.tag() dir=language.direction() data-theme=theme data-cookies=cookie_suffix data-files=takes_files>
            <head>
                {head_elements(title, icon, css)}
                {first_frame}
                <script type="application/json" id=STATE_ELEMENT inner_html=json></script>
                <link rel="modulepreload" href=js/>
                <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
                <link rel="preload" href=texts r#as="fetch" r#type="application/json" crossorigin="anonymous"/>
                <script type="module" nonce=nonce inner_html=script></script>
                <AutoReload options=LeptosOptions::builder().output_name("webchat").build()/>
            </head>
            <body>
                {files_css}
                <div id=hydration::ROOT data-structure=structure.to_string() inner_html=app></div>
                {shortcuts_dialog()}
                <div class="app-failure" role="alert">
                    <p>{p::PAGE_FAILED.text()}</p>
                    <form method="get"><button>{p::RELOAD.text()}</button></form>
                </div>
                <p class="app-unsupported" role="alert">
                    {p::NO_WASM.text()}
                </p>
            </body>
        </html>
    }
}

/// The registry by which wasm-bindgen frees what the app holds for JavaScript objects that are gone.
/// The browser's own runs its callbacks also in a page that was left, which the browser then does not
/// keep for the Back button: scripts must not run there. This one looks for such objects by a timer,
/// which rests in a kept page.
const REGISTRY: &str = r"if(self.WeakRef){const entries=new Set,tokens=new WeakMap;
self.FinalizationRegistry=class{constructor(free){this.free=free}
register(target,value,token){const entry={target:new WeakRef(target),value,free:this.free};entries.add(entry);if(token)tokens.set(token,entry)}
unregister(token){entries.delete(tokens.get(token))}};
const look=()=>{for(const entry of entries)if(!entry.target.deref()){entries.delete(entry);entry.free(entry.value)}setTimeout(look,20_000)};
setTimeout(look,20_000)}
";

/// The script that starts the app. If the app cannot start or panics, `data-failed` at the root
/// element shows a warning, and a new instance of the WebAssembly module takes the place of the
/// old one, so that no handler of the failed app runs: forms and links work as without the app, and
/// what waits for the app is shown.
///
/// A page that the browser shows again is loaded again if someone else is signed in by then.
///
/// The script that colours code is loaded when the page first shows code of a named language.
///
/// The start of the module and the takeover of the page are two tasks, between which the browser can
/// answer to the visitor.
///
/// Without the texts of its language, the app draws the page again in the default language.
///
/// The script of the notifications is loaded when they are turned on, here or in another tab.
///
/// The script of files is loaded when the page first shows files, when the visitor chooses, pastes or drops
/// some, and when some that were chosen earlier wait to be sent. It gets them, and each message that is
/// sent from then on (`takeMessage`). A message that is sent before the script has taken what was
/// chosen waits for that.
fn start_script(assets: &Assets) -> String {
    let Assets {
        js,
        wasm,
        notifications,
        code_colours,
        files,
        files_css,
        files_texts,
        texts,
        default_texts,
        ..
    } = assets;
    let default = Language::default();
    let (default, direction) = (default.tag(), default.direction());
    let nameless = t::ROOM_BY_ID.fill(["{id}"]);
    // Rust's debug format of these values is a JavaScript string literal.
    format!(
        r#"{REGISTRY}const page=document.documentElement;let reset;
const fail=()=>{{page.dataset.failed=self.WebAssembly?"":"unsupported";document.querySelectorAll("dialog[open]").forEach(open=>open.close());document.querySelectorAll("noscript:not([hidden])").forEach(rest=>rest.outerHTML=rest.textContent);if(reset)queueMicrotask(reset)}};
const watch=({{error,reason}})=>{{if(self.WebAssembly&&(error??reason) instanceof WebAssembly.RuntimeError)fail()}};
addEventListener("error",watch);addEventListener("unhandledrejection",watch);
const session=()=>document.cookie.split("; ").find(pair=>pair.startsWith(`account${{page.dataset.cookies}}=`)),mine=session();
addEventListener("pageshow",({{persisted}})=>{{if(persisted&&session()!==mine){{page.hidden=true;location.reload()}}}});
const read=async url=>{{const answer=await fetch(url),texts=await answer.json();if(texts.texts.length!=={BROWSER_TEXTS})throw texts;return texts}};
let start="start";const reading=read({texts:?}).catch(()=>{{start="redraw";page.lang={default:?};page.dir={direction:?};return read({default_texts:?})}});
const notify=()=>{{try{{if(localStorage.getItem("notifications"))import({notifications:?}).then(script=>script.start({CHANNEL_NAME:?},{nameless:?}),()=>{{}})}}catch{{}}}};
addEventListener("storage",notify);
let filing,given=0,asked=false,take=()=>false;self.takeMessage=()=>given>0?(asked=true):take();
const file=()=>filing??=import({files:?}).then(script=>script.start({{css:{files_css:?},texts:{files_texts:?},channel:{CHANNEL_NAME:?}}})).then(script=>(take=script.takeMessage,script)).catch(error=>{{filing=undefined;throw error}}),
attach=list=>{{const chosen=[...list];if(!{files:?}||!chosen.length||!document.querySelector(".composer:not([hidden])"))return;given++;
file().then(script=>script.attach(chosen)).catch(()=>false).then(all=>{{if(--given>0||!asked)return;asked=false;if(all)document.querySelector(".composer")?.requestSubmit()}});return true}};
addEventListener("change",({{target}})=>{{if(target.matches(".attach input")){{attach(target.files);target.value=""}}}});
addEventListener("paste",event=>{{if(!event.clipboardData?.types.includes("text/plain")&&attach(event.clipboardData?.files??[]))event.preventDefault()}});
for(const name of ["dragover","drop"])addEventListener(name,event=>{{if(event.dataTransfer?.types.includes("Files")){{event.preventDefault();if(name==="drop")attach(event.dataTransfer.files);else if({files:?})file().then(script=>script.showTarget(),()=>{{}})}}}});
import({js:?}).then(async app=>{{await app.default({{module_or_path:{wasm:?}}});reset=app.__wbg_reset_state;const texts=await reading;await new Promise(done=>setTimeout(done));
const restart=error=>{{if(!reset)throw error;reset();app.redraw(texts)}};
try{{app[start](texts,restart)}}catch(error){{restart(error)}}setTimeout(notify,100);
const waits=()=>{{try{{if(localStorage.getItem("files"))showFiles()}}catch{{}}}},showFiles=()=>{{shown.disconnect();file().catch(()=>{{}})}},
seeFiles=()=>{{if(document.querySelector("message-files"))showFiles()}},shown=new MutationObserver(seeFiles);
if({files:?}){{shown.observe(document.body,{{childList:true,subtree:true}});seeFiles();waits();addEventListener("storage",waits)}}
const colours={code_colours:?},look=()=>{{if(!document.querySelector('code[data-language]:not([data-language=""])'))return;seen.disconnect();import(colours).then(script=>script.start())}},seen=new MutationObserver(look);
if(colours){{seen.observe(document.body,{{childList:true,subtree:true}});look()}}}}).catch(error=>{{fail();throw error}})"#
    )
}

/// An HTML page for a problem document. `sign_in` is the URL of the sign-in page, if signing in
/// helps; `was_written` says whether the browser sent what the visitor wrote.
pub fn problem_page(
    problem: &Problem,
    assets: &Assets,
    sign_in: Option<String>,
    was_written: bool,
) -> String {
    let Problem {
        title: heading,
        detail,
        ..
    } = problem.clone();
    let language = Language::current();
    let back_hint =
        (sign_in.is_none() && was_written).then(|| view! { <p>{p::BACK_BUTTON_HINT.text()}</p> });
    let sign_in =
        sign_in.map(|link| view! { <a class="button primary" href=link>{p::SIGN_IN.text()}</a> });
    let page = view! {
        <!DOCTYPE html>
        <html lang=language.tag() dir=language.direction()>
            <head>{head_elements(document_title(Some(&heading)), identicon::identicon_url(None, false), assets.css.clone())}</head>
            <body>
                <main class="page notice">
                    <h1>{heading}</h1>
                    <p><bdi>{detail}</bdi></p>
                    {back_hint}
                    <p class="row">{sign_in}<a class="button" href="/">{p::GO_TO_ROOMS.text()}</a></p>
                </main>
            </body>
        </html>
    };
    page.to_html()
}

/// The elements of every document's head.
pub(crate) fn head_elements(title: String, icon: String, css: String) -> impl IntoView {
    view! {
        <meta charset="utf-8"/>
        <title>{title}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"/>
        <meta name="format-detection" content="telephone=no,date=no,address=no,email=no"/>
        <meta name="color-scheme" content="light dark"/>
        <meta name="description" content=p::DESCRIPTION.text()/>
        <link rel="icon" href=icon/>
        <link rel="manifest" href="/manifest.webmanifest"/>
        <link rel="stylesheet" href=css/>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::initial_state::{HomeContent, PageContent, RoomSnapshot};
    use crate::router::Route;
    use crate::session::visitor::Visitor;
    use protocol::{Message, Overview, Refusal, Room, RoomId, Time};

    fn room() -> Room {
        Room {
            id: RoomId::from_bytes([7; 8]),
            name: Some("</script><b>Tea".into()),
            public: true,
            expires_at: Time::from_millis(60_000),
            message_count: 1,
            ..fixtures::room()
        }
    }

    fn render(route: Route, content: PageContent) -> String {
        let assets = Assets {
            js: "/a.js".into(),
            wasm: "/a.wasm".into(),
            css: "/a.css".into(),
            ..Assets::default()
        };
        Owner::new().with(|| {
            let visitor = Visitor::from_cookies("name=ada; theme=dark", 0);
            let overview = Overview {
                rooms: vec![room()],
                ..Overview::default()
            };
            provide_context(InitialState {
                now: Time::from_millis(0),
                visitor,
                overview,
                public_rooms: vec![room()],
                longest_lifetime: 7_200,
                route,
                content,
            });
            super::app_page(&assets, "-1", true).to_html()
        })
    }

    #[test]
    fn every_page_renders_without_a_browser() {
        for page in pages() {
            let html = render(page.route, page.content);
            assert!(html.contains(page.text), "{html}");
            assert!(html.contains(r#"data-theme="dark""#));
            for (markup, kind) in [
                ("<b>", "markup"),
                ("<i>", "markup"),
                ("<script>", "a script"),
                (" style=", "a style"),
            ] {
                assert!(!html.contains(markup), "{kind} is not escaped: {html}");
            }
        }
    }

    /// A page and a text that it contains.
    struct TestPage {
        route: Route,
        content: PageContent,
        text: &'static str,
    }

    fn pages() -> [TestPage; 5] {
        let room = room();
        let message = Message {
            room: room.id,
            username: "<i>eve".into(),
            content: Some(protocol::MessageContent::text(
                "<script>alert(1)</script>\u{202e}",
            )),
            ..fixtures::message(1)
        };
        let home = HomeContent {
            rejected_link: Some("\"><b>".into()),
        };
        let page = |route, content, text| TestPage {
            route,
            content,
            text,
        };
        let route = Route::Room(room.id);
        let snapshot = RoomSnapshot {
            room,
            messages: vec![message],
        };
        let closed = PageContent::Refused(Refusal::Gone(protocol::RoomEnd::Inactive).problem());
        let unknown = PageContent::Refused(Refusal::NotFound(texts::refusal::NO_ROOM).problem());
        [
            page(Route::Home, PageContent::Home(home), "Your rooms"),
            page(route, PageContent::Room(snapshot), "Writing as"),
            page(route, closed, "has closed"),
            page(route, unknown, "No such room"),
            page(Route::NotFound, PageContent::NotFound, "nothing here"),
        ]
    }

    #[test]
    fn problem_is_shown_as_text() {
        let assets = Assets {
            css: "/a.css".into(),
            ..Assets::default()
        };
        let html = problem_page(
            &Refusal::Malformed("<b>no</b>".into()).problem(),
            &assets,
            None,
            true,
        );
        assert!(
            html.contains("&lt;b>no&lt;/b>") || html.contains("&lt;b&gt;no&lt;/b&gt;"),
            "{html}"
        );
        assert!(html.contains("Malformed request"));
        assert!(html.contains("what you wrote"));
    }

    #[test]
    fn page_of_an_unknown_address_does_not_speak_of_what_was_written() {
        let assets = Assets {
            css: "/a.css".into(),
            ..Assets::default()
        };
        let problem = Refusal::NotFound(texts::refusal::NO_PERSON).problem();
        let html = problem_page(&problem, &assets, None, false);
        assert!(html.contains("no such person"), "{html}");
        assert!(!html.contains("what you wrote"), "{html}");
    }
}
