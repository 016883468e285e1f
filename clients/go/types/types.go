// Package types has what is asked of an agent and what it answers.
//
// The names in JSON are those of the protocol. Whatever a later agent adds to its answers is ignored.
package types

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Statuses of a [CapabilityResponse].
const (
	StatusGranted = "granted"
	StatusDenied  = "denied"
	StatusRevoked = "revoked"
	StatusError   = "error"
)

// CapabilityRequest asks for a capability. What is left empty is up to the agent.
type CapabilityRequest struct {
	// Resource is such as secret:/db/primary, op:/slack/chat.post, log:/app or tool:/deploy.
	Resource string `json:"resource"`
	// Actions are read, write, delete, execute or admin. Each of them has to be allowed.
	Actions []string `json:"actions"`
	// TTL is the life in seconds.
	TTL int64 `json:"ttl,omitempty"`
	// Identity is a wish; who asks is proven by the kernel.
	Identity string `json:"identity,omitempty"`
	// Purpose stands in the evidence.
	Purpose string `json:"purpose,omitempty"`
	// MaxUses is how often it may be used.
	MaxUses     int64        `json:"max_uses,omitempty"`
	Constraints *Constraints `json:"constraints,omitempty"`
	Context     *Context     `json:"context,omitempty"`
	// Bearer asks for a token besides the name, which works for whoever has it.
	Bearer bool `json:"bearer,omitempty"`
	// Holder says what the name is bound to: uid, cgroup or session.
	Holder string `json:"holder,omitempty"`
}

// Constraints narrow when and where a capability works.
type Constraints struct {
	IPAddresses []string          `json:"ipAddresses,omitempty"`
	TimeWindow  *TimeWindow       `json:"timeWindow,omitempty"`
	Environment map[string]string `json:"environment,omitempty"`
	Geography   *Geography        `json:"geography,omitempty"`
	RateLimit   *RateLimit        `json:"rateLimit,omitempty"`
}

// TimeWindow has the hours and days on which a capability works.
type TimeWindow struct {
	Hours           []int            `json:"hours,omitempty"`
	DaysOfWeek      []int            `json:"daysOfWeek,omitempty"`
	Timezones       []string         `json:"timezones,omitempty"`
	BlackoutPeriods []BlackoutPeriod `json:"blackoutPeriods,omitempty"`
}

// BlackoutPeriod is a time in which a capability doesn't work.
type BlackoutPeriod struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Geography is refused by agents that can't know where a caller is.
type Geography struct {
	Countries   []string     `json:"countries,omitempty"`
	Regions     []string     `json:"regions,omitempty"`
	BoundingBox *BoundingBox `json:"boundingBox,omitempty"`
}

// BoundingBox is a part of the earth, in degrees.
type BoundingBox struct {
	MinLat float64 `json:"minLat"`
	MaxLat float64 `json:"maxLat"`
	MinLng float64 `json:"minLng"`
	MaxLng float64 `json:"maxLng"`
}

// RateLimit bounds uses in time.
type RateLimit struct {
	RequestsPerSecond float64 `json:"requestsPerSecond,omitempty"`
	Burst             int     `json:"burst,omitempty"`
	WindowDuration    int64   `json:"windowDuration,omitempty"`
}

// Context is what a program says about itself. An agent believes none of it; it stands in the evidence.
type Context struct {
	SourceIP  string            `json:"sourceIP,omitempty"`
	UserAgent string            `json:"userAgent,omitempty"`
	Runtime   map[string]any    `json:"runtime,omitempty"`
	Session   map[string]any    `json:"session,omitempty"`
	Metadata  map[string]string `json:"metadata,omitempty"`
}

