//! A body on its way into guarded memory: read within bounds, copied once, wiped where it lay.

use std::pin::pin;
use std::time::Duration;

use broker::Payload;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use model::{Code, Refusal};
use tokio::time::{Instant, timeout_at};
use zeroize::{Zeroize, Zeroizing};

/// The body of a request, where it has one.
pub(crate) async fn read<B>(body: B) -> Result<Option<Payload>, Refusal>
where
    B: Body<Data = Bytes>,
{
    let mut bytes = collected(body, WITHIN).await?;
    if bytes.is_empty() { Ok(None) } else { Payload::new(std::mem::take(&mut *bytes)).map(Some) }
}

/// The bytes of a body, in one piece of memory that never moved, so that no copy stays behind.
async fn collected<B>(body: B, within: Duration) -> Result<Zeroizing<Vec<u8>>, Refusal>
where
    B: Body<Data = Bytes>,
{
    let said = body.size_hint();
    if said.lower() > MOST as u64 {
        return Err(too_large());
    }
    let room = said.exact().and_then(|said| usize::try_from(said).ok()).unwrap_or(MOST);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    let mut body = pin!(body);
    let until = Instant::now() + within;
    loop {
        let frame = match timeout_at(until, body.frame()).await {
            Err(_) => return Err(Refusal::new(Code::BadRequest, "the body did not arrive in time")),
            Ok(None) => return Ok(bytes),
            Ok(Some(Err(_))) => return Err(Refusal::new(Code::BadRequest, "the body broke off")),
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(data) = frame.into_data() else { continue };
        // Within the room that was taken at the start; more would move what is there already.
        if data.len() > bytes.capacity() - bytes.len() {
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
        wipe(data);
    }
}

/// Wipes a piece where nothing else refers to it. What the HTTP library still holds of its buffer is out of our reach.
fn wipe(data: Bytes) {
    if let Ok(mut data) = data.try_into_mut() {
        data.zeroize();
    }
}

fn too_large() -> Refusal {
    Refusal::new(Code::TooLarge, format!("the body is larger than {MOST} bytes"))
}

/// Most bytes of a secret or a policy.
const MOST: usize = 1024 * 1024;
const WITHIN: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
