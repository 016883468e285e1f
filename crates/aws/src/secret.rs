//! Secrets that AWS keeps: Secrets Manager, Parameter Store, and what a key of KMS opens.
//!
//! Sources: the API references of Secrets Manager (2017-10-17), Systems Manager (2014-11-06) and KMS (2014-11-01).

use http::{HeaderName, HeaderValue, Method, header};
use memory::Secret;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::Lease;
use crate::wire::json::{Object, SecretText, optional};
use crate::wire::{Call, Endpoint, Error, Repeat, Reply, Wire};

/// Asks one of the three services at one place.
pub struct Keeper<'a> {
    /// How it is asked.
    pub wire: &'a Wire,
    /// Where.
    pub endpoint: &'a Endpoint,
    /// As whom.
    pub lease: &'a Lease,
}

/// What is in a secret of Secrets Manager.
pub enum Value {
    /// `SecretString`.
    Text(Secret),
    /// `SecretBinary`, in base 64.
    Base64(Secret),
}

impl Keeper<'_> {
    /// `GetSecretValue`: the current version of a secret, by its name or ARN.
    ///
    /// # Errors
    /// See [`Error`]; its code is `ResourceNotFoundException` where there is none.
    pub async fn secret_value(&self, id: &str) -> Result<Value, Error> {
        let operation = "secretsmanager:GetSecretValue";
        let form = Object::with_room(512).text("SecretId", id);
        let reply = self.ask((operation, "secretsmanager.GetSecretValue", "secretsmanager"), form).await?;
        let answer: SecretValue = read(&reply)?;
        match (answer.text, answer.binary) {
            (Some(text), None) => Ok(Value::Text(text.0)),
            (None, Some(binary)) => Ok(Value::Base64(binary.0)),
            _ => Err(reply.wrong("has no secret in it")),
        }
    }

    /// `GetParameter`, decrypted: a parameter by its name or ARN.
    ///
    /// # Errors
    /// See [`Error`]; its code is `ParameterNotFound` where there is none.
    pub async fn parameter(&self, name: &str) -> Result<Secret, Error> {
        let form = Object::with_room(512).text("Name", name).truth("WithDecryption");
        let reply = self.ask(("ssm:GetParameter", "AmazonSSM.GetParameter", "ssm"), form).await?;
        let answer: ParameterValue = read(&reply)?;
        Ok(answer.parameter.value.0)
    }

    /// `Decrypt`: what a ciphertext of KMS holds, in base 64. The ciphertext names its key.
    ///
    /// # Errors
    /// See [`Error`]; its code is `InvalidCiphertextException` where it is none.
    pub async fn decrypt(&self, ciphertext: &str) -> Result<Secret, Error> {
        let form = Object::with_room(ciphertext.len() + 64).text("CiphertextBlob", ciphertext);
        let reply = self.ask(("kms:Decrypt", "TrentService.Decrypt", "kms"), form).await?;
        let answer: Decrypted = read(&reply)?;
        Ok(answer.plaintext.0)
    }

    /// `Encrypt`: the ARN of the key and the ciphertext of a plaintext, both in base 64, bound to a context that KMS authenticates
    /// and logs.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn encrypt(
        &self,
        key: &str,
        plain: &str,
        context: &[(&str, &str)],
    ) -> Result<(String, String), Error> {
        let form = Object::with_room(1024).text("KeyId", key).text("Plaintext", plain);
        let form = form.object("EncryptionContext", context);
        let reply = self.ask(("kms:Encrypt", "TrentService.Encrypt", "kms"), form).await?;
        let Encrypted { key, ciphertext } = read(&reply)?;
        Ok((key, ciphertext))
    }

    /// `Decrypt` with the key and the context that it was encrypted with.
    ///
    /// # Errors
    /// See [`Error`]; its code is `InvalidCiphertextException` where the context or the ciphertext is another one, and
    /// `IncorrectKeyException` where the key is.
    pub async fn decrypt_with(
        &self,
        key: &str,
        ciphertext: &str,
        context: &[(&str, &str)],
    ) -> Result<Secret, Error> {
        let form = Object::with_room(ciphertext.len() + 1024).text("CiphertextBlob", ciphertext);
        let form = form.text("KeyId", key).object("EncryptionContext", context);
        let reply = self.ask(("kms:Decrypt", "TrentService.Decrypt", "kms"), form).await?;
        let answer: Decrypted = read(&reply)?;
        Ok(answer.plaintext.0)
    }

    async fn ask(
        &self,
        (operation, target, service): (&'static str, &'static str, &'static str),
        form: Object,
    ) -> Result<Reply, Error> {
        let mut body = form.end();
        let call = Call {
            operation,
            endpoint: self.endpoint,
            method: Method::POST,
            target: Zeroizing::new("/".to_owned()),
            headers: vec![
                (TARGET, HeaderValue::from_static(target)),
                (header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1")),
            ],
            body: Zeroizing::new(std::mem::take(&mut *body).into_bytes()),
            signed_by: Some((self.lease, service)),
            repeat: Repeat::Harmless,
        };
        self.wire.call(call).await
    }
}

fn read<T: for<'de> Deserialize<'de>>(reply: &Reply) -> Result<T, Error> {
    serde_json::from_slice(&reply.body).map_err(|_| reply.wrong("is not what the service documents"))
}

#[derive(Deserialize)]
struct SecretValue {
    #[serde(rename = "SecretString", default, deserialize_with = "optional")]
    text: Option<SecretText>,
    #[serde(rename = "SecretBinary", default, deserialize_with = "optional")]
    binary: Option<SecretText>,
}

#[derive(Deserialize)]
struct ParameterValue {
    #[serde(rename = "Parameter")]
    parameter: Parameter,
}

#[derive(Deserialize)]
struct Parameter {
    #[serde(rename = "Value")]
    value: SecretText,
}

#[derive(Deserialize)]
struct Decrypted {
    #[serde(rename = "Plaintext")]
    plaintext: SecretText,
}

#[derive(Deserialize)]
struct Encrypted {
    #[serde(rename = "KeyId")]
    key: String,
    #[serde(rename = "CiphertextBlob")]
    ciphertext: String,
}

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
