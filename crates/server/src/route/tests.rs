//! Paths are read in one way.

use super::*;

fn read(method: &str, path: &str) -> Option<(String, String, Option<String>)> {
    match Route::of(&method.parse().unwrap(), path).ok()? {
        Route::Credential(Asked { operation, tenant, provider }) => {
            Some((operation.to_owned(), tenant, provider))
        }
        Route::Onboard => Some(("onboard".to_owned(), String::new(), None)),
    }
}

#[test]
fn a_path_and_a_method_name_one_operation() {
    let all = [
        ("POST", "/api/v1/integrations/acme_inc/gcp/setup", "credential.setup"),
        ("POST", "/api/v1/integrations/acme_inc/openai/validate", "credential.validate"),
        ("GET", "/api/v1/integrations/acme_inc", "credential.list"),
        ("GET", "/api/v1/integrations/acme_inc/OPENAI", "credential.show"),
        ("PUT", "/api/v1/integrations/acme_inc/openai", "credential.update"),
        ("DELETE", "/api/v1/integrations/acme_inc/openai", "credential.delete"),
        ("POST", "/api/v1/organizations/onboard", "onboard"),
    ];
    for (method, path, operation) in all {
        assert_eq!(read(method, path).unwrap().0, operation, "{method} {path}");
    }
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/api/v1/integrations"),
        ("POST", "/api/v1/integrations/acme_inc"),
        ("PATCH", "/api/v1/integrations/acme_inc/openai"),
        ("GET", "/api/v1/integrations/acme_inc/openai/setup"),
        ("GET", "/api/v2/integrations/acme_inc"),
        ("GET", "/api/v1/organizations/onboard"),
        ("GET", "/api/v1/integrations/acme_inc/"),
        ("GET", "/api/v1/integrations/"),
        ("POST", "/api/v1/integrations/acme_inc//setup"),
    ] {
        assert_eq!(read(method, path), None, "{method} {path}");
    }
}

#[test]
fn a_path_with_another_method_says_which_ones_it_has() {
    for (method, path, methods) in [
        ("POST", "/api/v1/integrations/acme_inc", "GET"),
        ("PATCH", "/api/v1/integrations/acme_inc/openai", "DELETE, GET, PUT"),
        ("GET", "/api/v1/integrations/acme_inc/openai/setup", "POST"),
        ("HEAD", "/api/v1/organizations/onboard", "POST"),
    ] {
        assert_eq!(
            Route::of(&method.parse().unwrap(), path),
            Err(Missing::Method(methods)),
            "{method} {path}"
        );
    }
    assert_eq!(Route::of(&Method::GET, "/api/v1/integrations/a/b/c"), Err(Missing::Path));
}

#[test]
fn a_slug_has_one_shape() {
    assert!(is_slug("acme_inc") && is_slug(&"a".repeat(50)));
    for wrong in ["ab", "Acme", "..", "a-b", "a%2f", &"a".repeat(51)] {
        assert!(!is_slug(wrong), "{wrong}");
    }
}
