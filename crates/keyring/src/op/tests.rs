//! Items of 1Password, without a server or program.

use std::sync::Arc;

use memory::Secret;

use super::*;
use crate::{Ask, NoAnswer, Question, Trust};

struct Nobody;

impl Ask for Nobody {
    fn ask(&self, _question: &Question) -> Result<Secret, NoAnswer> {
        Err(NoAnswer::Nobody)
    }
}

fn settings(vault: &str) -> Settings {
    let mut settings = Settings::new("/nowhere".into(), Arc::new(Nobody));
    settings.op.vault = Some(vault.to_owned());
    settings
}

fn listed(text: &str) -> Vec<Listed> {
    serde_json::from_str(text).unwrap()
}

#[test]
fn only_items_with_tag_and_title_are_entries() {
    let shelf = Shelf::new(Kind::Op, &settings("vault1")).unwrap();
    let names = shelf.names(listed(
        r#"[{"id":"b","title":"aws-vault: b","tags":["x","aws-vault"],"more":1},{"id":"a","title":"aws-vault: a: c","tags":["aws-vault"]},
            {"id":"c","title":"aws-vault: no tag"},{"id":"d","title":"another","tags":["aws-vault"]}]"#,
    ));
    assert_eq!(names.unwrap(), ["a: c", "b"]);
}

#[test]
fn two_items_of_one_title_are_an_error() {
    let shelf = Shelf::new(Kind::Op, &settings("vault1")).unwrap();
    let twice = r#"[{"id":"a","title":"aws-vault: a","tags":["aws-vault"]},{"id":"b","title":"aws-vault: a","tags":["aws-vault"]}]"#;
    assert!(matches!(shelf.names(listed(twice)), Err(Error::Malformed { .. })));
    assert!(matches!(shelf.find("a", listed(twice)), Err(Error::Malformed { .. })));
}

#[test]
fn an_id_that_is_none_is_refused() {
    let shelf = Shelf::new(Kind::Op, &settings("vault1")).unwrap();
    let odd = r#"[{"id":"../x","title":"aws-vault: a","tags":["aws-vault"]}]"#;
    assert!(matches!(shelf.find("a", listed(odd)), Err(Error::Malformed { .. })));
    assert!(matches!(Shelf::new(Kind::Op, &settings("My Vault")), Err(Error::Setting { .. })));
    assert!(matches!(Shelf::new(Kind::Op, &settings("")), Err(Error::Setting { .. })));
    let mut zero = settings("vault1");
    zero.op.timeout = std::time::Duration::ZERO;
    assert!(matches!(Shelf::new(Kind::Op, &zero), Err(Error::Setting { .. })));
}

#[test]
fn a_document_reads_back() {
    let shelf = Shelf::new(Kind::Op, &settings("vault1")).unwrap();
    let item = Item {
        name: "a \"b\"".to_owned(),
        secret: Secret::new(vec![0, 1, 255]).unwrap(),
        label: "l".to_owned(),
        description: String::new(),
        trust: Trust::Nobody,
    };
    let text = shelf.document(&item, Some("id1")).unwrap();
    let read = shelf.entry("a \"b\"", &text).unwrap();
    assert_eq!(item::with_bytes(&read.secret, <[u8]>::to_vec), [0, 1, 255]);
    assert!(shelf.entry("a", br#"{"fields":[{"type":"STRING","label":"keyring","value":"x"}]}"#).is_err());
}