// Capability is what was granted. Its ID is a name that works for its holder only.
type Capability struct {
	ID        string    `json:"id"`
	Type      string    `json:"type,omitempty"`
	Resource  string    `json:"resource,omitempty"`
	Actions   []string  `json:"actions,omitempty"`
	Identity  string    `json:"identity,omitempty"`
	Issuer    string    `json:"issuer,omitempty"`
	IssuedAt  time.Time `json:"issued_at"`
	ExpiresAt time.Time `json:"expires_at"`
	// TTL is the life in seconds.
	TTL       int64 `json:"ttl,omitempty"`
	MaxUses   int64 `json:"max_uses,omitempty"`
	UsedCount int64 `json:"used_count"`
	// Parent is the capability that this one was narrowed from.
	Parent string `json:"parent,omitempty"`
	// Token is there where a bearer was asked for. Whoever has its text may use it.
	Token       *Secret         `json:"token,omitempty"`
	Constraints json.RawMessage `json:"constraints,omitempty"`
	Metadata    map[string]any  `json:"metadata,omitempty"`
}

// IsExpired says whether its end has come, by the clock of this machine.
func (c *Capability) IsExpired() bool {
	return !time.Now().Before(c.ExpiresAt)
}

// CapabilityResponse is the answer to a request. Look at Status first.
type CapabilityResponse struct {
	Status         string        `json:"status"`
	Message        string        `json:"message,omitempty"`
	Capability     *Capability   `json:"capability,omitempty"`
	RequestID      string        `json:"request_id,omitempty"`
	ProcessingTime string        `json:"processing_time,omitempty"`
	PolicyResult   *PolicyResult `json:"policy_result,omitempty"`
	Issues         []Issue       `json:"issues,omitempty"`
}

// Granted says whether there is a capability.
func (r *CapabilityResponse) Granted() bool {
	return r != nil && r.Status == StatusGranted && r.Capability != nil
}

// PolicyResult says why.
type PolicyResult struct {
	Decision        string   `json:"decision,omitempty"`
	AppliedPolicies []string `json:"applied_policies,omitempty"`
	AppliedRules    []string `json:"applied_rules,omitempty"`
	Reasoning       string   `json:"reasoning,omitempty"`
}

// Issue is an error or a warning, such as EXPIRED.
type Issue struct {
	Severity string          `json:"severity,omitempty"`
	Code     string          `json:"code,omitempty"`
	Message  string          `json:"message,omitempty"`
	Field    string          `json:"field,omitempty"`
	Details  json.RawMessage `json:"details,omitempty"`
}

// ValidationResult says whether a capability is valid now. Asking consumes nothing.
type ValidationResult struct {
	Valid          bool           `json:"valid"`
	Errors         []Issue        `json:"errors,omitempty"`
	Warnings       []Issue        `json:"warnings,omitempty"`
	ValidationTime string         `json:"validation_time,omitempty"`
	Context        map[string]any `json:"context,omitempty"`
}

// CapabilityFilter chooses among capabilities.
type CapabilityFilter struct {
	Identity string `json:"identity,omitempty"`
	Resource string `json:"resource,omitempty"`
	Type     string `json:"type,omitempty"`
	// Status is active, expired or revoked.
	Status    string `json:"status,omitempty"`
	Issuer    string `json:"issuer,omitempty"`
	Limit     int    `json:"limit,omitempty"`
	Offset    int    `json:"offset,omitempty"`
	SortBy    string `json:"sortBy,omitempty"`
	SortOrder string `json:"sortOrder,omitempty"`
}

// CapabilityList is one page of capabilities.
type CapabilityList struct {
	Capabilities []*Capability `json:"capabilities"`
	Count        int           `json:"count"`
	Limit        int           `json:"limit,omitempty"`
	Offset       int           `json:"offset,omitempty"`
}

// NarrowRequest says what a child allows less than its parent.
type NarrowRequest struct {
	Actions     []string     `json:"actions,omitempty"`
	Resource    string       `json:"resource,omitempty"`
	TTL         int64        `json:"ttl,omitempty"`
	MaxUses     int64        `json:"max_uses,omitempty"`
	Constraints *Constraints `json:"constraints,omitempty"`
	Purpose     string       `json:"purpose,omitempty"`
	Bearer      bool         `json:"bearer,omitempty"`
}

// UseRequest is a request to an integration, whose credential the agent puts on it.
type UseRequest struct {
	Integration string            `json:"integration"`
	Method      string            `json:"method"`
	Path        string            `json:"path"`
	Headers     map[string]string `json:"headers,omitempty"`
	Body        []byte            `json:"-"`
	// Action is asked for where the capability has several.
	Action string `json:"-"`
}

