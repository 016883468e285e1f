package ipc

import (
	"context"
	"encoding/json"
	"unicode/utf8"

	"github.com/doorward/doorward/clients/go/types"
)

// Answers with what has to be in them; see [call.read].
type (
	statused[T any] struct {
		Status *string `json:"status"`
		value  *T
	}
	validated struct {
		Valid *bool `json:"valid"`
		value *types.ValidationResult
	}
	listed struct {
		Capabilities *[]*types.Capability `json:"capabilities"`
		value        *types.CapabilityList
	}
)

func (a *statused[T]) missing() string {
	if a.Status == nil || *a.Status == "" {
		return "status"
	}
	return ""
}

func (a *statused[T]) UnmarshalJSON(data []byte) error {
	var only struct {
		Status *string `json:"status"`
	}
	if err := json.Unmarshal(data, &only); err != nil {
		return err
	}
	a.Status = only.Status
	return json.Unmarshal(data, a.value)
}

func (a *validated) missing() string {
	if a.Valid == nil {
		return "valid"
	}
	return ""
}

func (a *validated) UnmarshalJSON(data []byte) error {
	var only struct {
		Valid *bool `json:"valid"`
	}
	if err := json.Unmarshal(data, &only); err != nil {
		return err
	}
	a.Valid = only.Valid
	return json.Unmarshal(data, a.value)
}

func (a *listed) missing() string {
	if a.Capabilities == nil {
		return "capabilities"
	}
	return ""
}

func (a *listed) UnmarshalJSON(data []byte) error {
	var only struct {
		Capabilities *[]*types.Capability `json:"capabilities"`
	}
	if err := json.Unmarshal(data, &only); err != nil {
		return err
	}
	a.Capabilities = only.Capabilities
	return json.Unmarshal(data, a.value)
}

// capability runs a call that answers with a capability.
func (c *Client) capability(ctx context.Context, made call) (*types.CapabilityResponse, error) {
	response := &types.CapabilityResponse{}
	if err := c.run(ctx, made, &statused[types.CapabilityResponse]{value: response}); err != nil {
		return nil, err
	}
	if response.Status == types.StatusGranted {
		if got := response.Capability; got == nil || got.ID == "" || got.ExpiresAt.IsZero() {
			return nil, fail(ErrProtocol, "the agent granted something without `id` or `expires_at`", nil)
		}
	}
	return response, nil
}

// RequestCapability asks for a capability. A denial is an answer with the status denied, not an error.
func (c *Client) RequestCapability(request *types.CapabilityRequest) (*types.CapabilityResponse, error) {
	return c.RequestCapabilityContext(context.Background(), request)
}

// RequestCapabilityContext is [Client.RequestCapability] with a context.
func (c *Client) RequestCapabilityContext(
	ctx context.Context, request *types.CapabilityRequest,
) (*types.CapabilityResponse, error) {
	if request == nil {
		return nil, fail(ErrProtocol, "no request was given", nil)
	}
	c.metrics.requests.Add(1)
	// A lost answer leaves a capability that nobody knows and that expires by itself, so this may be sent again.
	response, err := c.capability(ctx, call{"capability_request", request, "capability_response", true})
	if err != nil {
		return nil, err
	}
	if response.Granted() {
		c.metrics.grants.Add(1)
	} else {
		c.metrics.denials.Add(1)
	}
	return response, nil
}

// ValidateCapability says whether a capability is valid now. It consumes nothing; told may be nil.
func (c *Client) ValidateCapability(id string, told *types.Context) (*types.ValidationResult, error) {
	return c.ValidateCapabilityContext(context.Background(), id, told)
}

// ValidateCapabilityContext is [Client.ValidateCapability] with a context.
func (c *Client) ValidateCapabilityContext(
	ctx context.Context, id string, told *types.Context,
) (*types.ValidationResult, error) {
	payload := struct {
		ID      string         `json:"capability_id"`
		Context *types.Context `json:"context,omitempty"`
	}{id, told}
	c.metrics.validations.Add(1)
	result := &types.ValidationResult{}
	made := call{"capability_validate", payload, "validation_response", true}
	if err := c.run(ctx, made, &validated{value: result}); err != nil {
		return nil, err
	}
	if result.Valid {
		c.metrics.valid.Add(1)
	} else {
		c.metrics.invalid.Add(1)
	}
	return result, nil
}

