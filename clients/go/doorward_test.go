package doorward_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	doorward "github.com/doorward/doorward/clients/go"
	"github.com/doorward/doorward/clients/go/ipc"
	"github.com/doorward/doorward/clients/go/mock"
	"github.com/doorward/doorward/clients/go/types"
)

// What has to be an Agent.
var (
	_ doorward.Agent = (*ipc.Client)(nil)
	_ doorward.Agent = (*mock.Agent)(nil)
)

var read = &types.CapabilityRequest{Resource: "secret:/db/primary", Actions: []string{"read"}, TTL: 300}

func asked(agent *mock.Agent, name string) (count int) {
	for _, call := range agent.Calls() {
		if call.Name == name {
			count++
		}
	}
	return count
}

func allowing() *mock.Agent {
	agent := mock.New()
	agent.Allow("secret:/db/*", "read", "write")
	return agent
}

func TestManyGoroutinesThatWantOneCapabilityAskOnce(t *testing.T) {
	agent := allowing()
	manager := doorward.NewManager(agent, nil)
	defer manager.Close()
	var wait sync.WaitGroup
	for range make([]int, 50) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if _, err := manager.Get(context.Background(), read); err != nil {
				t.Error(err)
			}
		}()
	}
	wait.Wait()
	if count := asked(agent, "RequestCapability"); count != 1 {
		t.Errorf("it was asked for %d times", count)
	}
	counted := agent.Metrics().Now()
	if counted.CacheMisses != 1 || counted.CacheHits != 49 {
		t.Errorf("%+v", counted)
	}
}

func TestTheOrderOfActionsIsNoDifferenceAndAnotherResourceIs(t *testing.T) {
	agent := allowing()
	manager := doorward.NewManager(agent, nil)
	defer manager.Close()
	for _, request := range []types.CapabilityRequest{
		{Resource: "secret:/db/a", Actions: []string{"read", "write"}},
		{Resource: "secret:/db/a", Actions: []string{"write", "read"}},
		{Resource: "secret:/db/b", Actions: []string{"write", "read"}},
	} {
		if _, err := manager.Get(context.Background(), &request); err != nil {
			t.Fatal(err)
		}
	}
	if count := asked(agent, "RequestCapability"); count != 2 || manager.Len() != 2 {
		t.Errorf("it was asked for %d times, %d are kept", count, manager.Len())
	}
}

func TestADenialIsAnErrorAndIsNotKept(t *testing.T) {
	agent := mock.New()
	manager := doorward.NewManager(agent, nil)
	defer manager.Close()
	if _, err := manager.Get(context.Background(), read); !errors.Is(err, ipc.ErrDenied) {
		t.Fatal(err)
	}
	agent.Allow("secret:/db/primary", "read")
	if _, err := manager.Get(context.Background(), read); err != nil {
		t.Fatal(err)
	}
}

func TestARevokedCapabilityIsForgottenWhenItsUseFails(t *testing.T) {
	agent := allowing()
	manager := doorward.NewManager(agent, nil)
	defer manager.Close()
	ctx := context.Background()
	first, err := manager.Get(ctx, read)
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.RevokeCapability(first.ID, ""); err != nil {
		t.Fatal(err)
	}
	ran := false
	use := func(*types.Capability) error { ran = true; return nil }
	if err := manager.Use(ctx, read, use); !errors.Is(err, ipc.ErrNotValid) || ran {
		t.Fatal(err, ran)
	}
	if err := manager.Use(ctx, read, use); err != nil || !ran {
		t.Fatal(err, ran)
	}
}

func TestASecureUseRevokesAlsoWhenTheUseFails(t *testing.T) {
	agent := allowing()
	response, err := agent.RequestCapability(read)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("no database")
	ctx, cancel := context.WithCancel(context.Background())
	usage := func() error { cancel(); return broken }
	err = doorward.SecureUse(ctx, agent, response.Capability.ID, usage, doorward.RevokeAfter("done"))
	if !errors.Is(err, broken) || asked(agent, "RevokeCapability") != 1 {
		t.Fatal(err)
	}
	result, err := agent.ValidateCapability(response.Capability.ID, nil)
	if err != nil || result.Valid {
		t.Fatal(result, err)
	}
}

func TestClosingAManagerRevokesWhatItKeepsWhereThatWasAskedFor(t *testing.T) {
	for _, revoke := range []bool{true, false} {
		agent := allowing()
		manager := doorward.NewManager(agent, &doorward.ManagerConfig{RevokeOnClose: revoke})
		capability, err := manager.Get(context.Background(), read)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(manager.Close(), manager.Close()); err != nil {
			t.Fatal(err)
		}
		result, _ := agent.ValidateCapability(capability.ID, nil)
		if result.Valid == revoke {
			t.Errorf("revoke %v, valid %v", revoke, result.Valid)
		}
	}
}

func TestACapabilityNearItsEndIsNotGivenOut(t *testing.T) {
	cache := doorward.NewCache[string](2)
	cache.Set("a", "1", time.Hour)
	cache.Set("b", "2", -time.Second)
	if _, found := cache.Get("b"); found {
		t.Error("what is over was given out")
	}
	cache.Set("b", "2", time.Hour)
	cache.Get("a")
	cache.Set("c", "3", time.Hour)
	if _, found := cache.Get("b"); found || cache.Len() != 2 {
		t.Error("the least recently used stays")
	}
	if _, found := cache.Get("a"); !found {
		t.Error("the one used last has gone")
	}
}

func TestTheMockCountsUsesOfAChildForItsParentToo(t *testing.T) {
	agent := allowing()
	agent.Disclose("secret:/db/primary", []byte("canary"))
	parent, _ := agent.RequestCapability(&types.CapabilityRequest{Resource: "secret:/db/primary", Actions: []string{"read"}, MaxUses: 2})
	child, err := agent.NarrowCapability(parent.Capability.ID, &types.NarrowRequest{MaxUses: 50})
	if err != nil || child.Capability.MaxUses != 2 || child.Capability.Parent != parent.Capability.ID {
		t.Fatal(child, err)
	}
	for at, expected := range []string{"ok", "ok", "denied"} {
		answer, err := agent.ReadSecret(child.Capability.ID, "")
		if err != nil || answer.Status != expected {
			t.Fatal(at, answer, err)
		}
	}
	if _, err := agent.NarrowCapability(parent.Capability.ID, &types.NarrowRequest{Actions: []string{"write"}}); err == nil {
		t.Error("a child was wider than its parent")
	}
}
