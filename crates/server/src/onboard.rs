//! A tenant and its first key, for whoever holds the root key.

use std::sync::Arc;

use broker::Worker;
use http::StatusCode;
use http::request::Parts;
use hyper::body::Incoming;
use model::{Code, Inputs, Refusal};
use net::Peer;
use net::body::{Bounds, collect_bounded};
use serde_json::{Value, json};

use crate::reply::Reply;
use crate::{PATIENCE, ROOT, perform};

pub(crate) async fn answer(worker: &Arc<Worker>, parts: &Parts, body: Incoming, peer: &Peer) -> Reply {
    let bounds = Bounds { bytes: MOST, frame: PATIENCE, whole: PATIENCE };
    let read = collect_bounded(body, bounds).await.ok();
    let read = read.and_then(|bytes| broker::document::read(&bytes).ok()).unwrap_or_default();
    let text = |name: &str| read.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut inputs = Inputs::from([("name".to_owned(), text("org_slug"))]);
    if read.get("plan").is_some() {
        inputs.insert("plan".to_owned(), text("plan"));
    }
    match made(worker, (parts, peer), inputs).await {
        Ok(value) => Reply::of(Ok(value), ""),
        Err(refusal) if refusal.code == Code::Unauthenticated || refusal.code == Code::Expired => {
            if parts.headers.contains_key(ROOT) {
                Reply::wrong(StatusCode::FORBIDDEN, "Invalid root API key".into())
            } else {
                let detail = "Root API key required. Provide X-CA-Root-Key header.";
                Reply::wrong(StatusCode::UNAUTHORIZED, detail.into())
            }
        }
        // A key of a tenant is none of the root.
        Err(refusal) if refusal.code == Code::Denied => {
            Reply::wrong(StatusCode::FORBIDDEN, "Invalid root API key".into())
        }
        Err(refusal) => Reply::of(Err(refusal), ""),
    }
}

async fn made(
    worker: &Arc<Worker>,
    (parts, peer): (&Parts, &Peer),
    inputs: Inputs,
) -> Result<Value, Refusal> {
    let tenant = perform(worker, ("tenant.create", inputs, None), (parts, ROOT), peer).await?;
    let name = tenant.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let inputs = Inputs::from([("tenant".to_owned(), name.clone())]);
    let key = perform(worker, ("key.create", inputs, None), (parts, ROOT), peer).await?;
    Ok(json!({
        "org_slug": name, "plan": tenant.get("plan"), "api_key": key.get("key"), "api_key_id": key.get("id"),
    }))
}

const MOST: usize = 16 * 1024;
