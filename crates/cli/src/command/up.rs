//! `doorward up`: makes the home at the first start, unlocks it, opens the doors, and says when they are open.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use broker::State;
use net::ServeLimits;
use net::fellow::Plain;
use proxy::{Dialect, Gateway};
use secrets::RecoveryKey;
use serde_json::json;

use super::init::{hand_out, with_room};
use crate::args::broker::Up;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::gateway::{Peer, Told};
use crate::home::Home;
use crate::line::Voice;
use crate::print::{self, BOLD, Printer, WARN, styled};
use crate::serving::office::{Configured, Office};
use crate::serving::secured::Secured;
use crate::serving::sockets::Sockets;
use crate::serving::standing::{self, Doors, Wanted};
use crate::serving::{self, House, Ports};
use crate::settings::agent::{AgentSettings, Mode, Places, Typed};
use crate::settings::{self, Origin, Settings};
use crate::supervisor::Supervisor;
use crate::{place, sources, wire};

/// Runs the broker until it is told to stop.
pub(crate) fn run(context: &Context, args: &Up) -> Outcome {
    serve(context, args, Brought::default())
}

/// What a gateway brings that speaks another gateway's words.
#[derive(Default)]
pub(super) struct Brought {
    /// Another gateway's words, once it is known where it listens.
    pub(super) dialect: Option<Box<dyn Fn(SocketAddr) -> Dialect>>,
    /// What the door allows its callers.
    pub(super) limits: ServeLimits,
    /// The other gateway's files.
    pub(super) peer: Option<Arc<Peer>>,
    /// Where the API listens. Then there is a gateway only where somebody said where it listens.
    pub(super) api: Option<SocketAddr>,
}

/// The same with what a gateway brings.
pub(super) fn serve(context: &Context, args: &Up, brought: Brought) -> Outcome {
    let Brought { dialect, limits, peer, api } = brought;
    let home = context.home()?;
    let chosen_store = place::choose(home, args.store.as_deref())?;
    let settings = Settings::load(home, args, &settings::environment)?;
    let forwards = api.is_none() || settings.gateway.origin != Origin::Default;
    let api = api.or(settings.api_beside.value);
    // Before anything is made: what is wrong with a file is said at once.
    let read = peer.as_ref().map(|peer| peer.overlay(home, None)).transpose()?;
    let (mut overlay, told) = read.map_or_else(Default::default, |(overlay, told)| (overlay, Some(told)));
    let llm = settings.llm.value;
    if llm == Some(proxy::Provider::OpenAi) && peer.is_none() {
        overlay.integrations.extend(key_of_openai(home));
    }
    first_start(context, args).inspect_err(|_| chosen_store.take_back())?;
    let gateway = Gateway::new(settings.domains.value.clone(), settings.origins.value.clone())
        .map_err(|error| Failure::usage(error.to_string()).hint(error.hint()))?;
    let gateway = match dialect {
        Some(dialect) => gateway.speaking(dialect(settings.gateway.value)),
        None => gateway,
    };
    let gateway = gateway.with_llm(llm);
    let threads = settings.threads.value;
    let wanted = wanted(&settings, forwards, api);
    let (standing, doors) = standing::open(home, &wanted, context.printer)?.unzip();
    // One lane more: the socket door has a thread of its own.
    let serving = wire::Serving::Threads(threads.get() + 1);
    let opened = wire::open_with(home, &settings, serving, overlay)?;
    sources::refuse_empty(&opened.broker)?;
    bring_root_key(&opened, api)?;
    opened.broker.tell_webhooks(settings.api.telling);
    let secured = Secured::read(&settings)?;
    // Bound now, or since this broker stood by.
    let Doors { gateway: bound, api } = doors.map_or_else(|| bound(&wanted), Ok)?;
    let api = api.map(|bound| named(bound, &settings, &opened)).transpose()?;
    let metrics = alone(settings.metrics.value, "--metrics 127.0.0.1:0")?;
    let admin = alone(settings.admin.value, "--admin 127.0.0.1:0")?;
    let gateway = if admin.is_some() { gateway.beside_admin() } else { gateway };
    let socket = home.socket_to_bind()?;
    opened.keys.unlock(&opened.broker)?;
    let (office, configured) = office(home, &opened, settings.development.value)?;
    for warning in configured.warnings.iter().filter(|_| configured.policies > 0) {
        Printer::say(&styled(WARN, &format!("warning: {warning}")));
    }
    let sockets = Sockets { home: socket, public: None, limits: office.settings().limits };
    if let Some(peer) = peer {
        office.follows(peer, home);
    }
    let ports = Ports { gateway, bound, metrics, admin, api, secured, limits, standing };
    let house = House::new(opened, ports, sockets, office)?;
    let open = Open {
        url: house.doors.get("gateway").cloned().unwrap_or_default(),
        metrics: house.doors.get("metrics").cloned(),
        admin: house.doors.get("admin").cloned(),
        api: house.doors.get("api").cloned(),
        console: house.doors.get("console").cloned(),
        socket: house.sockets.home.clone(),
        sealed: house.opened.broker.state() == State::Sealed,
        development: settings.development.value,
        told,
    };
    serving::run(house, context.printer, &|| open.announce(context.printer))
}

