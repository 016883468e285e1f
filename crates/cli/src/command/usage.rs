//! `doorward capability use`: one request with a capability through the gateway, as any program would send it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::{Request, Response};
use model::IntegrationName;
use net::Body;
use net::plain::{Place, Plain};
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::management::Running;
use crate::print::Printer;
use crate::print::table::{at, cell};
use crate::{typed, wire};

/// A request with a capability from a file.
pub(crate) struct Use {
    pub(crate) capability: PathBuf,
    pub(crate) integration: IntegrationName,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) data: Option<String>,
    pub(crate) headers: Vec<String>,
    pub(crate) gateway: Option<String>,
    pub(crate) include: bool,
}

/// Sends it.
pub(crate) fn run(context: &Context, args: &Use) -> Outcome {
    let address = gateway(context, args.gateway.as_deref())?;
    let request = request(args)?;
    let plain = Plain::new(Place::Loopback(address), PATIENCE, LARGEST);
    let reply = wire::runtime()?.block_on(plain.send(request)).map_err(|error| {
        Failure::of(&error).hint("`doorward status` shows whether the broker runs, and where")
    })?;
    print(context, args, &reply)?;
    if reply.status().as_u16() < 400 { Ok(()) } else { Err(Failure::silent()) }
}

/// Sends the probe of an integration with a capability.
pub(crate) fn probe(
    context: &Context,
    integration: &catalog::Integration,
    probe: &catalog::Probe,
    token: &policy::Token,
) -> Outcome<Response<bytes::Bytes>> {
    let address = gateway(context, None)?;
    let request = Request::builder()
        .method(probe.method().as_str())
        .uri(format!("/{}{}", integration.name(), probe.target().as_str()))
        .header(AUTHORIZATION, bearer(token)?)
        .body(Body::empty())
        .map_err(|error| Failure::doing("the probe can't be sent", &error))?;
    Ok(wire::runtime()?.block_on(Plain::new(Place::Loopback(address), PATIENCE, LARGEST).send(request))?)
}

fn bearer(token: &policy::Token) -> Outcome<HeaderValue> {
    let mut bearer = token
        .expose(|text| HeaderValue::from_str(&format!("Bearer {text}")))
        .map_err(|error| Failure::doing("the capability can't be sent", &error))?;
    bearer.set_sensitive(true);
    Ok(bearer)
}

fn request(args: &Use) -> Outcome<Request<Body>> {
    let token = typed::capability(&args.capability)?;
    let wrong = |error: http::Error| Failure::usage(format!("this can't be a request: {error}"));
    let path = format!("/{}{}", args.integration, args.path);
    if !args.path.starts_with('/') {
        return Err(Failure::usage("the path starts with `/`"));
    }
    let mut builder = Request::builder()
        .method(args.method.to_ascii_uppercase().as_str())
        .uri(path)
        .header(AUTHORIZATION, bearer(&token)?);
    for header in &args.headers {
        let (name, value) =
            header.split_once(':').ok_or_else(|| Failure::usage("a header is written `name: value`"))?;
        let name: HeaderName =
            name.trim().parse().map_err(|_| Failure::usage("the name of a header is not one"))?;
        if name == AUTHORIZATION {
            return Err(Failure::usage("`authorization` carries the capability").hint("leave the header out"));
        }
        builder = builder.header(name, value.trim());
    }
    let body = match args.data.as_deref() {
        None => Body::empty(),
        Some(data) => match data.strip_prefix('@') {
            None => Body::full(data.to_owned()),
            Some("-") if args.capability.as_os_str() == "-" => {
                return Err(Failure::usage("capability and body can't both come from stdin"));
            }
            Some(file) => Body::full(typed::bytes(Path::new(file))?),
        },
    };
    builder.body(body).map_err(wrong)
}

fn print(context: &Context, args: &Use, reply: &Response<bytes::Bytes>) -> Outcome {
    let evidence = reply.headers().get(net::problem::EVIDENCE).and_then(|id| id.to_str().ok());
    let refusal = reply.headers().get(net::problem::REFUSAL).and_then(|code| code.to_str().ok());
    let text = String::from_utf8_lossy(reply.body());
    if context.printer.is_json() {
        let body = serde_json::from_slice(reply.body()).unwrap_or_else(|_| json!(text));
        let headers: serde_json::Map<String, Value> = reply
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), json!(String::from_utf8_lossy(value.as_bytes()))))
            .collect();
        let status = reply.status().as_u16();
        return context.printer.json(
            &json!({ "status": status, "refusal": refusal, "evidence": evidence, "headers": headers, "body": body }),
        );
    }
    if args.include || reply.status().as_u16() >= 400 {
        let head: String = reply
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())))
            .collect();
        Printer::say(&format!("{}\n{head}", reply.status()));
    }
    Printer::text(&text)
}

fn gateway(context: &Context, typed: Option<&str>) -> Outcome<SocketAddr> {
    let url = match typed {
        Some(url) => url.to_owned(),
        None => {
            let running = Running::find(context)?.ok_or_else(|| {
                Failure::new("no broker runs over this home").hint("`doorward up` starts one")
            })?;
            let url = cell(at(&running.status()?, "doors.gateway"));
            if url.is_empty() {
                return Err(Failure::new("the broker that runs over this home has no gateway")
                    .hint("`doorward up` has one; `--gateway` says where another one is"));
            }
            url
        }
    };
    let address = url.strip_prefix("http://").unwrap_or(&url).trim_end_matches('/');
    address.parse().map_err(|_| {
        Failure::usage(format!("`{address}` is not the address of a gateway on this machine"))
            .hint("`--gateway http://127.0.0.1:8080`; with TLS, use `curl`")
    })
}

const PATIENCE: Duration = Duration::from_secs(300);
const LARGEST: usize = 64 << 20;
