//! What the flags of `doorward gateway` mean. One that can mean nothing here says so.

use std::net::SocketAddr;
use std::time::Duration;

use model::parse_duration;
use proxy::{Dialect, IntHeader, Speaking};

use super::source::{Named, Source};
use crate::args::LogFormat;
use crate::args::broker::Up;
use crate::args::gateway::{Elsewhere, Gateway};
use crate::failure::{Failure, Outcome};
use crate::settings::rates::Rates;

/// Where the three files are.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) config: Source,
    /// `None` where everything is allowed.
    pub(crate) allowlist: Option<Source>,
    pub(crate) denylist: Source,
}

impl Gateway {
    /// Refuses flags that mean nothing here, with what to do instead.
    pub(crate) fn sound(&self) -> Outcome {
        let Elsewhere {
            enable_http3,
            enable_metrics: _,
            metrics_user,
            metrics_pass,
            redis_addr,
            redis_timeout,
            redis_ca,
            secret_refresh,
        } = &self.elsewhere;
        let refused = |message: &str, hint: &str| Err(Failure::usage(message).hint(hint));
        if *enable_http3 == Some(true) {
            return refused(
                "`--enable-http3`: HTTP/3 is not served",
                "HTTP/1.1 and HTTP/2 are; leave the flag out",
            );
        }
        if metrics_user.is_some() || metrics_pass.is_some() {
            return refused(
                "`--metrics-user` and `--metrics-pass`: a password is never an argument, which every user of this machine can read",
                "the counters have an address of their own: `--metrics 127.0.0.1:9090`",
            );
        }
        if redis_addr.is_none() && (redis_timeout.is_some() || redis_ca.is_some()) {
            return refused(
                "`--redis-timeout` and `--redis-ca` are about no Redis",
                "name it: `--redis-addr HOST:PORT`",
            );
        }
        // Nothing is their usual: a secret is kept until everything is read again.
        if secret_refresh.as_deref().is_some_and(|time| !matches!(time, "0" | "0s")) {
            return refused(
                "`--secret-refresh`: how long a secret is kept is not a flag here",
                "set `refresh` in `sources.toml` of the home, such as `refresh = \"1m\"`; SIGHUP reads everything again",
            );
        }
        if self.disable_x_at_int == Some(true) && self.x_at_int_host.is_some() {
            return refused(
                "`--disable_x_at_int` and `--x_at_int_host` exclude one another",
                "leave one of them out",
            );
        }
        Ok(())
    }

    /// The same as arguments of `up`.
    pub(crate) fn as_up(&self) -> Outcome<Up> {
        Ok(Up {
            gateway: self.addr.as_deref().map(address).transpose()?,
            domains: self.domains.clone(),
            threads: self.threads,
            metrics: self.metrics,
            tls_cert: self.tls_cert.clone(),
            tls_key: self.tls_key.clone(),
            tls_client_ca: self.tls_client_ca.clone(),
            tls_client_auth: self.tls_client_auth,
            recovery_out: self.recovery_out.clone(),
            rates: self.rates()?,
            ..Up::default()
        })
    }

    /// Where rates are counted together with other processes, where that was said.
    fn rates(&self) -> Outcome<Option<Rates>> {
        let Elsewhere { redis_addr, redis_timeout, redis_ca, .. } = &self.elsewhere;
        let Some(address) = redis_addr else { return Ok(None) };
        let timeout =
            redis_timeout.as_deref().map(|text| duration("redis-timeout", text)).transpose()?.flatten();
        Rates::at(address, timeout, redis_ca.as_ref().map(Into::into)).map(Some)
    }

    /// Where the files are; `None` where the home's own integrations are served.
    pub(crate) fn files(&self) -> Outcome<Option<Files>> {
        let Some(config) = self.config_url.as_deref().or(self.config.as_deref()) else {
            let rules = [&self.allowlist, &self.allowlist_url, &self.denylist, &self.denylist_url];
            if rules.iter().any(|rules| rules.is_some()) || self.allow_all == Some(true) {
                return Err(Failure::usage("rules without a configuration")
                    .hint("name it: `--config config.yaml`; the rules of a home are in its folder `lists`"));
            }
            return Ok(None);
        };
        let allow_all = self.allow_all == Some(true);
        if allow_all && (self.allowlist.is_some() || self.allowlist_url.is_some()) {
            return Err(Failure::usage("`--allow-all` and an allowlist exclude one another")
                .hint("leave `--allow-all` out: the allowlist says what is allowed"));
        }
        let private = self.private();
        let list = |url: &Option<String>, file: &Option<String>, usual: &'static str| match url
            .as_deref()
            .or(file.as_deref())
        {
            Some(named) => Source::read(named, Named::Yes, private),
            None => Source::read(usual, Named::No, private),
        };
        Ok(Some(Files {
            config: Source::read(config, Named::Yes, private)?,
            allowlist: match allow_all {
                true => None,
                false => Some(list(&self.allowlist_url, &self.allowlist, "allowlist.yaml")?),
            },
            denylist: list(&self.denylist_url, &self.denylist, "denylist.yaml")?,
        }))
    }