/// Which doors a broker opens that stands by.
fn wanted(settings: &Settings, forwards: bool, api: Option<SocketAddr>) -> Wanted {
    let gateway = forwards.then_some((settings.gateway.value, settings.threads.value));
    let plain = if settings.tls.value.is_some() { Plain::Not } else { Plain::Http };
    Wanted { gateway, api, plain }
}

/// Binds the doors for callers.
fn bound(wanted: &Wanted) -> Outcome<Doors> {
    let gateway = wanted.gateway.map_or_else(|| Ok(Vec::new()), |(at, threads)| net::bind_tcp(at, threads));
    let gateway = gateway.map_err(|error| unbound(&error, "--gateway 127.0.0.1:0"))?;
    let flag = if wanted.gateway.is_some() { "--api 127.0.0.1:0" } else { "--addr 127.0.0.1:0" };
    Ok(Doors { gateway, api: alone(wanted.api, flag)? })
}

/// The API's door with the names by which it is known, once it is known where it listens; people may sign in from then on.
fn named(
    bound: net::Bound,
    settings: &Settings,
    opened: &wire::Opened,
) -> Outcome<(net::Bound, server::Names)> {
    let listens = bound.address()?;
    if let Some(provider) = settings.api.provider(listens)? {
        opened.broker.sign_in_at(provider)?;
    }
    Ok((bound, settings.api.names(listens)))
}

/// The root key that the environment brings.
fn bring_root_key(opened: &wire::Opened, api: Option<SocketAddr>) -> Outcome {
    let Some(key) = api.and_then(|_| settings::environment(ROOT_KEY)) else { return Ok(()) };
    let bytes = std::os::unix::ffi::OsStringExt::into_vec(key);
    if bytes.len() < SHORTEST_ROOT_KEY || !bytes.iter().all(u8::is_ascii_graphic) {
        return Err(Failure::usage(format!(
            "`{ROOT_KEY}` has to have at least {SHORTEST_ROOT_KEY} visible characters without spaces"
        ))
        .hint("`doorward key create --root` makes one that need not stand in an environment"));
    }
    opened.broker.bring_root_key(memory::Secret::new(bytes).map_err(secrets::Error::from)?);
    Ok(())
}

/// A port with one thread behind it, where somebody wants one.
fn alone(address: Option<SocketAddr>, flag: &'static str) -> Outcome<Option<net::Bound>> {
    let bound = address.map(|address| net::bind_tcp(address, std::num::NonZeroUsize::MIN));
    let bound = bound.transpose().map_err(|error| unbound(&error, flag))?;
    Ok(bound.and_then(|mut bound| bound.pop()))
}

/// The agent's part: its configuration counts here as well, but no other socket than the home's is opened.
fn office(home: &Home, opened: &wire::Opened, development: bool) -> Outcome<(Arc<Office>, Configured)> {
    let lookup = &settings::environment;
    let places = Places::of(Voice::Doorward, home, lookup);
    let mode = development.then_some(Mode::Development);
    let typed = Typed { mode, beside: true, ..Typed::default() };
    let agent = AgentSettings::load(&places, &typed, lookup)?;
    Office::open(Arc::clone(&opened.broker), Supervisor::of(lookup), (places, typed), agent)
}

