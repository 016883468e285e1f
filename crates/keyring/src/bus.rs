//! The bus of the desktop session, as the two keyrings behind it use it.
//!
//! # Invariants
//!
//! - The bus is the one that the settings name. Its address is never guessed by starting a program.
//! - Everything here runs on the thread of a [`crate::worker::Worker`].

use std::num::NonZeroUsize;
use std::pin::Pin;

use serde::Serialize;
use zbus::export::futures_core::Stream;
use zbus::message::{Body, Type};
use zbus::{Connection, DynamicType, MatchRule, MessageStream, as_variant};

use crate::settings::Bus;
use crate::{Error, Kind};

/// The address of the bus.
pub(crate) fn address(kind: Kind, settings: &Bus) -> Result<String, Error> {
    let none = || Error::unavailable(kind, "there is no session bus (`DBUS_SESSION_BUS_ADDRESS`)");
    let given = settings.address.as_deref().map(str::trim).filter(|address| !address.is_empty());
    match given {
        // A bus that is started for us would outlive us.
        Some(address) if address.starts_with("autolaunch:") => Err(none()),
        Some(address) => Ok(address.to_owned()),
        None => {
            let socket = settings.runtime.as_ref().map(|runtime| runtime.join("bus"));
            let socket = socket.filter(|socket| socket.exists()).ok_or_else(none)?;
            let socket = socket.to_str().ok_or_else(none)?;
            Ok(format!("unix:path={}", percent_encoding::utf8_percent_encode(socket, ESCAPED)))
        }
    }
}

/// One service on the bus.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) kind: Kind,
    pub(crate) bus: Connection,
    pub(crate) name: &'static str,
}

impl Service {
    /// Connects to the bus.
    pub(crate) async fn connect(kind: Kind, address: &str, name: &'static str) -> Result<Self, Error> {
        let failed = |source| Error::Unavailable {
            kind,
            why: "the session bus does not answer".to_owned(),
            source: Some(Box::new(source)),
        };
        let bus = zbus::connection::Builder::address(address).build().await.map_err(failed)?;
        Ok(Self { kind, bus, name })
    }

    /// Whether the service runs, or can be started by the bus.
    pub(crate) async fn is_there(&self) -> Result<bool, Error> {
        const BUS: &str = "org.freedesktop.DBus";
        let bus = Self { name: BUS, ..self.clone() };
        let call = |member, body: &'static str| {
            let bus = bus.clone();
            async move { bus.call("/org/freedesktop/DBus", BUS, member, &(body,)).await }
        };
        let owned: bool = read(self.kind, &call("NameHasOwner", self.name).await?)?;
        if owned {
            return Ok(true);
        }
        let reply = bus.call("/org/freedesktop/DBus", BUS, "ListActivatableNames", &()).await?;
        let names: Vec<String> = read(self.kind, &reply)?;
        Ok(names.iter().any(|name| name == self.name))
    }

    /// Calls a method and gives the body of the answer.
    pub(crate) async fn call<B>(
        &self,
        path: &str,
        interface: &str,
        member: &str,
        body: &B,
    ) -> Result<Body, Error>
    where
        B: Serialize + DynamicType,
    {
        let reply = self.bus.call_method(Some(self.name), path, Some(interface), member, body).await;
        reply.map(|reply| reply.body()).map_err(|error| self.failed(&error))
    }

    /// Reads a property.
    pub(crate) async fn property<T>(&self, path: &str, interface: &str, name: &str) -> Result<T, Error>
    where
        T: zbus::Type + serde::de::DeserializeOwned,
    {
        let body = self.call(path, "org.freedesktop.DBus.Properties", "Get", &(interface, name)).await?;
        let value: as_variant::Deserialize<'_, T> =
            body.deserialize().map_err(|error| self.failed(&error))?;
        Ok(value.0)
    }

    /// The next signal of an object, once it is listened for; calls `then` after that, so that none is missed.
    pub(crate) async fn signal_after<F>(
        &self,
        path: &str,
        interface: &str,
        member: &str,
        then: F,
    ) -> Result<Body, Error>
    where
        F: Future<Output = Result<Body, Error>>,
    {
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(self.name)
            .path(path)
            .interface(interface)
            .member(member)
            .build()
            .map_err(|error| self.failed(&error))?;
        let mut stream = MessageStream::for_match_rule(rule, &self.bus, NonZeroUsize::new(4))
            .await
            .map_err(|error| self.failed(&error))?;
        let _called = then.await?;
        let next = std::future::poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await;
        let message = next.ok_or_else(|| Error::unavailable(self.kind, "the session bus went away"))?;
        message.map(|message| message.body()).map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &zbus::Error) -> Error {
        Error::refused(self.kind, "answer", &error.to_string())
    }
}

/// Reads the body of an answer.
pub(crate) fn read<'b, T>(kind: Kind, body: &'b Body) -> Result<T, Error>
where
    T: zbus::wire::DynamicDeserialize<'b>,
{
    body.deserialize().map_err(|error| Error::refused(kind, "answer in its own form", &error.to_string()))
}

/// What is escaped in an address (D-Bus specification, section "Server Addresses").
const ESCAPED: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'/')
    .remove(b'.')
    .remove(b'*')
    .remove(b'\\');
