//! Secrets Manager, Parameter Store and KMS, as far as a secret is read there. Every call has to be signed.
//!
//! Source: the API references of Secrets Manager (2017-10-17), Systems Manager (2014-11-06) and KMS (2014-11-01), and their
//! common errors.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::server;
use super::signature::Signed;
use crate::vendor::{Answers, Heard, Said, Server, served};

/// The three services at one address.
pub struct Keeper(Server<State>);

served!(Keeper);

/// The id of the only access key that it knows.
pub const KEEPER_KEY: &str = "AKIAKEEPER0000000000";
/// Its secret key.
pub const KEEPER_SECRET: &str = "CANARY/secret/key/of/the/keeper/00000000";

#[derive(Default)]
struct State {
    secrets: BTreeMap<String, Vec<u8>>,
    parameters: BTreeMap<String, String>,
    sealed: BTreeMap<String, Vec<u8>>,
    /// The ARNs of the keys of KMS that seal, by all their names.
    keys: BTreeMap<String, String>,
    /// Key and context of what was sealed.
    bound: BTreeMap<String, (String, Value)>,
}

impl Keeper {
    /// Starts one that has nothing.
    #[must_use]
    pub fn start() -> Self {
        Self(Server::start(State::default()))
    }

    /// Keeps a secret in Secrets Manager: text as a string, other bytes as binary.
    pub fn put_secret(&self, name: &str, bytes: &[u8]) {
        self.0.change(|state| state.secrets.insert(name.to_owned(), bytes.to_vec()));
    }

    /// Keeps a `SecureString` in Parameter Store.
    pub fn put_parameter(&self, name: &str, value: &str) {
        self.0.change(|state| state.parameters.insert(name.to_owned(), value.to_owned()));
    }

    /// Makes a key of KMS with an alias, and gives its ARN.
    #[must_use]
    pub fn make_key(&self, id: &str, alias: &str) -> String {
        let arn = format!("arn:aws:kms:eu-central-1:111122223333:key/{id}");
        self.0.change(|state| {
            for name in [id.to_owned(), format!("alias/{alias}"), arn.clone()] {
                state.keys.insert(name, arn.clone());
            }
        });
        arn
    }

    /// Seals bytes with a key of KMS, and gives the ciphertext in base 64.
    #[must_use]
    pub fn seal(&self, bytes: &[u8]) -> String {
        let backwards: Vec<u8> = bytes.iter().rev().map(|byte| !byte).chain(*b"sealed").collect();
        let sealed = STANDARD.encode(backwards);
        self.0.change(|state| state.sealed.insert(sealed.clone(), bytes.to_vec()));
        sealed
    }
}

impl Answers for State {
    fn answer(&mut self, heard: &Heard) -> Said {
        let target = heard.header("x-amz-target").unwrap_or_default().to_owned();
        let service = match target.split('.').next() {
            Some("secretsmanager") => "secretsmanager",
            Some("AmazonSSM") => "ssm",
            Some("TrentService") => "kms",
            _ => return failed("UnknownOperationException"),
        };
        if let Err(refused) = signed(heard, service) {
            return refused;
        }
        let form = heard.json();
        let text = |name: &str| form.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match target.as_str() {
            "secretsmanager.GetSecretValue" => match self.secrets.get(&text("SecretId")) {
                Some(bytes) => Said::new(200, secret(&text("SecretId"), bytes)),
                None => failed("ResourceNotFoundException"),
            },
            "AmazonSSM.GetParameter" => match self.parameters.get(&text("Name")) {
                Some(_) if form.get("WithDecryption") != Some(&Value::Bool(true)) => {
                    Said::new(200, json!({ "Parameter": { "Name": text("Name"), "Value": "still-sealed" } }))
                }
                Some(value) => Said::new(
                    200,
                    json!({ "Parameter": {
                    "Name": text("Name"), "Type": "SecureString", "Value": value, "Version": 1,
                } }),
                ),
                None => failed("ParameterNotFound"),
            },
            "TrentService.Encrypt" => self.encrypt(&form),
            "TrentService.Decrypt" if self.bound.contains_key(&text("CiphertextBlob")) => {
                self.decrypt_bound(&form)
            }
            "TrentService.Decrypt" => match self.sealed.get(&text("CiphertextBlob")) {
                Some(bytes) => {
                    Said::new(200, json!({ "KeyId": "arn:aws:kms:x", "Plaintext": STANDARD.encode(bytes) }))
                }
                None => failed("InvalidCiphertextException"),
            },
            _ => failed("UnknownOperationException"),
        }
    }
}

impl State {
    fn encrypt(&mut self, form: &Value) -> Said {
        let text = |name: &str| form.get(name).and_then(Value::as_str).unwrap_or_default();
        let Some(arn) = self.keys.get(text("KeyId")).cloned() else { return failed("NotFoundException") };
        let Ok(plain) = STANDARD.decode(text("Plaintext")) else { return failed("SerializationException") };
        if plain.is_empty() || plain.len() > 4096 {
            return failed("ValidationException");
        }
        let sealed = STANDARD.encode(format!("canary-sealed-{}", self.sealed.len()));
        let context = form.get("EncryptionContext").cloned().unwrap_or_default();
        self.sealed.insert(sealed.clone(), plain);
        self.bound.insert(sealed.clone(), (arn.clone(), context));
        Said::new(
            200,
            json!({ "KeyId": arn, "CiphertextBlob": sealed, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT" }),
        )
    }

    fn decrypt_bound(&self, form: &Value) -> Said {
        let text = |name: &str| form.get(name).and_then(Value::as_str).unwrap_or_default();
        let sealed = text("CiphertextBlob");
        let (Some((arn, context)), Some(plain)) = (self.bound.get(sealed), self.sealed.get(sealed)) else {
            return failed("InvalidCiphertextException");
        };
        match form.get("KeyId").and_then(Value::as_str).map(|name| self.keys.get(name)) {
            Some(None) => return failed("NotFoundException"),
            Some(Some(named)) if named != arn => return failed("IncorrectKeyException"),
            _ => {}
        }
        if form.get("EncryptionContext").cloned().unwrap_or_default() != *context {
            return failed("InvalidCiphertextException");
        }
        Said::new(200, json!({ "KeyId": arn, "Plaintext": STANDARD.encode(plain) }))
    }
}

fn secret(name: &str, bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!({ "Name": name, "SecretString": text, "VersionStages": ["AWSCURRENT"] }),
        Err(_) => {
            json!({ "Name": name, "SecretBinary": STANDARD.encode(bytes), "VersionStages": ["AWSCURRENT"] })
        }
    }
}

fn signed(heard: &Heard, service: &str) -> Result<(), Said> {
    let signed = Signed::read(&heard.headers).ok_or_else(|| failed("MissingAuthenticationTokenException"))?;
    if signed.key != KEEPER_KEY {
        return Err(failed("UnrecognizedClientException"));
    }
    if signed.service != service || signed.region != "eu-central-1" {
        return Err(failed("InvalidSignatureException"));
    }
    let asked = server::Heard {
        method: heard.method.clone(),
        host: heard.header("host").unwrap_or_default().to_owned(),
        path: heard.path.clone(),
        query: heard.query.clone(),
        signed: None,
        headers: heard.headers.clone(),
        body: heard.body.clone(),
        now: server::now(),
    };
    let (now, secret) = (asked.now, KEEPER_SECRET);
    signed.check(&asked, secret, now).map_err(|_| failed("InvalidSignatureException"))
}

fn failed(code: &str) -> Said {
    Said::new(400, json!({ "__type": code, "message": "CANARY-said-by-aws" }))
}
