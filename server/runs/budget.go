package runs

import "time"

const (
	// DefaultRate is how many traces a second are read for the list, if nobody says.
	DefaultRate = 200
	// burst is how many seconds' worth of traces may come at once, where that is no
	// more than atOnce: a full read costs a hundred times what the ids do, and a start
	// under full load is when there is the least to spare.
	burst  = 30
	atOnce = 1000
	// lowSimilarity is the similarity below which a search is looked at first.
	lowSimilarity = 0.5
	// skippedSlots bounds the traces that are known to have been left out; a power of two.
	skippedSlots = 1 << 14
)

// budget says which traces are read for the list. Its clock is the journal's, so
// that a rebuild decides much as the tail did. Not safe for concurrent use.
type budget struct {
	rate float64 // traces a second; below 0 all are read
	// common is what any trace may take, kept what only notable ones may.
	common, kept float64
	last         time.Time
	// left counts the traces that were left out; skipped holds the latest of them, so
	// that one of many records is counted once.
	left    uint64
	skipped []uint64
}

func newBudget(rate float64) budget {
	b := budget{rate: rate}
	b.common, b.kept = b.most(), b.most()
	return b
}

// most gives how many traces may come at once, at least a second's worth.
func (b *budget) most() float64 { return min(burst*b.rate, max(atOnce, b.rate)) }

// admits decides over a trace of which nothing was read yet.
func (b *budget) admits(at time.Time, key uint64, notable bool) bool {
	if b.rate < 0 {
		return true
	}
	if passed := at.Sub(b.last).Seconds(); passed > 0 {
		if !b.last.IsZero() {
			b.common = min(b.common+passed*b.rate, b.most())
			b.kept = min(b.kept+passed*b.rate, b.most())
		}
		b.last = at
	}
	known := b.skipped != nil && b.skipped[key%skippedSlots] == key
	switch {
	case !known && b.common >= 1: // of one that was left out no half is read
		b.common--
	case notable && b.kept >= 1:
		b.kept--
		b.forget(key)
	default:
		if !known {
			b.skip(key)
			b.left++
		}
		return false
	}
	return true
}

// skip notes that a trace was left out.
func (b *budget) skip(key uint64) {
	if b.skipped == nil {
		b.skipped = make([]uint64, skippedSlots)
	}
	b.skipped[key%skippedSlots] = key
}

// forget takes back that a trace was left out, and gives how many that makes.
func (b *budget) forget(key uint64) uint64 {
	if b.skipped == nil || b.skipped[key%skippedSlots] != key {
		return 0
	}
	b.skipped[key%skippedSlots] = 0
	b.left--
	return 1
}

// groups are the traces of a record in the order of its spans; one may come more
// than once.
type groups struct{ list []group }

type group struct {
	trace   [16]byte
	notable bool
}

func (g *groups) begin(trace [16]byte) { g.list = append(g.list, group{trace: trace}) }

func (g *groups) note(notable bool) {
	if notable {
		g.list[len(g.list)-1].notable = true
	}
}
