//! What may be said about a place, and what is told apart in the store.

use model::SecretName;

use crate::marker::Marker;
use crate::view::{credential_of, row_of};
use crate::{Error, Place};

fn parsed(url: &str) -> Result<Place, Error> {
    Place::parse(url, None, None)
}

#[test]
fn a_place_is_project_dataset_and_table_and_nothing_that_a_statement_could_mean_otherwise() {
    let place = parsed("bigquery://my-project/organizations?location=europe-west1").unwrap();
    assert_eq!(place.to_string(), "my-project.organizations.org_integration_credentials");
    assert_eq!(place.quoted(), "`my-project.organizations.org_integration_credentials`");
    assert_eq!(place.location(), Some("europe-west1"));
    let place = parsed("bigquery://example.com:p/d/t").unwrap();
    assert_eq!((place.quoted().as_str(), place.location()), ("`example.com:p.d.t`", None));
    for wrong in [
        "postgres://a@b/c",
        "bigquery://",
        "bigquery://p",
        "bigquery://p/",
        "bigquery://p/d/t/x",
        "bigquery://p/d`/t",
        "bigquery://p/d/t; DROP TABLE x",
        "bigquery://p`/d",
        "bigquery://../d",
        "bigquery://P/d",
        "bigquery://p/d?location=",
        "bigquery://p/d?location=E U",
        "bigquery://p/d?loc=EU",
        "bigquery://p/d?location=EU&key=x",
    ] {
        assert!(matches!(parsed(wrong), Err(Error::Address(_))), "{wrong}");
    }
}

#[test]
fn a_marker_is_told_from_a_ciphertext_and_names_its_bytes() {
    let marker = Marker::of(b"sealed");
    assert_eq!(Marker::read(&marker.row()), Some(marker.clone()));
    assert_ne!(marker, Marker::of(b"sealed otherwise"));
    let mut envelope = 1_u64.to_be_bytes().to_vec();
    envelope.extend_from_slice(b"bigquery/1 ");
    for other in [&envelope[..], b"", b"bigquery/1 ", b"bigquery/1 abc"] {
        assert_eq!(Marker::read(other), None);
    }
}

#[test]
fn only_the_bytes_of_credentials_that_tenants_keep_are_meant() {
    let id = model::CredentialId::new(model::Timestamp::from_millis(1), [7; 10]).to_string();
    let name = |text: &str| -> SecretName { text.parse().unwrap() };
    let kept = name(&format!("credentials/openai/{id}"));
    assert_eq!(credential_of(&row_of(&kept)), Some((id.clone(), true)));
    let mut later = row_of(&kept);
    *later.last_mut().unwrap() = 2;
    assert_eq!(credential_of(&later), Some((id.clone(), false)));
    for other in ["openai/key", "credentials/openai/key", &format!("mine/openai/{id}")] {
        assert_eq!(credential_of(&row_of(&name(other))), None, "{other}");
    }
}
