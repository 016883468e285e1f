//! Names under which operations are known elsewhere: assistants, runbooks and agents that call tools as `provider.operation`.
//!
//! Here an operation is a thing and what is done with it (`instances.stop`). The other names are kept in this table, so that no
//! file has to be read to find one.

use model::{IntegrationName, OperationName};

/// The operation that is known as `provider.operation`, such as `aws.ec2_stop_instances`; `None` where none is. Names of this
/// catalogue are not in it: `aws.instances.stop` is the integration `aws` and the operation `instances.stop`.
#[must_use]
pub fn known_as(name: &str) -> Option<(IntegrationName, OperationName)> {
    let place = KNOWN.binary_search_by(|(known, ..)| (*known).cmp(name)).ok()?;
    let (_, integration, operation) = KNOWN.get(place)?;
    Some((integration.parse().ok()?, operation.parse().ok()?))
}

/// The operation that a tool router calls by these two words, such as `kubectl` and `rollout-status`.
#[must_use]
pub fn known_tool(tool: &str, action: &str) -> Option<(IntegrationName, OperationName)> {
    let words = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
    };
    let name = format!("{}.{}", words(tool), words(action));
    let name = TOOLS.iter().find(|(known, _)| *known == name).map_or(name.as_str(), |(_, name)| *name);
    known_as(name)
}

/// The tools of such a router, sorted.
pub fn known_tools() -> impl Iterator<Item = (&'static str, Vec<(IntegrationName, OperationName)>)> {
    let mut tools: Vec<&'static str> =
        KNOWN.iter().filter_map(|(name, ..)| name.split_once('.').map(|(tool, _)| tool)).collect();
    tools.dedup();
    tools.into_iter().map(|tool| {
        let of_it = KNOWN
            .iter()
            .filter(move |(name, ..)| name.strip_prefix(tool).is_some_and(|rest| rest.starts_with('.')));
        let named = of_it.filter_map(|(_, integration, operation)| {
            Some((integration.parse().ok()?, operation.parse().ok()?))
        });
        (tool, named.collect())
    })
}

/// Words of such a router that are no names of the table below.
const TOOLS: &[(&str, &str)] = &[
    ("argocd.list", "argocd.app_list"),
    ("argocd.rollback", "argocd.app_rollback"),
    ("argocd.status", "argocd.app_status"),
    ("argocd.sync", "argocd.app_sync"),
    ("argocd.sync_dry_run", "argocd.app_sync_dry_run"),
    ("argocd.sync_preview", "argocd.app_diff"),
    ("argocd.wait", "argocd.app_wait"),
    ("github.pr", "github.pr_create"),
    ("gitlab.mr", "gitlab.mr_create"),
    ("helm.get", "helm.get_values"),
    ("helm.upgrade", "helm.upgrade_install"),
    ("linear.create", "linear.issue_create"),
    ("pagerduty.create", "pagerduty.trigger"),
    ("vault.login_k8s", "vault.login_kubernetes"),
    ("vault.renew", "vault.lease_renew"),
    ("vault.revoke", "vault.lease_revoke"),
];

