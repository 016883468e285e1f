//! Schemes that sign a request, the client certificate, and what the proxy on the way wants.

use super::{Entry, assumed, missing, text};
use crate::file::{AlgorithmWord, AuthEntry, AuthWord};
use crate::{
    AuthScheme, Basic, BytesForm, ClientCertificate, DigestAuth, HashName, Hmac, OAuth1, OciSignature,
    ProxyBasic, SigV4,
};

impl Entry<'_> {
    pub(super) fn signed(&self) -> Result<AuthScheme, String> {
        match self.entry.scheme {
            AuthWord::Hmac => self.hmac(),
            AuthWord::Sigv4 => self.sigv4(),
            AuthWord::Oauth1 => self.oauth1(),
            AuthWord::Oci => Ok(AuthScheme::Oci(OciSignature { key: text(self.entry.key.as_ref(), "key")? })),
            AuthWord::Digest => {
                let pair = self.one_pair("digest")?;
                Ok(AuthScheme::Digest(Box::new(DigestAuth { pair })))
            }
            AuthWord::ProxyBasic => {
                let pair = self.one_pair("proxy_basic")?;
                Ok(AuthScheme::ProxyBasic(Box::new(ProxyBasic { pair })))
            }
            _ => {
                let AuthEntry { certificate, key, name, .. } = self.entry;
                let certificate = text(certificate.as_ref(), "certificate")?;
                Ok(AuthScheme::ClientCertificate(Box::new(ClientCertificate {
                    certificate,
                    key: text(key.as_ref(), "key")?,
                    named: name.as_ref().map(|_| self.header()).transpose()?,
                })))
            }
        }
    }

    /// User name and password, of which there is one pair.
    fn one_pair(&self, scheme: &str) -> Result<Basic, String> {
        let pair = self.pair().map_err(|problem| problem.replace("`basic`", &format!("`{scheme}`")))?;
        if matches!(pair, Basic::Fields { password: None, .. }) {
            return Err(missing("password_secret"));
        }
        if matches!(&pair, Basic::Joined { secret } if secret.is_rotation()) {
            return Err(format!("`{scheme}` has one secret"));
        }
        Ok(pair)
    }

    fn hmac(&self) -> Result<AuthScheme, String> {
        if self.entry.name.is_none() {
            return Err(missing("name"));
        }
        Ok(AuthScheme::Hmac(Box::new(Hmac {
            name: self.header()?,
            prefix: self.prefix("")?,
            algorithm: self.hash(HashName::Sha256)?,
            encoding: self.entry.encoding.unwrap_or(BytesForm::Hex),
            secret: self.choice()?,
        })))
    }

    fn hash(&self, default: HashName) -> Result<HashName, String> {
        match self.entry.algorithm {
            None => Ok(default),
            Some(AlgorithmWord::Sha1) => Ok(HashName::Sha1),
            Some(AlgorithmWord::Sha256) => Ok(HashName::Sha256),
            Some(AlgorithmWord::Sha512) => Ok(HashName::Sha512),
            Some(_) => Err("`algorithm` is `sha1`, `sha256` or `sha512` here".to_owned()),
        }
    }

    fn sigv4(&self) -> Result<AuthScheme, String> {
        let AuthEntry { access_key_id, secret_access_key, session_token, region, service, .. } = self.entry;
        let word = |text: &Option<String>, key: &str| match text {
            Some(text) if text.is_empty() || !text.bytes().all(is_word) => {
                Err(format!("`{key}` is lower-case letters, digits and `-`"))
            }
            other => Ok(other.clone()),
        };
        Ok(AuthScheme::SigV4(Box::new(SigV4 {
            access_key_id: text(access_key_id.as_ref(), "access_key_id")?,
            secret_access_key: text(secret_access_key.as_ref(), "secret_access_key")?,
            session_token: session_token.clone(),
            region: word(region, "region")?,
            service: word(service, "service")?,
            assume: assumed::role(self)?,
        })))
    }

    fn oauth1(&self) -> Result<AuthScheme, String> {
        let AuthEntry { consumer_key, consumer_secret, token, token_secret, realm, .. } = self.entry;
        let token = match (token, token_secret) {
            (Some(token), Some(secret)) => Some((token.clone(), secret.clone())),
            (None, None) => None,
            _ => return Err("`token` and `token_secret` come together".to_owned()),
        };
        let algorithm = self.hash(HashName::Sha1)?;
        if algorithm == HashName::Sha512 {
            return Err("`oauth1` signs with `sha1` or `sha256`".to_owned());
        }
        let plain = |b: u8| (b == b' ' || b.is_ascii_graphic()) && !matches!(b, b'"' | b'\\');
        if realm.as_ref().is_some_and(|realm| !realm.bytes().all(plain)) {
            return Err("a realm is visible characters without quotation marks".to_owned());
        }
        Ok(AuthScheme::OAuth1(Box::new(OAuth1 {
            consumer_key: text(consumer_key.as_ref(), "consumer_key")?,
            consumer_secret: text(consumer_secret.as_ref(), "consumer_secret")?,
            token,
            algorithm,
            realm: realm.clone(),
        })))
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}
