//! The list of all sources. A member is one file and one line here.

use super::{
    Env, File, SecretSource, Setup, age, aws_kms, aws_local, aws_session, aws_sm, aws_ssm, azure, bitwarden,
    command, env, file, gcp_kms, gcp_sm, k8s, keychain, keyring, kwallet, literal, llm, op, pass,
    secretservice, sops, vault, wincred,
};

/// One line of [`SOURCES`].
pub struct Source {
    /// What its references begin with.
    pub scheme: &'static str,
    /// What it is, for the page of sources.
    pub summary: &'static str,
    /// A reference as one would write it.
    pub example: &'static str,
    /// Makes it; our own store has no member here, because it needs the tenant's keys.
    pub make: Option<Make>,
}

/// Makes a source.
pub type Make = fn(&Setup) -> Box<dyn SecretSource>;

/// Every source, in the order in which they are shown.
pub const SOURCES: &[Source] = &[
    Source { scheme: "store", summary: "our own encrypted store", example: "store:slack/token", make: None },
    Source {
        scheme: env::SCHEME,
        summary: "a variable of the broker's environment",
        example: "env:SLACK_TOKEN",
        make: Some(|setup| Box::new(Env::new(setup.environment.clone()))),
    },
    Source {
        scheme: file::SCHEME,
        summary: "a file, or one key of a `.env` or `.json` file",
        example: "file:/run/secrets/all.env#SLACK_TOKEN",
        make: Some(|setup| Box::new(File::new(setup.reserved.clone()))),
    },
    Source {
        scheme: command::SCHEME,
        summary: "what a program prints that `sources.toml` declares",
        example: "command:github-token",
        make: Some(|setup| Box::new(command::Command::new(setup))),
    },
    Source {
        scheme: keyring::SCHEME,
        summary: "an entry that Doorward or aws-vault keeps in a keyring",
        example: "keyring:secret-service/slack",
        make: Some(|setup| Box::new(keyring::Keyring::new(setup))),
    },
    Source {
        scheme: secretservice::SCHEME,
        summary: "an item of the Secret Service of a Linux desktop, by its attributes",
        example: "secretservice:service=slack,account=bot",
        make: Some(|setup| Box::new(secretservice::SecretService::new(setup))),
    },
    Source {
        scheme: kwallet::SCHEME,
        summary: "a password in a wallet of KDE",
        example: "kwallet:kdewallet/Passwords/slack",
        make: Some(|setup| Box::new(kwallet::Kwallet::new(setup))),
    },
    Source {
        scheme: keychain::SCHEME,
        summary: "a generic password in a keychain of macOS, by service and account",
        example: "keychain:slack#bot",
        make: Some(|setup| Box::new(keychain::Keychain::new(setup))),
    },
    Source {
        scheme: wincred::SCHEME,
        summary: "a generic credential of Windows, by its target",
        example: "wincred:slack#utf16le",
        make: Some(|setup| Box::new(wincred::Wincred::new(setup))),
    },
    Source {
        scheme: pass::SCHEME,
        summary: "an entry of the program `pass`, its first line or a field below it",
        example: "pass:work/slack",
        make: Some(|setup| Box::new(pass::Pass::new(setup))),
    },
    Source {
        scheme: vault::SCHEME,
        summary: "HashiCorp Vault or OpenBao: key-value of both versions, and dynamic secrets",
        example: "vault:secret/data/slack#token",
        make: Some(|setup| Box::new(vault::Vault::new(setup))),
    },
    Source {
        scheme: aws_sm::SCHEME,
        summary: "AWS Secrets Manager",
        example: "aws-sm:prod/slack#token",
        make: Some(|setup| Box::new(aws_sm::SecretsManager::new(setup))),
    },
    Source {
        scheme: aws_ssm::SCHEME,
        summary: "AWS Systems Manager Parameter Store, decrypted",
        example: "aws-ssm:/prod/slack/token",
        make: Some(|setup| Box::new(aws_ssm::Parameters::new(setup))),
    },
    Source {
        scheme: aws_kms::SCHEME,
        summary: "a ciphertext of AWS KMS, in base 64",
        example: "aws-kms:AQICAHhZ2v8c",
        make: Some(|setup| Box::new(aws_kms::Kms::new(setup))),
    },
    Source {
        scheme: aws_local::SCHEME,
        summary: "a peer's form: AES-256-GCM under the key in `AWS_KMS_KEY`",
        example: "aws:zqdAPU1ga24HTsXTuvOdGNDRyKeZlmvwJluYtdSKuRk=",
        make: Some(|setup| Box::new(aws_local::Local::new(setup))),
    },
    Source {
        scheme: aws_session::SCHEME,
        summary: "the credentials of this machine or of a profile at AWS, one document, for `sigv4`",
        example: "aws-session:machine",
        make: Some(|setup| Box::new(aws_session::Session::new(setup))),
    },
    Source {
        scheme: gcp_sm::SCHEME,
        summary: "Google Secret Manager",
        example: "gcp-sm:projects/acme/secrets/slack",
        make: Some(|setup| Box::new(gcp_sm::SecretManager::new(setup))),
    },
    Source {
        scheme: gcp_kms::SCHEME,
        summary: "a ciphertext of Google Cloud KMS, behind the name of its key",
        example: "gcp-kms:projects/acme/locations/global/keyRings/main/cryptoKeys/slack:CiQAqD2xhQ==",
        make: Some(|setup| Box::new(gcp_kms::Kms::new(gcp_kms::SCHEME, setup))),
    },
    Source {
        scheme: gcp_kms::PEER,
        summary: "a peer's name for `gcp-kms`",
        example: "gcp:projects/acme/locations/global/keyRings/main/cryptoKeys/slack:CiQAqD2xhQ==",
        make: Some(|setup| Box::new(gcp_kms::Kms::new(gcp_kms::PEER, setup))),
    },
    Source {
        scheme: azure::SCHEME,
        summary: "Azure Key Vault",
        example: "azure-kv:acme/slack",
        make: Some(|setup| Box::new(azure::KeyVault::new(azure::SCHEME, setup))),
    },
    Source {
        scheme: azure::PEER,
        summary: "a peer's form of `azure-kv`: the whole address",
        example: "azure:https://acme.vault.azure.net/secrets/slack",
        make: Some(|setup| Box::new(azure::KeyVault::new(azure::PEER, setup))),
    },
    Source {
        scheme: k8s::SCHEME,
        summary: "one key of a secret of Kubernetes",
        example: "k8s:production/slack#token",
        make: Some(|setup| Box::new(k8s::Kubernetes::new(setup))),
    },
    Source {
        scheme: op::SCHEME,
        summary: "1Password, through a Connect server or the program `op`",
        example: "op://Production/Slack/credential",
        make: Some(|setup| Box::new(op::OnePassword::new(setup))),
    },
    Source {
        scheme: bitwarden::SCHEME,
        summary: "Bitwarden Secrets Manager, through the program `bws`",
        example: "bitwarden:382580ab-1368-4e85-bfa3-b02e01400c9f",
        make: Some(|setup| Box::new(bitwarden::Bitwarden::new(setup))),
    },
    Source {
        scheme: sops::SCHEME,
        summary: "a file that SOPS encrypted, or one key of it",
        example: "sops:/etc/doorward/secrets.yaml#slack",
        make: Some(|setup| Box::new(sops::Sops::new(setup))),
    },
    Source {
        scheme: age::SCHEME,
        summary: "a file that age encrypted, or one key of it",
        example: "age:/etc/doorward/secrets.env.age#SLACK",
        make: Some(|setup| Box::new(age::Age::new(setup))),
    },
    Source {
        scheme: llm::SCHEME,
        summary: "the credential for language models: a key or a person's sign-in, wherever it is",
        example: "llm:openai-codex",
        make: Some(|setup| Box::new(llm::Llm::new(setup))),
    },
    Source {
        scheme: literal::SCHEME,
        summary: "a value in a peer's configuration itself, which is only taken with a warning",
        example: "dangerousLiteral:5a1f6e0c9b7d4e3f2a1b0c9d",
        make: Some(|setup| Box::new(literal::Literal(setup.literals.clone()))),
    },
];
