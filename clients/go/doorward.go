// Package doorward keeps capabilities for a program: a cache, a manager that asks for new ones and cleans up, and uses
// that are validated before and revoked after.
//
//	client, err := ipc.NewClient(nil)
//	manager := doorward.NewManager(client, nil)
//	defer manager.Close()
//	capability, err := manager.Get(ctx, &types.CapabilityRequest{Resource: "secret:/db/primary", Actions: []string{"read"}})
//
// Package ipc speaks with the agent, package token narrows tokens without one, and package mock stands in for it in tests.
package doorward

import (
	"context"
	"errors"
	"strings"

	"github.com/doorward/doorward/clients/go/ipc"
	"github.com/doorward/doorward/clients/go/types"
)

// Agent is what this package needs of a client; [ipc.Client] has it, and mock.Agent.
type Agent interface {
	RequestCapabilityContext(context.Context, *types.CapabilityRequest) (*types.CapabilityResponse, error)
	ValidateCapabilityContext(context.Context, string, *types.Context) (*types.ValidationResult, error)
	RevokeCapabilityContext(ctx context.Context, id, reason string) error
	Metrics() *ipc.Metrics
}

// UseOption changes what [SecureUse] does.
type UseOption func(*useOptions)

type useOptions struct {
	revoke bool
	reason string
}

// RevokeAfter revokes the capability after its use: also when the use fails.
func RevokeAfter(reason string) UseOption {
	return func(options *useOptions) { options.revoke, options.reason = true, reason }
}

// SecureUse validates a capability and runs usage with it. An invalid one gives [ipc.ErrNotValid], and usage doesn't run.
func SecureUse(ctx context.Context, agent Agent, id string, usage func() error, with ...UseOption) (err error) {
	var options useOptions
	for _, option := range with {
		option(&options)
	}
	result, err := agent.ValidateCapabilityContext(ctx, id, nil)
	if err != nil {
		return err
	}
	if !result.Valid {
		return notValid(result)
	}
	if options.revoke {
		defer func() {
			// What ended the use may have ended its context.
			revoked := agent.RevokeCapabilityContext(context.WithoutCancel(ctx), id, options.reason)
			err = errors.Join(err, revoked)
		}()
	}
	return usage()
}

func notValid(result *types.ValidationResult) error {
	var reasons []string
	for _, issue := range result.Errors {
		reasons = append(reasons, issue.Code+": "+issue.Message)
	}
	message := "capability is not valid"
	if len(reasons) > 0 {
		message += ": " + strings.Join(reasons, "; ")
	}
	return &ipc.Error{Kind: ipc.ErrNotValid, Message: message}
}
