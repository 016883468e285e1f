// Which address shows which page.

import { session } from "../core/session.js";
import { approvals } from "./approvals.js";
import { approval } from "./approval.js";
import { capabilities } from "./capabilities.js";
import { catalogue, integration } from "./catalogue.js";
import { credential } from "./credential.js";
import { evidence } from "./evidence.js";
import { record } from "./record.js";
import { plan } from "./plan.js";
import { overview } from "./overview.js";
import { policies, policy } from "./policies.js";
import { secrets } from "./secrets.js";
import { settings } from "./settings.js";
import { tenant } from "./tenant.js";
import { tenants } from "./tenants.js";
import { webhooks } from "./webhooks.js";

/** A key of a tenant sees that tenant and nothing else, so these pages are that one. */
function led(page) {
  const mine = (ctx) => ({ ...ctx, params: { tenant: session().tenant } });
  return {
    title: () => (ofTenant() ? "Integrations" : page.title),
    skeleton: () => page.skeleton(),
    load: (ctx) => (ofTenant() ? tenant.load(mine(ctx)) : page.load(ctx)),
    view: (data, ctx) => (ofTenant() ? tenant.view(data, mine(ctx)) : page.view(data, ctx)),
  };
}

function ofTenant() {
  return session()?.house === false;
}

export const ROUTES = [
  ["/", led(overview)],
  ["/tenants", led(tenants)],
  ["/tenants/:tenant", tenant],
  ["/tenants/:tenant/:provider", credential],
  ["/capabilities", capabilities],
  ["/policies", policies],
  ["/policies/:name", policy],
  ["/approvals", approvals],
  ["/approvals/:id", approval],
  ["/plans/:id", plan],
  ["/evidence", evidence],
  ["/evidence/:id", record],
  ["/webhooks", webhooks],
  ["/secrets", secrets],
  ["/catalogue", catalogue],
  ["/catalogue/:name", integration],
  ["/settings", settings],
];
