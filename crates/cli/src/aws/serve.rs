//! `exec --ecs-server` and `--ec2-server`: a server beside the child, and `proxy`, which gives the EC2 one its real address.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aws::chain::{At, RoleCall};
use aws::mfa::Serving;
use aws::profile::{Profile, Role};
use broker::mint::{self, What};
use broker::{Lease, SystemClock};
use metadata::{
    Alias, Ask, Bearer, Ec2, Ecs, Endpoint, Given, Instance, Leases, Reach, Refreshing, Relay, Version1,
};
use model::{Clock, Code, EvidenceId, Inputs, Refusal};
use net::{Bound, Draining, ServeLimits};

use super::child::Child;
use super::counter::Counter;
use super::desk::{self, Desk};
use super::signals::{self, Signals};
use super::speech::{Wrong, say};
use super::{exec, lent};
use crate::compat::aws_vault::command::{Exec, Proxy, Wanted};
use crate::failure::{Failure, Kind};
use crate::wire;

/// Runs the child beside a server.
pub(super) fn run(desk: Desk, profile: Profile, exec: Exec, child: Child) -> Result<ExitCode, Wrong> {
    let Exec { session, ecs_server, lazy, listen, imdsv1, .. } = exec;
    let version1 = if imdsv1 || desk.global.compatible() { Version1::Allowed } else { Version1::Refused };
    let source = Source::new(desk, profile, session)?;
    let runtime = wire::runtime()?;
    runtime.block_on(async move {
        let leases = Arc::new(Refreshing::new(Arc::new(source), Arc::new(SystemClock::default())));
        let status = if ecs_server {
            ecs(&leases, listen.as_deref(), lazy, child).await
        } else {
            ec2(&leases, listen.as_deref(), lazy, version1, child).await
        };
        leases.source().counter.close().await;
        status
    })
}

