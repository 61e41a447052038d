package ingest

import (
	"errors"
	"net/http"
	"sync/atomic"

	"treq/server/fault"
)

// reason is why a request was refused.
type reason uint8

const (
	reasonInternal reason = iota
	reasonInvalid
	reasonTooLarge
	reasonUnsupported
	reasonNoRoom
	reasonUnauthenticated
	reasonLoop
	reasonOther
	reasons
)

// reasonNames are values of an attribute.
var reasonNames = [reasons]string{"internal", "invalid", "too_large", "unsupported", "no_room", "unauthenticated", "loop", "other"}

// reasonOf sorts what a client is answered, so that the count agrees with it.
func reasonOf(err error) reason {
	if errors.Is(err, errLoop) {
		return reasonLoop
	}
	switch fault.Of(err).Status {
	case http.StatusInternalServerError:
		return reasonInternal
	case http.StatusBadRequest:
		return reasonInvalid
	case http.StatusRequestEntityTooLarge:
		return reasonTooLarge
	case http.StatusUnsupportedMediaType:
		return reasonUnsupported
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return reasonNoRoom
	case http.StatusUnauthorized:
		return reasonUnauthenticated
	}
	return reasonOther
}

// counters are one door's, since the process started.
type counters struct {
	signals [len(signals) + 1]signalCounters // and runs
	refused [reasons]atomic.Uint64
}

type signalCounters struct {
	requests, items, bytes, wire atomic.Uint64
	duplicates, partial          atomic.Uint64
}

// DoorStats is what one door has seen since the process started. It is never
// restored: a restart starts at zero.
type DoorStats struct {
	// Door is "http", "grpc" or "langsmith".
	Door string
	// Signals are traces, metrics and logs, in this order; of langsmith runs alone,
	// whose items are what was told of runs.
	Signals []SignalStats
	// Refused counts requests by reason: "invalid", "too_large", "unsupported",
	// "no_room", "unauthenticated", "loop", "internal", "other". Every reason
	// is there, with 0 where it never happened.
	Refused map[string]uint64
}

// SignalStats is what one door has taken of one signal.
type SignalStats struct {
	// Signal is "traces", "metrics", "logs" or "runs".
	Signal string
	// Requests were answered with success, duplicates and empty ones among them.
	Requests uint64
	// Items are the spans, data points or log records of what was appended.
	Items uint64
	// Bytes are those that were appended, decompressed; Wire the same as they came.
	Bytes, Wire uint64
	// Duplicates are requests that had been admitted before.
	Duplicates uint64
	// Partial are spans that were cut out of requests that were kept.
	Partial uint64
}

// Stats gives the counters of the doors, HTTP first. Safe for concurrent use.
func (i *Ingest) Stats() []DoorStats {
	return []DoorStats{i.http.stats("http", signals[:]...), i.grpc.stats("grpc", signals[:]...), i.langsmith.stats("langsmith", native)}
}

func (c *counters) stats(door string, signals ...*signal) DoorStats {
	s := DoorStats{Door: door, Refused: make(map[string]uint64, reasons)}
	for _, sig := range signals {
		n := &c.signals[sig.index]
		s.Signals = append(s.Signals, SignalStats{
			Signal: sig.name, Requests: n.requests.Load(), Items: n.items.Load(), Bytes: n.bytes.Load(), Wire: n.wire.Load(),
			Duplicates: n.duplicates.Load(), Partial: n.partial.Load(),
		})
	}
	for r, name := range reasonNames {
		s.Refused[name] = c.refused[r].Load()
	}
	return s
}
