//! Machines that have no credential and nobody who gives one.

use super::*;
use crate::Config;
use crate::tests::fixture::EMPTY;

#[tokio::test]
async fn a_machine_whose_metadata_do_not_answer_is_out_of_reach_and_ends_no_secret() {
    let nobody = "http://127.0.0.1:1";
    let variables = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", nobody),
        ("GCE_METADATA_HOST", "127.0.0.1:1"),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", nobody),
    ];
    let setup = remote::setup(Config::default(), &variables);
    let all: Vec<(Box<dyn SecretSource>, &str)> = vec![
        (Box::new(crate::source::aws_sm::SecretsManager::new(&setup)), "aws-sm:x"),
        (Box::new(crate::source::gcp_sm::SecretManager::new(&setup)), "gcp-sm:projects/p/secrets/s"),
        (Box::new(crate::source::azure::KeyVault::new("azure-kv", &setup)), "azure-kv:acme/x"),
    ];
    for (source, reference) in &all {
        let error = source.fetch(&reference.parse().unwrap(), &EMPTY).await.err().unwrap();
        assert!(error.is_passing() && error.to_string().contains("sources.toml"), "{error}");
    }
}
