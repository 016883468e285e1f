//! Narrowings take their parameters as they are.

use super::*;
use crate::Catalog;

fn expand(integration: &str, name: &str, params: &[(&str, &str)]) -> Result<Vec<Allowance>, Error> {
    let params = params.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Catalog::builtin().get(&integration.parse().unwrap()).unwrap().capabilities()[name].expand(&params)
}

#[test]
fn a_list_allows_each_of_its_values() {
    let allow = expand("slack", "post_channels_as", &[("username", "bot"), ("channels", "C1, C2")]).unwrap();
    assert_eq!(allow.len(), 1);
    assert_eq!(allow[0].operation.as_str(), "chat.post");
    assert_eq!(allow[0].inputs["channel"], BTreeSet::from(["C1".to_owned(), "C2".to_owned()]));
    assert_eq!(allow[0].inputs["username"], BTreeSet::from(["bot".to_owned()]));
}

#[test]
fn a_resource_is_written_as_calls_have_it() {
    let allow = expand("github", "comment", &[("repo", "Octo/Hello")]).unwrap();
    assert_eq!(allow[0].resources, BTreeSet::from(["repo:octo/hello".to_owned()]));
}

#[test]
fn wildcards_and_wrong_parameters_are_refused() {
    for wrong in ["**", "octo/*", "", "a?"] {
        assert!(expand("github", "comment", &[("repo", wrong)]).is_err(), "{wrong}");
    }
    assert!(expand("slack", "post_channels", &[("channels", "C1,")]).is_err());
    assert!(expand("slack", "post_as", &[]).is_err());
    let error = expand("slack", "post_as", &[("usrname", "x")]).unwrap_err();
    assert!(error.to_string().ends_with("did you mean `username`"), "{error}");
}
