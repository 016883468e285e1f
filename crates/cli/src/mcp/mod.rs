//! `doorward mcp`: operations as tools of AI agents.
//!
//! Over stdio it is started by the agent's program and speaks for one capability. Over HTTP each request brings its own. Where a
//! broker runs over the home it is asked, else the home is opened here, as every other command does.

mod place;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use memory::Secret;
use net::{Body, ServeLimits};

use crate::args::mcp::Mcp;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::print::Printer;
use crate::serving::Stops;
use crate::{settings, wire};
use place::Place;

/// Serves until the client closes its end, or the process is told to stop.
pub(crate) fn run(context: &Context, args: &Mcp) -> Outcome {
    let place = Arc::new(Place::open(context)?);
    let served = match args.listen {
        Some(address) => over_http(&place, address, &args.domains),
        None => over_stdio(&place, args),
    };
    let closed = place.close();
    served.and(closed)
}

fn over_stdio(place: &Arc<Place>, args: &Mcp) -> Outcome {
    let capability = capability(args)?;
    let runtime = wire::runtime()?;
    runtime
        .block_on(mcp::stdio(Arc::clone(place), Some(capability)))
        .map_err(|error| Failure::new(format!("the client does not speak the protocol: {error}")))
}

/// What every call is made with. Never an argument: those are seen by everybody on the machine.
#[expect(clippy::disallowed_methods, reason = "the capability goes to the broker as a header")]
fn capability(args: &Mcp) -> Outcome<HeaderValue> {
    let text = match &args.capability_file {
        Some(path) => std::fs::read(path)
            .map_err(|error| Failure::doing(format!("could not read `{}`", path.display()), &error))?,
        None => settings::environment("DOORWARD_CAPABILITY").map(OsString::into_encoded_bytes).ok_or_else(|| {
            Failure::usage("calls need a capability").hint(
                "`doorward capability request --for agent --integrations github --access read`, then `--capability-file FILE` or \
                 `DOORWARD_CAPABILITY`",
            )
        })?,
    };
    let secret = Secret::new(text).map_err(|error| Failure::of(&error))?;
    let mut value = secret
        .expose(|bytes| HeaderValue::from_bytes(bytes.trim_ascii()))
        .map_err(|_| Failure::usage("the capability is not text in one line"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn over_http(place: &Arc<Place>, address: SocketAddr, domains: &[String]) -> Outcome {
    let runtime = wire::runtime()?;
    let bound = net::bind_tcp(address, NonZeroUsize::MIN)?;
    let (drain, draining) = net::drain::channel();
    let hosts: Arc<[String]> = ["127.0.0.1", "::1", "localhost"]
        .into_iter()
        .map(str::to_owned)
        .chain(domains.iter().cloned())
        .collect();
    let (place, known) = (Arc::clone(place), Arc::<mcp::Known>::default());
    let service = move |request: Request<hyper::body::Incoming>, _peer: net::Peer| {
        let (at, hosts) = ((Arc::clone(&place), Arc::clone(&known)), Arc::clone(&hosts));
        async move { answer(at, &hosts, request).await }
    };
    runtime.block_on(async {
        let mut serving = Vec::new();
        for one in bound {
            Printer::say(&format!("Tools are served at http://{}/mcp.", one.address()?));
            serving.push(net::serve(
                one.listener()?,
                service.clone(),
                ServeLimits::default(),
                draining.clone(),
            ));
        }
        let mut stops = Stops::listen()?;
        let stop = async {
            stops.either().await;
            drain.start();
        };
        tokio::join!(stop, async {
            for one in serving {
                let _ = one.await;
            }
        });
        Ok(())
    })
}

async fn answer(
    at: (Arc<Place>, Arc<mcp::Known>),
    hosts: &[String],
    request: Request<hyper::body::Incoming>,
) -> Response<Body> {
    if request.uri().path() != "/mcp" {
        let mut nothing = Response::new(Body::empty());
        *nothing.status_mut() = StatusCode::NOT_FOUND;
        return nothing;
    }
    let reply = mcp::http(at, hosts, request).await;
    reply.map(|body| Body::stream(body.map_err(|never| match never {})))
}