async fn ecs(
    leases: &Arc<Refreshing<Source>>,
    listen: Option<&str>,
    lazy: bool,
    child: Child,
) -> Result<ExitCode, Wrong> {
    let (bound, address) = bind(listen, 0)?;
    if address.ip().is_unspecified() {
        return Err(Wrong::new(format!("`{address}` is every address, and the program has to be told one"))
            .hint("name the one by which it reaches this machine, such as that of the bridge: `doorward aws exec PROFILE --ecs-server --listen 172.17.0.1:0`"));
    }
    let token = Bearer::generate().map_err(|error| Wrong(Failure::of(&error)))?;
    let text = token.lend(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let reach =
        if address.ip().is_loopback() { Reach::Loopback } else { Reach::Named(vec![address.to_string()]) };
    first(leases, Endpoint::Ecs, lazy).await?;
    let told = if address.ip().is_loopback() { Ecs::address(address) } else { format!("http://{address}") };
    let child = child.with("AWS_CONTAINER_CREDENTIALS_FULL_URI", &told);
    let child = child.with("AWS_CONTAINER_AUTHORIZATION_TOKEN", &text);
    let server = Ecs::new(token, reach, None);
    let (drain, draining) = net::drain::channel();
    let listener = bound.listener().map_err(|error| Wrong(Failure::of(&error)))?;
    let (server, served) = (server.clone(), Arc::clone(leases));
    let serving = tokio::spawn(async move { server.serve(listener, served, limits(), draining).await });
    let status = beside(child).await;
    drain.start();
    let _ = serving.await;
    status
}

async fn ec2(
    leases: &Arc<Refreshing<Source>>,
    listen: Option<&str>,
    lazy: bool,
    version1: Version1,
    child: Child,
) -> Result<ExitCode, Wrong> {
    let (bound, address) = bind(listen, EC2_PORT)?;
    if !address.ip().is_loopback() {
        return Err(Wrong::new(format!(
            "the EC2 server has no token of its own, so it may not listen on `{address}`"
        ))
        .hint("`doorward aws exec PROFILE --ecs-server --listen ADDRESS:PORT` serves other machines, with a token"));
    }
    let region = leases.source().profile.region.clone();
    if let Err(wrong) = first(leases, Endpoint::Ec2, lazy).await {
        // A child that needs no credentials runs all the same; one that does is told by the server.
        say(&format!("warning: {}", wrong.0.message));
    }
    let server = Ec2::new(Instance::local(region, version1));
    let (drain, draining) = net::drain::channel();
    let listener = bound.listener().map_err(|error| Wrong(Failure::of(&error)))?;
    let (one, served) = (server.clone(), Arc::clone(leases));
    let serving = tokio::spawn(async move { one.serve(listener, served, limits(), draining).await });
    let real = linked(address, drain.listener()).await;
    let child = match &real {
        Ok(_) => child,
        Err(why) => {
            say(&format!("warning: {why}; SDKs are told the address of this server instead"));
            child.with("AWS_EC2_METADATA_SERVICE_ENDPOINT", &format!("http://{address}"))
        }
    };
    let status = beside(child).await;
    drain.start();
    let _ = serving.await;
    drop(real);
    status
}

/// Opens the real metadata address where this process has the rights, or lets `sudo` do it.
async fn linked(address: SocketAddr, draining: Draining) -> Result<Linked, String> {
    if !rustix::process::geteuid().is_root() {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let status = tokio::process::Command::new("sudo")
            .args(["-n", "-b"])
            .arg(program)
            .args(["aws", "proxy"])
            .stdin(std::process::Stdio::null())
            .status()
            .await;
        return match status {
            Ok(status) if status.success() => Ok(Linked { _alias: None }),
            _ => Err("169.254.169.254 needs the rights of root".to_owned()),
        };
    }
    let (alias, bound) = Alias::open().map_err(|error| error.to_string())?;
    let relay = Relay::new(address, 0).map_err(|error| error.to_string())?;
    let listener = bound.listener().map_err(|error| error.to_string())?;
    tokio::spawn(async move { relay.serve(listener, limits(), draining).await });
    Ok(Linked { _alias: Some(alias) })
}

/// The real address, as long as the child runs.
struct Linked {
    _alias: Option<Alias>,
}

pub(crate) fn bind(listen: Option<&str>, port: u16) -> Result<(Bound, SocketAddr), Wrong> {
    let address = match listen {
        Some(text) => {
            text.parse().map_err(|_| Wrong::new(format!("`{text}` is no address, such as 127.0.0.1:9099")))?
        }
        None => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
    };
    let wrong = |error: net::Error| {
        Wrong(Failure::of(&error)).hint("`doorward aws exec PROFILE --listen ADDRESS:PORT`, behind the flag of the server, takes another one")
    };
    let bound = net::bind_tcp(address, NonZeroUsize::MIN).map_err(wrong)?.pop();
    let bound = bound.ok_or_else(|| Wrong::new("no address was opened"))?;
    let address = bound.address().map_err(wrong)?;
    Ok((bound, address))
}

/// Gets the first credentials before the child runs, so that a mistake is seen at once.
async fn first(leases: &Arc<Refreshing<Source>>, endpoint: Endpoint, lazy: bool) -> Result<(), Wrong> {
    if lazy {
        return Ok(());
    }
    let ask = Ask { endpoint, role: None, region: None, facts: model::Fact::default() };
    leases.current(ask).await.map(|_| ()).map_err(|refusal| Wrong(refusal.into()).after("Retrieving creds: "))
}

/// Runs the child to its end; signals that reach this process are passed on.
pub(crate) async fn beside(child: Child) -> Result<ExitCode, Wrong> {
    let failed = |error: std::io::Error| Wrong(Failure::doing("could not wait for the command", &error));
    let mut signals = Signals::listen().map_err(failed)?;
    let mut child = child.spawn()?;
    loop {
        let id = child.id();
        tokio::select! {
            status = child.wait() => return Ok(exec::exit_code(status.map_err(failed)?)),
            signal = signals.next() => signals::pass(signal, id),
        }
    }
}

/// Where the leases of a server come from.
struct Source {
    desk: Arc<Desk>,
    profile: Profile,
    session: Arc<Wanted>,
    counter: Counter,
    base: tokio::sync::Mutex<Option<Arc<Lease>>>,
}

impl Source {
    fn new(desk: Desk, profile: Profile, session: Wanted) -> Result<Self, Wrong> {
        Ok(Self {
            counter: Counter::new(desk.tools(None)?),
            desk: Arc::new(desk),
            profile,
            session: Arc::new(session),
            base: tokio::sync::Mutex::default(),
        })
    }

    /// A role, to be assumed with the credentials of the profile.
    fn role(&self, arn: &str) -> RoleCall {
        let role = Role {
            arn: arn.to_owned(),
            session_name: None,
            external_id: None,
            tags: std::collections::BTreeMap::new(),
            transitive_tags: Vec::new(),
            source_identity: None,
        };
        // Chaining from a session is capped by AWS.
        let duration = self.profile.durations.role.min(CHAINED);
        RoleCall {
            profile: self.profile.name.clone(),
            role,
            policy: None,
            policy_arns: Vec::new(),
            duration,
            wanted: duration,
            at: At::of(&self.profile),
        }
    }

    /// Credentials of the profile, kept as long as they last.
    async fn base(&self) -> Result<Arc<Lease>, Refusal> {
        let mut kept = self.base.lock().await;
        let now = SystemClock::default().now();
        let lasts = |lease: &&Arc<Lease>| {
            lease.expiration.is_none_or(|end| end > now.after(self.profile.cache_margin))
        };
        if let Some(lease) = kept.as_ref().filter(lasts) {
            return Ok(Arc::clone(lease));
        }
        let want = lent::want(&self.desk, &self.session, aws::chain::Purpose::Exec);
        let (profile, refresh) = (self.profile.clone(), self.session.refresh);
        let what = move || What::Lease(mint::OfProfile { profile: Box::new(profile.clone()), want, refresh });
        let lease = self.mint(desk::inputs(&self.profile), what).await?;
        *kept = Some(Arc::clone(&lease));
        Ok(lease)
    }

    /// Asks the broker on a thread of its own: a person may have to be asked, and answers to others go on meanwhile.
    async fn mint(
        &self,
        inputs: Inputs,
        what: impl Fn() -> What + Send + 'static,
    ) -> Result<Arc<Lease>, Refusal> {
        let (desk, profile, session) =
            (Arc::clone(&self.desk), self.profile.clone(), Arc::clone(&self.session));
        let asked = tokio::task::spawn_blocking(move || {
            desk.get(("session.get", inputs), &profile, (&session, Serving::Yes), what).and_then(desk::lease)
        });
        match asked.await {
            Ok(lease) => lease.map(Arc::from).map_err(refused),
            Err(_) => Err(Refusal::new(Code::OutcomeUnknown, "the call broke off inside Doorward")),
        }
    }
}

impl Leases for Source {
    async fn lease(&self, ask: Ask) -> Result<Arc<Lease>, Refusal> {
        let base = self.base().await?;
        let Some(arn) = ask.role.as_ref().map(metadata::RoleArn::as_str) else { return Ok(base) };
        let mut inputs = desk::input(&self.profile.name);
        inputs.insert("role".to_owned(), arn.to_owned());
        let role = self.role(arn);
        self.mint(inputs, move || What::Assume { base: Arc::clone(&base), role: Box::new(role.clone()) })
            .await
    }

    async fn record(&self, given: Given<'_>) -> Result<EvidenceId, Refusal> {
        let mut inputs: Inputs = desk::input(&self.profile.name);
        inputs.insert("endpoint".to_owned(), given.endpoint.as_str().to_owned());
        let fields = vec![
            ("access_key_id".to_owned(), given.id.to_owned()),
            ("expiration".to_owned(), aws::session::rfc3339(given.expiration)),
            ("role".to_owned(), given.role.unwrap_or_default().to_owned()),
        ];
        self.counter.record(mint::AWS, inputs, fields).await.map_err(|failure| refused(Wrong(failure)))
    }
}

pub(crate) fn refused(wrong: Wrong) -> Refusal {
    let Failure { kind, message, causes, hint } = wrong.0;
    let code = if let Kind::Refused(code, _) = kind { code } else { Code::SourceUnavailable };
    let causes: String = causes.iter().map(|cause| format!(": {cause}")).collect();
    let refusal = Refusal::new(code, format!("{message}{causes}"));
    match hint {
        Some(hint) => refusal.hint(hint),
        None => refusal,
    }
}

/// `proxy`: the real metadata address, for a server of the user who asked for it. Runs as root.
pub(super) fn proxy(proxy: &Proxy) -> Result<ExitCode, Wrong> {
    if proxy.stop {
        return Err(Wrong::new(
            "nothing is stopped from outside: the helper ends with the server that it was started for",
        )
        .hint(format!("what a killed one left behind goes with `{}`", Alias::commands()[1])));
    }
    let owner = crate::compat::environment("SUDO_UID").and_then(|uid| uid.parse().ok()).unwrap_or(0);
    let runtime = wire::runtime()?;
    runtime.block_on(async move {
        let wrong = |error: metadata::Error| Wrong(Failure::of(&error).maybe_hint(error.hint()));
        let (alias, bound) = Alias::open().map_err(wrong)?;
        let relay = Relay::new(SocketAddr::from((Ipv4Addr::LOCALHOST, EC2_PORT)), owner).map_err(wrong)?;
        let listener = bound.listener().map_err(|error| Wrong(Failure::of(&error)))?;
        let (drain, draining) = net::drain::channel();
        let gone = relay.clone();
        let serving = tokio::spawn(async move { relay.serve(listener, limits(), draining).await });
        gone.until_gone(LOOK).await;
        drain.start();
        let _ = serving.await;
        alias.remove().map_err(wrong)?;
        Ok(ExitCode::SUCCESS)
    })
}

pub(crate) fn limits() -> ServeLimits {
    ServeLimits { grace: Duration::from_secs(1), ..ServeLimits::default() }
}

/// AWS gives no longer session to a role that another session assumes.
const CHAINED: Duration = Duration::from_secs(3600);
const EC2_PORT: u16 = 9099;
const LOOK: Duration = Duration::from_secs(2);
