//! `doorward mcp`: operations as tools of AI agents.
//!
//! Over stdio it is started by the agent's program and speaks for one capability. Over HTTP each request brings its own. Where a
//! broker runs over the home it is asked, else the home is opened here, as every other command does.

mod admission;
mod place;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use http::{HeaderValue, Request};
use http_body_util::BodyExt;
use mcp::Entrance;
use net::{Body, ServeLimits};
use policy::Token;
use zeroize::Zeroizing;

use crate::args::mcp::Mcp;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::print::Printer;
use crate::serving::Stops;
use crate::{settings, typed, wire};
use place::Place;

/// Serves until the client closes its end, or the process is told to stop.
pub(crate) fn run(context: &Context, args: &Mcp) -> Outcome {
    let place = Arc::new(Place::open(context)?);
    let served = match args.listen {
        Some(address) => entrance(context, &args.domains).and_then(|door| over_http(&place, address, door)),
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
fn capability(args: &Mcp) -> Outcome<HeaderValue> {
    let token = match &args.capability_file {
        Some(path) => typed::capability(path)?,
        None => {
            let text = settings::environment("DOORWARD_CAPABILITY").ok_or_else(|| {
                Failure::usage("calls need a capability").hint(
                    "`doorward capability request --for agent --integrations github --access read`, then `--capability-file FILE` or \
                     `DOORWARD_CAPABILITY`",
                )
            })?;
            let text = Zeroizing::new(text.into_encoded_bytes());
            let text = std::str::from_utf8(text.trim_ascii());
            Token::parse(text.map_err(|_| Failure::usage("the capability is not text in one line"))?)?
        }
    };
    let mut value = token
        .expose(HeaderValue::from_str)
        .map_err(|_| Failure::usage("the capability is not text in one line"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Under which names the door is called, and whose tokens it takes.
fn entrance(context: &Context, domains: &[String]) -> Outcome<Entrance> {
    let near = ["127.0.0.1", "::1", "localhost"].into_iter().map(str::to_owned);
    let hosts = near.chain(domains.iter().cloned()).collect();
    match &context.settings()?.mcp {
        Some(issuer) => settings::mcp::entrance(issuer, hosts),
        None => Ok(Entrance::new(hosts)),
    }
}

fn over_http(place: &Arc<Place>, address: SocketAddr, entrance: Entrance) -> Outcome {
    let runtime = wire::runtime()?;
    let bound = net::bind_tcp(address, NonZeroUsize::MIN)?;
    let (drain, draining) = net::drain::channel();
    let (place, known) = (Arc::clone(place), Arc::<mcp::Known>::default());
    let entrance = Arc::new(entrance);
    let service = move |request: Request<hyper::body::Incoming>, _peer: net::Peer| {
        let (at, entrance) = ((Arc::clone(&place), Arc::clone(&known)), Arc::clone(&entrance));
        async move {
            let reply = mcp::http(at, &entrance, request).await;
            reply.map(|body| Body::stream(body.map_err(|never| match never {})))
        }
    };
    runtime.block_on(async {
        // Before anybody is told that it is there.
        let stops = Stops::listen()?;
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
        stops.drained(&drain, serving).await;
        Ok(())
    })
}
