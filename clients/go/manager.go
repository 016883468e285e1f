package doorward

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/doorward/doorward/clients/go/ipc"
	"github.com/doorward/doorward/clients/go/types"
)

// ManagerConfig says how a manager keeps house. What is left zero has its default.
type ManagerConfig struct {
	// Size is how many capabilities are kept; 1000.
	Size int
	// Margin before its end in which a capability is not given out any more; 5 seconds, and never more than a tenth of
	// its life.
	Margin time.Duration
	// SweepEvery is how often what is over is forgotten; a minute.
	SweepEvery time.Duration
	// RevokeOnClose revokes what is still kept when the manager is closed.
	RevokeOnClose bool
	// Timeout is for revoking when the manager is closed; 10 seconds.
	Timeout time.Duration
}

// Manager gives out capabilities from a cache, and asks for new ones. Goroutines that want the same one ask once.
type Manager struct {
	agent  Agent
	config ManagerConfig
	cache  *Cache[*types.Capability]
	done   chan struct{}
	swept  chan struct{}
	close  sync.Once

	mutex  sync.Mutex
	asking map[string]*ask
}

type ask struct {
	done       chan struct{}
	capability *types.Capability
	err        error
}

// NewManager makes one and starts its cleaning; nil asks for the defaults.
func NewManager(agent Agent, config *ManagerConfig) *Manager {
	var filled ManagerConfig
	if config != nil {
		filled = *config
	}
	if filled.Margin <= 0 {
		filled.Margin = 5 * time.Second
	}
	if filled.SweepEvery <= 0 {
		filled.SweepEvery = time.Minute
	}
	if filled.Timeout <= 0 {
		filled.Timeout = 10 * time.Second
	}
	manager := &Manager{
		agent: agent, config: filled, cache: NewCache[*types.Capability](filled.Size),
		done: make(chan struct{}), swept: make(chan struct{}), asking: map[string]*ask{},
	}
	go manager.sweep()
	return manager
}

// Get has a capability from the cache, or a new one. A denial is an error of the kind [ipc.ErrDenied]. The capability
// is shared: leave it as it is.
func (m *Manager) Get(ctx context.Context, request *types.CapabilityRequest) (*types.Capability, error) {
	key, err := keyOf(request)
	if err != nil {
		return nil, err
	}
	for {
		m.mutex.Lock()
		if kept, found := m.cache.Get(key); found {
			m.mutex.Unlock()
			m.agent.Metrics().CacheHit()
			return kept, nil
		}
		under, found := m.asking[key]
		if !found {
			under = &ask{done: make(chan struct{})}
			m.asking[key] = under
			m.mutex.Unlock()
			return m.ask(ctx, key, request, under)
		}
		m.mutex.Unlock()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-under.done:
		}
		if under.err == nil {
			m.agent.Metrics().CacheHit()
			return under.capability, nil
		}
		// Whoever asked may have been given up by its own caller; that says nothing about this one.
		if !errors.Is(under.err, context.Canceled) && !errors.Is(under.err, context.DeadlineExceeded) {
			return nil, under.err
		}
	}
}

func (m *Manager) ask(
	ctx context.Context, key string, request *types.CapabilityRequest, under *ask,
) (*types.Capability, error) {
	defer func() {
		m.mutex.Lock()
		delete(m.asking, key)
		m.mutex.Unlock()
		close(under.done)
	}()
	m.agent.Metrics().CacheMiss()
	// Said before anything is asked, for the case that the agent panics.
	under.err = context.Canceled
	response, err := m.agent.RequestCapabilityContext(ctx, request)
	if err == nil && !response.Granted() {
		err = &ipc.Error{Kind: ipc.ErrDenied, Message: "capability denied: " + response.Message}
	}
	if under.err = err; err != nil {
		return nil, err
	}
	left := time.Until(response.Capability.ExpiresAt)
	m.cache.Set(key, response.Capability, left-min(m.config.Margin, left/10))
	under.capability = response.Capability
	return response.Capability, nil
}

// Use gets a capability, validates it, and runs usage with it. One that fails is forgotten, so that the next use asks
// for a new one.
func (m *Manager) Use(
	ctx context.Context, request *types.CapabilityRequest, usage func(*types.Capability) error, with ...UseOption,
) error {
	capability, err := m.Get(ctx, request)
	if err != nil {
		return err
	}
	err = SecureUse(ctx, m.agent, capability.ID, func() error { return usage(capability) }, with...)
	if err != nil || len(with) > 0 {
		m.forget(capability.ID)
	}
	return err
}

// Revoke ends a capability, here and at the agent.
func (m *Manager) Revoke(ctx context.Context, id, reason string) error {
	m.forget(id)
	return m.agent.RevokeCapabilityContext(ctx, id, reason)
}

// Len is how many capabilities are kept.
func (m *Manager) Len() int { return m.cache.Len() }

// Close stops the cleaning, and revokes what is kept where that was asked for. What can't be revoked ends by itself.
func (m *Manager) Close() error {
	var failed error
	m.close.Do(func() {
		close(m.done)
		<-m.swept
		kept := m.cache.Drain()
		if !m.config.RevokeOnClose {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), m.config.Timeout)
		defer cancel()
		for _, capability := range kept {
			failed = errors.Join(failed, m.agent.RevokeCapabilityContext(ctx, capability.ID, "the program has ended"))
		}
	})
	return failed
}

func (m *Manager) forget(id string) {
	m.cache.DeleteFunc(func(kept *types.Capability) bool { return kept.ID == id })
}

func (m *Manager) sweep() {
	defer close(m.swept)
	ticker := time.NewTicker(m.config.SweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-m.done:
			return
		case <-ticker.C:
			m.cache.Sweep()
		}
	}
}

// keyOf is the same for requests that ask for the same.
func keyOf(request *types.CapabilityRequest) (string, error) {
	if request == nil {
		return "", errors.New("no request was given")
	}
	sorted := *request
	sorted.Actions = slices.Clone(request.Actions)
	slices.Sort(sorted.Actions)
	key, err := json.Marshal(sorted)
	return string(key), err
}