// RevokeCapability ends a capability, and all that was narrowed from it.
func (c *Client) RevokeCapability(id, reason string) error {
	return c.RevokeCapabilityContext(context.Background(), id, reason)
}

// RevokeCapabilityContext is [Client.RevokeCapability] with a context.
func (c *Client) RevokeCapabilityContext(ctx context.Context, id, reason string) error {
	_, err := c.revoke(ctx, id, reason)
	return err
}

func (c *Client) revoke(ctx context.Context, id, reason string) (*types.CapabilityResponse, error) {
	payload := struct {
		ID     string `json:"capability_id"`
		Reason string `json:"reason,omitempty"`
	}{id, reason}
	response, err := c.capability(ctx, call{"capability_revoke", payload, "capability_response", false})
	if err == nil && response.Status != types.StatusRevoked {
		return nil, fail(ErrRefused, "the capability was not revoked: "+response.Message, nil)
	}
	return response, err
}

// ListCapabilities has the capabilities that a filter chooses; nil chooses all, up to the agent's limit.
func (c *Client) ListCapabilities(filter *types.CapabilityFilter) ([]*types.Capability, error) {
	page, err := c.ListCapabilitiesContext(context.Background(), filter)
	if err != nil {
		return nil, err
	}
	return page.Capabilities, nil
}

// ListCapabilitiesContext is [Client.ListCapabilities] with a context; it answers with the whole page.
func (c *Client) ListCapabilitiesContext(
	ctx context.Context, filter *types.CapabilityFilter,
) (*types.CapabilityList, error) {
	if filter == nil {
		filter = &types.CapabilityFilter{}
	}
	payload := struct {
		Filter *types.CapabilityFilter `json:"filter"`
	}{filter}
	page := &types.CapabilityList{}
	made := call{"capability_list", payload, "capability_response", true}
	if err := c.run(ctx, made, &listed{value: page}); err != nil {
		return nil, err
	}
	return page, nil
}

// NarrowCapability makes a child that allows less. For tokens there is package token, which needs no agent.
func (c *Client) NarrowCapability(id string, less *types.NarrowRequest) (*types.CapabilityResponse, error) {
	return c.NarrowCapabilityContext(context.Background(), id, less)
}

// NarrowCapabilityContext is [Client.NarrowCapability] with a context.
func (c *Client) NarrowCapabilityContext(
	ctx context.Context, id string, less *types.NarrowRequest,
) (*types.CapabilityResponse, error) {
	payload := struct {
		ID string `json:"capability_id"`
		*types.NarrowRequest
	}{id, less}
	return c.capability(ctx, call{"capability_narrow", payload, "capability_response", true})
}

// UseCapability sends a request with the credential of an integration put on it; this program never has the credential.
func (c *Client) UseCapability(id string, request *types.UseRequest) (*types.UseResult, error) {
	return c.UseCapabilityContext(context.Background(), id, request)
}

// UseCapabilityContext is [Client.UseCapability] with a context. Where that ends after the request was sent, the error
// is [ErrOutcomeUnknown].
func (c *Client) UseCapabilityContext(
	ctx context.Context, id string, request *types.UseRequest,
) (*types.UseResult, error) {
	if request == nil {
		return nil, fail(ErrProtocol, "no request was given", nil)
	}
	written := struct {
		types.UseRequest
		Text   string `json:"body,omitempty"`
		Base64 []byte `json:"body_base64,omitempty"`
	}{UseRequest: *request}
	if written.Method == "" {
		written.Method = "GET"
	}
	if written.Path == "" {
		written.Path = "/"
	}
	if utf8.Valid(request.Body) {
		written.Text = string(request.Body)
	} else {
		written.Base64 = request.Body
	}
	return c.use(ctx, map[string]any{"capability_id": id, "request": written}, request.Action)
}

