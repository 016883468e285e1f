//! The lists of the seed document on integrations, typed from it: what is read, what is written, which evidence is left.

use std::collections::{BTreeMap, BTreeSet};

use model::Access::{self, Read, Write};

use super::{KNOWN, TOOLS, known_as, known_tool, known_tools};
use crate::{Integration, cases, embedded};

/// Integration, the document's words, access, and the operations that these words mean.
const SEED: &[(&str, &str, Access, &[&str])] = &[
    ("aws", "Resource Groups Tagging `GetResources`", Read, &["resources.list"]),
    ("aws", "CloudTrail Event History", Read, &["events.lookup"]),
    (
        "aws",
        "EKS/EC2/IAM/CloudWatch actions per policy",
        Write,
        &[
            "nodegroup.update",
            "instances.start",
            "instances.stop",
            "instances.reboot",
            "instances.terminate",
            "role_policy.attach",
            "role_policy.detach",
            "alarm.put",
        ],
    ),
    ("vault", "KV", Read, &["kv.read", "kv.list"]),
    ("vault", "lease status", Read, &["lease.show"]),
    ("vault", "secret rotation", Write, &["kv.write", "static_role.rotate"]),
    ("vault", "renew", Write, &["lease.renew", "token.renew"]),
    ("vault", "revoke", Write, &["lease.revoke"]),
    ("kubernetes", "list/watch", Read, &["get", "secrets.get", "watch"]),
    ("kubernetes", "events", Read, &["events.list"]),
    ("kubernetes", "rollout status", Read, &["rollout.status"]),
    ("kubernetes", "scale", Write, &["scale"]),
    ("kubernetes", "rollout restart", Write, &["rollout.restart"]),
    ("kubernetes", "patch (break-glass only)", Write, &["patch", "patch.merge", "patch.json"]),
    ("helm", "`helm list`", Read, &["releases.list"]),
    ("helm", "`helm status`", Read, &["release.status"]),
    ("helm", "`helm get values`", Read, &["release.values"]),
    ("helm", "`helm upgrade --install`", Write, &["release.upgrade"]),
    ("helm", "`helm rollback`", Write, &["release.rollback"]),
    ("boundary", "targets", Read, &["targets.list", "targets.show"]),
    ("boundary", "sessions", Read, &["sessions.list", "sessions.show"]),
    ("boundary", "session open/close", Write, &["sessions.open", "sessions.close"]),
    ("argocd", "app status, health, sync state", Read, &["app.status", "apps.list"]),
    ("argocd", "app sync", Write, &["app.sync"]),
    ("argocd", "rollback", Write, &["app.rollback"]),
    // The document has it under `Write`. It changes nothing: it asks again until something else has changed.
    ("argocd", "wait", Read, &["app.wait"]),
    ("prometheus", "`/api/v1/query`", Read, &["query"]),
    ("prometheus", "`/api/v1/query_range`", Read, &["query.range"]),
    ("prometheus", "`/api/v1/rules`", Read, &["rules.list"]),
    ("thanos", "`/api/v1/query`", Read, &["query"]),
    ("thanos", "`/api/v1/query_range`", Read, &["query.range"]),
    ("thanos", "`/api/v1/rules`", Read, &["rules.list"]),
    ("grafana", "dashboards", Read, &["dashboards.search", "dashboards.show"]),
    ("grafana", "data sources", Read, &["datasources.list", "datasources.show"]),
    ("grafana", "annotations only by default", Write, &["annotations.create"]),
    ("tempo", "traces by ID", Read, &["traces.show", "traces.show_v1"]),
    ("tempo", "TraceQL", Read, &["traces.search"]),
    ("github", "create branch", Write, &["branches.create"]),
    ("github", "commit", Write, &["contents.write"]),
    ("github", "open PR/MR", Write, &["pulls.create"]),
    ("gitlab", "create branch", Write, &["branches.create"]),
    ("gitlab", "commit", Write, &["commits.create"]),
    ("gitlab", "open PR/MR", Write, &["merge_requests.create"]),
    ("linear", "create approval issues", Write, &["issues.create"]),
    ("linear", "update labels", Write, &["issues.label"]),
    ("pagerduty-events", "trigger/resolve incidents", Write, &["events.trigger", "events.resolve"]),
];

