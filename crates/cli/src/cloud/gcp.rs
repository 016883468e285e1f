//! `doorward metadata gcp`.

use std::process::ExitCode;
use std::sync::Arc;

use broker::SystemClock;
use broker::mint::{GCP, Place};
use cloud::{GcpPlaces, Wanted};
use metadata::{Project, RefreshingTokens, Want};

use super::source::Source;
use super::{about, opened, until_the_end};
use crate::args::metadata::{Gcp, Serving};
use crate::aws::{Wrong, serve};
use crate::failure::Failure;
use crate::print::Printer;
use crate::wire;

/// Serves.
pub(super) fn run(args: Gcp, printer: Printer) -> Result<ExitCode, Wrong> {
    let Gcp {
        serving,
        impersonate,
        scopes,
        project,
        project_number,
        dangerous_token_endpoint,
        dangerous_iam_endpoint,
    } = args;
    let places = GcpPlaces::new(dangerous_token_endpoint.as_deref(), dangerous_iam_endpoint.as_deref());
    let places = places.map_err(|error| Wrong(Failure::of(&error)))?;
    let whose = about(GCP, &serving.key)?;
    let said = |name: &str| whose.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let id = project.or_else(|| said("project")).ok_or_else(|| {
        Wrong(Failure::usage("the key names no project").hint("`--project ID` says what programs are told"))
    })?;
    let email = impersonate.clone().or_else(|| said("email")).unwrap_or_default();
    let universe = "googleapis.com".to_owned();
    let project = Project { id, number: project_number, email, scopes: scopes.clone(), universe };
    let source = Source::new(GCP, &serving.key, move |want| {
        let wanted = match want {
            Want::Access { scopes: asked } if asked.is_empty() => Wanted::Access(scopes.clone()),
            Want::Access { scopes: asked } => Wanted::Access(asked.clone()),
            Want::Identity { audience } => Wanted::Identity(audience.clone()),
            Want::Resource { .. } => return Err(Wrong(Failure::new("this server has no tokens of Azure"))),
        };
        let (impersonated, places) = (impersonate.clone(), places.clone());
        Ok(Place::Gcp { wanted, impersonated, places })
    })?;
    serve_it(serving, project, source, printer)
}

fn serve_it(serving: Serving, project: Project, source: Source, printer: Printer) -> Result<ExitCode, Wrong> {
    wire::runtime()?.block_on(async move {
        let (listener, address) = opened(serving.listen.as_deref())?;
        let tokens = Arc::new(RefreshingTokens::new(Arc::new(source), Arc::new(SystemClock::default())));
        let (drain, draining) = net::drain::channel();
        let server = metadata::Gcp::new(project);
        let running =
            tokio::spawn(async move { server.serve(listener, tokens, serve::limits(), draining).await });
        let place = address.to_string();
        let variables = vec![
            ("GCE_METADATA_HOST", place.clone()),
            ("GCE_METADATA_IP", place.clone()),
            ("GCE_METADATA_ROOT", place),
        ];
        let status = until_the_end(serving, (variables, STALE), printer, drain).await;
        let _ = running.await;
        status
    })
}

/// What outranks a metadata server in Google's libraries, or would take a program elsewhere.
const STALE: &[&str] = &[
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_OAUTH_ACCESS_TOKEN",
    "CLOUDSDK_AUTH_ACCESS_TOKEN",
    "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
    "NO_GCE_CHECK",
];
