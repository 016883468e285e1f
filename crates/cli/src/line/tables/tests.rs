//! The tables of the seed, letter by letter.

use serde_json::json;

use super::*;

#[test]
fn a_granted_request() {
    let told = json!({
        "status": "granted", "message": "Capability granted successfully", "request_id": "req_1", "processing_time": "45ms",
        "capability": {
            "id": "cap_1", "type": "read", "resource": "secret:/db/primary", "actions": ["read", "write"],
            "identity": "app123", "issuer": "aether-vault-agent", "ttl": 300, "max_uses": 100,
            "issued_at": "2024-01-08T10:00:00Z", "expires_at": "2024-01-08T10:05:00Z",
        },
        "policy_result": {
            "decision": "allow", "applied_policies": ["database-access", "app-policy"], "reasoning": "allowed by app-read",
        },
        "issues": [{ "severity": "warning", "message": "the identity is not proven" }],
    });
    let expected = "Capability Request Result:
  Status: granted
  Request ID: req_1
  Processing Time: 45ms

Capability Details:
  ID: cap_1
  Type: read
  Resource: secret:/db/primary
  Actions: read, write
  Identity: app123
  Issuer: aether-vault-agent
  TTL: 300 seconds
  Max Uses: 100
  Issued At: 2024-01-08T10:00:00Z
  Expires At: 2024-01-08T10:05:00Z

Policy Evaluation:
  Decision: allow
  Applied Policies: database-access, app-policy
  Reasoning: allowed by app-read

Issues:
  warning: the identity is not proven
";
    assert_eq!(request(&told), expected);
}

#[test]
fn a_denied_request() {
    let told = json!({
        "status": "denied", "message": "Request denied by policy", "request_id": "req_1", "processing_time": "1ms",
        "policy_result": { "decision": "deny", "applied_policies": [], "reasoning": "no rule matches" }, "issues": [],
    });
    let expected = "Capability Request Result:
  Status: denied
  Message: Request denied by policy
  Request ID: req_1
  Processing Time: 1ms

Policy Evaluation:
  Decision: deny
  Applied Policies:~
  Reasoning: no rule matches
"
    .replace('~', " ");
    assert_eq!(request(&told), expected);
}

#[test]
fn a_validation() {
    let told = json!({
        "valid": false, "validation_time": "12ms",
        "errors": [{ "code": "EXPIRED", "message": "Capability expired at 2024-01-08T10:05:00Z", "field": "expires_at" }],
        "warnings": [{ "code": "USAGE_HIGH", "message": "80 of 100 uses", "field": "used_count" }],
        "context": { "cache_hit": false, "constraints_satisfied": true },
    });
    let expected = "Capability Validation Result:
  Valid: false
  Validation Time: 12ms

Errors:
  EXPIRED: Capability expired at 2024-01-08T10:05:00Z
    Field: expires_at

Warnings:
  USAGE_HIGH: 80 of 100 uses
    Field: used_count

Context:
  cache_hit: false
  constraints_satisfied: true
";
    assert_eq!(validation(&told), expected);
}

#[test]
fn a_list_has_fixed_columns_and_whole_ids() {
    assert_eq!(list(&json!({ "capabilities": [] })), "No capabilities found\n");
    let told = json!({ "capabilities": [
        {
            "id": "cap_0123456789012345678901234567", "type": "read", "resource": "secret:/a/very/long/path/to/a/secret",
            "identity": "an-identity-that-is-long", "expires_at": "2024-01-08T10:05:00Z",
        },
        { "id": "cap_1", "type": "write", "resource": "secret:/db", "identity": "app", "expires_at": "2024-01-08T10:05:00Z" },
    ]});
    let dashes = "-".repeat(110);
    let expected = format!(
        "Found 2 capabilities:\n\n\
         ID                   Type            Resource                       Identity        Expires             \n\
         {dashes}\n\
         cap_0123456789012345678901234567 read            secret:/a/very/long/path/...   an-identit...   2024-01-08 10:05:00 \n\
         cap_1                write           secret:/db                     app             2024-01-08 10:05:00 \n"
    );
    assert_eq!(list(&told), expected);
}

