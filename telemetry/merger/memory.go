package merger

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"

	"treq/telemetry/langsmith"
)

// mostRemembered bounds how many runs are remembered that became spans, and how
// many names of spans. Beyond, the oldest are forgotten: a change of a run that
// comes later still makes a span of the same ids, which is known as the same where
// spans are counted.
const mostRemembered = 1 << 17

// memory knows the runs that became spans.
type memory struct {
	known map[langsmith.ID]struct{}
	queue []langsmith.ID // a ring once it is full
	next  int
}

func newMemory() memory { return memory{known: map[langsmith.ID]struct{}{}} }

func (m *memory) has(id langsmith.ID) bool {
	_, ok := m.known[id]
	return ok
}

func (m *memory) add(id langsmith.ID) {
	if m.has(id) {
		return
	}
	m.known[id] = struct{}{}
	if len(m.queue) < mostRemembered {
		m.queue = append(m.queue, id)
		return
	}
	delete(m.known, m.queue[m.next])
	m.queue[m.next] = id
	m.next = (m.next + 1) % len(m.queue)
}

// each tells the ids, the oldest first.
func (m *memory) each(see func(langsmith.ID)) {
	for i := range m.queue {
		see(m.queue[(m.next+i)%len(m.queue)])
	}
}

// names gives runs their span ids. The first run of a trace that has a span id by
// the SDK's rule keeps it; another with the same gets the other half of its own
// UUID, so that two runs are never one span.
type names struct {
	owners map[uint64]langsmith.ID // by trace and span id
	queue  []uint64
	next   int
}

func newNames() names { return names{owners: map[uint64]langsmith.ID{}} }

// of gives the span id of a run, the same at every call while it is remembered.
func (n *names) of(trace, run langsmith.ID) [8]byte {
	id := run.SpanID()
	if id == ([8]byte{}) {
		return run.Tail()
	}
	key := nameKey(trace, id)
	owner, known := n.owners[key]
	if !known {
		n.own(key, run)
		return id
	}
	if tail := run.Tail(); owner != run && tail != ([8]byte{}) {
		return tail
	}
	return id
}

func (n *names) own(key uint64, run langsmith.ID) {
	n.owners[key] = run
	if len(n.queue) < mostRemembered {
		n.queue = append(n.queue, key)
		return
	}
	delete(n.owners, n.queue[n.next])
	n.queue[n.next] = key
	n.next = (n.next + 1) % len(n.queue)
}

func nameKey(trace langsmith.ID, span [8]byte) uint64 {
	return xxh3.HashSeed(trace[:], binary.BigEndian.Uint64(span[:]))
}

// each tells the owners, the oldest first.
func (n *names) each(see func(key uint64, run langsmith.ID)) {
	for i := range n.queue {
		key := n.queue[(n.next+i)%len(n.queue)]
		see(key, n.owners[key])
	}
}
