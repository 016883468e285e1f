//! The rules by which a profile gets its values: command line, environment, own section, included ones, `[default]`.
//!
//! # Invariants
//!
//! - A value that is set is never overwritten by one from farther away.
//! - Variables that name a role hold for the named profile only; regions, endpoints, MFA device and durations for all of
//!   its sources as well.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::file::File;
use crate::source::CredentialSource;

use super::layers::{Found, Layers};
use super::setting::{list, switch, tags};
use super::{
    Durations, Endpoints, Error, Profile, Role, SERVICES, Sso, StsRegional, Warning, WebIdentity,
    parse_duration,
};

/// What the command line says; it comes before everything else.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// The region, of every profile of the chain.
    pub region: Option<String>,
    /// The length of role, session and federation token alike, of every profile of the chain.
    pub duration: Option<Duration>,
    /// A session policy, JSON, for the named profile.
    pub policy: Option<String>,
    /// ARNs of managed policies for the named profile; empty means that nothing was said.
    pub policy_arns: Vec<String>,
}

/// Resolves a profile and its sources. A name without a section becomes `[default]`; see [`super::known`].
///
/// `environment` gives the value of a variable; an empty one counts as unset.
///
/// # Errors
/// When profiles include one another or are one another's source, or a value can't be read and has no safe default.
pub fn resolve(
    file: &File,
    environment: &dyn Fn(&str) -> Option<String>,
    overrides: &Overrides,
    name: &str,
) -> Result<Profile, Error> {
    Resolver { file, environment, overrides }.profile(name, &mut Vec::new())
}

struct Resolver<'a> {
    file: &'a File,
    environment: &'a dyn Fn(&str) -> Option<String>,
    overrides: &'a Overrides,
}

impl<'a> Resolver<'a> {
    /// `path` holds the names from the target down to the profile that this one is the source of.
    fn profile(&self, name: &str, path: &mut Vec<String>) -> Result<Profile, Error> {
        self.may_follow(name, path)?;
        let target = path.is_empty();
        path.push(name.to_owned());
        let mut layers = Layers::of(self.file, name)?;
        let mut warnings = std::mem::take(&mut layers.warnings);
        let one = One { name, target, layers: &layers };
        let (credential_source, source) = self.sources(&one)?;
        let source = match source {
            Some(found) => {
                if found.fallback {
                    warnings.push(from_default(name, "source_profile"));
                }
                Some(Box::new(self.profile(found.value, path)?))
            }
            None => None,
        };
        let from_source = |source: &Profile| source.mfa_process.clone();
        let policy = self.overrides.policy.clone().filter(|_| target);
        let policy_arns = if target { self.overrides.policy_arns.clone() } else { Vec::new() };
        let inherited_arns = || layers.get("policy_arns").map(list).unwrap_or_default();
        Ok(Profile {
            name: name.to_owned(),
            region: self
                .overrides
                .region
                .clone()
                .or_else(|| self.first(&["AWS_REGION", "AWS_DEFAULT_REGION"]))
                .or_else(|| layers.own("region")),
            mfa_serial: self.variable("AWS_MFA_SERIAL").or_else(|| layers.own("mfa_serial")),
            mfa_process: layers.own("mfa_process").or_else(|| source.as_deref().and_then(from_source)),
            role: self.role(&one, &mut warnings)?,
            durations: self.durations(&one, &mut warnings),
            sso: self.sso(&one, &mut warnings),
            web_identity: layers
                .own("web_identity_token_file")
                .map(WebIdentity::File)
                .or_else(|| layers.own("web_identity_token_process").map(WebIdentity::Process)),
            credential_process: layers.own("credential_process"),
            credential_source,
            endpoints: self.endpoints(&one, &mut warnings)?,
            policy: policy.or_else(|| layers.own("policy")),
            policy_arns: if policy_arns.is_empty() { inherited_arns() } else { policy_arns },
            login_command: layers.own("login_command"),
            cache_margin: self.duration(&one, "AWS_MIN_TTL", &mut warnings).unwrap_or(CACHE_MARGIN),
            source,
            warnings,
        })
    }

