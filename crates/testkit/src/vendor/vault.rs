//! A Vault: key-value engines of both versions, dynamic credentials with leases, transit, tokens, `AppRole`, Kubernetes and
//! JWT.
//!
//! Source: Vault's HTTP API (developer.hashicorp.com/vault/api-docs): `secret/kv/kv-v1`, `secret/kv/kv-v2`, `system/leases`,
//! `secret/transit`, `auth/token`, `auth/approle`, `auth/kubernetes`, `auth/jwt`, and "Error responses".

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Answers, Heard, Said, Server, served};

/// A Vault that runs. Everything is in one namespace.
pub struct Vault(Server<State>);

served!(Vault);

/// How long what it gives lasts, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    /// How long.
    pub seconds: u64,
    /// Whether it can be renewed.
    pub renewable: bool,
}

struct State {
    namespace: Option<String>,
    tokens: BTreeSet<String>,
    token_lease: Lease,
    /// Method, role and proof that may sign in.
    sign_ins: BTreeSet<(String, String, String)>,
    /// The whole answer's `data` by path, with the lease of what is dynamic.
    paths: BTreeMap<String, (Value, Option<Lease>)>,
    leases: BTreeMap<String, Lease>,
    /// The keys of transit engines, by `MOUNT/KEY`.
    transit: BTreeSet<String>,
    /// What it answers to who wants to renew a lease, where it lets nobody.
    no_renewals: Option<(u16, String)>,
    /// What they sealed: key, plaintext and associated data by the ciphertext.
    sealed: BTreeMap<String, (String, String, String)>,
    made: u64,
}

impl Vault {
    /// Starts one without a token, a secret or a namespace.
    #[must_use]
    pub fn start() -> Self {
        Self(Server::start(State {
            namespace: None,
            tokens: BTreeSet::new(),
            token_lease: Lease { seconds: 3600, renewable: true },
            sign_ins: BTreeSet::new(),
            paths: BTreeMap::new(),
            leases: BTreeMap::new(),
            transit: BTreeSet::new(),
            no_renewals: None,
            sealed: BTreeMap::new(),
            made: 0,
        }))
    }

    /// Everything is in this namespace, and nowhere else.
    pub fn in_namespace(&self, name: &str) {
        self.0.change(|state| state.namespace = Some(name.to_owned()));
    }

    /// Takes this token.
    pub fn know_token(&self, token: &str) {
        self.0.change(|state| state.tokens.insert(token.to_owned()));
    }

    /// Takes no token any more that it has given or known.
    pub fn revoke_tokens(&self) {
        self.0.change(|state| state.tokens.clear());
    }

    /// How long tokens last that it gives.
    pub fn give_tokens(&self, lease: Lease) {
        self.0.change(|state| state.token_lease = lease);
    }

    /// Lets a role sign in at a mount with this proof: a secret id, or a token of somebody else.
    pub fn admit(&self, mount: &str, role: &str, proof: &str) {
        let known = (mount.to_owned(), role.to_owned(), proof.to_owned());
        self.0.change(|state| state.sign_ins.insert(known));
    }

    /// Keeps a secret in the second version of the engine; `path` has no `data/` in it.
    pub fn put(&self, mount: &str, path: &str, data: &Value) {
        let data =
            json!({ "data": data, "metadata": { "version": 3, "destroyed": false, "deletion_time": "" } });
        self.0.change(|state| state.paths.insert(format!("{mount}/data/{path}"), (data, None)));
    }

    /// Keeps a secret in the first version of the engine, or what a dynamic engine gives with a lease.
    pub fn put_plain(&self, path: &str, data: &Value, lease: Option<Lease>) {
        self.0.change(|state| state.paths.insert(path.to_owned(), (data.clone(), lease)));
    }

    /// Makes a key of a transit engine.
    pub fn make_key(&self, mount: &str, key: &str) {
        self.0.change(|state| state.transit.insert(format!("{mount}/{key}")));
    }

    /// Renews no lease, and answers this instead.
    pub fn renew_no_lease(&self, status: u16, text: &str) {
        self.0.change(|state| state.no_renewals = Some((status, text.to_owned())));
    }

    /// Ends every lease.
    pub fn revoke_leases(&self) {
        self.0.change(|state| state.leases.clear());
    }
}

impl Answers for State {
    fn answer(&mut self, heard: &Heard) -> Said {
        let namespace = heard.header("x-vault-namespace").unwrap_or_default();
        if namespace != self.namespace.as_deref().unwrap_or_default() {
            return errors(404, "no handler for route");
        }
        if heard.header("x-vault-request") != Some("true") {
            return errors(412, "required request header is missing");
        }
        let Some(path) = heard.path.strip_prefix("/v1/") else { return errors(404, "unsupported path") };
        let login = path.strip_prefix("auth/").and_then(|path| path.strip_suffix("/login"));
        if let Some(mount) = login.filter(|_| heard.method == "POST") {
            return self.sign_in(mount, &heard.json());
        }
        let token = heard.header("x-vault-token").unwrap_or_default();
        if !self.tokens.contains(token) {
            return errors(403, "permission denied");
        }
        match (heard.method.as_str(), path) {
            ("POST", "auth/token/renew-self") => {
                if !self.token_lease.renewable {
                    return errors(400, "lease is not renewable");
                }
                Said::new(200, self.signed_in(token))
            }
            ("PUT" | "POST", "auth/token/revoke-self") => {
                self.tokens.remove(token);
                Said::new(204, Value::Null)
            }
            ("GET", "auth/token/lookup-self") => Said::new(200, json!({ "data": { "id": token } })),
            ("PUT" | "POST", "sys/leases/renew") => self.renew(&heard.json()),
            ("GET", _) => self.read(path),
            ("POST", path) if path.contains("/encrypt/") || path.contains("/decrypt/") => {
                self.transit(path, &heard.json())
            }
            _ => errors(405, "unsupported operation"),
        }
    }
}