/// What else these integrations have, and why.
const MORE: &[(&str, &str, Access, &str)] = &[
    ("aws", "identity.show", Read, "tells whose credential it is"),
    ("aws", "role.assume", Read, "the document's way of signing in; as an operation it only tries it"),
    ("aws", "metrics.read", Read, "among the document's minimum permissions"),
    ("vault", "token.show", Read, "the probe"),
    ("vault", "health", Read, "the state of the server"),
    ("vault", "static_role.show", Read, "what is read back after a rotation"),
    ("vault", "audit.list", Read, "the document's evidence: audit devices"),
    ("vault", "audit.enable", Write, "without a device there is no such evidence"),
    (
        "vault",
        "login.kubernetes",
        Write,
        "the document's way of signing in; as an operation it only tries it",
    ),
    ("vault", "login.approle", Write, "the document's way of signing in; as an operation it only tries it"),
    ("vault", "capabilities.show", Read, "tells permissions"),
    ("kubernetes", "version.show", Read, "the probe"),
    ("kubernetes", "access.review", Read, "tells permissions"),
    ("kubernetes", "object.version", Read, "the document's evidence beside a change, of a secret too"),
    ("helm", "access.review", Read, "tells permissions"),
    ("helm", "release.history", Read, "the revision after a rollback"),
    ("helm", "release.diff", Read, "the document's evidence: diff, if enabled"),
    ("boundary", "login.password", Write, "signing in, tried"),
    ("argocd", "account.show", Read, "the probe"),
    ("argocd", "account.can_i", Read, "tells permissions"),
    ("argocd", "app.diff", Read, "what a sync would change"),
    ("argocd", "app.sync_dry_run", Read, "what a sync would do"),
    ("argocd", "project_token.create", Write, "in the first list of operations"),
    ("argocd", "project_token.delete", Write, "in the first list of operations"),
    ("thanos", "build.show", Read, "the probe"),
    ("tempo", "echo", Read, "the probe"),
    ("linear", "graphql.run", Write, "every other document"),
    ("linear", "labels.find", Read, "labels are named by their ids"),
    ("linear", "labels.create", Write, "among the document's minimum permissions"),
    ("linear", "comments.create", Write, "among the document's minimum permissions"),
    ("linear", "issues.history", Read, "the document's evidence: label history"),
    ("linear", "issues.by_label", Read, "where approvals are looked for"),
    ("pagerduty-events", "events.acknowledge", Write, "between the two"),
];

/// Integrations that have nothing but what stands above.
const WHOLE: &[&str] = &[
    "aws",
    "vault",
    "kubernetes",
    "helm",
    "boundary",
    "argocd",
    "thanos",
    "tempo",
    "linear",
    "pagerduty-events",
];

/// Integration, the document's words, operation, and the field that holds it.
const EVIDENCE: &[(&str, &str, &str, &str)] = &[
    ("aws", "CloudTrail event IDs", "events.lookup", "events"),
    ("aws", "AWS API responses", "instances.stop", "request"),
    ("vault", "audit device entries", "kv.read", "request"),
    ("vault", "audit device entries", "audit.list", "devices"),
    ("kubernetes", "resource versions", "scale", "resource_version"),
    ("kubernetes", "resource versions", "get", "resource_version"),
    ("kubernetes", "resource versions", "rollout.restart", "resource_version"),
    ("kubernetes", "kubectl outputs", "rollout.status", "status"),
    ("helm", "release revision", "release.upgrade", "revision"),
    ("helm", "status", "release.upgrade", "status"),
    ("helm", "release revision", "release.history", "latest"),
    ("boundary", "session IDs", "sessions.open", "session"),
    ("boundary", "session IDs", "sessions.close", "session"),
    ("argocd", "sync IDs", "app.sync", "history"),
    ("argocd", "app status", "app.status", "sync"),
    ("prometheus", "query results", "query", "results"),
    ("prometheus", "timestamps", "query", "time"),
    ("thanos", "query results", "query.range", "results"),
    ("thanos", "timestamps", "query.range", "time"),
    ("grafana", "annotation IDs", "annotations.create", "annotation"),
    ("tempo", "trace IDs", "traces.search", "traces"),
    ("tempo", "span counts", "traces.search", "spans"),
    ("tempo", "span counts", "traces.show", "spans"),
    ("tempo", "trace IDs", "traces.show", "trace"),
    ("github", "PR URL", "pulls.create", "url"),
    ("github", "commit SHA", "contents.write", "commit"),
    ("gitlab", "PR URL", "merge_requests.create", "url"),
    ("gitlab", "commit SHA", "commits.create", "commit"),
    ("linear", "issue ID", "issues.create", "issue"),
    ("linear", "label history", "issues.history", "changes"),
    ("pagerduty-events", "incident ID", "events.trigger", "incident"),
    ("pagerduty", "incident ID", "incidents.list", "incidents"),
];

fn integration(name: &str) -> Integration {
    cases::integration(&name.parse().unwrap()).unwrap()
}

