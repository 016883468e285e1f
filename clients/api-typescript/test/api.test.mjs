// Against a real broker, which tests/clients-api/run starts.
import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError, Client, connect } from "../dist/index.js";

const baseUrl = process.env.DOORWARD_API;
const apiKey = process.env.DOORWARD_API_KEY;
const org = process.env.DOORWARD_TENANT;
const good = process.env.DOORWARD_GOOD_KEY;
const root = process.env.DOORWARD_ROOT_KEY;
const api = connect({ baseUrl, apiKey });

test("an integration is set up, shown by its provider's code, tried and deleted", async () => {
  const told = await api.setupIntegration({ orgSlug: org, provider: "OPENAI", credential: good, credentialName: "Production" });
  assert.deepEqual([told.success, told.validationStatus, told.error], [true, "VALID", null]);
  const { integrations, providersConfigured } = await api.getIntegrations(org);
  assert.equal(integrations.OPENAI.status, "VALID");
  assert.match(integrations.OPENAI.last_validated_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const { credential_name, last_validated_at, last_error, created_at } = integrations.OPENAI;
  assert.deepEqual([credential_name, last_error], ["Production", null]);
  const { credentialName, lastValidatedAt, lastError, createdAt } = integrations.OPENAI;
  assert.deepEqual([credentialName, lastValidatedAt, lastError, createdAt], [credential_name, last_validated_at, last_error, created_at]);
  assert.equal(integrations.GEMINI.last_validated_at, null);
  assert.equal(integrations.GEMINI.status, "NOT_CONFIGURED");
  assert.deepEqual(providersConfigured, ["OPENAI"]);
  assert.equal((await api.validateIntegration(org, "openai")).success, true);
  const noted = await api.updateIntegrationMetadata(org, "openai", { environment: "production" });
  assert.equal(noted.provider, "OPENAI");
  await api.deleteIntegration(org, "openai");
  assert.equal((await api.getIntegrations(org)).integrations.OPENAI.status, "NOT_CONFIGURED");
});

test("a provider that refuses is an answer, and what is wrong with a request is an error that says where", async () => {
  const told = await api.setupIntegration({ orgSlug: org, provider: "openai", credential: "sk-wrong-0123456789" });
  assert.deepEqual([told.success, told.validationStatus], [false, "INVALID"]);
  const client = new Client({ baseUrl, apiKey });
  await assert.rejects(client.call("setUpCredential", { tenant: org, provider: "openai", credential: "short" }), (error) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.status, error.code, error.errors[0].field], [400, "bad_request", "credential"]);
    assert.match(error.evidence, /^evd_/);
    return true;
  });
});

test("an outage and a wrong key throw, and look like nothing else", async () => {
  const away = connect({ baseUrl: "http://127.0.0.1:9", apiKey });
  await assert.rejects(away.getIntegrations(org), (error) => error.code === "unreachable" && error.status === 0);
  const wrong = connect({ baseUrl, apiKey: `${org}_api_wrong` });
  await assert.rejects(wrong.getIntegrations(org), (error) => error.code === "unauthenticated" && error.status === 401);
  await assert.rejects(api.getIntegrations("other_inc"), (error) => error.code === "not_found" && error.status === 404);
});

test("a key may come with the end of its line, and one that no header carries is refused unseen", async () => {
  assert.ok((await connect({ baseUrl, apiKey: `${apiKey}\n` }).getIntegrations(org)).integrations.OPENAI);
  for (const wrong of [`${apiKey}\nx: y`, `${apiKey}\u00e9`, "", "\n"]) {
    assert.throws(() => connect({ baseUrl, apiKey: wrong }), (error) => error instanceof TypeError && !String(error).includes(apiKey));
  }
});

test("a request with one key is performed once, and lists come page by page", async () => {
  const client = new Client({ baseUrl, apiKey: root });
  const first = await client.call("createTenant", { name: "once_inc" }, "make-once");
  const again = await client.call("createTenant", { name: "once_inc" }, "make-once");
  assert.deepEqual(again, first);
  await assert.rejects(client.call("createTenant", { name: "twice_inc" }, "make-once"), (error) => error.status === 422);
  // It makes tenants and looks at none.
  await assert.rejects(client.call("listTenants", {}), (error) => error.status === 403);
  const names = [];
  for await (const provider of new Client({ baseUrl, apiKey }).all("listProviders", { limit: 3 })) names.push(provider.provider);
  assert.ok(names.includes("OPENAI") && names.length > 3, names.join());
  assert.equal(new Set(names).size, names.length);
});
