//! What the standard variables of OpenTelemetry say.
//!
//! Where they name no collector, there are no traces. Where they ask for something that is not here, the start is refused, so that
//! nobody waits for traces that never come.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use http::header::{
    CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
};
use model::Authority;
use net::egress::Roots;
use percent_encoding::percent_decode_str;

use super::export::Target;
use super::otlp::{Encoding, Resource};
use super::queue::Bounds;
use super::sampler::{Parents, Sampler, Share};
use crate::failure::{Failure, Outcome};
use crate::settings::Lookup;

/// What is to be done.
pub(super) struct Plan {
    pub(super) sampler: Sampler,
    pub(super) bounds: Bounds,
    pub(super) target: Target,
}

/// Reads the variables; `None` where nobody asked for traces.
pub(super) fn read(lookup: Lookup<'_>) -> Outcome<Option<Plan>> {
    let read = Variables { lookup };
    if read.text("OTEL_SDK_DISABLED")?.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    let asked = match read.text("OTEL_TRACES_EXPORTER")?.as_deref() {
        Some("none") => return Ok(None),
        Some("otlp") => Asked::ByName,
        None => Asked::Not,
        Some(_) => return Err(wrong("OTEL_TRACES_EXPORTER", "`otlp` or `none`")),
    };
    let Some((authority, path)) = endpoint(&read, asked)? else { return Ok(None) };
    let within = read.of("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")?;
    let within = within.map_or(Ok(WITHIN), |(name, text)| milliseconds(name, &text))?;
    if let Some((name, text)) =
        read.of("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION")?
        && text != "none"
    {
        return Err(wrong(name, "`none`: spans are sent as they are"));
    }
    let roots = read.of("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE")?;
    if let Some(list) = read.text("OTEL_PROPAGATORS")?
        && !list.split(',').any(|one| one.trim() == "tracecontext")
    {
        return Err(wrong(
            "OTEL_PROPAGATORS",
            "`tracecontext`: traces are taken over and passed on in no other way",
        ));
    }
    let target = Target {
        authority,
        path,
        headers: headers(&read)?,
        encoding: encoding(&read)?,
        within,
        roots: roots.map_or(Roots::Platform, |(_, path)| Roots::Bundle(PathBuf::from(path))),
        resource: resource(&read)?,
    };
    Ok(Some(Plan { sampler: sampler(&read)?, bounds: bounds(&read)?, target }))
}

/// Whether traces were asked for without saying where they go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    ByName,
    Not,
}

struct Variables<'a> {
    lookup: Lookup<'a>,
}

impl Variables<'_> {
    fn text(&self, name: &'static str) -> Outcome<Option<String>> {
        let value = (self.lookup)(name).map(|value| value.into_string().map_err(|_| wrong(name, "text")));
        Ok(value.transpose()?.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
    }

    /// What is said for traces, else for everything; with the name of the variable that said it.
    fn of(&self, own: &'static str, common: &'static str) -> Outcome<Option<(&'static str, String)>> {
        match self.text(own)? {
            Some(text) => Ok(Some((own, text))),
            None => Ok(self.text(common)?.map(|text| (common, text))),
        }
    }

    fn number<T: FromStr>(&self, name: &'static str, expected: &str) -> Outcome<Option<T>> {
        let read = |text: String| text.parse().map_err(|_| wrong(name, expected));
        self.text(name)?.map(read).transpose()
    }
}

/// The address for traces is taken as it is; to that for everything the usual path is added.
fn endpoint(read: &Variables<'_>, asked: Asked) -> Outcome<Option<(Authority, String)>> {
    const OWN: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    const COMMON: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let (name, text) = match (read.of(OWN, COMMON)?, asked) {
        (Some(said), _) => said,
        (None, Asked::ByName) => (COMMON, "http://localhost:4318".to_owned()),
        (None, Asked::Not) => return Ok(None),
    };
    let expected = "an address such as `http://localhost:4318`, without a user name, query and fragment";
    let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong(name, expected))?;
    let (host, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
    let authority = format!("{}://{}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
    let authority: Authority = authority.parse().map_err(|_| wrong(name, expected))?;
    if !path.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#')) {
        return Err(wrong(name, expected));
    }
    let path = match name {
        COMMON => format!("{}/v1/traces", path.trim_end_matches('/')),
        _ if path.is_empty() => "/".to_owned(),
        _ => path.to_owned(),
    };
    Ok(Some((authority, path)))
}

fn encoding(read: &Variables<'_>) -> Outcome<Encoding> {
    match read.of("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")? {
        None => Ok(Encoding::Protobuf),
        Some((_, text)) if text == "http/protobuf" => Ok(Encoding::Protobuf),
        Some((_, text)) if text == "http/json" => Ok(Encoding::Json),
        Some((name, _)) => {
            Err(wrong(name, "`http/protobuf` or `http/json`; collectors take both on port 4318"))
        }
    }
}