#[test]
fn what_the_seed_reads_and_writes_is_what_the_catalogue_reads_and_writes() {
    let mut wanted: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    let word = |access: &Access| if *access == Read { "read" } else { "write" };
    for (provider, _, access, operations) in SEED {
        wanted.entry(provider).or_default().extend(operations.iter().map(|one| (*one, word(access))));
    }
    for (provider, operation, access, why) in MORE {
        assert!(!why.is_empty());
        assert!(wanted.entry(provider).or_default().insert((operation, word(access))), "{operation} twice");
    }
    for (provider, wanted) in wanted {
        let integration = integration(provider);
        let all = integration.operations().values();
        let found: BTreeSet<(&str, &str)> =
            all.map(|one| (one.name().as_str(), word(&one.access()))).collect();
        if WHOLE.contains(&provider) {
            assert_eq!(found, wanted, "{provider}");
        } else {
            assert!(found.is_superset(&wanted), "{provider} lacks {:?}", wanted.difference(&found));
        }
    }
}

#[test]
fn the_evidence_of_the_seed_is_kept_by_each_form_that_can_have_it() {
    for (provider, words, operation, field) in EVIDENCE {
        let integration = integration(provider);
        let operation = &integration.operations()[*operation];
        let by_request = operation.evidence().any(|one| one == *field);
        let by_program = operation.cli().is_some_and(|cli| cli.evidence().any(|one| one == *field));
        assert!(by_request || by_program, "{provider}: {words}");
    }
}

#[test]
fn what_is_read_elsewhere_beside_a_write_is_a_read_that_takes_and_keeps_it() {
    let mut seen = 0;
    for name in crate::Catalog::builtin().names() {
        let Ok(write) = cases::integration(&name) else { continue };
        for operation in write.operations().values() {
            for around in operation.before().iter().chain(operation.after()) {
                let Some(elsewhere) = around.integration() else { continue };
                let (elsewhere, what) =
                    (integration(elsewhere.as_str()), format!("{name}.{}", operation.name()));
                let read = &elsewhere.operations()[around.operation()];
                assert_eq!(read.access(), Read, "{what}");
                assert!(around.inputs.keys().all(|input| read.inputs().contains_key(input)), "{what}");
                assert!(around.fields().all(|(_, field)| read.evidence().any(|one| one == field)), "{what}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 3);
}

#[test]
fn every_name_of_elsewhere_is_one_operation_here() {
    assert_eq!(KNOWN.len(), 108);
    assert!(KNOWN.windows(2).all(|pair| pair[0].0 < pair[1].0), "sorted, each once");
    for (name, integration_name, operation) in KNOWN {
        let (integration, found) = known_as(name).unwrap();
        assert_eq!((integration.as_str(), found.as_str()), (*integration_name, *operation));
        let integration = self::integration(integration_name);
        assert!(integration.operations().contains_key(*operation), "{name}");
    }
    assert_eq!(known_as("aws.ec2_stop_instance"), None);
}

#[test]
fn whatever_is_written_by_one_of_them_says_what_it_needs() {
    for (name, integration_name, operation) in KNOWN {
        // Git and the query languages ask for nothing but the credential.
        let none = ["git", "prometheus", "thanos", "tempo", "alertmanager"].contains(integration_name);
        let integration = integration(integration_name);
        let operation = &integration.operations()[*operation];
        if operation.access() == Write && !none {
            assert!(!operation.scopes().is_empty(), "{name}");
        }
    }
}

#[test]
fn an_operation_without_requests_says_why() {
    for entry in embedded::ENTRIES {
        let integration = integration(entry.name);
        for operation in integration.operations().values().filter(|_| !integration.internal()) {
            assert_eq!(operation.method().is_none(), operation.why().is_some(), "{}", operation.name());
        }
    }
}

#[test]
fn the_words_of_a_tool_router_name_operations_that_are_there() {
    for (words, name) in TOOLS {
        assert!(known_as(words).is_none(), "`{words}` is a name already");
        let (tool, action) = words.split_once('.').unwrap();
        assert_eq!(known_tool(tool, action), known_as(name), "{words}");
        assert!(known_as(name).is_some(), "{name}");
    }
    let found = |tool, action| known_tool(tool, action).map(|(one, other)| format!("{one}/{other}"));
    assert_eq!(found("kubectl", "rollout-status").as_deref(), Some("kubernetes/rollout.status"));
    assert_eq!(found("aws", "ec2.stop-instances").as_deref(), Some("aws/instances.stop"));
    assert_eq!(found("argocd", "sync-preview").as_deref(), Some("argocd/app.diff"));
    assert_eq!(found("kubectl", "exec"), None);
    assert_eq!(found("kubectl", "rollout status;"), None);
    assert_eq!(known_tools().count(), 16);
}
