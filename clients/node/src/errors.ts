/** What can go wrong, one class for each thing that a caller may want to do about it. */

import type { CapabilityResponse, ValidationResult } from "./types.js";

/** Any failure of this library. `kind` is one word, the same in all of Doorward's client libraries. */
export class DoorwardError extends Error {
  readonly kind: string = "error";
  override get name(): string {
    return this.constructor.name;
  }
}

/** No agent listens on the socket. Nothing was sent, so the call may be made again. */
export class Unreachable extends DoorwardError {
  override readonly kind = "unreachable";
  /** Whether waiting can't mend it, such as a lack of rights. */
  readonly lasting: boolean;
  constructor(message: string, lasting = false) {
    super(message);
    this.lasting = lasting;
  }
}

/** No answer in time to a call that changes nothing, or that may be made again. */
export class TimedOut extends DoorwardError {
  override readonly kind = "timeout";
}

/** The agent closed the connection before it answered. */
export class ConnectionLost extends DoorwardError {
  override readonly kind = "lost";
}

/** The call was sent, and no answer came. It may have been performed; this library doesn't send it twice. */
export class OutcomeUnknown extends DoorwardError {
  override readonly kind = "outcome_unknown";
}

/** The agent refused the call. */
export class Refused extends DoorwardError {
  override readonly kind = "refused";
  /** One of Doorward's refusal codes, or nothing. */
  readonly code: string;
  /** What to do about it. */
  readonly hint: string;
  /** The record of the refusal. */
  readonly evidence: string;
  constructor(message: string, code = "", hint = "", evidence = "") {
    super(message);
    this.code = code;
    this.hint = hint;
    this.evidence = evidence;
  }
}

/** A policy denied the capability. */
export class Denied extends DoorwardError {
  override readonly kind = "denied";
  readonly response: CapabilityResponse;
  constructor(response: CapabilityResponse) {
    super(`capability denied: ${response.message ?? ""}`);
    this.response = response;
  }
}

/** The capability is not valid any more. */
export class NotValid extends DoorwardError {
  override readonly kind = "not_valid";
  readonly result: ValidationResult;
  constructor(result: ValidationResult) {
    const reasons = (result.errors ?? []).map((issue) => `${issue.code}: ${issue.message ?? ""}`).join("; ");
    super(`capability is not valid${reasons === "" ? "" : `: ${reasons}`}`);
    this.result = result;
  }
}

/** The other end doesn't speak the agent's protocol. */
export class ProtocolError extends DoorwardError {
  override readonly kind = "protocol";
}

/** A message of more than 1 MiB. It was not sent. */
export class TooLarge extends DoorwardError {
  override readonly kind = "too_large";
}

/** A capability token that can't be read or narrowed, or a call that it doesn't allow. */
export class TokenError extends DoorwardError {
  override readonly kind = "token";
}