/// The other name, the integration and its operation, sorted by the other name.
pub(crate) const KNOWN: &[(&str, &str, &str)] = &[
    ("alertmanager.alerts_list", "alertmanager", "alerts.list"),
    ("argocd.app_diff", "argocd", "app.diff"),
    ("argocd.app_list", "argocd", "apps.list"),
    ("argocd.app_rollback", "argocd", "app.rollback"),
    ("argocd.app_status", "argocd", "app.status"),
    ("argocd.app_sync", "argocd", "app.sync"),
    ("argocd.app_sync_dry_run", "argocd", "app.sync_dry_run"),
    ("argocd.app_wait", "argocd", "app.wait"),
    ("argocd.project_token_create", "argocd", "project_token.create"),
    ("argocd.project_token_delete", "argocd", "project_token.delete"),
    ("aws.assume_role", "aws", "role.assume"),
    ("aws.cloudtrail_lookup_events", "aws", "events.lookup"),
    ("aws.cloudwatch_get_metric_data", "aws", "metrics.read"),
    ("aws.cloudwatch_put_metric_alarm", "aws", "alarm.put"),
    ("aws.ec2_reboot_instances", "aws", "instances.reboot"),
    ("aws.ec2_start_instances", "aws", "instances.start"),
    ("aws.ec2_stop_instances", "aws", "instances.stop"),
    ("aws.ec2_terminate_instances", "aws", "instances.terminate"),
    ("aws.eks_update_nodegroup_config", "aws", "nodegroup.update"),
    ("aws.get_caller_identity", "aws", "identity.show"),
    ("aws.iam_attach_role_policy", "aws", "role_policy.attach"),
    ("aws.iam_detach_role_policy", "aws", "role_policy.detach"),
    ("aws.tagging_get_resources", "aws", "resources.list"),
    ("boundary.authenticate", "boundary", "login.password"),
    ("boundary.session_close", "boundary", "sessions.close"),
    ("boundary.session_open", "boundary", "sessions.open"),
    ("boundary.session_read", "boundary", "sessions.show"),
    ("boundary.sessions_list", "boundary", "sessions.list"),
    ("boundary.target_read", "boundary", "targets.show"),
    ("boundary.targets_list", "boundary", "targets.list"),
    ("git.add", "git", "add"),
    ("git.branch", "git", "branch.create"),
    ("git.checkout", "git", "checkout"),
    ("git.commit", "git", "commit"),
    ("git.fetch", "git", "fetch"),
    ("git.merge", "git", "merge"),
    ("git.push", "git", "push"),
    ("git.status", "git", "status"),
    ("github.branch_create", "github", "branches.create"),
    ("github.commit_file", "github", "contents.write"),
    ("github.commit_status", "github", "statuses.create"),
    ("github.pr_create", "github", "pulls.create"),
    ("github.pr_merge", "github", "pulls.merge"),
    ("github.pr_status", "github", "pulls.list"),
    ("github.pr_view", "github", "pulls.show"),
    ("gitlab.branch_create", "gitlab", "branches.create"),
    ("gitlab.commit_files", "gitlab", "commits.create"),
    ("gitlab.commit_status", "gitlab", "statuses.create"),
    ("gitlab.mr_create", "gitlab", "merge_requests.create"),
    ("gitlab.mr_merge", "gitlab", "merge_requests.merge"),
    ("gitlab.mr_status", "gitlab", "merge_requests.list"),
    ("gitlab.mr_view", "gitlab", "merge_requests.show"),
    ("grafana.annotate", "grafana", "annotations.create"),
    ("grafana.annotation_list", "grafana", "annotations.list"),
    ("grafana.dashboard_delete", "grafana", "dashboards.delete"),
    ("grafana.dashboard_get", "grafana", "dashboards.show"),
    ("grafana.dashboard_list", "grafana", "dashboards.search"),
    ("grafana.dashboard_upsert", "grafana", "dashboards.save"),
    ("grafana.datasource_get", "grafana", "datasources.show"),
    ("grafana.datasource_list", "grafana", "datasources.list"),
    ("helm.diff", "helm", "release.diff"),
    ("helm.get_values", "helm", "release.values"),
    ("helm.history", "helm", "release.history"),
    ("helm.list", "helm", "releases.list"),
    ("helm.rollback", "helm", "release.rollback"),
    ("helm.status", "helm", "release.status"),
    ("helm.upgrade_install", "helm", "release.upgrade"),
    ("kubectl.events", "kubernetes", "events.list"),
    ("kubectl.get", "kubernetes", "get"),
    ("kubectl.patch", "kubernetes", "patch"),
    ("kubectl.rollout_restart", "kubernetes", "rollout.restart"),
    ("kubectl.rollout_status", "kubernetes", "rollout.status"),
    ("kubectl.scale", "kubernetes", "scale"),
    ("kubectl.watch", "kubernetes", "watch"),
    ("linear.approval_issues_list", "linear", "issues.by_label"),
    ("linear.comment_create", "linear", "comments.create"),
    ("linear.issue_create", "linear", "issues.create"),
    ("linear.issue_history", "linear", "issues.history"),
    ("linear.issue_update_labels", "linear", "issues.label"),
    ("linear.label_create", "linear", "labels.create"),
    ("linear.label_find", "linear", "labels.find"),
    ("pagerduty.acknowledge", "pagerduty-events", "events.acknowledge"),
    ("pagerduty.incident_lookup", "pagerduty", "incidents.list"),
    ("pagerduty.resolve", "pagerduty-events", "events.resolve"),
    ("pagerduty.trigger", "pagerduty-events", "events.trigger"),
    ("prometheus.query", "prometheus", "query"),
    ("prometheus.query_exemplars", "prometheus", "exemplars.query"),
    ("prometheus.query_range", "prometheus", "query.range"),
    ("prometheus.rules", "prometheus", "rules.list"),
    ("tempo.query", "tempo", "traces.search"),
    ("tempo.trace_by_id", "tempo", "traces.show"),
    ("tempo.traceql", "tempo", "traces.search"),
    ("thanos.query", "thanos", "query"),
    ("thanos.query_range", "thanos", "query.range"),
    ("thanos.rules", "thanos", "rules.list"),
    ("vault.audit_enable", "vault", "audit.enable"),
    ("vault.audit_list", "vault", "audit.list"),
    ("vault.health", "vault", "health"),
    ("vault.kv_list", "vault", "kv.list"),
    ("vault.kv_read", "vault", "kv.read"),
    ("vault.kv_write", "vault", "kv.write"),
    ("vault.lease_lookup", "vault", "lease.show"),
    ("vault.lease_renew", "vault", "lease.renew"),
    ("vault.lease_revoke", "vault", "lease.revoke"),
    ("vault.login_approle", "vault", "login.approle"),
    ("vault.login_kubernetes", "vault", "login.kubernetes"),
    ("vault.rotate_static_role", "vault", "static_role.rotate"),
    ("vault.token_renew", "vault", "token.renew"),
];

#[cfg(test)]
mod tests;
