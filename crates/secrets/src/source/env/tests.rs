//! Tests of `env:` beyond the suite.

use super::*;
use crate::tests::fixture::{EMPTY, texts};

fn reference(text: &str) -> SecretRef {
    text.parse().unwrap()
}

#[tokio::test]
async fn the_environment_of_this_process_is_read() {
    let found = Env::default().fetch(&reference("env:CARGO_MANIFEST_DIR"), &EMPTY).await;
    assert!(found.is_ok());
    let missing =
        Env::default().fetch(&reference("env:THIS_IS_NOT_SET_ANYWHERE"), &EMPTY).await.err().unwrap();
    assert_eq!(missing.to_string(), "there is no secret at `env:THIS_IS_NOT_SET_ANYWHERE`");
}

#[tokio::test]
async fn names_that_are_none_fields_and_our_own_variables_are_refused() {
    let env = Env::new(Environment::of(|_| Some("CANARY-0123".into())));
    for wrong in
        ["env:A=B", "env:1A", "env:A B", "env:A-B", "env:Ä", "env:A#field", "env:DOORWARD_PASSPHRASE"]
    {
        let error = env.fetch(&reference(wrong), &EMPTY).await.err().unwrap();
        assert!(matches!(error, Error::Source { .. }), "{wrong}");
        assert!(
            env.probe(&reference(wrong), &EMPTY).await.is_err()
                && env.stamp(&reference(wrong)).await.is_err()
        );
        assert!(!texts(&error).contains("CANARY"));
    }
    assert!(env.fetch(&reference("env:_A1"), &EMPTY).await.is_ok());
}
