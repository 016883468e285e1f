// The credentials of a tenant, in the words that an application's server actions use.
import { Client, type Options } from "./client.js";
import type { Credential } from "./operations.js";

/** What is set up. */
export interface Setup {
  orgSlug: string;
  provider: string;
  /** A key, or a document. */
  credential: string | Record<string, unknown>;
  credentialName?: string;
  metadata?: Record<string, unknown>;
  skipValidation?: boolean;
}

/** What came of it. */
export interface SetupResult {
  /** Whether the provider takes the credential. */
  success: boolean;
  provider: string;
  validationStatus: string;
  error: string | null;
  message: string;
}

/** A credential, or that there is none. */
export interface Integration {
  provider: string;
  status: Credential["status"];
  credentialName: string | null;
  lastValidatedAt: string | null;
  lastError: string | null;
  createdAt: string | null;
  metadata: Record<string, unknown> | null;
}

/** What a tenant has: one entry a provider, by its code. */
export interface Integrations {
  integrations: Record<string, Integration>;
  providersConfigured: string[];
  allValid: boolean;
}

/**
 * The calls of an application. A call that fails throws: an outage never looks like a provider that is not configured.
 */
export function connect(options: Options) {
  const client = new Client(options);
  return {
    async setupIntegration(setup: Setup): Promise<SetupResult> {
      const { orgSlug, provider, credential, credentialName, metadata, skipValidation } = setup;
      const told = await client.call("setUpCredential", {
        tenant: orgSlug,
        provider: provider.toLowerCase(),
        credential,
        ...(credentialName === undefined ? {} : { name: credentialName }),
        ...(metadata === undefined ? {} : { metadata }),
        ...(skipValidation === undefined ? {} : { skip_validation: skipValidation }),
      });
      return result(told);
    },

    async getIntegrations(org: string): Promise<Integrations> {
      const listed = await client.call("listCredentials", { tenant: org });
      const integrations = Object.fromEntries(listed.items.map((one) => [one.provider, shown(one)]));
      return { integrations, providersConfigured: listed.configured, allValid: listed.all_valid };
    },

    async validateIntegration(orgSlug: string, provider: string): Promise<SetupResult> {
      return result(await client.call("validateCredential", { tenant: orgSlug, provider: provider.toLowerCase() }));
    },

    async deleteIntegration(orgSlug: string, provider: string): Promise<void> {
      await client.call("deleteCredential", { tenant: orgSlug, provider: provider.toLowerCase() });
    },

    async updateIntegrationMetadata(orgSlug: string, provider: string, metadata: Record<string, unknown>): Promise<SetupResult> {
      const named = { tenant: orgSlug, provider: provider.toLowerCase() };
      return result(await client.call("updateCredential", { ...named, metadata }));
    },
  };
}

function shown(one: Credential): Integration {
  const { provider, status, name, validated, error, created, metadata } = one;
  return { provider, status, credentialName: name, lastValidatedAt: validated, lastError: error, createdAt: created, metadata };
}

function result(told: { provider: string; valid: boolean; status: string; error: string | null; message: string }): SetupResult {
  const { provider, valid, status, error, message } = told;
  return { success: valid, provider, validationStatus: status, error, message };
}
