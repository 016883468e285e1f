package ipc

import (
	"math/rand"
	"os"
	"path/filepath"
	"time"
)

// SystemSocket is where the agent of a whole machine listens.
const SystemSocket = "/var/run/vault/agent.sock"

// Config says where the agent is and how patient the client is. What is left zero has its default.
type Config struct {
	// SocketPath is where the agent listens. Without it VAULT_AGENT_SOCKET_PATH says where; then the home and
	// [SystemSocket] are looked at.
	SocketPath string
	// Timeout is for a whole call with its retries; 30 seconds. The agent gives up after as long.
	Timeout time.Duration
	// Retry says when a call is made again.
	Retry Retry
	// MaxConnections bounds the connections that are open at the same time; 8.
	MaxConnections int
}

// Retry makes a call again that was not sent, or that changes nothing. A use, a disclosure, a line of a log and a
// revocation are never sent twice.
type Retry struct {
	// Attempts in all; 3. With 1 nothing is made again.
	Attempts int
	// First is the longest wait before the second attempt; 100 ms. It doubles with each attempt.
	First time.Duration
	// Longest wait between two attempts; 2 s.
	Longest time.Duration
}

func (c *Config) filled() Config {
	var filled Config
	if c != nil {
		filled = *c
	}
	if filled.Timeout <= 0 {
		filled.Timeout = 30 * time.Second
	}
	if filled.MaxConnections <= 0 {
		filled.MaxConnections = 8
	}
	if filled.Retry.Attempts <= 0 {
		filled.Retry.Attempts = 3
	}
	if filled.Retry.First <= 0 {
		filled.Retry.First = 100 * time.Millisecond
	}
	if filled.Retry.Longest <= 0 {
		filled.Retry.Longest = 2 * time.Second
	}
	return filled
}

// wait is drawn between half of the wait and the whole, so that many programs don't come back at one moment.
func (r Retry) wait(attempt int) time.Duration {
	whole := r.First
	for i := 0; i < attempt && whole < r.Longest; i++ {
		whole *= 2
	}
	if whole > r.Longest {
		whole = r.Longest
	}
	return whole/2 + time.Duration(rand.Int63n(int64(whole/2)+1))
}

// socketPath is where the agent is now; it may appear after the client was made.
func (c *Config) socketPath() string {
	if c.SocketPath != "" {
		return c.SocketPath
	}
	if path := os.Getenv("VAULT_AGENT_SOCKET_PATH"); path != "" {
		return path
	}
	places := socketPlaces(os.Getenv)
	for _, path := range places {
		if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
			return path
		}
	}
	return places[len(places)-1]
}

// socketPlaces are where an agent may be, the first one first.
func socketPlaces(env func(string) string) []string {
	var places []string
	home := env("HOME")
	switch {
	case env("DOORWARD_HOME") != "":
		places = append(places, filepath.Join(env("DOORWARD_HOME"), "socket"))
	case env("XDG_DATA_HOME") != "":
		places = append(places, filepath.Join(env("XDG_DATA_HOME"), "doorward", "socket"))
	case home != "":
		places = append(places, filepath.Join(home, ".local", "share", "doorward", "socket"))
	}
	if home != "" {
		places = append(places, filepath.Join(home, ".aether-vault", "agent.sock"))
	}
	return append(places, SystemSocket)
}
