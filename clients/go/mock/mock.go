// Package mock is an agent for tests, in memory: no socket, no broker. It refuses what the real one refuses.
//
//	agent := mock.New()
//	agent.Allow("secret:/db/primary", "read")
//	app := NewApplication(agent)
package mock

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/doorward/doorward/clients/go/ipc"
	"github.com/doorward/doorward/clients/go/types"
)

const maxTTL = 3600

// Agent grants what was allowed, denies the rest, and records each call. It has the methods of [ipc.Client], and is safe
// for many goroutines.
type Agent struct {
	metrics ipc.Metrics

	mutex   sync.Mutex
	now     func() time.Time
	allowed []rule
	secrets map[string][]byte
	replies map[string]types.UseResult
	granted map[string]*granted
	order   []string
	calls   []Call
}

type rule struct{ resource, action string }

type granted struct {
	capability types.Capability
	revoked    bool
}

// Call is one that was made.
type Call struct {
	// Name is such as RequestCapability.
	Name string
	// Of is the resource or the id that it was about.
	Of string
}

// New makes an agent that grants nothing yet.
func New() *Agent {
	return &Agent{
		now: time.Now, secrets: map[string][]byte{}, replies: map[string]types.UseResult{}, granted: map[string]*granted{},
	}
}

// At lets the agent have another clock.
func (a *Agent) At(now func() time.Time) { a.now = now }

// Allow grants these actions on a resource; a * at its end stands for anything.
func (a *Agent) Allow(resource string, actions ...string) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for _, action := range actions {
		a.allowed = append(a.allowed, rule{resource, action})
	}
}

// Disclose is what ReadSecret answers with.
func (a *Agent) Disclose(resource string, value []byte) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.secrets[resource] = value
}

// Reply is what UseCapability answers with.
func (a *Agent) Reply(integration, method, path string, result types.UseResult) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.replies[integration+" "+method+" "+path] = result
}

// Calls are those that were made, in order.
func (a *Agent) Calls() []Call {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return slices.Clone(a.calls)
}

// Metrics are the counters of this agent.
func (a *Agent) Metrics() *ipc.Metrics { return &a.metrics }

// Connect has nothing to connect to.
func (a *Agent) Connect() error { return nil }

// Close has nothing to close.
func (a *Agent) Close() error { return nil }

// Ping answers.
func (a *Agent) Ping() error { return nil }

// RequestCapability grants what was allowed.
func (a *Agent) RequestCapability(request *types.CapabilityRequest) (*types.CapabilityResponse, error) {
	return a.RequestCapabilityContext(context.Background(), request)
}

// RequestCapabilityContext grants what was allowed.
func (a *Agent) RequestCapabilityContext(
	ctx context.Context, request *types.CapabilityRequest,
) (*types.CapabilityResponse, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.calls = append(a.calls, Call{"RequestCapability", request.Resource})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case request.Resource == "":
		return nil, refused("resource cannot be empty", "bad_request")
	case len(request.Actions) == 0:
		return nil, refused("actions cannot be empty", "bad_request")
	case request.TTL > maxTTL:
		return denied(fmt.Sprintf("Invalid request: TTL exceeds maximum allowed: %d seconds", maxTTL)), nil
	}
	for _, action := range request.Actions {
		if !slices.ContainsFunc(a.allowed, func(rule rule) bool { return rule.allows(request.Resource, action) }) {
			return denied("Request denied by policy"), nil
		}
	}
	return a.grant(types.Capability{
		Resource: request.Resource, Actions: slices.Clone(request.Actions), Identity: request.Identity,
		TTL: orElse(request.TTL, 300), MaxUses: orElse(request.MaxUses, 100),
	}), nil
}

// ValidateCapability says whether it is valid now.
func (a *Agent) ValidateCapability(id string, told *types.Context) (*types.ValidationResult, error) {
	return a.ValidateCapabilityContext(context.Background(), id, told)
}

// ValidateCapabilityContext says whether it is valid now.
func (a *Agent) ValidateCapabilityContext(
	ctx context.Context, id string, _ *types.Context,
) (*types.ValidationResult, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.calls = append(a.calls, Call{"ValidateCapability", id})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if issue := a.problem(id); issue != nil {
		return &types.ValidationResult{Errors: []types.Issue{*issue}}, nil
	}
	return &types.ValidationResult{Valid: true}, nil
}

// RevokeCapability ends it, and what was narrowed from it.
func (a *Agent) RevokeCapability(id, reason string) error {
	return a.RevokeCapabilityContext(context.Background(), id, reason)
}

// RevokeCapabilityContext ends it, and what was narrowed from it.
func (a *Agent) RevokeCapabilityContext(ctx context.Context, id, _ string) error {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.calls = append(a.calls, Call{"RevokeCapability", id})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, found := a.granted[id]; !found {
		return refused("capability not found", "not_found")
	}
	ended := map[string]bool{id: true}
	for _, name := range a.order {
		one := a.granted[name]
		if ended[name] || ended[one.capability.Parent] {
			ended[name], one.revoked = true, true
		}
	}
	return nil
}

// ListCapabilities has what was granted, by status and resource.
func (a *Agent) ListCapabilities(filter *types.CapabilityFilter) ([]*types.Capability, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	var found []*types.Capability
	for _, name := range a.order {
		one := a.granted[name]
		if filter != nil && (filter.Status != "" && filter.Status != a.status(one) ||
			filter.Resource != "" && filter.Resource != one.capability.Resource) {
			continue
		}
		capability := one.capability
		found = append(found, &capability)
	}
	return found, nil
}

