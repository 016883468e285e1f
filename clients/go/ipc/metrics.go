package ipc

import "sync/atomic"

// Metrics count what a client has asked and what came of it. They are safe for many goroutines.
type Metrics struct {
	requests, grants, denials   atomic.Int64
	validations, valid, invalid atomic.Int64
	hits, misses                atomic.Int64
	retries, errors             atomic.Int64
}

// Counted are the counters at one moment.
type Counted struct {
	CapabilityRequests int64 `json:"capability_requests"`
	CapabilityGrants   int64 `json:"capability_grants"`
	CapabilityDenials  int64 `json:"capability_denials"`
	ValidationRequests int64 `json:"validation_requests"`
	ValidationSuccess  int64 `json:"validation_success"`
	ValidationFailures int64 `json:"validation_failures"`
	CacheHits          int64 `json:"cache_hits"`
	CacheMisses        int64 `json:"cache_misses"`
	Retries            int64 `json:"retries"`
	Errors             int64 `json:"errors"`
}

// Now has the counters now.
func (m *Metrics) Now() Counted {
	return Counted{
		CapabilityRequests: m.requests.Load(),
		CapabilityGrants:   m.grants.Load(),
		CapabilityDenials:  m.denials.Load(),
		ValidationRequests: m.validations.Load(),
		ValidationSuccess:  m.valid.Load(),
		ValidationFailures: m.invalid.Load(),
		CacheHits:          m.hits.Load(),
		CacheMisses:        m.misses.Load(),
		Retries:            m.retries.Load(),
		Errors:             m.errors.Load(),
	}
}

// CacheHit counts a capability that came from a cache.
func (m *Metrics) CacheHit() { m.hits.Add(1) }

// CacheMiss counts one that had to be asked for.
func (m *Metrics) CacheMiss() { m.misses.Add(1) }
