"""Where each operation is. Made of docs/reference/openapi.json by generate.py; changes here are lost."""

from typing import NamedTuple


class Operation(NamedTuple):
    """A method on a path, and what it takes where."""

    method: str
    path: str
    query: tuple[str, ...]
    head: tuple[str, ...]
    body: tuple[str, ...]


OPERATIONS: dict[str, Operation] = {
    "index": Operation("GET", "/v1", (), (), ()),
    "getOpenApi": Operation("GET", "/v1/openapi.json", (), (), ()),
    "getStatus": Operation("GET", "/v1/status", (), (), ()),
    "getMetrics": Operation("GET", "/v1/metrics", (), (), ()),
    "listRoles": Operation("GET", "/v1/roles", ("q", "limit", "cursor"), (), ()),
    "grantRole": Operation("PUT", "/v1/roles/{principal}/{role}", (), (), ("kind",)),
    "revokeRole": Operation("DELETE", "/v1/roles/{principal}/{role}", (), (), ()),
    "listWaysToSignIn": Operation("GET", "/v1/session/ways", (), (), ()),
    "signIn": Operation("POST", "/v1/session", (), (), ("code", "key")),
    "getSession": Operation("GET", "/v1/session", (), (), ()),
    "signOut": Operation("DELETE", "/v1/session", (), (), ()),
    "listTenants": Operation("GET", "/v1/tenants", ("status", "q", "limit", "cursor"), (), ()),
    "createTenant": Operation("POST", "/v1/tenants", (), ("Idempotency-Key",), ("name", "plan")),
    "getTenant": Operation("GET", "/v1/tenants/{tenant}", (), (), ()),
    "eraseTenant": Operation("DELETE", "/v1/tenants/{tenant}", ("confirm",), ("If-Match",), ()),
    "listKeys": Operation("GET", "/v1/tenants/{tenant}/keys", ("state", "limit", "cursor"), (), ()),
    "createKey": Operation("POST", "/v1/tenants/{tenant}/keys", (), ("Idempotency-Key",), ("label", "scopes", "expires")),
    "rotateKey": Operation("POST", "/v1/tenants/{tenant}/keys/{id}:rotate", (), ("Idempotency-Key",), ("overlap", "expires")),
    "revokeKey": Operation("DELETE", "/v1/tenants/{tenant}/keys/{id}", (), (), ()),
    "listCredentials": Operation("GET", "/v1/tenants/{tenant}/credentials", ("status", "limit", "cursor"), (), ()),
    "getCredential": Operation("GET", "/v1/tenants/{tenant}/credentials/{provider}", (), (), ()),
    "setUpCredential": Operation("PUT", "/v1/tenants/{tenant}/credentials/{provider}", (), (), ("credential", "name", "metadata", "skip_validation")),
    "updateCredential": Operation("PATCH", "/v1/tenants/{tenant}/credentials/{provider}", (), (), ("credential", "name", "metadata", "skip_validation")),
    "deleteCredential": Operation("DELETE", "/v1/tenants/{tenant}/credentials/{provider}", (), (), ()),
    "validateCredential": Operation("POST", "/v1/tenants/{tenant}/credentials/{provider}:validate", (), ("Idempotency-Key",), ()),
    "listProviders": Operation("GET", "/v1/providers", ("group", "limit", "cursor"), (), ()),
    "getProvider": Operation("GET", "/v1/providers/{provider}", (), (), ()),
    "listIntegrations": Operation("GET", "/v1/integrations", ("ready", "kind", "q", "limit", "cursor"), (), ()),
    "getIntegration": Operation("GET", "/v1/integrations/{name}", (), (), ()),
    "listSecrets": Operation("GET", "/v1/secrets", ("q", "limit", "cursor"), (), ()),
    "putSecret": Operation("PUT", "/v1/secrets/{name}", (), (), ("value", "disclosable")),
    "forgetSecret": Operation("DELETE", "/v1/secrets/{name}", (), (), ()),
    "rotateSecret": Operation("POST", "/v1/secrets/{name}:rotate", (), ("Idempotency-Key",), ("value", "overlap")),
    "listCapabilities": Operation("GET", "/v1/capabilities", ("holder", "state", "limit", "cursor"), (), ()),
    "createCapability": Operation("POST", "/v1/capabilities", (), ("Idempotency-Key",), ("for", "integrations", "operations", "access", "resources", "paths", "hosts", "methods", "expires", "uses", "rate", "cidr", "hours", "environment", "purpose", "not_before", "approval", "label")),
    "checkCapability": Operation("POST", "/v1/capabilities:check", (), ("Idempotency-Key",), ("capability",)),
    "narrowCapability": Operation("POST", "/v1/capabilities:narrow", (), ("Idempotency-Key",), ("capability", "integrations", "operations", "access", "resources", "paths", "hosts", "methods", "expires", "uses", "rate", "cidr", "hours", "environment", "purpose", "not_before", "approval")),
    "revokeCapability": Operation("DELETE", "/v1/capabilities/{id}", (), (), ()),
    "listPolicies": Operation("GET", "/v1/policies", ("q", "limit", "cursor"), (), ()),
    "getPolicy": Operation("GET", "/v1/policies/{name}", (), (), ()),
    "putPolicy": Operation("PUT", "/v1/policies/{name}", (), ("If-Match",), ("text",)),
    "forgetPolicy": Operation("DELETE", "/v1/policies/{name}", (), ("If-Match",), ()),
    "checkPolicy": Operation("POST", "/v1/policies:check", (), ("Idempotency-Key",), ("name", "text")),
    "explainPolicy": Operation("POST", "/v1/policies:explain", (), ("Idempotency-Key",), ("for", "operation", "resource", "roles")),
    "listApprovals": Operation("GET", "/v1/approvals", ("state", "limit", "cursor"), (), ()),
    "getApproval": Operation("GET", "/v1/approvals/{id}", (), (), ()),
    "approve": Operation("POST", "/v1/approvals/{id}:approve", (), ("If-Match", "Idempotency-Key"), ("digest", "reason")),
    "deny": Operation("POST", "/v1/approvals/{id}:deny", (), ("If-Match", "Idempotency-Key"), ("digest", "reason")),
    "listPlans": Operation("GET", "/v1/plans", ("state", "limit", "cursor"), (), ()),
    "createPlan": Operation("POST", "/v1/plans", (), ("Idempotency-Key",), ("plan", "parameters")),
    "getPlan": Operation("GET", "/v1/plans/{id}", (), (), ()),
    "approvePlan": Operation("POST", "/v1/plans/{id}:approve", (), ("If-Match", "Idempotency-Key"), ("digest", "reason")),
    "denyPlan": Operation("POST", "/v1/plans/{id}:deny", (), ("If-Match", "Idempotency-Key"), ("digest", "reason")),
    "cancelPlan": Operation("POST", "/v1/plans/{id}:cancel", (), ("If-Match", "Idempotency-Key"), ()),
    "checkPlan": Operation("POST", "/v1/plans:check", (), ("Idempotency-Key",), ("plan", "parameters")),
    "runPlan": Operation("POST", "/v1/plans/{id}:run", (), ("Idempotency-Key",), ("digest",)),
    "resumePlan": Operation("POST", "/v1/plans/{id}:resume", (), ("Idempotency-Key",), ("step", "outcome")),
    "listEvidence": Operation("GET", "/v1/evidence", ("since", "until", "principal", "integration", "operation", "result", "door", "q", "tenant", "limit", "cursor"), (), ()),
    "getEvidence": Operation("GET", "/v1/evidence/{id}", ("tenant",), (), ()),
    "listCheckpoints": Operation("GET", "/v1/checkpoints", ("limit", "cursor"), (), ()),
    "getCheckpoint": Operation("GET", "/v1/checkpoints/{number}", ("tenant",), (), ()),
    "verifyEvidence": Operation("POST", "/v1/evidence:verify", ("tenant",), ("Idempotency-Key",), ()),
    "exportEvidence": Operation("GET", "/v1/evidence:export", ("tenant",), (), ()),
    "listWebhooks": Operation("GET", "/v1/webhooks", ("limit", "cursor"), (), ()),
    "createWebhook": Operation("POST", "/v1/webhooks", (), ("Idempotency-Key",), ("url", "events", "label")),
    "getWebhook": Operation("GET", "/v1/webhooks/{id}", (), (), ()),
    "forgetWebhook": Operation("DELETE", "/v1/webhooks/{id}", (), ("If-Match",), ()),
    "rotateWebhook": Operation("POST", "/v1/webhooks/{id}:rotate", (), ("Idempotency-Key",), ("overlap",)),
    "enableWebhook": Operation("POST", "/v1/webhooks/{id}:enable", (), ("If-Match", "Idempotency-Key"), ()),
    "testWebhook": Operation("POST", "/v1/webhooks/{id}:test", (), ("Idempotency-Key",), ()),
    "listDeliveries": Operation("GET", "/v1/webhooks/{id}/deliveries", ("state", "event", "limit", "cursor"), (), ()),
    "redeliver": Operation("POST", "/v1/webhooks/{id}/deliveries/{delivery}:redeliver", (), ("Idempotency-Key",), ()),
}