// UseResult is the reply of the service, or of the tool.
type UseResult struct {
	// Status is ok, denied or error.
	Status     string            `json:"status"`
	Message    string            `json:"message,omitempty"`
	HTTPStatus int               `json:"http_status,omitempty"`
	Headers    map[string]string `json:"headers,omitempty"`
	Body       []byte            `json:"-"`
	Exit       *int              `json:"exit,omitempty"`
	Stdout     string            `json:"stdout,omitempty"`
	Stderr     string            `json:"stderr,omitempty"`
	Evidence   string            `json:"evidence,omitempty"`
	UsesLeft   *int64            `json:"uses_left,omitempty"`
}

type useResult UseResult

// UnmarshalJSON reads the body as text or from base 64.
func (r *UseResult) UnmarshalJSON(data []byte) error {
	coded := struct {
		*useResult
		Body   string `json:"body"`
		Base64 []byte `json:"body_base64"`
	}{useResult: (*useResult)(r)}
	if err := json.Unmarshal(data, &coded); err != nil {
		return err
	}
	r.Body = []byte(coded.Body)
	if coded.Base64 != nil {
		r.Body = coded.Base64
	}
	return nil
}

// MarshalJSON writes the body as text.
func (r UseResult) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		useResult
		Body string `json:"body,omitempty"`
	}{useResult(r), string(r.Body)})
}

// SecretResponse is a disclosed secret, or why there is none.
type SecretResponse struct {
	Status   string  `json:"status"`
	Value    *Secret `json:"value,omitempty"`
	Message  string  `json:"message,omitempty"`
	Evidence string  `json:"evidence,omitempty"`
}

type secretResponse SecretResponse

// UnmarshalJSON reads the value as text or from base 64.
func (r *SecretResponse) UnmarshalJSON(data []byte) error {
	coded := struct {
		*secretResponse
		Base64 []byte `json:"value_base64"`
	}{secretResponse: (*secretResponse)(r)}
	if err := json.Unmarshal(data, &coded); err != nil {
		return err
	}
	if coded.Base64 != nil {
		r.Value = NewSecret(coded.Base64)
	}
	return nil
}

// LogEntry is a line for an evidence stream.
type LogEntry struct {
	Message string `json:"message"`
	// Fields stand beside the message in the evidence.
	Fields map[string]any `json:"fields,omitempty"`
	// Resource is asked for where the capability covers several streams.
	Resource string `json:"resource,omitempty"`
}

// LogResponse says that a line is in the evidence, and under which id.
type LogResponse struct {
	Status   string `json:"status"`
	Message  string `json:"message,omitempty"`
	Evidence string `json:"evidence,omitempty"`
}

// ServerStatus is what the agent's server says about itself.
type ServerStatus struct {
	Running        bool   `json:"running"`
	Connections    int    `json:"connections"`
	MaxConnections int    `json:"max_connections"`
	SocketPath     string `json:"socket_path"`
	Uptime         any    `json:"uptime,omitempty"`
	Authenticated  bool   `json:"authenticated"`
	ConnectionID   string `json:"connection_id,omitempty"`
}

// Secret is bytes that are neither printed nor written as JSON.
type Secret struct{ data []byte }

// NewSecret makes one of these bytes, which it keeps.
func NewSecret(data []byte) *Secret { return &Secret{data} }

// Expose lends the bytes.
func (s *Secret) Expose() []byte { return s.data }

// Wipe overwrites the bytes in this place; copies that the runtime has made stay.
func (s *Secret) Wipe() {
	for at := range s.data {
		s.data[at] = 0
	}
}

// Format hides it, whatever the verb.
func (s Secret) Format(out fmt.State, _ rune) { _, _ = io.WriteString(out, "[secret]") }

// String hides it.
func (s Secret) String() string { return "[secret]" }

// MarshalJSON refuses: a secret goes nowhere by accident.
func (s Secret) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a secret is not written as JSON; use Expose")
}

// UnmarshalJSON reads it from text.
func (s *Secret) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return errors.New("a secret is a text")
	}
	s.data = []byte(text)
	return nil
}