// NarrowCapability makes a child that allows no more than its parent.
func (a *Agent) NarrowCapability(id string, less *types.NarrowRequest) (*types.CapabilityResponse, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.calls = append(a.calls, Call{"NarrowCapability", id})
	if issue := a.problem(id); issue != nil {
		return nil, refused(issue.Message, "denied")
	}
	child := a.granted[id].capability
	for _, action := range less.Actions {
		if !slices.Contains(child.Actions, action) {
			return nil, refused("a narrowing can only take away", "denied")
		}
	}
	if less.Resource != "" && !(rule{child.Resource, "*"}).allows(less.Resource, "*") {
		return nil, refused("a narrowing can only take away", "denied")
	}
	left := int64(child.ExpiresAt.Sub(a.now()) / time.Second)
	child.TTL = min(orElse(less.TTL, left), left)
	child.MaxUses = min(orElse(less.MaxUses, child.MaxUses), child.MaxUses)
	child.Resource = orElse(less.Resource, child.Resource)
	if len(less.Actions) > 0 {
		child.Actions = slices.Clone(less.Actions)
	}
	child.Parent, child.UsedCount = id, 0
	return a.grant(child), nil
}

// UseCapability answers with the reply that was set, and counts one use.
func (a *Agent) UseCapability(id string, request *types.UseRequest) (*types.UseResult, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.calls = append(a.calls, Call{"UseCapability", id})
	if issue := a.consume(id); issue != nil {
		return &types.UseResult{Status: types.StatusDenied, Message: issue.Message}, nil
	}
	key := request.Integration + " " + orElse(request.Method, "GET") + " " + orElse(request.Path, "/")
	if result, found := a.replies[key]; found {
		return &result, nil
	}
	return &types.UseResult{Status: "ok", HTTPStatus: 200}, nil
}

// ReadSecret is what was disclosed, and counts one use.
func (a *Agent) ReadSecret(id, resource string) (*types.SecretResponse, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.calls = append(a.calls, Call{"ReadSecret", id})
	if issue := a.consume(id); issue != nil {
		return &types.SecretResponse{Status: types.StatusDenied, Message: issue.Message}, nil
	}
	value, found := a.secrets[orElse(resource, a.granted[id].capability.Resource)]
	if !found {
		return &types.SecretResponse{Status: types.StatusDenied, Message: "the secret is not disclosable"}, nil
	}
	return &types.SecretResponse{Status: "ok", Value: types.NewSecret(slices.Clone(value))}, nil
}

// AppendLog counts one use.
func (a *Agent) AppendLog(id string, entry *types.LogEntry) (*types.LogResponse, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.calls = append(a.calls, Call{"AppendLog", id})
	if issue := a.consume(id); issue != nil {
		return &types.LogResponse{Status: types.StatusDenied, Message: issue.Message}, nil
	}
	return &types.LogResponse{Status: "ok", Evidence: "evd_mock"}, nil
}

func (a *Agent) grant(capability types.Capability) *types.CapabilityResponse {
	now := a.now().UTC().Truncate(time.Second)
	capability.ID = fmt.Sprintf("cap_mock%022d", len(a.granted)+1)
	capability.Issuer = "mock"
	capability.Type = capability.Actions[0]
	capability.IssuedAt = now
	capability.ExpiresAt = now.Add(time.Duration(capability.TTL) * time.Second)
	a.granted[capability.ID] = &granted{capability: capability}
	a.order = append(a.order, capability.ID)
	return &types.CapabilityResponse{
		Status: types.StatusGranted, Message: "Capability granted successfully", Capability: &capability,
	}
}

func (a *Agent) status(one *granted) string {
	switch {
	case one.revoked:
		return "revoked"
	case !a.now().Before(one.capability.ExpiresAt):
		return "expired"
	}
	return "active"
}

func (a *Agent) problem(id string) *types.Issue {
	one, found := a.granted[id]
	if !found {
		return &types.Issue{Code: "CAP_NOT_FOUND", Message: "capability not found"}
	}
	switch status := a.status(one); {
	case status == "revoked":
		return &types.Issue{Code: "REVOKED", Message: "the capability was revoked"}
	case status == "expired":
		end := one.capability.ExpiresAt.Format("2006-01-02T15:04:05Z")
		return &types.Issue{Code: "EXPIRED", Message: "Capability expired at " + end, Field: "expires_at"}
	case one.capability.UsedCount >= one.capability.MaxUses:
		return &types.Issue{Code: "USAGE_LIMIT_EXCEEDED", Message: "all uses are used up", Field: "used_count"}
	}
	return nil
}

// consume counts a use, for the capability and all that it was narrowed from, or for none of them.
func (a *Agent) consume(id string) *types.Issue {
	var chain []*granted
	for name := id; name != ""; name = a.granted[name].capability.Parent {
		if issue := a.problem(name); issue != nil {
			return issue
		}
		chain = append(chain, a.granted[name])
	}
	for _, one := range chain {
		one.capability.UsedCount++
	}
	return nil
}

func (r rule) allows(resource, action string) bool {
	beginning, found := strings.CutSuffix(r.resource, "*")
	covers := r.resource == resource || found && strings.HasPrefix(resource, beginning)
	return covers && (r.action == action || r.action == "*")
}

func orElse[T comparable](given, otherwise T) T {
	var none T
	if given == none {
		return otherwise
	}
	return given
}

func denied(message string) *types.CapabilityResponse {
	return &types.CapabilityResponse{Status: types.StatusDenied, Message: message}
}

func refused(message, code string) error {
	return &ipc.Error{Kind: ipc.ErrRefused, Message: message, Code: code}
}