#[test]
fn a_revocation_and_a_status() {
    assert_eq!(
        revoked("cap_1", &json!({ "revoked": 1 }), "Done"),
        "Capability cap_1 revoked successfully\nReason: Done\n"
    );
    let told = json!({
        "version": "0.1.0", "uptime": "2m3s", "connections": 1,
        "capabilities": ["capability-management", "policy-evaluation", "audit-logging", "ipc-server"],
    });
    let expected = "Aether Vault Agent Status:
  Version: 0.1.0
  Uptime: 2m3s
  Connections: 1

Capabilities:
  - capability-management
  - policy-evaluation
  - audit-logging
  - ipc-server
";
    assert_eq!(capability_status(&told), expected);
}

/// What an agent says of itself.
fn told() -> Value {
    json!({
        "running": true, "pid": 12345, "uptime": "2h45m30s", "version": "1.0.0",
        "ipc_server": {
            "socket_path": "/run/vault/agent.sock", "active_connections": 3, "max_connections": 100,
            "uptime": "2h45m30s",
        },
        "capability_engine": {
            "status": "Healthy", "total_capabilities": 127, "active_capabilities": 45, "expired_capabilities": 80,
            "revoked_capabilities": 2, "cache_size": "45/10000", "last_cleanup": "2026-11-30T11:55:00Z",
        },
        "policy_engine": {
            "status": "Healthy", "loaded_policies": 5, "cache_hits": 892, "cache_misses": 45, "cache_hit_rate": "95.2%",
            "last_policy_reload": "2026-11-30T11:00:00Z",
        },
        "audit_system": {
            "status": "Healthy", "total_events": 1247, "buffer_size": 234, "buffer_limit": 1000,
            "last_flush": "2026-11-30T11:57:59Z",
            "log_file": "/run/vault/audit.log", "log_size": "15.2MB",
        },
        "system_resources": {
            "memory_usage": "45.2MB", "cpu_usage": "2.1%", "file_descriptors": "12/1024", "threads": 8, "goroutines": 0,
        },
    })
}

#[test]
fn an_agent_says_everything_that_it_counts() {
    let told = told();
    let expected = "Aether Vault Agent Status:
  Running: true
  PID: 12345
  Uptime: 2h45m30s
  Version: 1.0.0

IPC Server:
  Socket Path: /run/vault/agent.sock
  Active Connections: 3
  Max Connections: 100
  Server Uptime: 2h45m30s

Capability Engine:
  Status: Healthy
  Total Capabilities: 127
  Active Capabilities: 45
  Expired Capabilities: 80
  Revoked Capabilities: 2
  Cache Size: 45/10000
  Last Cleanup: 5m ago

Policy Engine:
  Status: Healthy
  Loaded Policies: 5
  Cache Hits: 892
  Cache Misses: 45
  Cache Hit Rate: 95.2%
  Last Policy Reload: 1h ago

Audit System:
  Status: Healthy
  Total Events: 1,247
  Buffer Size: 234/1000
  Last Flush: 2m ago
  Log File: /run/vault/audit.log
  Log Size: 15.2MB

System Resources:
  Memory Usage: 45.2MB
  CPU Usage: 2.1%
  File Descriptors: 12/1024
  Threads: 8
";
    assert_eq!(agent_status(&told, false, "2026-11-30T12:00:00Z".parse().unwrap()), expected);
}

#[test]
fn text_from_elsewhere_steers_no_terminal() {
    let told =
        json!({ "status": "denied", "message": "\u{1b}[31mred", "request_id": "", "processing_time": null });
    assert_eq!(request(&told), "Capability Request Result:\n  Status: denied\n  Message: \u{fffd}[31mred\n");
}