// UseTool runs a tool that the owner declared.
func (c *Client) UseTool(id, name string, inputs map[string]any) (*types.UseResult, error) {
	return c.UseToolContext(context.Background(), id, name, inputs)
}

// UseToolContext is [Client.UseTool] with a context.
func (c *Client) UseToolContext(
	ctx context.Context, id, name string, inputs map[string]any,
) (*types.UseResult, error) {
	if inputs == nil {
		inputs = map[string]any{}
	}
	tool := map[string]any{"name": name, "inputs": inputs}
	return c.use(ctx, map[string]any{"capability_id": id, "tool": tool}, "")
}

func (c *Client) use(ctx context.Context, payload map[string]any, action string) (*types.UseResult, error) {
	if action != "" {
		payload["action"] = action
	}
	result := &types.UseResult{}
	made := call{"capability_use", payload, "use_response", false}
	if err := c.run(ctx, made, &statused[types.UseResult]{value: result}); err != nil {
		return nil, err
	}
	return result, nil
}

// ReadSecret is the secret itself, where it was stored as disclosable and policy allows that. The resource may be left
// out where the capability is for one secret.
func (c *Client) ReadSecret(id, resource string) (*types.SecretResponse, error) {
	return c.ReadSecretContext(context.Background(), id, resource)
}

// ReadSecretContext is [Client.ReadSecret] with a context.
func (c *Client) ReadSecretContext(ctx context.Context, id, resource string) (*types.SecretResponse, error) {
	payload := struct {
		ID       string `json:"capability_id"`
		Resource string `json:"resource,omitempty"`
	}{id, resource}
	response := &types.SecretResponse{}
	made := call{"secret_read", payload, "secret_response", false}
	if err := c.run(ctx, made, &statused[types.SecretResponse]{value: response}); err != nil {
		return nil, err
	}
	return response, nil
}

// AppendLog appends a line to an evidence stream.
func (c *Client) AppendLog(id string, entry *types.LogEntry) (*types.LogResponse, error) {
	return c.AppendLogContext(context.Background(), id, entry)
}

// AppendLogContext is [Client.AppendLog] with a context.
func (c *Client) AppendLogContext(
	ctx context.Context, id string, entry *types.LogEntry,
) (*types.LogResponse, error) {
	payload := struct {
		ID string `json:"capability_id"`
		*types.LogEntry
	}{id, entry}
	response := &types.LogResponse{}
	made := call{"log_append", payload, "log_response", false}
	if err := c.run(ctx, made, &statused[types.LogResponse]{value: response}); err != nil {
		return nil, err
	}
	return response, nil
}

// GetStatus is what the agent's server says about itself.
func (c *Client) GetStatus() (*types.ServerStatus, error) {
	return c.GetStatusContext(context.Background())
}

// GetStatusContext is [Client.GetStatus] with a context.
func (c *Client) GetStatusContext(ctx context.Context) (*types.ServerStatus, error) {
	status := &types.ServerStatus{}
	if err := c.run(ctx, call{"status_request", struct{}{}, "status_response", true}, status); err != nil {
		return nil, err
	}
	return status, nil
}

// AgentStatus is all that the agent says about itself, as the tree of `agent status --format json`.
func (c *Client) AgentStatus(ctx context.Context) (map[string]any, error) {
	status := map[string]any{}
	if err := c.run(ctx, call{"agent_status", struct{}{}, "agent_status_response", true}, &status); err != nil {
		return nil, err
	}
	return status, nil
}

// Ping says whether an agent answers.
func (c *Client) Ping() error { return c.PingContext(context.Background()) }

// PingContext is [Client.Ping] with a context.
func (c *Client) PingContext(ctx context.Context) error {
	var answer map[string]any
	return c.run(ctx, call{"ping_request", struct{}{}, "ping_response", true}, &answer)
}