/// Makes the home where there is none: with a key file, so that nothing has to be typed.
fn first_start(context: &Context, args: &Up) -> Outcome {
    let home = context.home()?;
    if wire::is_there(home) {
        return Ok(());
    }
    let file = args.recovery_out.as_deref();
    let hand = |recovery: &RecoveryKey, provider: &str| {
        let mut document =
            json!({ "event": "created", "home": print::path(home.folder()), "key_provider": provider });
        hand_out(recovery, file, context.printer, &mut document)
    };
    with_room(file, || wire::create(home, None, || wire::key_file(home, home.key()), hand))?;
    if !context.printer.is_json() {
        Printer::say(&format!("Made the home `{}`.", home.folder().display()));
    }
    Ok(())
}

fn unbound(error: &net::Error, other: &str) -> Failure {
    let failure = Failure::of(error);
    match error {
        net::Error::Taken { .. } => {
            failure.hint(format!("stop what listens there, or let the system choose: `{other}`"))
        }
        _ => failure,
    }
}

/// What is said when the doors are open.
struct Open {
    url: String,
    metrics: Option<String>,
    admin: Option<String>,
    api: Option<String>,
    console: Option<String>,
    socket: PathBuf,
    sealed: bool,
    development: bool,
    told: Option<Told>,
}

impl Open {
    /// Says that the doors are open: they accept from now on.
    fn announce(&self, printer: Printer) -> Outcome {
        let Self { url, metrics, admin, api, console, socket, sealed, development, told } = self;
        if printer.is_json() {
            let mut ready = json!({
                "event": "ready", "gateway": url, "metrics": metrics, "admin": admin, "api": api, "console": console, "socket": print::path(socket),
                "pid": std::process::id(), "sealed": sealed, "development": development,
            });
            if let (Some(told), Some(fields)) = (told, ready.as_object_mut()) {
                fields.insert("peer".to_owned(), told.document());
            }
            return printer.json(&ready);
        }
        if !url.is_empty() {
            Printer::say(&format!("{} {url}", styled(BOLD, "gateway")));
        }
        if let Some(place) = api {
            Printer::say(&format!("{}     {place}/api/v1", styled(BOLD, "api")));
        }
        if let Some(place) = console {
            Printer::say(&format!("{} {place}  (`doorward console` opens it)", styled(BOLD, "console")));
        }
        Printer::say(&format!("{}  {}", styled(BOLD, "socket"), socket.display()));
        if let Some(place) = metrics {
            Printer::say(&format!("{} {place}/metrics", styled(BOLD, "metrics")));
        }
        if let Some(place) = admin {
            Printer::say(&format!("{}   {place}/status", styled(BOLD, "admin")));
        }
        if *development {
            Printer::say(&styled(
                WARN,
                "warning: development mode: callers on this machine need no capability",
            ));
        }
        if let Some(told) = told {
            told.say();
            return Ok(());
        }
        let next = if *sealed {
            "Sealed: every call is refused. Next: `doorward unseal`."
        } else {
            "Ready. `doorward secret put slack/token` stores a secret, `doorward capability request --for NAME` asks."
        };
        Printer::say(next);
        Ok(())
    }
}

/// For OpenAI clients the key may come from `OPENAI_API_KEY` or `sources.toml` as well, where the home has no file of its own that says
/// where it is.
fn key_of_openai(home: &Home) -> Option<catalog::Written> {
    if home.integrations().join("openai.yaml").exists() {
        return None;
    }
    let text = "name: openai\nextends: openai\nsecrets: {token: {default: \"llm:openai\"}}\n".to_owned();
    let name = "openai".parse().ok()?;
    Some(catalog::Written { name, text: text.into(), file: Arc::from("the setting `llm.provider`"), line: 1 })
}

/// The variable of the API's root key.
const ROOT_KEY: &str = "CA_ROOT_API_KEY";
const SHORTEST_ROOT_KEY: usize = 32;
