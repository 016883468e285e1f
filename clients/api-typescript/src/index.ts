export { ApiError, Client, type Options } from "./client.js";
export { connect, type Integration, type Integrations, type Setup, type SetupResult } from "./integrations.js";
export * from "./operations.js";
