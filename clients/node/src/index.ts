/**
 * Doorward for Node: short-lived capabilities from the agent on this machine.
 *
 * `Client` speaks with the agent, `Manager` keeps capabilities for a program, `Token` narrows tokens without any agent,
 * and `Mock` stands in for the agent in tests.
 */

export { Client, secureUse } from "./client.js";
export type { CallOptions, ClientOptions, Retry, SecureUseOptions } from "./client.js";
export {
  ConnectionLost,
  Denied,
  DoorwardError,
  NotValid,
  OutcomeUnknown,
  ProtocolError,
  Refused,
  TimedOut,
  TokenError,
  TooLarge,
  Unreachable,
} from "./errors.js";
export { Cache, Manager } from "./keep.js";
export type { Asks, CacheOptions, ManagerOptions } from "./keep.js";
export { Metrics } from "./metrics.js";
export type { Counter } from "./metrics.js";
export { Mock } from "./mock.js";
export { Token } from "./token.js";
export type { Block } from "./token.js";
export type { Caveat, Holder, Hours, Reach, Span, Window } from "./caveat.js";
export type { Broken, Facts } from "./check.js";
export { Secret, bodyOf, isExpired } from "./types.js";
export type {
  Capability,
  CapabilityFilter,
  CapabilityList,
  CapabilityRequest,
  CapabilityResponse,
  Issue,
  Json,
  LogResponse,
  NarrowRequest,
  SecretResponse,
  UseRequest,
  UseResult,
  ValidationResult,
} from "./types.js";
