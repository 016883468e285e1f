//! The document and the API say the same: each documented route is called, each answer is one that the document describes, and
//! what the document does not describe is not there.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::client::{Api, Said, Session};
use super::schema::misfits;

/// How a route is called so that it works: its operation, path with query, body.
type Call = (&'static str, String, Value);

/// A house in which every route has something to work on.
struct House {
    api: Api,
    session: Session,
    document: Value,
}

impl House {
    fn open() -> Self {
        let api = Api::open();
        let session = api.session();
        let said = api.ask("GET", "/v1/openapi.json", "", &Value::Null);
        assert_eq!(said.status, 200);
        Self { api, session, document: said.value }
    }

    /// Calls a route, and holds the answer against the document.
    fn call(&self, (id, path, body): &Call) -> Value {
        let (template, method, route) = self.route(id);
        assert!(fits(template, path.split('?').next().unwrap()), "{id}: {path} is not {template}");
        let said = match method {
            "get" => self.api.read(&self.session, path),
            method => self.api.write(&self.session, &method.to_ascii_uppercase(), path, body),
        };
        let (status, wanted) = route["responses"].as_object().unwrap().iter().next().unwrap();
        assert_eq!(&said.status.to_string(), status, "{id} {path}: {}", said.value);
        self.fits(id, wanted, &said);
        said.value
    }

    fn route(&self, id: &str) -> (&str, &str, &Value) {
        let mut found = self.document["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
            methods
                .as_object()
                .unwrap()
                .iter()
                .map(move |(method, route)| (path.as_str(), method.as_str(), route))
        });
        found
            .find(|(_, _, route)| route["operationId"] == id)
            .unwrap_or_else(|| panic!("no route is called {id}"))
    }

    fn fits(&self, id: &str, wanted: &Value, said: &Said) {
        let Some((kind, content)) = wanted.get("content").and_then(|all| all.as_object()?.iter().next())
        else {
            assert!(said.value.is_null(), "{id} gives nothing");
            return;
        };
        assert!(said.head.contains(&format!("content-type: {kind}")), "{id}: {}", said.head);
        if kind == "application/json" {
            let wrong = misfits(&self.document, &content["schema"], &said.value);
            assert!(wrong.is_empty(), "{id}: {wrong:#?}\n{}", said.value);
        }
    }

    fn problem(&self, about: &str, said: &Said) {
        let schema = json!({"$ref": "#/components/schemas/Problem"});
        let wrong = misfits(&self.document, &schema, &said.value);
        assert!(wrong.is_empty(), "{about}: {wrong:#?}\n{}", said.value);
        assert_eq!(said.value["status"], said.status, "{about}");
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (wanted, written): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    wanted.len() == written.len()
        && wanted.iter().zip(&written).all(|(wanted, written)| wanted.contains('{') || wanted == written)
}

/// Every route, in an order in which each has something to work on.
#[expect(clippy::too_many_lines, reason = "one list, in an order in which each has something to work on")]
#[test]
fn every_documented_route_answers_as_the_document_says() {
    let house = House::open();
    let mut called = BTreeSet::new();
    let mut call = |id: &'static str, path: &str, body: Value| {
        called.insert(id.to_owned());
        house.call(&(id, path.to_owned(), body))
    };
    let none = || Value::Null;
    let _ = call("index", "/v1", none());
    let _ = call("getOpenApi", "/v1/openapi.json", none());
    // Nobody signs in elsewhere here: a browser is told so, as it is told everything.
    let _ = call("signInElsewhere", "/v1/session/oidc", none());
    let _ = call("comeBack", "/v1/session/oidc/callback?code=a&state=b", none());
    let _ = call("getStatus", "/v1/status", none());
    let metrics = call("getMetrics", "/v1/metrics", none());
    assert!(metrics["families"].as_array().unwrap().len() > 3, "{metrics}");
    let _ = call("grantRole", "/v1/roles/ada/auditor", json!({"kind": "person"}));
    let _ = call("listRoles", "/v1/roles?q=ada", none());
    let _ = call("revokeRole", "/v1/roles/ada/auditor", none());
    let _ = call("listWaysToSignIn", "/v1/session/ways", none());
    let _ = call("getSession", "/v1/session", none());
    let _ = call("createTenant", "/v1/tenants", json!({"name": "acme_inc", "plan": "SCALE"}));
    let _ = call("listTenants", "/v1/tenants", none());
    let _ = call("getTenant", "/v1/tenants/acme_inc", none());
    let key = call("createKey", "/v1/tenants/acme_inc/keys", json!({"label": "ci", "expires": "90d"}));
    let keys = format!("/v1/tenants/acme_inc/keys/{}", key["id"].as_str().unwrap());
    let _ = call("listKeys", "/v1/tenants/acme_inc/keys?state=active", none());
    assert_eq!(house.api.read(&house.session, "/v1/tenants/never_was/keys").status, 404);
    let _ = call("rotateKey", &format!("{keys}:rotate"), json!({"overlap": "1h"}));
    let _ = call("revokeKey", &keys, none());
    let openai = "/v1/tenants/acme_inc/credentials/openai";
    let key = json!({"credential": "sk-0123456789", "skip_validation": true, "metadata": {"notes": "x"}});
    let _ = call("setUpCredential", openai, key);
    let _ = call("listCredentials", "/v1/tenants/acme_inc/credentials", none());
    let _ = call("getCredential", openai, none());
    let surveyed = call("surveyCredentials", "/v1/credentials?connected=false&limit=6", none());
    assert_eq!(surveyed["items"][0]["at"], "acme_inc/OPENAI", "{surveyed}");
    let _ = call("updateCredential", openai, json!({"name": "Production"}));
    let document = json!({
        "tenant_id": "7a1d9b3c-1111-4222-8333-444455556666", "client_id": "11112222-3333-4444-8555-666677778888",
        "client_secret": "s0123456789", "subscription_id": "0b1f6471-1bf0-4dda-aec3-111122223333",
    });
    let azure = "/v1/tenants/acme_inc/credentials/azure";
    let _ = call("setUpCredential", azure, json!({"credential": document, "skip_validation": true}));
    let _ = call("validateCredential", "/v1/tenants/acme_inc/credentials/gemini:validate", none());
    let _ = call("deleteCredential", openai, none());
    let _ = call("eraseTenant", "/v1/tenants/acme_inc?confirm=acme_inc", none());
    let _ = call("listProviders", "/v1/providers?group=cloud", none());
    let _ = call("getProvider", "/v1/providers/gcp", none());
    let _ = call("listIntegrations", "/v1/integrations?ready=false&limit=200", none());
    for name in ["slack", "aws", "github", "openai"] {
        let _ = call("getIntegration", &format!("/v1/integrations/{name}"), none());
    }
    let _ = call("putSecret", "/v1/secrets/slack%2Ftoken", json!({"value": "xoxb-0123456789"}));
    let _ = call("listSecrets", "/v1/secrets", none());
    let _ = call("rotateSecret", "/v1/secrets/slack%2Ftoken:rotate", json!({"value": "xoxb-9876543210"}));
    let _ = call("forgetSecret", "/v1/secrets/slack%2Ftoken", none());
    let wish = json!({"for": "ada", "integrations": ["slack"], "access": "read", "expires": "1h", "uses": 5});
    let made = call("createCapability", "/v1/capabilities", wish);
    let token = &made["token"];
    let _ = call("listCapabilities", "/v1/capabilities?holder=ada&state=active", none());
    let less =
        call("narrowCapability", "/v1/capabilities:narrow", json!({"capability": token, "expires": "5m"}));
    let checked = call("checkCapability", "/v1/capabilities:check", json!({"capability": less["token"]}));
    assert_eq!((checked["valid"].as_bool(), checked["blocks"].as_array().unwrap().len()), (Some(true), 2));
    let _ =
        call("revokeCapability", &format!("/v1/capabilities/{}", made["grant"].as_str().unwrap()), none());
    let text = "@approval(\"required\")\npermit (principal, action == Doorward::Action::\"slack/chat.post\", resource) when { principal in Doorward::Role::\"caller\" };\n";
    let _ = call("checkPolicy", "/v1/policies:check", json!({"name": "team/chat", "text": text}));
    let wrong = call(
        "checkPolicy",
        "/v1/policies:check",
        json!({"name": "team/chat", "text": "\npermit (principal"}),
    );
    assert_eq!(
        (wrong["valid"].as_bool(), wrong["errors"][0]["line"].is_u64()),
        (Some(false), true),
        "{wrong}"
    );
    let _ = call("putPolicy", "/v1/policies/team%2Fchat", json!({"text": text}));
    let _ = call("listPolicies", "/v1/policies", none());
    let _ = call("getPolicy", "/v1/policies/team%2Fchat", none());
    let question = json!({"for": "ada", "operation": "slack/chat.post", "roles": ["caller"]});
    let explained = call("explainPolicy", "/v1/policies:explain", question);
    assert_eq!(explained["approval"], true, "{explained}");
    let _ = call("forgetPolicy", "/v1/policies/team%2Fchat", none());
    approvals(&house, &mut call);
    let line = call("listEvidence", "/v1/evidence?limit=5", none());
    let first = line["items"].as_array().unwrap().iter().find_map(|line| line["id"].as_str()).unwrap();
    let _ = call("getEvidence", &format!("/v1/evidence/{first}"), none());
    let _ = call("listCheckpoints", "/v1/checkpoints?limit=1", none());
    let _ = call("getCheckpoint", "/v1/checkpoints/latest", none());
    let _ = call("verifyEvidence", "/v1/evidence:verify", none());
    let _ = call("exportEvidence", "/v1/evidence:export", none());
    let _ = call("listEvidence", "/v1/evidence?limit=1000", none());
    let hook = json!({"url": "https://localhost:1/in", "events": ["tenant.created"], "label": "on call"});
    let hook = call("createWebhook", "/v1/webhooks", hook);
    let place = format!("/v1/webhooks/{}", hook["id"].as_str().unwrap());
    let _ = call("listWebhooks", "/v1/webhooks", none());
    let _ = call("getWebhook", &place, none());
    let _ = call("rotateWebhook", &format!("{place}:rotate"), none());
    let tried = call("testWebhook", &format!("{place}:test"), none());
    let _ = call("listDeliveries", &format!("{place}/deliveries?state=dead&event=webhook.test"), none());
    let tried = format!("{place}/deliveries/{}:redeliver", tried["id"].as_str().unwrap());
    let _ = call("redeliver", &tried, none());
    let _ = call("enableWebhook", &format!("{place}:enable"), none());
    let _ = call("forgetWebhook", &place, none());
    let _ = call("signOut", "/v1/session", none());
    let link = house.api.doorward.run(&["console", "--no-open", "--json"], "").json();
    let code = link["url"].as_str().unwrap().split_once("#code=").unwrap().1.to_owned();
    let said = house.api.ask("POST", "/v1/session", "", &json!({"code": code}));
    assert_eq!(said.status, 201);
    house.fits("signIn", &house.route("signIn").2["responses"]["201"], &said);
    called.insert("signIn".to_owned());
    let documented: BTreeSet<String> = house.document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|methods| methods.as_object().unwrap().values())
        .map(|route| route["operationId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(called, documented, "every documented route is called, and no other");
}

/// Something that waits, and the answers to it. Plans need somebody else who proposes.
fn approvals(house: &House, call: &mut impl FnMut(&'static str, &str, Value) -> Value) {
    let run = |args: &[&str]| house.api.doorward.run(args, "").succeeded();
    let _ = run(&["role", "grant", "eve", "manager"]);
    let eve = json!({"for": "eve", "operations": ["doorward/secret.forget", "doorward/plan.create"], "approval": "writes"});
    let eve = call("createCapability", "/v1/capabilities", eve)["token"].as_str().unwrap().to_owned();
    // The roles of the owner changed for nobody, so this session goes on.
    let asked = |name: &str| {
        let bearer = format!("Authorization: Bearer {eve}\r\n");
        let said = house.api.ask("DELETE", &format!("/v1/secrets/{name}"), &bearer, &Value::Null);
        assert_eq!(
            (said.status, said.value["code"].as_str()),
            (403, Some("approval_required")),
            "{}",
            said.value
        );
        house.problem("approval", &said);
        said.value["approval"].as_str().unwrap().to_owned()
    };
    let (first, second) = (asked("one"), asked("two"));
    let listed = call("listApprovals", "/v1/approvals?state=pending", Value::Null);
    assert_eq!(listed["total"], 2, "{listed}");
    let shown = call("getApproval", &format!("/v1/approvals/{first}"), Value::Null);
    let wrong = json!({"digest": "other", "reason": "no"});
    let said = house.api.write(&house.session, "POST", &format!("/v1/approvals/{first}:approve"), &wrong);
    assert_eq!(said.status, 403, "what is approved is what was shown: {}", said.value);
    let yes = json!({"digest": shown["digest"], "reason": "seen"});
    let done = call("approve", &format!("/v1/approvals/{first}:approve"), yes.clone());
    assert_eq!((done["state"].as_str(), done["decided_by"].as_str()), (Some("approved"), Some("owner")));
    let again = house.api.write(&house.session, "POST", &format!("/v1/approvals/{first}:approve"), &yes);
    assert_eq!(again.status, 409);
    let shown = call("getApproval", &format!("/v1/approvals/{second}"), Value::Null);
    let _ = call("deny", &format!("/v1/approvals/{second}:deny"), json!({"digest": shown["digest"]}));
    let free = json!({"for": "eve", "operations": ["doorward/plan.create"]});
    let free = call("createCapability", "/v1/capabilities", free)["token"].as_str().unwrap().to_owned();
    let plan = "summary: Look\nsteps:\n  - {id: look, operation: github/user.show}\n";
    crate::write(house.api.doorward.folder().join("plan.yaml"), plan);
    crate::write(house.api.doorward.folder().join("eve"), &free);
    let plans: Vec<Value> = (0..3)
        .map(|_| house.api.doorward.run(&["plan", "create", "plan.yaml", "--json", "--as", "eve"], "").json())
        .collect();
    let place = |at: usize| format!("/v1/plans/{}", plans[at]["id"].as_str().unwrap());
    let digest = json!({"digest": plans[0]["digest"]});
    let _ = call("listPlans", "/v1/plans?state=proposed", Value::Null);
    let _ = call("getPlan", &place(0), Value::Null);
    let _ = call("approvePlan", &format!("{}:approve", place(0)), digest.clone());
    let _ = call("denyPlan", &format!("{}:deny", place(1)), digest);
    let _ = call("cancelPlan", &format!("{}:cancel", place(2)), Value::Null);
    // There is no token for it, so its step fails; that is how it ended.
    let ran = call("runPlan", &format!("{}:run", place(0)), Value::Null);
    assert_eq!(ran["state"], "failed", "{ran}");
    let _ = call("resumePlan", &format!("{}:resume", place(0)), Value::Null);
    let _ = call("checkPlan", "/v1/plans:check", json!({"plan": plan}));
    let _ = call("createPlan", "/v1/plans", json!({"plan": plan}));
}

/// Whoever holds a key of one tenant asks every route about another tenant, about one that is not there, and about ids of others:
/// the answers are the same.
#[test]
fn no_route_tells_whether_what_is_somebody_elses_is_there() {
    let house = House::open();
    let run = |args: &[&str]| house.api.doorward.run(args, "").succeeded().trim().to_owned();
    for name in ["acme_inc", "other_inc"] {
        let _ = run(&["tenant", "create", name]);
    }
    let key = run(&["key", "create", "--tenant", "other_inc"]);
    let mine = house.api.doorward.run(&["key", "create", "--tenant", "acme_inc", "--json"], "").json();
    let there = house.api.write(&house.session, "POST", "/v1/capabilities", &json!({"for": "ada"})).value;
    let evidence = house.api.read(&house.session, "/v1/evidence?limit=1").value["items"][0]["id"].clone();
    let policy = json!({"text": "forbid (principal in Doorward::Role::\"nobody\", action, resource);"});
    let _ = house.api.write(&house.session, "PUT", "/v1/policies/house", &policy);
    let hook =
        house.api.write(&house.session, "POST", "/v1/webhooks", &json!({"url": "https://localhost:1/"}));
    let ids = [
        (hook.value["id"].as_str().unwrap().to_owned(), "whk_00000000000000000000000000"),
        (mine["id"].as_str().unwrap().to_owned(), "key_00000000000000000000000000"),
        (there["grant"].as_str().unwrap().to_owned(), "grt_00000000000000000000000000"),
        (evidence.as_str().unwrap().to_owned(), "evd_00000000000000000000000000"),
        ("house".to_owned(), "nothing"),
    ];
    let bearer = format!("X-API-Key: {key}\r\n");
    let mut tried = 0;
    for (template, methods) in house.document["paths"].as_object().unwrap() {
        if !template.contains('{') {
            continue;
        }
        for (method, route) in methods.as_object().unwrap() {
            for (id, nothing) in &ids {
                let ask = |tenant: &str, id: &str| {
                    let path = template
                        .replace("{tenant}", tenant)
                        .replace("{provider}", "openai")
                        .replace("{id}", id)
                        .replace("{delivery}", "msg_00000000000000000000000000")
                        .replace("{name}", id)
                        .replace("{principal}", id)
                        .replace("{role}", "auditor");
                    let confirm = route["operationId"] == "eraseTenant";
                    let path = if confirm { format!("{path}?confirm={tenant}") } else { path };
                    let body = body_of(route);
                    let said = house.api.ask(&method.to_ascii_uppercase(), &path, &bearer, &body);
                    house.problem(&format!("{method} {path}"), &said);
                    let detail =
                        said.value["detail"].as_str().unwrap().replace(id, "ID").replace(tenant, "TENANT");
                    (said.status, said.value["code"].clone(), detail)
                };
                if route["operationId"] == "getProvider" {
                    continue;
                }
                let (foreign, missing) = (ask("acme_inc", id), ask("nobody_inc", nothing));
                assert_eq!(foreign, missing, "{method} {template}");
                assert!([403, 404].contains(&foreign.0), "{method} {template}: {foreign:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

/// A body in which everything is there that has to be.
pub(super) fn body_of(route: &Value) -> Value {
    let schema = &route["requestBody"]["content"]["application/json"]["schema"];
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let filled = required.iter().map(|name| {
        let name = name.as_str().unwrap();
        let value = if name == "credential" { "sk-0123456789" } else { "x" };
        (name.to_owned(), json!(value))
    });
    let filled: serde_json::Map<String, Value> = filled.collect();
    if filled.is_empty() { Value::Null } else { Value::Object(filled) }
}