impl State {
    fn sign_in(&mut self, mount: &str, form: &Value) -> Said {
        let text = |name: &str| form.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (role, proof) = match form.get("role_id") {
            Some(_) => (text("role_id"), text("secret_id")),
            None => (text("role"), text("jwt")),
        };
        if !self.sign_ins.contains(&(mount.to_owned(), role, proof)) {
            return if mount.starts_with("approle") {
                errors(400, "invalid role or secret ID")
            } else {
                errors(403, "permission denied")
            };
        }
        self.made += 1;
        let token = format!("hvs.CANARY-token-{}", self.made);
        self.tokens.insert(token.clone());
        Said::new(200, self.signed_in(&token))
    }

    fn signed_in(&self, token: &str) -> Value {
        let Lease { seconds, renewable } = self.token_lease;
        json!({ "auth": {
            "client_token": token, "accessor": "0e9e354a", "policies": ["default"], "lease_duration": seconds,
            "renewable": renewable, "token_type": "service",
        } })
    }

    /// `encrypt` and `decrypt` with associated data, as for keys of an AEAD.
    fn transit(&mut self, path: &str, form: &Value) -> Said {
        let text = |name: &str| form.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let parts: Vec<&str> = path.rsplitn(3, '/').collect();
        let [key, what, mount] = parts.as_slice() else { return errors(404, "unsupported path") };
        let key = format!("{mount}/{key}");
        if !self.transit.contains(&key) {
            // Making it on the way needs a right that nobody has here.
            return match *what {
                "encrypt" => errors(403, "permission denied"),
                _ => errors(400, "encryption key not found"),
            };
        }
        let bound = text("associated_data");
        if STANDARD.decode(&bound).is_err() {
            return errors(400, "failed to base64-decode associated_data");
        }
        if *what == "encrypt" {
            if STANDARD.decode(text("plaintext")).is_err() {
                return errors(400, "failed to base64-decode plaintext");
            }
            self.made += 1;
            let sealed = format!("vault:v1:{}", STANDARD.encode(format!("canary-sealed-{}", self.made)));
            self.sealed.insert(sealed.clone(), (key, text("plaintext"), bound));
            return Said::new(200, json!({ "data": { "ciphertext": sealed, "key_version": 1 } }));
        }
        let sealed = text("ciphertext");
        if !sealed.starts_with("vault:v") {
            return errors(400, "invalid ciphertext: no prefix");
        }
        match self.sealed.get(&sealed) {
            Some((by, plain, with)) if *by == key && *with == bound => {
                Said::new(200, json!({ "data": { "plaintext": plain } }))
            }
            _ => errors(400, "cipher: message authentication failed"),
        }
    }

    fn read(&mut self, path: &str) -> Said {
        let Some((data, lease)) = self.paths.get(path).cloned() else {
            return Said::new(404, json!({ "errors": [] }));
        };
        let Some(lease) = lease else {
            let seconds = if path.contains("/data/") { 0 } else { 2_764_800 };
            return Said::new(
                200,
                json!({
                    "request_id": "1", "lease_id": "", "renewable": false, "lease_duration": seconds, "data": data,
                    "wrap_info": null, "warnings": null, "auth": null,
                }),
            );
        };
        self.made += 1;
        let id = format!("{path}/{}", self.made);
        self.leases.insert(id.clone(), lease);
        // What is dynamic is made anew for each lease.
        let text = data.to_string().replace("{n}", &self.made.to_string());
        let data: Value = serde_json::from_str(&text).expect("the test kit works");
        Said::new(
            200,
            json!({
                "request_id": "1", "lease_id": id, "renewable": lease.renewable, "lease_duration": lease.seconds,
                "data": data,
            }),
        )
    }

    fn renew(&self, form: &Value) -> Said {
        let id = form.get("lease_id").and_then(Value::as_str).unwrap_or_default();
        if let Some((status, text)) = &self.no_renewals {
            return errors(*status, text);
        }
        match self.leases.get(id) {
            Some(lease) if lease.renewable => Said::new(
                200,
                json!({
                    "lease_id": id, "renewable": true, "lease_duration": lease.seconds,
                }),
            ),
            Some(_) => errors(400, "lease is not renewable"),
            None => errors(400, "lease not found"),
        }
    }
}

fn errors(status: u16, text: &str) -> Said {
    Said::new(status, json!({ "errors": [text] }))
}