/// `name=value,name=value`, percent-encoded. What stands in it is a credential and is in no message.
fn headers(read: &Variables<'_>) -> Outcome<HeaderMap> {
    let mut headers = HeaderMap::new();
    let said = read.of("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")?;
    let Some((variable, text)) = said else { return Ok(headers) };
    for (index, pair) in text.split(',').map(str::trim).enumerate().filter(|(_, pair)| !pair.is_empty()) {
        let bad = || wrong(variable, &format!("`name=value,name=value`; its entry {} is not", index + 1));
        let (name, value) = pair.split_once('=').ok_or_else(bad)?;
        let name = HeaderName::try_from(name.trim()).map_err(|_| bad())?;
        let value: Vec<u8> = percent_decode_str(value.trim()).collect();
        let mut value = HeaderValue::from_bytes(&value).map_err(|_| bad())?;
        value.set_sensitive(true);
        if [CONTENT_TYPE, CONTENT_LENGTH, HOST, TRANSFER_ENCODING].contains(&name) {
            return Err(wrong(
                variable,
                &format!("other headers than `{name}`, which is written by Doorward"),
            ));
        }
        headers.append(name, value);
    }
    Ok(headers)
}

fn resource(read: &Variables<'_>) -> Outcome<Resource> {
    const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
    let mut list: Resource = vec![
        ("service.name".to_owned(), "doorward".to_owned()),
        ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("telemetry.sdk.name".to_owned(), "doorward".to_owned()),
        ("telemetry.sdk.language".to_owned(), "rust".to_owned()),
        ("telemetry.sdk.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let mut put = |name: String, value: String| {
        list.retain(|(known, _)| *known != name);
        list.push((name, value));
    };
    for pair in
        read.text(ATTRIBUTES)?.unwrap_or_default().split(',').map(str::trim).filter(|one| !one.is_empty())
    {
        let bad = || wrong(ATTRIBUTES, "`name=value,name=value`");
        let (name, value) = pair.split_once('=').ok_or_else(bad)?;
        let plain = |text: &str| percent_decode_str(text.trim()).decode_utf8().map(|text| text.into_owned());
        let (name, value) = (plain(name).map_err(|_| bad())?, plain(value).map_err(|_| bad())?);
        if name.is_empty() {
            return Err(bad());
        }
        put(name, value);
    }
    if let Some(name) = read.text("OTEL_SERVICE_NAME")? {
        put("service.name".to_owned(), name);
    }
    Ok(list)
}

fn sampler(read: &Variables<'_>) -> Outcome<Sampler> {
    const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
    let name = read.text(SAMPLER)?;
    let name = name.as_deref().unwrap_or("parentbased_always_on");
    let (parents, name) = match name.strip_prefix("parentbased_") {
        Some(rest) => (Parents::Count, rest),
        None => (Parents::DoNot, name),
    };
    let share = match name {
        "always_on" => Share::All,
        "always_off" => Share::None,
        "traceidratio" => {
            let expected = "a number from 0 to 1";
            let part = read.number("OTEL_TRACES_SAMPLER_ARG", expected)?.unwrap_or(1.0);
            if !(0.0..=1.0).contains(&part) {
                return Err(wrong("OTEL_TRACES_SAMPLER_ARG", expected));
            }
            Share::Part(part)
        }
        _ => {
            return Err(wrong(
                SAMPLER,
                "`always_on`, `always_off` or `traceidratio`, each also behind `parentbased_`",
            ));
        }
    };
    Ok(Sampler { parents, share })
}

fn bounds(read: &Variables<'_>) -> Outcome<Bounds> {
    const BATCH: &str = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";
    let count = |name, usual: usize| -> Outcome<usize> {
        let expected = "a number from 1 to 1000000";
        let count = read.number(name, expected)?.unwrap_or(usual);
        if (1..=1_000_000).contains(&count) { Ok(count) } else { Err(wrong(name, expected)) }
    };
    let most = count("OTEL_BSP_MAX_QUEUE_SIZE", 2048)?;
    let batch = count(BATCH, 512.min(most))?;
    if batch > most {
        return Err(wrong(BATCH, "no more than `OTEL_BSP_MAX_QUEUE_SIZE`"));
    }
    let delay = read.text("OTEL_BSP_SCHEDULE_DELAY")?;
    let delay = delay.map_or(Ok(DELAY), |text| milliseconds("OTEL_BSP_SCHEDULE_DELAY", &text))?;
    Ok(Bounds { most, batch, delay })
}

fn milliseconds(name: &'static str, text: &str) -> Outcome<Duration> {
    let expected = "milliseconds, from 1 to 3600000";
    let read: u64 = text.parse().map_err(|_| wrong(name, expected))?;
    if (1..=3_600_000).contains(&read) { Ok(Duration::from_millis(read)) } else { Err(wrong(name, expected)) }
}

fn wrong(name: &str, expected: &str) -> Failure {
    Failure::usage(format!("`{name}` has to be {expected}"))
        .hint("unset it, or `OTEL_SDK_DISABLED=true` for no traces at all")
}

const WITHIN: Duration = Duration::from_secs(10);
const DELAY: Duration = Duration::from_secs(5);
