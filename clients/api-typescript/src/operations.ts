// Made of docs/reference/openapi.json by generate.mjs; changes here are lost.
/* eslint-disable */

export type Name = string;
export type Texts = Array<string>;
export type Flag = boolean;
export type Count = number;
/** Problem details (RFC 9457). */
export type Problem = { type: string; title: string; status: number; detail: string; code: string; fault: "caller" | "operator" | "upstream"; retry: "no" | "safe" | "after"; retry_after?: number; hint?: string; approval?: string; evidence?: string; errors?: Array<{ field?: string | null; message: string; name?: string | null; line?: number | null; column?: number | null }> };
export type Index = { openapi: string; version: string };
export type Document = Record<string, unknown>;
export type Status = { state: "unsealed" | "sealed"; version: string; tenant: string; environment: string | null; integrations: number; policy_version: string; evidence: { open_intents: number; public_key: string; verifier_key: string }; left_alone: Array<unknown>; warnings: Array<string>; waiting: { approvals: number; plans: number } };
export type Metrics = { families: Array<{ name: string; kind: string; help: string; samples: Array<{ name: string; labels: Record<string, string>; value: number | null }> }> };
export type Principal = { principal: string; kind: string; roles: Array<string>; changed: string };
export type KnownRoles = Array<{ role: string; about: string }>;
export type Ways = { link: boolean; key: boolean; oidc: { title: string; url: string } | null };
export type Session = { principal: string; subject: string | null; kind: string | null; tenant: string; house: boolean; roles: Array<string>; how: string; csrf: string | null; created: string | null; expires: string | null; idle: string | null };
export type Tenant = { name: string; status: "active" | "erased"; plan: string; providers: number | null; keys: number; created: string; erased: string | null };
export type Key = { id: string; state: "active" | "expired" | "revoked"; label: string | null; scopes: Array<string>; created: string; expires: string | null; revoked: string | null; by: string };
export type NewKey = { key: string; id: string; tenant: string; scopes: Array<string>; label: string | null; created: string; expires: string | null };
export type RevokedKey = { id: string; tenant: string; state: "revoked" };
export type Credential = { provider: string; status: "NOT_CONFIGURED" | "PENDING" | "VALID" | "INVALID" | "EXPIRED"; name: string | null; validated: string | null; error: string | null; created: string | null; metadata: Record<string, unknown> | null };
export type SurveyedCredential = { at: string; tenant: string; provider: string; status: "PENDING" | "VALID" | "INVALID" | "EXPIRED"; connected: boolean; name: string | null; validated: string | null; error: string | null; created: string };
export type SetUp = { provider: string; valid: boolean; status: "VALID" | "INVALID" | "PENDING" | "FAILED" | "NOT_CONFIGURED" | "EXPIRED"; id: string | null; error: string | null; message: string };
export type Deleted = { provider: string; message: string };
export type Provider = { provider: string; name: string | null; title: string; label: string; group: "genai" | "cloud"; kind: string; aliases: Array<string>; integration: string | null; validated: boolean; help: string; bounds: { min: number; max: number }; file: boolean; forms: Array<{ name: string; title: string; fields: Array<{ name: string; label: string; kind: "secret" | "text" | "multiline"; required: boolean; prefixes: Array<string>; pattern: string | null; min: number; max: number | null }> }>; metadata: Array<{ name: string; label: string; required: boolean; min: number; max: number | null; pattern: string | null }> };
export type Integration = { name: string; kind?: string; title?: string | null; upstream?: string | null; operations?: number; ready: boolean; missing: Array<string> };
export type IntegrationDetails = { name: string; kind: string; title: string | null; docs: string | null; upstream: string | null; base_path: string | null; hosts: unknown; secrets: Array<{ field: string; title: string | null; reference: string }>; presets: Array<{ name: string; title: string | null; params: Array<string> }>; operations: Array<{ name: string; title: string; access: "read" | "write"; risk: "low" | "medium" | "high"; method: string | null; inputs: Array<string>; scopes: unknown; evidence: Array<unknown>; docs: string | null }>; dangerous_allow_private: boolean; tls_insecure_skip_verify: boolean };
export type Secret = { name: string };
export type StoredSecret = { name: string; reference: string; version: number; created: string };
export type Forgotten = { name: string; state: "forgotten" };
export type Grant = { grant: string; for: string; state: "active" | "expired" | "revoked" | "suspended"; created: string; expires: string | null; caveats: Array<string>; label: string | null; giver: string | null };
export type NewCapability = { token: string; grant: string; capability: string; for: string; expires: string; caveats: Array<string> };
export type CheckedCapability = { valid: boolean; state: "active" | "expired" | "revoked" | "suspended"; grant: string; for: string; blocks: Array<{ capability: string; caveats: Array<string> }> };
export type NarrowedCapability = { token: string; capability: string; caveats: Array<string> };
export type Revoked = { id: string; state: "revoked" };
export type Rules = Array<{ id: string; place: string }>;
export type Policy = { name: string; changed: string; text: string };
export type WrittenPolicy = { name: string; version: string; warnings: Array<string> };
export type CheckedPolicy = { valid: boolean; warnings: Array<string>; errors: Array<{ name: string | null; line: number | null; column: number | null; message: string }> };
export type Explanation = { answer: string; reason: string; policies: Array<{ id: string; place: string; effect: string; description: string | null }>; errors: Array<string>; approval: boolean; approvers: number; version: string };
export type Approval = { id: string; state: "pending" | "approved" | "denied" | "expired" | "used"; for: string; operation: string; resource: string; risk: "low" | "medium" | "high"; break_glass: string | null; asked: string; expires: string; decided_by: string | null; reason: string | null; approvers: number; agreed: Array<string> };
export type ApprovalDetails = { id: string; state: string; digest: string; principal: string; subject: string | null; grant: string | null; door: string; purpose: string | null; break_glass: string | null; what: Record<string, unknown>; policies: Array<string>; policy: string; asked: string; expires: string; evidence: string; decided: Record<string, unknown> | null; approvers: number; agreed: Array<Record<string, unknown>> };
export type Plan = { id: string; state: string; summary: string; risk: "low" | "medium" | "high"; digest: string; by: string; created: string; expires: string; why: string | null; decided_by: string | null; run_by: string | null; ended: string | null; approvers: number; agreed: Array<string> };
export type PlanTold = { id: string; state: string; summary: string; risk: "low" | "medium" | "high"; digest: string; by: string; created: string; expires: string; why: string | null; decided_by: string | null; run_by: string | null; ended: string | null; steps: Array<Record<string, unknown>>; approvers: number; agreed: Array<string> };
export type PlanDetails = { id: string; state: string; digest: string; plan: Record<string, unknown> };
export type EvidenceLine = { seq: number; time: string; id?: string; principal?: string | null; proof?: string; door?: string; grant?: string | null; purpose?: string | null; integration?: string; operation?: string; access?: string; resource?: string; method?: string | null; path?: string | null; result?: string; status?: number | null; code?: string | null; duration_us?: number; fields?: Record<string, unknown>; event?: string };
export type EvidenceProof = { records: Array<{ leaf: string; text: unknown; path: Array<string> | null }>; checkpoint: { note: string; head: { tenant: string; nth: number; size: number; root: string; last: string }; place: unknown; path: Array<string> } | null };
export type Verified = { verified: boolean; records?: number; checkpoints?: number; signed_until?: string | null; unsigned?: number; open?: number; finding?: string };
export type Webhook = { id: string; url: string; events: Array<string>; label: string | null; state: "active" | "disabled"; created: string; by: string; given_up: number; former_until: string | null };
export type MadeWebhook = { id: string; url: string; events: Array<string>; label: string | null; state: "active" | "disabled"; created: string; by: string; given_up: number; former_until: string | null; secret: string };
export type Delivery = { id: string; event: string; at: string; state: "waiting" | "delivered" | "dead"; next: string | null; body: Record<string, unknown>; tries: Array<{ at: string; evidence: string; status: number | null; error: string | null; took_ms: number }> };
export type Checkpoint = { number: number; time: string; origin: string; heads: number; root: string; previous: string; note: string };
export type CheckpointWithHead = { number: number; time: string; origin: string; heads: number; root: string; previous: string; note: string; head: { note: string; head: { tenant: string; nth: number; size: number; root: string; last: string }; place: unknown; path: Array<string> } | null };
export type CheckedPlan = { digest: string; risk: "low" | "medium" | "high"; plan: Record<string, unknown> };
export type ListRoles = { items: Array<Principal>; next: string | null; total: number; known: KnownRoles };
export type ListTenants = { items: Array<Tenant>; next: string | null; total: number };
export type ListKeys = { items: Array<Key>; next: string | null; total: number; tenant: Name };
export type ListCredentials = { items: Array<Credential>; next: string | null; total: number; tenant: Name; configured: Texts; all_valid: Flag };
export type SurveyCredentials = { items: Array<SurveyedCredential>; next: string | null; total: number; tenants: Count; configured: Count; connected: Count };
export type ListProviders = { items: Array<Provider>; next: string | null; total: number };
export type ListIntegrations = { items: Array<Integration>; next: string | null; total: number };
export type ListSecrets = { items: Array<Secret>; next: string | null; total: number };
export type ListCapabilities = { items: Array<Grant>; next: string | null; total: number };
export type ListPolicies = { items: Array<Policy>; next: string | null; total: number; version: Name; rules: Rules; warnings: Texts };
export type ListApprovals = { items: Array<Approval>; next: string | null; total: number };
export type ListPlans = { items: Array<Plan>; next: string | null; total: number };
export type ListEvidence = { items: Array<EvidenceLine>; next: string | null };
export type ListCheckpoints = { items: Array<Checkpoint>; next: string | null };
export type ListWebhooks = { items: Array<Webhook>; next: string | null; total: number; known: Texts };
export type ListDeliveries = { items: Array<Delivery>; next: string | null; total: number };

