//! A person signs in: by the program `codex`, or with a browser that comes back to this machine.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use aws::oidc::pkce::{Pkce, State};
use aws::oidc::redirect::Redirect;
use cloud::sign_in::{Code, Found, Renew};

use super::{endpoint, found};
use crate::args::llm::Issuer;
use crate::compat::{environment, opener};
use crate::context;
use crate::failure::{Failure, Outcome};
use crate::print::Printer;
use crate::wire;

/// Lets Codex sign in, and reads its file.
pub(super) fn with_codex(file: Option<&Path>, renew: Renew) -> Outcome<Found> {
    // Older versions know the flag only.
    if !codex("login")?.success() && !codex("--login")?.success() {
        return Err(Failure::new("codex login failed")
            .hint("see what it said above, or sign in without it: `--pkce`"));
    }
    found::codex(file, renew, context::now())
}

/// Runs the program with one word. What it prints goes to stderr: stdout is for the name of the sign-in.
fn codex(word: &str) -> Outcome<ExitStatus> {
    let doing = |error: &std::io::Error| Failure::doing("could not run the codex CLI", error);
    let mut command = Command::new("codex");
    let stderr = rustix::io::dup(std::io::stderr()).map_err(|error| doing(&error.into()))?;
    command.arg(word).stdout(Stdio::from(stderr));
    for variable in opener_secrets() {
        command.env_remove(variable);
    }
    command.status().map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failure::new("codex CLI not found")
            .hint("install it, sign in without it (`--pkce`), or take a sign-in over: `llm auth import`"),
        _ => doing(&error),
    })
}

/// Variables that hold secrets of ours.
fn opener_secrets() -> impl Iterator<Item = &'static str> {
    crate::compat::aws_vault::OUR_SECRETS.iter().copied()
}

/// Sends the browser to the issuer and exchanges the code that it brings back (RFC 7636, RFC 8252).
pub(super) fn with_a_browser(issuer: &Issuer, port: u16) -> Outcome<Found> {
    let endpoint = endpoint::of(issuer)?;
    let talk = endpoint::talk()?;
    let wrong = |error: aws::oidc::Error| Failure::of(&error);
    wire::runtime()?.block_on(async move {
        let (pkce, state) = (Pkce::generate().map_err(wrong)?, State::generate().map_err(wrong)?);
        let redirect = Redirect::at(port, "localhost", CALLBACK).map_err(|error| {
            wrong(error)
                .hint(format!("port {port} is what the client is registered with; see who listens there"))
        })?;
        let uri = redirect.uri();
        #[expect(clippy::disallowed_methods, reason = "puts the state into the address of the page")]
        let page = state.secret().expose(|state| {
            str::from_utf8(state).ok().map(|state| endpoint.page(&uri, pkce.challenge(), state))
        });
        let page = page.ok_or_else(|| Failure::new("the address of the sign-in could not be written"))?;
        Printer::say(
            "Opening the sign-in in your browser; if none opens, go there yourself (Ctrl-C to stop):",
        );
        Printer::say(&page);
        let variable = environment("BROWSER");
        // Whoever has no browser here opens the page that was just shown.
        let _ = opener::open(&page, opener::Browsers { template: None, variable: variable.as_deref() });
        let exchange = async |code| {
            let code = Code { code: &code, verifier: pkce.verifier(), redirect: &uri };
            endpoint.exchange(&talk, code, context::now()).await
        };
        let found = redirect.exchanged(state, PATIENCE, exchange).await.map_err(wrong)?;
        found.map_err(|error| endpoint::exchanged(&error))
    })
}

const CALLBACK: &str = "/auth/callback";
/// How long a person may take.
const PATIENCE: Duration = Duration::from_mins(10);