    /// The nearer one of `credential_source` and `source_profile` holds; both in one section are a mistake. The AWS SDKs don't
    /// inherit the former, so any other source that is nearer comes before it: above all the profile's own before that of
    /// `[default]`.
    fn sources(&self, one: &One<'_, 'a>) -> Result<(Option<CredentialSource>, Option<Found<'a>>), Error> {
        let profile = || one.name.to_owned();
        let source = one.layers.find("source_profile").filter(|found| found.value != one.name);
        let Some(found) = one.layers.find("credential_source") else { return Ok((None, source)) };
        match source {
            Some(source) if source.depth == found.depth => {
                return Err(Error::TwoSources { profile: profile() });
            }
            Some(source) if source.depth < found.depth => return Ok((None, Some(source))),
            _ => {}
        }
        if one.has_nearer_source(found.depth) {
            return Ok((None, None));
        }
        let read = CredentialSource::read(found.value, self.variable("AWS_ACCESS_KEY_ID"));
        let text = || found.value.escape_debug().collect();
        let read = read.ok_or_else(|| Error::CredentialSource { profile: profile(), text: text() })?;
        Ok((Some(read), None))
    }

    /// Sees that a profile may be the source of the last one of `path`.
    fn may_follow(&self, name: &str, path: &[String]) -> Result<(), Error> {
        if let Some(start) = path.iter().position(|before| before == name) {
            let cycle = path.iter().skip(start).cloned().chain([name.to_owned()]).collect();
            return Err(Error::SourceCycle { cycle });
        }
        if path.len() > LONGEST_CHAIN {
            let name = path.first().cloned().unwrap_or_default();
            return Err(Error::TooLong { name, longest: LONGEST_CHAIN });
        }
        Ok(())
    }