/** What each operation takes and gives. */
export interface Operations {
  /** What there is. */
  index: { takes: Record<string, never>; gives: Index };
  /** This document. */
  getOpenApi: { takes: Record<string, never>; gives: Document };
  /** How the broker is, and what waits for somebody. */
  getStatus: { takes: Record<string, never>; gives: Status };
  /** The counters of the broker. */
  getMetrics: { takes: Record<string, never>; gives: Metrics };
  /** Principals and their roles. */
  listRoles: { takes: { q?: string; limit?: number; cursor?: string }; gives: ListRoles };
  /** Give a principal a role. */
  grantRole: { takes: { principal: string; role: string; kind?: "person" | "service" | "workload" | "agent" }; gives: Principal };
  /** Take a role back from a principal. */
  revokeRole: { takes: { principal: string; role: string }; gives: Principal };
  /** How one can sign in. */
  listWaysToSignIn: { takes: Record<string, never>; gives: Ways };
  /** Begin a session, with the code of a link or a key of the API. */
  signIn: { takes: { code?: string | Record<string, unknown>; key?: string | Record<string, unknown> }; gives: Session };
  /** Who you are. */
  getSession: { takes: Record<string, never>; gives: Session };
  /** End your session. */
  signOut: { takes: Record<string, never>; gives: void };
  /** All tenants. */
  listTenants: { takes: { status?: "active" | "erased"; q?: string; limit?: number; cursor?: string }; gives: ListTenants };
  /** Make a tenant. */
  createTenant: { takes: { "Idempotency-Key"?: string; name: string; plan?: "STARTER" | "PROFESSIONAL" | "SCALE" | "ENTERPRISE" }; gives: Tenant };
  /** One tenant. */
  getTenant: { takes: { tenant: string }; gives: Tenant };
  /** Destroy the keys of a tenant: nothing that was stored for it can be read again; its evidence stays. */
  eraseTenant: { takes: { "If-Match"?: string; tenant: string; confirm: string }; gives: Tenant };
  /** The keys of the API of a tenant. */
  listKeys: { takes: { tenant: string; state?: "active" | "expired" | "revoked"; limit?: number; cursor?: string }; gives: ListKeys };
  /** Make a key; it is shown once. */
  createKey: { takes: { tenant: string; "Idempotency-Key"?: string; label?: string; scopes?: Array<string>; expires?: string }; gives: NewKey };
  /** Make the next key in place of one; it is shown once. */
  rotateKey: { takes: { tenant: string; id: string; "Idempotency-Key"?: string; overlap?: string; expires?: string }; gives: NewKey };
  /** Revoke a key, and the sessions that began with it. */
  revokeKey: { takes: { tenant: string; id: string }; gives: RevokedKey };
  /** One item a provider, also where nothing is configured. */
  listCredentials: { takes: { tenant: string; status?: "NOT_CONFIGURED" | "PENDING" | "VALID" | "INVALID" | "EXPIRED"; limit?: number; cursor?: string }; gives: ListCredentials };
  /** The credentials that all tenants use, those of the first 1000 active ones; beside them, how many there are. */
  surveyCredentials: { takes: { status?: "PENDING" | "VALID" | "INVALID" | "EXPIRED"; connected?: boolean; q?: string; limit?: number; cursor?: string }; gives: SurveyCredentials };
  /** The credential for a provider. */
  getCredential: { takes: { tenant: string; provider: string }; gives: Credential };
  /** Set up a credential, and ask the provider whether it works. */
  setUpCredential: { takes: { "If-Match"?: string; "If-None-Match"?: "*"; tenant: string; provider: string; credential: string | Record<string, unknown>; name?: string; metadata?: Record<string, unknown>; skip_validation?: boolean }; gives: SetUp };
  /** Change what stands beside a credential, or put another one in its place. */
  updateCredential: { takes: { "If-Match"?: string; tenant: string; provider: string; credential?: string | Record<string, unknown>; name?: string; metadata?: Record<string, unknown>; skip_validation?: boolean }; gives: SetUp };
  /** Remove the bytes of a credential; the evidence stays. */
  deleteCredential: { takes: { "If-Match"?: string; tenant: string; provider: string }; gives: Deleted };
  /** Ask the provider whether the credential works. */
  validateCredential: { takes: { "If-Match"?: string; tenant: string; provider: string; "Idempotency-Key"?: string }; gives: SetUp };
  /** Providers for which a tenant may keep a credential, with the fields of a form. */
  listProviders: { takes: { group?: "genai" | "cloud"; limit?: number; cursor?: string }; gives: ListProviders };
  /** One provider. */
  getProvider: { takes: { provider: string }; gives: Provider };
  /** The catalogue. */
  listIntegrations: { takes: { ready?: boolean; kind?: string; q?: string; limit?: number; cursor?: string }; gives: ListIntegrations };
  /** One integration with its operations. */
  getIntegration: { takes: { name: string }; gives: IntegrationDetails };
  /** The names of secrets; never what they are. */
  listSecrets: { takes: { q?: string; limit?: number; cursor?: string }; gives: ListSecrets };
  /** Store a secret. */
  putSecret: { takes: { name: string; value: string | Record<string, unknown>; disclosable?: boolean }; gives: StoredSecret };
  /** Forget a secret. */
  forgetSecret: { takes: { name: string }; gives: Forgotten };
  /** Replace a secret. */
  rotateSecret: { takes: { name: string; "Idempotency-Key"?: string; value: string | Record<string, unknown>; overlap?: string }; gives: StoredSecret };
  /** Grants, and who holds them. */
  listCapabilities: { takes: { holder?: string; state?: "active" | "expired" | "revoked" | "suspended"; limit?: number; cursor?: string }; gives: ListCapabilities };
  /** Make a capability; it is shown once. */
  createCapability: { takes: { "Idempotency-Key"?: string; for: string; integrations?: Array<string>; operations?: Array<string>; access?: "read" | "write"; resources?: Array<string>; paths?: Array<string>; hosts?: Array<string>; methods?: Array<string>; expires?: string; uses?: number; rate?: string; cidr?: Array<string>; hours?: string; environment?: string; purpose?: string; not_before?: string; approval?: "all" | "writes"; label?: string }; gives: NewCapability };
  /** What a capability is, and whether it stands; costs no use. */
  checkCapability: { takes: { "Idempotency-Key"?: string; capability: string | Record<string, unknown> }; gives: CheckedCapability };
  /** Make a capability that is less; it is shown once. */
  narrowCapability: { takes: { "Idempotency-Key"?: string; capability: string | Record<string, unknown>; integrations?: Array<string>; operations?: Array<string>; access?: "read" | "write"; resources?: Array<string>; paths?: Array<string>; hosts?: Array<string>; methods?: Array<string>; expires?: string; uses?: number; rate?: string; cidr?: Array<string>; hours?: string; environment?: string; purpose?: string; not_before?: string; approval?: "all" | "writes" }; gives: NarrowedCapability };
  /** Revoke a grant with all below it, or a narrowing with all below that. */
  revokeCapability: { takes: { id: string }; gives: Revoked };
  /** The policies that were written, and the rules in force. */
  listPolicies: { takes: { q?: string; limit?: number; cursor?: string }; gives: ListPolicies };
  /** One policy. */
  getPolicy: { takes: { name: string }; gives: Policy };
  /** Write a policy; it holds at once. */
  putPolicy: { takes: { "If-Match"?: string; name: string; text: string }; gives: WrittenPolicy };
  /** Forget a policy. */
  forgetPolicy: { takes: { "If-Match"?: string; name: string }; gives: Forgotten };
  /** Whether the set would compile with this policy; nothing is written. */
  checkPolicy: { takes: { "Idempotency-Key"?: string; name: string; text: string }; gives: CheckedPolicy };
  /** What would be decided, and by which rules. */
  explainPolicy: { takes: { "Idempotency-Key"?: string; for?: string; operation: string; resource?: string; roles?: Array<string> }; gives: Explanation };
  /** What waits for an answer. */
  listApprovals: { takes: { state?: "all" | "pending" | "approved" | "denied" | "expired" | "used"; limit?: number; cursor?: string }; gives: ListApprovals };
  /** Exactly what would be done. */
  getApproval: { takes: { id: string }; gives: ApprovalDetails };
  /** Approve exactly what was shown. */
  approve: { takes: { id: string; "If-Match"?: string; "Idempotency-Key"?: string; digest: string; reason?: string }; gives: Approval };
  /** Deny it. */
  deny: { takes: { id: string; "If-Match"?: string; "Idempotency-Key"?: string; digest: string; reason?: string }; gives: Approval };
  /** Plans and how far they got. */
  listPlans: { takes: { state?: string; limit?: number; cursor?: string }; gives: ListPlans };
  /** Propose a plan; somebody else approves it. */
  createPlan: { takes: { "Idempotency-Key"?: string; plan: string; parameters?: Record<string, unknown> }; gives: PlanTold };
  /** One plan with its steps. */
  getPlan: { takes: { id: string }; gives: PlanDetails };
  /** Approve a plan. */
  approvePlan: { takes: { id: string; "If-Match"?: string; "Idempotency-Key"?: string; digest: string; reason?: string }; gives: PlanTold };
  /** Deny a plan. */
  denyPlan: { takes: { id: string; "If-Match"?: string; "Idempotency-Key"?: string; digest: string; reason?: string }; gives: PlanTold };
  /** End a plan. */
  cancelPlan: { takes: { "If-Match"?: string; id: string; "Idempotency-Key"?: string }; gives: PlanTold };
  /** What a plan would be; nothing is stored. */
  checkPlan: { takes: { "Idempotency-Key"?: string; plan: string; parameters?: Record<string, unknown> }; gives: CheckedPlan };
  /** Run an approved plan, once, to its end. */
  runPlan: { takes: { id: string; "Idempotency-Key"?: string; digest?: string }; gives: PlanTold };
  /** Go on with a plan that was broken off. */
  resumePlan: { takes: { id: string; "Idempotency-Key"?: string; step?: string; outcome?: "done" | "failed" }; gives: PlanTold };
  /** Who did what, and what came of it; the newest first. */
  listEvidence: { takes: { since?: string; until?: string; principal?: string; integration?: string; operation?: string; result?: "done" | "failed" | "unknown" | "abandoned" | "refused" | "open"; door?: string; q?: string; tenant?: string; limit?: number; cursor?: string }; gives: ListEvidence };
  /** One call with its records and their proof. */
  getEvidence: { takes: { id: string; tenant?: string }; gives: EvidenceProof };
  /** The signed checkpoints, the newest first. */
  listCheckpoints: { takes: { limit?: number; cursor?: string }; gives: ListCheckpoints };
  /** One of them; the latest with the proof of what it says of your tenant. */
  getCheckpoint: { takes: { number: string; tenant?: string }; gives: CheckpointWithHead };
  /** Verify the whole chain. */
  verifyEvidence: { takes: { tenant?: string; "Idempotency-Key"?: string }; gives: Verified };
  /** The whole chain as lines that verify offline. */
  exportEvidence: { takes: { tenant?: string }; gives: string };
  /** Who is told of what. */
  listWebhooks: { takes: { limit?: number; cursor?: string }; gives: ListWebhooks };
  /** Have somebody told; the answer has the signing key, once. */
  createWebhook: { takes: { "Idempotency-Key"?: string; url: string; events?: Array<string>; label?: string }; gives: MadeWebhook };
  /** One of them. */
  getWebhook: { takes: { id: string }; gives: Webhook };
  /** Tell it nothing any more, also not what it was not told yet. */
  forgetWebhook: { takes: { "If-Match"?: string; id: string }; gives: Forgotten };
  /** A new signing key, once; the former one signs beside it for a day, or as long as is said. */
  rotateWebhook: { takes: { id: string; "Idempotency-Key"?: string; overlap?: string }; gives: MadeWebhook };
  /** Tell it again, from where it was switched off. */
  enableWebhook: { takes: { "If-Match"?: string; id: string; "Idempotency-Key"?: string }; gives: Webhook };
  /** Tell it something that it can forget, at once. */
  testWebhook: { takes: { id: string; "Idempotency-Key"?: string }; gives: Delivery };
  /** What it was told and is to be told, and how that went. */
  listDeliveries: { takes: { id: string; state?: "waiting" | "delivered" | "dead"; event?: string; limit?: number; cursor?: string }; gives: ListDeliveries };
  /** Tell it this once more, with the same id. */
  redeliver: { takes: { id: string; delivery: string; "Idempotency-Key"?: string }; gives: Delivery };
}

