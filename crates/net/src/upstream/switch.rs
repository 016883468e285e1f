//! Asks an upstream for a WebSocket, on a connection that serves nothing else before or behind it.

use std::time::Duration;

use http::{Request, Response, StatusCode};
use tokio::time::timeout;

use super::{Dial, Upstream, address, broken, check_reply, sendable, shown};
use crate::pool::{Channel, Knowledge};
use crate::websocket::{self, Line, Switched};
use crate::{Body, Error, Sent, Way};

impl Upstream {
    /// Sends the handshake of a WebSocket; the part of it that belongs to the hop is written here.
    ///
    /// # Errors
    /// As [`Upstream::send`], and where the upstream agrees to something else.
    pub async fn switch(
        &self,
        dial: &Dial,
        request: impl Into<Box<Request<Body>>>,
        head: Duration,
    ) -> Result<Switched, Error> {
        let mut request = request.into();
        let path = sendable(&mut request)?;
        let place = match dial.way.as_deref().and_then(Way::places) {
            Some(places) => Some(places.take(dial).await?),
            None => None,
        };
        let slot = self.pool.slot(dial, Knowledge::None)?;
        let mut channel = self.dial_once(&slot, dial).await?;
        address(&mut request, &path, (dial, &slot), &channel)?;
        websocket::ask(request.headers_mut());
        let Channel::Http1(sender) = &mut channel else {
            return Err(Error::Request("a WebSocket is asked for over HTTP/1.1 only"));
        };
        let answer = timeout(head, sender.send_request(*request)).await;
        let late = |_| Error::Timeout { upstream: shown(dial), sent: Sent::Maybe };
        let mut reply = answer.map_err(late)?.map_err(|source| broken(dial, source, None))?;
        if reply.status() != StatusCode::SWITCHING_PROTOCOLS {
            check_reply(dial, &reply)?;
            let reply = reply.map(|body| {
                let body = slot.lend(body, channel);
                match place {
                    Some(place) => body.holding(place),
                    None => body,
                }
            });
            return Ok(Switched::Reply(reply));
        }
        if let Some(what) = websocket::wrong_with(reply.headers()) {
            return Err(Error::Protocol { upstream: shown(dial), what, source: None });
        }
        let upgraded = hyper::upgrade::on(&mut reply).await.map_err(|source| broken(dial, source, None))?;
        let (parts, _) = reply.into_parts();
        Ok(Switched::Open(Box::new(Response::from_parts(parts, ())), Line::new(upgraded, place)))
    }
}
