package ipc

import "errors"

// Kinds of failures, for [errors.Is]. The words are the same in all of Doorward's client libraries.
var (
	// ErrUnreachable: no agent listens on the socket. Nothing was sent.
	ErrUnreachable = errors.New("unreachable")
	// ErrTimeout: no answer in time to a call that may be made again.
	ErrTimeout = errors.New("timeout")
	// ErrLost: the agent closed the connection before it answered.
	ErrLost = errors.New("lost")
	// ErrOutcomeUnknown: the call was sent and no answer came. It may have been performed; it is not sent twice.
	ErrOutcomeUnknown = errors.New("outcome_unknown")
	// ErrRefused: the agent refused the call; see [Error] for the code, the hint and the evidence.
	ErrRefused = errors.New("refused")
	// ErrDenied: a policy denied the capability.
	ErrDenied = errors.New("denied")
	// ErrNotValid: the capability is not valid any more.
	ErrNotValid = errors.New("not_valid")
	// ErrProtocol: the other end doesn't speak the agent's protocol.
	ErrProtocol = errors.New("protocol")
	// ErrTooLarge: a message of more than 1 MiB. It was not sent.
	ErrTooLarge = errors.New("too_large")
)

// Error is a failure of a call.
type Error struct {
	// Kind is one of the variables above.
	Kind error
	// Message says what happened.
	Message string
	// Code is one of Doorward's refusal codes, where the agent refused.
	Code string
	// Hint says what to do about it.
	Hint string
	// Evidence names the record of the refusal.
	Evidence string

	cause   error
	lasting bool
	sent    bool
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Is says whether it is of a kind.
func (e *Error) Is(kind error) bool { return e.Kind == kind }

// Unwrap is what it comes from, such as [context.Canceled].
func (e *Error) Unwrap() error { return e.cause }

func fail(kind error, message string, cause error) *Error {
	return &Error{Kind: kind, Message: message, cause: cause}
}

// unknown is the same for a call that must not be sent twice.
func unknown(err *Error) *Error {
	return fail(ErrOutcomeUnknown, "the outcome is unknown: "+err.Message, err.cause)
}