/** Where each operation is. */
export const OPERATIONS: {
  readonly [name in keyof Operations]: { method: string; path: string; query: string[]; head: string[] };
} = {
  index: {"method":"GET","path":"/v1","query":[],"head":[]},
  getOpenApi: {"method":"GET","path":"/v1/openapi.json","query":[],"head":[]},
  getStatus: {"method":"GET","path":"/v1/status","query":[],"head":[]},
  getMetrics: {"method":"GET","path":"/v1/metrics","query":[],"head":[]},
  listRoles: {"method":"GET","path":"/v1/roles","query":["q","limit","cursor"],"head":[]},
  grantRole: {"method":"PUT","path":"/v1/roles/{principal}/{role}","query":[],"head":[]},
  revokeRole: {"method":"DELETE","path":"/v1/roles/{principal}/{role}","query":[],"head":[]},
  listWaysToSignIn: {"method":"GET","path":"/v1/session/ways","query":[],"head":[]},
  signIn: {"method":"POST","path":"/v1/session","query":[],"head":[]},
  getSession: {"method":"GET","path":"/v1/session","query":[],"head":[]},
  signOut: {"method":"DELETE","path":"/v1/session","query":[],"head":[]},
  listTenants: {"method":"GET","path":"/v1/tenants","query":["status","q","limit","cursor"],"head":[]},
  createTenant: {"method":"POST","path":"/v1/tenants","query":[],"head":["Idempotency-Key"]},
  getTenant: {"method":"GET","path":"/v1/tenants/{tenant}","query":[],"head":[]},
  eraseTenant: {"method":"DELETE","path":"/v1/tenants/{tenant}","query":["confirm"],"head":["If-Match"]},
  listKeys: {"method":"GET","path":"/v1/tenants/{tenant}/keys","query":["state","limit","cursor"],"head":[]},
  createKey: {"method":"POST","path":"/v1/tenants/{tenant}/keys","query":[],"head":["Idempotency-Key"]},
  rotateKey: {"method":"POST","path":"/v1/tenants/{tenant}/keys/{id}:rotate","query":[],"head":["Idempotency-Key"]},
  revokeKey: {"method":"DELETE","path":"/v1/tenants/{tenant}/keys/{id}","query":[],"head":[]},
  listCredentials: {"method":"GET","path":"/v1/tenants/{tenant}/credentials","query":["status","limit","cursor"],"head":[]},
  surveyCredentials: {"method":"GET","path":"/v1/credentials","query":["status","connected","q","limit","cursor"],"head":[]},
  getCredential: {"method":"GET","path":"/v1/tenants/{tenant}/credentials/{provider}","query":[],"head":[]},
  setUpCredential: {"method":"PUT","path":"/v1/tenants/{tenant}/credentials/{provider}","query":[],"head":["If-Match","If-None-Match"]},
  updateCredential: {"method":"PATCH","path":"/v1/tenants/{tenant}/credentials/{provider}","query":[],"head":["If-Match"]},
  deleteCredential: {"method":"DELETE","path":"/v1/tenants/{tenant}/credentials/{provider}","query":[],"head":["If-Match"]},
  validateCredential: {"method":"POST","path":"/v1/tenants/{tenant}/credentials/{provider}:validate","query":[],"head":["If-Match","Idempotency-Key"]},
  listProviders: {"method":"GET","path":"/v1/providers","query":["group","limit","cursor"],"head":[]},
  getProvider: {"method":"GET","path":"/v1/providers/{provider}","query":[],"head":[]},
  listIntegrations: {"method":"GET","path":"/v1/integrations","query":["ready","kind","q","limit","cursor"],"head":[]},
  getIntegration: {"method":"GET","path":"/v1/integrations/{name}","query":[],"head":[]},
  listSecrets: {"method":"GET","path":"/v1/secrets","query":["q","limit","cursor"],"head":[]},
  putSecret: {"method":"PUT","path":"/v1/secrets/{name}","query":[],"head":[]},
  forgetSecret: {"method":"DELETE","path":"/v1/secrets/{name}","query":[],"head":[]},
  rotateSecret: {"method":"POST","path":"/v1/secrets/{name}:rotate","query":[],"head":["Idempotency-Key"]},
  listCapabilities: {"method":"GET","path":"/v1/capabilities","query":["holder","state","limit","cursor"],"head":[]},
  createCapability: {"method":"POST","path":"/v1/capabilities","query":[],"head":["Idempotency-Key"]},
  checkCapability: {"method":"POST","path":"/v1/capabilities:check","query":[],"head":["Idempotency-Key"]},
  narrowCapability: {"method":"POST","path":"/v1/capabilities:narrow","query":[],"head":["Idempotency-Key"]},
  revokeCapability: {"method":"DELETE","path":"/v1/capabilities/{id}","query":[],"head":[]},
  listPolicies: {"method":"GET","path":"/v1/policies","query":["q","limit","cursor"],"head":[]},
  getPolicy: {"method":"GET","path":"/v1/policies/{name}","query":[],"head":[]},
  putPolicy: {"method":"PUT","path":"/v1/policies/{name}","query":[],"head":["If-Match"]},
  forgetPolicy: {"method":"DELETE","path":"/v1/policies/{name}","query":[],"head":["If-Match"]},
  checkPolicy: {"method":"POST","path":"/v1/policies:check","query":[],"head":["Idempotency-Key"]},
  explainPolicy: {"method":"POST","path":"/v1/policies:explain","query":[],"head":["Idempotency-Key"]},
  listApprovals: {"method":"GET","path":"/v1/approvals","query":["state","limit","cursor"],"head":[]},
  getApproval: {"method":"GET","path":"/v1/approvals/{id}","query":[],"head":[]},
  approve: {"method":"POST","path":"/v1/approvals/{id}:approve","query":[],"head":["If-Match","Idempotency-Key"]},
  deny: {"method":"POST","path":"/v1/approvals/{id}:deny","query":[],"head":["If-Match","Idempotency-Key"]},
  listPlans: {"method":"GET","path":"/v1/plans","query":["state","limit","cursor"],"head":[]},
  createPlan: {"method":"POST","path":"/v1/plans","query":[],"head":["Idempotency-Key"]},
  getPlan: {"method":"GET","path":"/v1/plans/{id}","query":[],"head":[]},
  approvePlan: {"method":"POST","path":"/v1/plans/{id}:approve","query":[],"head":["If-Match","Idempotency-Key"]},
  denyPlan: {"method":"POST","path":"/v1/plans/{id}:deny","query":[],"head":["If-Match","Idempotency-Key"]},
  cancelPlan: {"method":"POST","path":"/v1/plans/{id}:cancel","query":[],"head":["If-Match","Idempotency-Key"]},
  checkPlan: {"method":"POST","path":"/v1/plans:check","query":[],"head":["Idempotency-Key"]},
  runPlan: {"method":"POST","path":"/v1/plans/{id}:run","query":[],"head":["Idempotency-Key"]},
  resumePlan: {"method":"POST","path":"/v1/plans/{id}:resume","query":[],"head":["Idempotency-Key"]},
  listEvidence: {"method":"GET","path":"/v1/evidence","query":["since","until","principal","integration","operation","result","door","q","tenant","limit","cursor"],"head":[]},
  getEvidence: {"method":"GET","path":"/v1/evidence/{id}","query":["tenant"],"head":[]},
  listCheckpoints: {"method":"GET","path":"/v1/checkpoints","query":["limit","cursor"],"head":[]},
  getCheckpoint: {"method":"GET","path":"/v1/checkpoints/{number}","query":["tenant"],"head":[]},
  verifyEvidence: {"method":"POST","path":"/v1/evidence:verify","query":["tenant"],"head":["Idempotency-Key"]},
  exportEvidence: {"method":"GET","path":"/v1/evidence:export","query":["tenant"],"head":[]},
  listWebhooks: {"method":"GET","path":"/v1/webhooks","query":["limit","cursor"],"head":[]},
  createWebhook: {"method":"POST","path":"/v1/webhooks","query":[],"head":["Idempotency-Key"]},
  getWebhook: {"method":"GET","path":"/v1/webhooks/{id}","query":[],"head":[]},
  forgetWebhook: {"method":"DELETE","path":"/v1/webhooks/{id}","query":[],"head":["If-Match"]},
  rotateWebhook: {"method":"POST","path":"/v1/webhooks/{id}:rotate","query":[],"head":["Idempotency-Key"]},
  enableWebhook: {"method":"POST","path":"/v1/webhooks/{id}:enable","query":[],"head":["If-Match","Idempotency-Key"]},
  testWebhook: {"method":"POST","path":"/v1/webhooks/{id}:test","query":[],"head":["Idempotency-Key"]},
  listDeliveries: {"method":"GET","path":"/v1/webhooks/{id}/deliveries","query":["state","event","limit","cursor"],"head":[]},
  redeliver: {"method":"POST","path":"/v1/webhooks/{id}/deliveries/{delivery}:redeliver","query":[],"head":["Idempotency-Key"]},
};
