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

/** A credential, or that there is none, in the words of the API for tenants (`/api/v1`). Times are to the second. */
export interface Integration {
  provider: string;
  status: Credential["status"];
  credential_name: string | null;
  /** When it was last found valid, such as `2026-01-22T03:33:08Z`. */
  last_validated_at: string | null;
  last_error: string | null;
  created_at: string | null;
  metadata: Record<string, unknown> | null;
  /** The same as `credential_name`. */
  credentialName: string | null;
  /** The same as `last_validated_at`. */
  lastValidatedAt: string | null;
  /** The same as `last_error`. */
  lastError: string | null;
  /** The same as `created_at`. */
  createdAt: string | null;
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
  const { provider, status, name, error, metadata } = one;
  const [validated, created] = [toTheSecond(one.validated), toTheSecond(one.created)];
  return {
    provider,
    status,
    credential_name: name,
    last_validated_at: validated,
    last_error: error,
    created_at: created,
    metadata,
    credentialName: name,
    lastValidatedAt: validated,
    lastError: error,
    createdAt: created,
  };
}

function toTheSecond(time: string | null): string | null {
  return time === null ? null : time.replace(/\.\d+Z$/, "Z");
}

function result(told: { provider: string; valid: boolean; status: string; error: string | null; message: string }): SetupResult {
  const { provider, valid, status, error, message } = told;
  return { success: valid, provider, validationStatus: status, error, message };
}
