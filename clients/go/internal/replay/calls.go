package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	doorward "github.com/doorward/doorward/clients/go"
	"github.com/doorward/doorward/clients/go/ipc"
	"github.com/doorward/doorward/clients/go/types"
)

// Client is one that is called by the words of the scripts.
type Client struct{ *ipc.Client }

// Connect makes a client.
func Connect(path string, seconds float64) (*Client, error) {
	if seconds == 0 {
		seconds = 120
	}
	timeout := time.Duration(seconds * float64(time.Second))
	client, err := ipc.NewClient(&ipc.Config{SocketPath: path, Timeout: timeout})
	return &Client{client}, err
}

// Outcome makes a call: its answer as JSON, or the failure.
func (c *Client) Outcome(name string, args Object) (any, error) {
	answer, err := c.call(name, args)
	if err != nil {
		return Failed(err), nil
	}
	return Plain(answer)
}

func (c *Client) call(name string, args Object) (any, error) {
	text := func(key string) string { value, _ := args[key].(string); return grown(value) }
	id := text("capability_id")
	switch name {
	case "ping":
		return Object{}, c.Ping()
	case "status":
		return c.GetStatus()
	case "agent_status":
		return c.AgentStatus(context.Background())
	case "request":
		var request types.CapabilityRequest
		if err := into(args, &request); err != nil {
			return nil, err
		}
		answer, err := c.RequestCapability(&request)
		return opened(answer), err
	case "validate":
		var told *types.Context
		if err := into(args["context"], &told); err != nil {
			return nil, err
		}
		return c.ValidateCapability(id, told)
	case "revoke":
		return Object{"status": "revoked"}, c.RevokeCapability(id, text("reason"))
	case "list":
		var filter types.CapabilityFilter
		if err := into(args["filter"], &filter); err != nil {
			return nil, err
		}
		return c.ListCapabilitiesContext(context.Background(), &filter)
	case "narrow":
		var less types.NarrowRequest
		if err := into(args, &less); err != nil {
			return nil, err
		}
		answer, err := c.NarrowCapability(id, &less)
		return opened(answer), err
	case "use":
		request := types.UseRequest{
			Integration: text("integration"), Method: text("method"), Path: text("path"), Action: text("action"),
			Body: []byte(text("body")),
		}
		if err := into(args["headers"], &request.Headers); err != nil {
			return nil, err
		}
		return c.UseCapability(id, &request)
	case "use_tool":
		inputs, _ := args["inputs"].(Object)
		return c.UseTool(id, text("name"), inputs)
	case "read_secret":
		answer, err := c.ReadSecret(id, text("resource"))
		if err != nil {
			return nil, err
		}
		told := Object{"status": answer.Status, "message": answer.Message}
		if answer.Value != nil {
			told["value"] = string(answer.Value.Expose())
		}
		return told, nil
	case "append_log":
		fields, _ := args["fields"].(Object)
		entry := types.LogEntry{Message: text("message"), Fields: fields, Resource: text("resource")}
		return c.AppendLog(id, &entry)
	case "secure_use":
		revoke, _ := args["revoke"].(bool)
		var options []doorward.UseOption
		if revoke {
			options = append(options, doorward.RevokeAfter("Used successfully"))
		}
		ran := false
		err := doorward.SecureUse(context.Background(), c.Client, id, func() error { ran = true; return nil }, options...)
		return Object{"ran": ran}, err
	}
	return nil, fmt.Errorf("the scripts know no call `%s`", name)
}

// opened is an answer with its token, which JSON hides otherwise.
func opened(answer *types.CapabilityResponse) any {
	if answer == nil || answer.Capability == nil || answer.Capability.Token == nil {
		return answer
	}
	bare := *answer
	capability := *answer.Capability
	capability.Token = nil
	bare.Capability = &capability
	plain, err := Plain(bare)
	if err != nil {
		return answer
	}
	plain.(Object)["capability"].(Object)["token"] = string(answer.Capability.Token.Expose())
	return plain
}

func into(value any, to any) error {
	if value == nil {
		return nil
	}
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, to)
}

// grown is a text; <large:N> stands for one of N letters.
func grown(text string) string {
	var length int
	if _, err := fmt.Sscanf(text, "<large:%d>", &length); err == nil {
		return strings.Repeat("x", length)
	}
	return text
}
