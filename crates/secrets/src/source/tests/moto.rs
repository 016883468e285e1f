//! The sources at AWS against moto, which checks signatures and policies by code that is not ours.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::programs::{program, search_path};
use super::*;
use crate::Config;
use crate::source::config;
use crate::tests::fixture::{at, secret, shown};

/// The emulation, while it runs. It ends with its standard input.
pub(crate) struct Moto(Child);

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it; `None` where it isn't installed.
pub(crate) fn start() -> Option<(Moto, Value)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fakes/emulated_aws.py");
    let mut command = Command::new(program("python3", "python3"));
    command.env_clear().env("PATH", search_path()).arg(script);
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut moto = Moto(spawned.unwrap());
    let mut line = String::new();
    let read = BufReader::new(moto.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if read == 0 {
        assert_eq!(moto.0.wait().unwrap().code(), Some(77), "it did not start");
        return None;
    }
    Some((moto, serde_json::from_str(&line).unwrap()))
}

struct Key(String);

#[async_trait]
impl Lender for Key {
    fn now(&self) -> Timestamp {
        at(0)
    }

    async fn lend(&self, _reference: &SecretRef) -> Result<Secret, Error> {
        Ok(secret(&self.0))
    }
}

#[tokio::test]
async fn moto_takes_our_signatures_and_refuses_those_of_another_key() {
    let Some((_moto, told)) = tokio::task::spawn_blocking(start).await.unwrap() else {
        println!("skipped: moto is not installed (pip: moto[server])");
        return;
    };
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    let aws = config::Aws {
        region: Some("eu-central-1".to_owned()),
        endpoint: Some(text("url")),
        access_key_id: Some(text("id")),
        secret_access_key: Some("store:aws".parse().unwrap()),
        profile: None,
    };
    let setup =
        Setup { config: std::sync::Arc::new(Config { aws, ..Config::default() }), ..Setup::default() };
    let manager: Box<dyn SecretSource> = Box::new(crate::source::aws_sm::SecretsManager::new(&setup));
    let parameters: Box<dyn SecretSource> = Box::new(crate::source::aws_ssm::Parameters::new(&setup));
    let kms: Box<dyn SecretSource> = Box::new(crate::source::aws_kms::Kms::new(&setup));
    let sealed = format!("aws-kms:{}", text("sealed"));
    let cases: [(&dyn SecretSource, &str, &[u8]); 4] = [
        (&*manager, "aws-sm:prod/slack#token", b"CANARY-moto-sm"),
        (&*manager, "aws-sm:prod/raw", b"CANARY-\xff\xfe-raw"),
        (&*parameters, "aws-ssm:/prod/slack", b"CANARY-moto-ssm"),
        (&*kms, &sealed, b"CANARY-moto-kms"),
    ];
    for (source, reference, expected) in cases {
        let reference: SecretRef = reference.parse().unwrap();
        let fetched = source.fetch(&reference, &Key(text("secret"))).await.unwrap();
        assert!(shown(&fetched.secret) == expected, "{reference}");
        let other =
            source.fetch(&reference, &Key("CANARY/another/secret/key".to_owned())).await.err().unwrap();
        assert!(
            matches!(&other, Error::Source { why, .. } if matches!(**why, Trouble::Refused { .. })),
            "{other}"
        );
    }
    for (source, missing) in [(&manager, "aws-sm:prod/none"), (&parameters, "aws-ssm:/prod/none")] {
        let error = source.fetch(&missing.parse().unwrap(), &Key(text("secret"))).await.err().unwrap();
        assert!(matches!(error, Error::Missing(_)), "{error}");
    }
}
