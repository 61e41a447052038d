package e2etest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/zeebo/xxh3"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Key identifies a span: its trace id and its span id.
type Key [24]byte

// String gives the ids in hexadecimal.
func (k Key) String() string { return fmt.Sprintf("%x/%x", k[:16], k[16:]) }

// KeyOf gives a span's key.
func KeyOf(s *trace.Span) Key {
	var k Key
	copy(k[:16], s.TraceId)
	copy(k[16:], s.SpanId)
	return k
}

// digest is equal for spans that say the same. A status that is there and empty,
// as OTLP/JSON writes it, says what none says.
func digest(s *trace.Span) uint64 {
	if s.Status == nil {
		s = proto.CloneOf(s)
		s.Status = &trace.Status{}
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(s)
	if err != nil {
		return 0
	}
	return xxh3.Hash(b)
}

// Ledger remembers what clients sent and what was acknowledged to them. It is
// safe for concurrent use.
type Ledger struct {
	mu     sync.Mutex
	issued map[Key]uint64
	acked  map[Key]struct{}
	totals Totals
}

// NewLedger makes an empty ledger.
func NewLedger() *Ledger {
	return &Ledger{issued: make(map[Key]uint64), acked: make(map[Key]struct{})}
}

// Issue notes a trace that will be sent until it is acknowledged.
func (l *Ledger) Issue(t *Trace) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.totals.Add(t.Question)
	for _, s := range t.Spans {
		l.issued[KeyOf(s)] = digest(s)
	}
}

// Ack notes that a request with these spans was answered with success.
func (l *Ledger) Ack(spans []*trace.Span) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range spans {
		l.acked[KeyOf(s)] = struct{}{}
	}
}

// Acked is how many spans were acknowledged.
func (l *Ledger) Acked() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(len(l.acked))
}

// Totals is what all issued traces add up to.
func (l *Ledger) Totals() Totals {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.totals
}

// Missing is how many acknowledged spans the sink does not have yet.
func (l *Ledger) Missing(s *Sink) int {
	delivered := s.Delivered()
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for k := range l.acked {
		if delivered[k].Times == 0 {
			n++
		}
	}
	return n
}

// Check fails the test for every acknowledged span that the sink lacks, and for
// every delivered span that was altered or that nobody sent. It gives the number
// of spans that were delivered more than once.
func (l *Ledger) Check(t testing.TB, s *Sink) (repeated int) {
	t.Helper()
	o := l.Compare(s)
	if o.Lost+o.Altered+o.Unknown > 0 {
		t.Errorf("of %d acknowledged spans %d are lost; of %d delivered ones %d are altered and %d unknown",
			o.Acked, o.Lost, o.Delivered, o.Altered, o.Unknown)
	}
	return o.Repeated
}
