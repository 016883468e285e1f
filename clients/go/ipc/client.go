// Package ipc speaks with the agent on this machine.
//
//	client, err := ipc.NewClient(nil)
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//	response, err := client.RequestCapability(&types.CapabilityRequest{
//		Resource: "secret:/db/primary", Actions: []string{"read"}, TTL: 300,
//	})
//
// Each call has a form that takes a [context.Context]. A denial is an answer whose Status is denied, not an error.
package ipc

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Client speaks with an agent. It is safe for many goroutines.
type Client struct {
	config  Config
	free    chan struct{}
	metrics Metrics

	mutex sync.Mutex
	idle  []*conn
}

// NewClient makes a client; nil asks for the defaults. It connects when it is used, or with [Client.Connect].
func NewClient(config *Config) (*Client, error) {
	filled := config.filled()
	return &Client{config: filled, free: make(chan struct{}, filled.MaxConnections)}, nil
}

// Connect opens a first connection, so that a wrong path is noticed now.
func (c *Client) Connect() error { return c.ConnectContext(context.Background()) }

// ConnectContext is [Client.Connect] with a context.
func (c *Client) ConnectContext(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	return c.withRetries(ctx, func() error {
		connection, err := dial(ctx, c.config.socketPath())
		if err == nil {
			c.giveBack(connection)
		}
		return err
	})
}

// Close closes the idle connections. The client may be used again.
func (c *Client) Close() error {
	c.mutex.Lock()
	idle := c.idle
	c.idle = nil
	c.mutex.Unlock()
	for _, connection := range idle {
		_ = connection.Close()
	}
	return nil
}

// Metrics are the counters of this client.
func (c *Client) Metrics() *Metrics { return &c.metrics }

type call struct {
	kind    string
	payload any
	answer  string
	// Whether it may be sent twice: it changes nothing, or what it makes expires by itself.
	repeatable bool
}

type envelope struct {
	Version   string          `json:"version"`
	Type      string          `json:"type"`
	ID        string          `json:"id"`
	Timestamp string          `json:"timestamp"`
	Payload   json.RawMessage `json:"payload"`
}

// run makes a call and reads its answer into result.
func (c *Client) run(ctx context.Context, made call, result any) error {
	message, id, err := made.message()
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
		defer cancel()
		err = c.withRetries(ctx, func() error { return c.once(ctx, made, message, id, result) })
	}
	if err != nil {
		c.metrics.errors.Add(1)
	}
	return err
}

func (c *Client) withRetries(ctx context.Context, attempt func() error) error {
	for number := 0; ; number++ {
		err := attempt()
		if err == nil || number+1 >= c.config.Retry.Attempts || !mayGoAgain(err) {
			return err
		}
		wait := c.config.Retry.wait(number)
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return late(ctx)
		case <-timer.C:
			c.metrics.retries.Add(1)
		}
	}
}

func mayGoAgain(err error) bool {
	var failure *Error
	if !errors.As(err, &failure) {
		return false
	}
	switch failure.Kind {
	case ErrUnreachable:
		return !failure.lasting
	case ErrLost:
		return true
	case ErrRefused:
		// Nothing was done, and in a moment it may be.
		return failure.Code == "rate_limited"
	}
	return false
}

func (c *Client) once(ctx context.Context, made call, message []byte, id string, result any) error {
	select {
	case c.free <- struct{}{}:
		defer func() { <-c.free }()
	case <-ctx.Done():
		return late(ctx)
	}
	connection := c.idleConnection()
	if connection == nil {
		var err error
		if connection, err = dial(ctx, c.config.socketPath()); err != nil {
			return err
		}
	}
	line, failure := connection.exchange(ctx, message)
	if failure != nil {
		_ = connection.Close()
		if failure.sent && !made.repeatable && failure.Kind != ErrProtocol {
			return unknown(failure)
		}
		return failure
	}
	if err := made.read(line, id, result); err != nil {
		if errors.Is(err, ErrRefused) {
			// A refusal is a whole answer, so the next one is that to the next message.
			c.giveBack(connection)
		} else {
			_ = connection.Close()
		}
		return err
	}
	c.giveBack(connection)
	return nil
}

func (c *Client) idleConnection() *conn {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for len(c.idle) > 0 {
		connection := c.idle[len(c.idle)-1]
		c.idle = c.idle[:len(c.idle)-1]
		if connection.isQuiet() {
			return connection
		}
		_ = connection.Close()
	}
	return nil
}

func (c *Client) giveBack(connection *conn) {
	if connection.spent {
		_ = connection.Close()
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.idle = append(c.idle, connection)
}

func (made call) message() (message []byte, id string, err error) {
	payload, err := json.Marshal(made.payload)
	if err != nil {
		return nil, "", fail(ErrProtocol, "the message can't be written as JSON: "+err.Error(), err)
	}
	var random [12]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, "", err
	}
	id = "msg_" + hex.EncodeToString(random[:])
	now := time.Now().UTC().Format(time.RFC3339Nano)
	message, err = json.Marshal(envelope{"1.0", made.kind, id, now, payload})
	if err != nil {
		return nil, "", err
	}
	message = append(message, '\n')
	if len(message) > frame {
		text := fmt.Sprintf("the message has %d bytes; the agent takes at most %d", len(message), frame)
		return nil, "", fail(ErrTooLarge, text, nil)
	}
	return message, id, nil
}

func (made call) read(line []byte, id string, result any) error {
	var answer envelope
	if err := json.Unmarshal(line, &answer); err != nil {
		return fail(ErrProtocol, "the agent's answer is not JSON: "+err.Error(), err)
	}
	// A message that the agent could not read has no id that it could answer with.
	unread := answer.Type == "error_response" && answer.ID == ""
	switch {
	case answer.ID != id && !unread:
		return fail(ErrProtocol, "the agent answered another message", nil)
	case answer.Version != "1.0":
		return fail(ErrProtocol, "the agent speaks version "+answer.Version+" of the protocol, not 1.0", nil)
	case answer.Type == "error_response":
		return refusal(answer.Payload)
	case answer.Type != made.answer:
		text := "the agent answered with `" + answer.Type + "` where `" + made.answer + "` was expected"
		return fail(ErrProtocol, text, nil)
	}
	if len(answer.Payload) == 0 || answer.Payload[0] != '{' {
		return fail(ErrProtocol, "the agent's answer has no payload", nil)
	}
	if err := json.Unmarshal(answer.Payload, result); err != nil {
		return fail(ErrProtocol, "the agent's answer can't be read: "+err.Error(), err)
	}
	if checked, ok := result.(interface{ missing() string }); ok {
		if key := checked.missing(); key != "" {
			return fail(ErrProtocol, "the agent's answer has no `"+key+"`", nil)
		}
	}
	return nil
}

func refusal(payload json.RawMessage) error {
	var said struct {
		Error    string `json:"error"`
		Code     string `json:"code"`
		Hint     string `json:"hint"`
		Evidence string `json:"evidence"`
	}
	if err := json.Unmarshal(payload, &said); err != nil {
		return fail(ErrProtocol, "the agent's refusal can't be read: "+err.Error(), err)
	}
	if said.Error == "" {
		said.Error = "refused without a reason"
	}
	failure := fail(ErrRefused, said.Error, nil)
	if said.Code == "outcome_unknown" {
		// The agent itself gave up waiting for what it had begun.
		failure = unknown(failure)
	}
	failure.Code, failure.Hint, failure.Evidence = said.Code, said.Hint, said.Evidence
	return failure
}
