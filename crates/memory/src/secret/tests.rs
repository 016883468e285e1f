//! Tests of secrets.

#![expect(clippy::disallowed_methods, reason = "tests look at the bytes")]

use super::*;

#[test]
fn the_bytes_are_lent_and_nothing_else() {
    let secret = Secret::new(b"CANARY".to_vec()).unwrap();
    assert_eq!(secret.len(), 6);
    assert!(secret.expose(|bytes| bytes == b"CANARY"));
}

#[test]
fn an_empty_secret_is_known_as_empty() {
    assert!(Secret::new(Vec::new()).unwrap().is_empty());
}

#[test]
fn a_failed_filling_keeps_nothing() {
    let failed: Result<Secret, Error> =
        Secret::try_filled(8, |_| Err(Error::Harden { what: "test", source: std::io::Error::other("no") }));
    assert!(failed.is_err());
}

#[test]
fn large_and_many_secrets_fit() {
    let kept: Vec<Secret> = (0..200_usize).map(|n| Secret::new(vec![7; n * 100]).unwrap()).collect();
    assert!(
        kept.iter()
            .enumerate()
            .all(|(n, secret)| secret.expose(|b| b.len() == n * 100 && b.iter().all(|x| *x == 7)))
    );
}

#[test]
fn a_page_that_held_a_secret_comes_back_empty_and_as_guarded() {
    let before = Secret::new(b"CANARY".repeat(600)).unwrap().guard();
    for _ in 0..100 {
        let again = Secret::filled(4096, |to| assert!(to.iter().all(|byte| *byte == 0))).unwrap();
        assert_eq!(again.guard(), before);
    }
}

#[test]
fn the_kernel_guards_the_bytes_on_linux() {
    if cfg!(target_os = "linux") {
        assert!(matches!(Secret::new(vec![1; 32]).unwrap().guard(), Guard::Hidden | Guard::Locked));
    }
}
