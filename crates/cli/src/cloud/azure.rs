//! `doorward metadata azure`.

use std::process::ExitCode;
use std::sync::Arc;

use broker::SystemClock;
use broker::mint::{AZURE, Place};
use metadata::{RefreshingTokens, Want};

use super::source::Source;
use super::{about, opened, until_the_end};
use crate::args::metadata::{Azure, Serving};
use crate::aws::{Wrong, serve};
use crate::failure::Failure;
use crate::print::Printer;
use crate::wire;

/// Serves.
pub(super) fn run(args: Azure, printer: Printer) -> Result<ExitCode, Wrong> {
    let Azure { serving, cloud, federated_token_file, dangerous_authority } = args;
    let whose = about(AZURE, &serving.key)?;
    let client = whose.get("client").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let federated = whose.get("federated").and_then(serde_json::Value::as_bool) == Some(true);
    let file = match (federated, federated_token_file) {
        (true, None) => {
            return Err(Wrong(
                Failure::usage("the principal proves itself by the token of another issuer").hint(
                    "`--federated-token-file FILE` (or AZURE_FEDERATED_TOKEN_FILE) says where that token is",
                ),
            ));
        }
        (true, file) => file,
        (false, _) => None,
    };
    let known = cloud::authority_of(cloud.name()).unwrap_or_default();
    let authority = dangerous_authority.unwrap_or_else(|| known.to_owned());
    let source = Source::new(AZURE, &serving.key, move |want| {
        let Want::Resource { resource } = want else {
            return Err(Wrong(Failure::new("this server has no tokens of Google")));
        };
        let read = |file| aws::process::token_file(file, aws::process::Edges::Trimmed);
        let assertion = file.as_deref().map(read).transpose();
        let assertion = assertion.map_err(|error| Wrong(Failure::of(&error)))?;
        Ok(Place::Azure { resource: resource.clone(), authority: authority.clone(), assertion })
    })?;
    serve_it(serving, client, source, printer)
}

fn serve_it(serving: Serving, client: String, source: Source, printer: Printer) -> Result<ExitCode, Wrong> {
    wire::runtime()?.block_on(async move {
        let (listener, address) = opened(serving.listen.as_deref())?;
        let tokens = Arc::new(RefreshingTokens::new(Arc::new(source), Arc::new(SystemClock::default())));
        let (drain, draining) = net::drain::channel();
        let server = metadata::Azure::new(client);
        let running =
            tokio::spawn(async move { server.serve(listener, tokens, serve::limits(), draining).await });
        let variables = vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST", format!("http://{address}"))];
        let status = until_the_end(serving, (variables, STALE), printer, drain).await;
        let _ = running.await;
        status
    })
}

/// What Azure's libraries would use instead of a managed identity.
const STALE: &[&str] = &[
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_USERNAME",
    "AZURE_PASSWORD",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "IMDS_ENDPOINT",
];