    /// The role, with the parameters of its session. Tags are read even without a role: a mistake in them must not wait for
    /// the day when there is one.
    fn role(&self, one: &One<'_, 'a>, warnings: &mut Vec<Warning>) -> Result<Option<Role>, Error> {
        let layers = one.layers;
        let variable = |name: &str| self.variable(name).filter(|_| one.target);
        let wrong = |key: &str| Error::Tags { profile: one.name.to_owned(), key: key.to_owned() };
        let tags = match (variable("AWS_SESSION_TAGS"), layers.get("session_tags")) {
            (Some(text), _) => tags(&text).ok_or_else(|| wrong("AWS_SESSION_TAGS"))?,
            (None, Some(text)) => tags(text).ok_or_else(|| wrong("session_tags"))?,
            (None, None) => BTreeMap::new(),
        };
        let transitive = variable("AWS_TRANSITIVE_TAGS").or_else(|| layers.own("transitive_session_tags"));
        let arn = match (variable("AWS_ROLE_ARN"), layers.find("role_arn")) {
            (Some(arn), _) => {
                let variable = "AWS_ROLE_ARN".to_owned();
                warnings.push(Warning::FromEnvironment { profile: one.name.to_owned(), variable });
                arn
            }
            (None, Some(found)) => {
                if found.fallback {
                    warnings.push(from_default(one.name, "role_arn"));
                }
                found.value.to_owned()
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(Role {
            arn,
            session_name: variable("AWS_ROLE_SESSION_NAME").or_else(|| layers.own("role_session_name")),
            external_id: layers.own("external_id"),
            tags,
            transitive_tags: transitive.as_deref().map(list).unwrap_or_default(),
            source_identity: variable("AWS_SOURCE_IDENTITY").or_else(|| layers.own("source_identity")),
        }))
    }

    fn durations(&self, one: &One<'_, 'a>, warnings: &mut Vec<Warning>) -> Durations {
        let mut said =
            |variable: &str| self.overrides.duration.or_else(|| self.duration(one, variable, warnings));
        let role = said("AWS_ASSUME_ROLE_TTL");
        let session = said("AWS_SESSION_TOKEN_TTL");
        let chained_session = said("AWS_CHAINED_SESSION_TOKEN_TTL");
        let federation = said("AWS_FEDERATION_TOKEN_TTL");
        let in_file = one.layers.get("duration_seconds").and_then(|text| match text.parse::<u64>() {
            Ok(0) => None,
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => {
                warnings.push(one.no_duration("duration_seconds", text));
                None
            }
        });
        Durations {
            role: role.or(in_file).unwrap_or(HOUR),
            session: session.unwrap_or(HOUR),
            session_chosen: session.is_some(),
            chained_session: chained_session.unwrap_or(CHAINED_SESSION),
            federation: federation.unwrap_or(HOUR),
        }
    }

    /// A duration from a variable; one that can't be read is a warning.
    fn duration(&self, one: &One<'_, 'a>, variable: &str, warnings: &mut Vec<Warning>) -> Option<Duration> {
        let text = self.variable(variable)?;
        let read = parse_duration(&text);
        if read.is_none() {
            warnings.push(one.no_duration(variable, &text));
        }
        read
    }

    /// What the session section says beats what the profile says inline, but not what a nearer section than the one that
    /// names the session says.
    fn sso(&self, one: &One<'_, 'a>, warnings: &mut Vec<Warning>) -> Option<Sso> {
        let layers = one.layers;
        let named = layers.find("sso_session");
        let section = named.and_then(|found| self.file.sso_session(found.value));
        if let (Some(found), None) = (named, &section) {
            let (profile, session) = (one.name.to_owned(), found.value.to_owned());
            warnings.push(Warning::NoSsoSession { profile, session });
        }
        let either = |key: &str| {
            let inline = layers.find(key);
            let shared = section.as_ref().and_then(|section| section.get(key));
            match (inline, named) {
                (Some(inline), Some(named)) if inline.depth < named.depth => Some(inline.value),
                (inline, _) => shared.or(inline.map(|inline| inline.value)),
            }
        };
        let start_url = either("sso_start_url")?.to_owned();
        for key in ["sso_session", "sso_start_url", "sso_account_id", "sso_role_name"] {
            if layers.find(key).is_some_and(|found| found.fallback) {
                warnings.push(from_default(one.name, key));
            }
        }
        Some(Sso {
            session: named.map(|found| found.value.to_owned()),
            start_url,
            region: either("sso_region").map(str::to_owned),
            account_id: layers.own("sso_account_id"),
            role_name: layers.own("sso_role_name"),
            scopes: either("sso_registration_scopes").map(list).unwrap_or_default(),
        })
    }

    /// The order is that of the AWS SDKs: variable of the service, variable for all, section of services, profile.
    fn endpoints(&self, one: &One<'_, 'a>, warnings: &mut Vec<Warning>) -> Result<Endpoints, Error> {
        let layers = one.layers;
        let named = layers.get("services");
        let section = named.and_then(|name| self.file.services(name));
        if let (Some(name), None) = (named, &section) {
            let (profile, services) = (one.name.to_owned(), name.to_owned());
            warnings.push(Warning::NoServices { profile, services });
        }
        let everywhere = self.variable("AWS_ENDPOINT_URL");
        let of = |service: &&'static str| {
            let own = self.variable(&format!("AWS_ENDPOINT_URL_{}", service.to_uppercase()));
            let shared = || section.as_ref().and_then(|section| section.nested(service, "endpoint_url"));
            let url = own.or_else(|| shared().filter(|_| everywhere.is_none()).map(str::to_owned))?;
            Some(((*service).to_owned(), url))
        };
        let ignored =
            self.switch(one, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")?;
        let services = if ignored { BTreeMap::new() } else { SERVICES.iter().filter_map(of).collect() };
        let all = everywhere.or_else(|| layers.own("endpoint_url")).filter(|_| !ignored);
        Ok(Endpoints {
            all,
            services,
            sts_regional: self.sts_regional(one, warnings),
            fips: self.switch(one, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")?,
            dual_stack: self.switch(one, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")?,
            ca_bundle: self.variable("AWS_CA_BUNDLE").or_else(|| layers.own("ca_bundle")),
        })
    }

    fn sts_regional(&self, one: &One<'_, 'a>, warnings: &mut Vec<Warning>) -> StsRegional {
        let (key, text) = match self.variable("AWS_STS_REGIONAL_ENDPOINTS") {
            Some(text) => ("AWS_STS_REGIONAL_ENDPOINTS", text),
            None => ("sts_regional_endpoints", one.layers.own("sts_regional_endpoints").unwrap_or_default()),
        };
        match text.as_str() {
            "legacy" => StsRegional::Legacy,
            "" | "regional" => StsRegional::Regional,
            _ => {
                warnings.push(Warning::Choice {
                    profile: one.unless_variable(key),
                    key: key.to_owned(),
                    text,
                });
                StsRegional::Regional
            }
        }
    }

    fn switch(&self, one: &One<'_, 'a>, variable: &str, key: &str) -> Result<bool, Error> {
        let (key, text) = match (self.variable(variable), one.layers.own(key)) {
            (Some(text), _) => (variable, text),
            (None, Some(text)) => (key, text),
            (None, None) => return Ok(false),
        };
        switch(&text).ok_or_else(|| Error::Switch { profile: one.name.to_owned(), key: key.to_owned() })
    }

    fn first(&self, variables: &[&str]) -> Option<String> {
        variables.iter().find_map(|variable| self.variable(variable))
    }

    fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name).filter(|value| !value.is_empty())
    }
}

/// The profile that is being resolved.
struct One<'n, 'f> {
    name: &'n str,
    /// Whether it is the one that was asked for.
    target: bool,
    layers: &'n Layers<'f>,
}

impl One<'_, '_> {
    /// Whether a sign-in, a web identity or a program is named in a section nearer than `depth`.
    fn has_nearer_source(&self, depth: usize) -> bool {
        let nearer = |key: &&str| self.layers.find(key).is_some_and(|found| found.depth < depth);
        // An account or a role of its own makes a sign-in that is shared with others the profile's own.
        let signs_in = SIGN_IN.iter().any(|key| self.layers.find(key).is_some());
        SIGN_IN.iter().chain(OTHERS).any(nearer) || signs_in && SIGNED_IN_AS.iter().any(nearer)
    }

    fn no_duration(&self, key: &str, text: &str) -> Warning {
        let (profile, key) = (self.unless_variable(key), key.to_owned());
        Warning::Duration { profile, key, text: text.escape_debug().collect() }
    }

    /// The name, where it is a key of the file: a variable is said once for the whole chain.
    fn unless_variable(&self, key: &str) -> Option<String> {
        (!key.starts_with("AWS_")).then(|| self.name.to_owned())
    }
}

fn from_default(profile: &str, key: &str) -> Warning {
    Warning::FromDefault { profile: profile.to_owned(), key: key.to_owned() }
}

/// How many sources a profile may have behind one another. AWS has no use for more than a few, and the JSON of a profile
/// nests as deep.
pub const LONGEST_CHAIN: usize = 32;
const SIGN_IN: &[&str] = &["sso_session", "sso_start_url"];
const SIGNED_IN_AS: &[&str] = &["sso_account_id", "sso_role_name"];
const OTHERS: &[&str] = &["web_identity_token_file", "web_identity_token_process", "credential_process"];
const HOUR: Duration = Duration::from_hours(1);
const CHAINED_SESSION: Duration = Duration::from_hours(8);
const CACHE_MARGIN: Duration = Duration::from_mins(5);