    /// Whether credentials may go to private addresses.
    pub(crate) fn private(&self) -> bool {
        self.dangerous_allow_private == Some(true)
    }

    /// The other gateway's words.
    pub(crate) fn dialect(&self, listens: SocketAddr) -> Dialect {
        let header = match (&self.x_at_int_host, self.disable_x_at_int) {
            (_, Some(true)) => IntHeader::Never,
            (Some(host), _) => {
                let host = host
                    .rsplit_once(':')
                    .filter(|(_, port)| port.parse::<u16>().is_ok())
                    .map_or(&**host, |(host, _)| host);
                IntHeader::At(host.to_ascii_lowercase())
            }
            (None, _) => IntHeader::Always,
        };
        let health = self.admin_on_data_door || listens.ip().is_loopback();
        let numbers = health && self.elsewhere.enable_metrics != Some(false);
        Dialect::AuthTranslator(Speaking { header, health, numbers })
    }

    /// What the door allows its callers.
    pub(crate) fn serve_limits(&self) -> Outcome<net::ServeLimits> {
        let mut limits = net::ServeLimits::default();
        if let Some(time) =
            self.read_timeout.as_deref().map(|text| duration("read-timeout", text)).transpose()?.flatten()
        {
            limits.head = time;
            limits.whole = Some(time);
        }
        if let Some(stall) =
            self.write_timeout.as_deref().map(|text| duration("write-timeout", text)).transpose()?.flatten()
        {
            limits.write_stall = stall;
        }
        Ok(limits)
    }

    /// Longest time for an address, and how often it is asked again.
    pub(crate) fn times(&self) -> Outcome<(Duration, Duration)> {
        let fetch = duration("remote-fetch-timeout", &self.remote_fetch_timeout)?.unwrap_or(FETCH);
        let poll = duration("poll", &self.poll)?.unwrap_or(POLL);
        Ok((fetch, poll))
    }

    /// How much is logged: the count of `-v`, where a level was named.
    pub(crate) fn verbosity(&self) -> Option<u8> {
        match self.log_level.as_deref()?.to_ascii_uppercase().as_str() {
            "DEBUG" => Some(2),
            "INFO" => Some(1),
            _ => Some(0),
        }
    }

    /// How the log is written, where that was said.
    pub(crate) fn log_format(&self) -> Outcome<Option<LogFormat>> {
        let known = self.log_level.as_deref().map(str::to_ascii_uppercase);
        if let Some(level) =
            known.filter(|level| !matches!(level.as_str(), "DEBUG" | "INFO" | "WARN" | "WARNING" | "ERROR"))
        {
            return Err(Failure::usage(format!("`{level}` is no level of the log"))
                .hint("DEBUG, INFO, WARN or ERROR"));
        }
        match self.log_format.as_deref() {
            None => Ok(None),
            Some("text") => Ok(Some(LogFormat::Text)),
            Some("json") => Ok(Some(LogFormat::Json)),
            Some(_) => Err(Failure::usage("`--log-format` is neither `text` nor `json`")),
        }
    }
}

/// An address as Go reads it: `:8080` is every address of this machine.
fn address(text: &str) -> Outcome<SocketAddr> {
    let whole = match text.strip_prefix(':') {
        Some(port) => format!("0.0.0.0:{port}"),
        None => text.replacen("localhost:", "127.0.0.1:", 1),
    };
    whole.parse().map_err(|_| {
        Failure::usage(format!("`{text}` is no address to listen on"))
            .hint("`127.0.0.1:8080`, or `:8080` for every address")
    })
}

/// A duration of a flag; `None` where it is zero.
fn duration(flag: &str, text: &str) -> Outcome<Option<Duration>> {
    if matches!(text, "0" | "0s") {
        return Ok(None);
    }
    parse_duration(text).map(Some).map_err(|_| {
        Failure::usage(format!("`--{flag}`: `{text}` is no duration")).hint("such as `10s` or `1m`")
    })
}

const FETCH: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_secs(60);
