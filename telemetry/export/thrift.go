package export

import (
	"math"
	"sync"
	"time"

	"github.com/zeebo/xxh3"

	"treq/telemetry/journal"
	"treq/telemetry/langsmith"
)

// thrift leaves out whole traces where all of them would be more than the budget, the
// least valuable first. It plans with buckets of its own, at the moment a record is
// read. What comes of a trace first decides over the rest of it. It belongs to the
// pump, but for what is shown.
type thrift struct {
	plan *budget

	younger, older map[uint64]bool // by the hash of the trace's id: whether it goes
	shed           shed

	mu    sync.Mutex
	share float64 // of the ordinary traces that were sent last
}

func newThrift(c Config, now time.Time) *thrift {
	if c.OverBudget != OverBudgetSample {
		return nil
	}
	c.RequestsPerHour = 0 // batches grow with what waits: fewer traces make no fewer requests
	if plan := newBudget(c, now); plan != nil {
		return &thrift{plan: plan, share: 1}
	}
	return nil
}

// shareOf gives the share of traces of a value that are sent while that much of the
// budget is left: the more valuable go on when the others no longer do, and errors
// wait rather than be left out.
func (v value) shareOf(left float64) float64 {
	from, to := 0.5, 0.9
	switch v {
	case failing, disliked:
		return 1
	case unlike:
		from, to = 0.1, 0.2
	case slow:
		from, to = 0.25, 0.45
	}
	return max(0, min(1, (left-from)/(to-from)))
}

// decide gives the verdict on every span of a request, which is in the record at a
// position.
func (h *thrift) decide(request []byte, now time.Time, at journal.Position) (verdicts []bool, err error) {
	worth := map[uint64]value{}
	var traces []uint64
	err = eachSpan(request, func(span []byte) {
		trace := xxh3.Hash(lastField(span, spanTraceID))
		traces = append(traces, trace)
		v := valueOf(span)
		if h.shed.isDisliked(span) {
			v = max(v, disliked)
		}
		worth[trace] = max(worth[trace], v)
	})
	if err != nil {
		return nil, err
	}
	left, _ := h.plan.left(now)
	h.mu.Lock()
	h.share = ordinary.shareOf(left)
	h.mu.Unlock()
	verdicts = make([]bool, len(traces))
	kept := 0
	for i, trace := range traces {
		if verdicts[i] = h.verdict(trace, worth[trace].shareOf(left)); verdicts[i] {
			kept++
		}
	}
	if kept < len(traces) {
		i := 0
		_ = eachSpan(request, func(span []byte) { // it was read before
			if !verdicts[i] {
				h.shed.add(traces[i], span, at)
			}
			i++
		})
	}
	if kept > 0 {
		// What goes is charged, whether there is room or not: errors may take more.
		h.plan.charge(float64(kept), float64(len(request))*float64(kept)/float64(len(traces)))
	}
	return verdicts, nil
}

// verdict gives what was decided on a trace before, else decides by its id.
func (h *thrift) verdict(trace uint64, share float64) bool {
	if was, known := h.younger[trace]; known {
		return was
	}
	was, known := h.older[trace]
	if !known {
		was = float64(trace) < share*math.MaxUint64
	}
	if h.younger == nil || len(h.younger) >= remembered {
		h.older, h.younger = h.younger, make(map[uint64]bool)
	}
	h.younger[trace] = was
	return was
}

// keep decides that a trace goes, whatever was decided before.
func (h *thrift) keep(trace uint64) {
	h.verdict(trace, 1)
	h.younger[trace] = true
}

// of gives what of a request goes to the sink, as [choice.of] does.
func (h *thrift) of(request []byte, now time.Time, at journal.Position) ([]byte, int64, error) {
	verdicts, err := h.decide(request, now, at)
	if err != nil {
		return nil, 0, err
	}
	var kept int64
	for _, goes := range verdicts {
		if goes {
			kept++
		}
	}
	switch kept {
	case int64(len(verdicts)):
		return request, kept, nil
	case 0:
		return nil, 0, nil
	}
	i := 0
	return selectSpans(request, func([]byte) bool {
		i++
		return verdicts[i-1]
	})
}

// ofParcels gives the parcels that go to the sink.
func (h *thrift) ofParcels(parcels []langsmith.Parcel, now time.Time, at journal.Position) []langsmith.Parcel {
	var request []byte
	for i := range parcels {
		request = parcels[i].AppendSpan(request)
	}
	verdicts, err := h.decide(request, now, at)
	if err != nil || len(verdicts) != len(parcels) {
		return parcels
	}
	for i := range parcels {
		if !verdicts[i] { // a run is judged by its own id
			h.shed.traces.put(hashOf(parcels[i].ID.String()), xxh3.Hash(parcels[i].Trace[:]), mostShedIDs)
		}
	}
	return pick(parcels, func(i int) bool { return verdicts[i] })
}

// charge takes whether there is room or not.
func (b *budget) charge(spans, bytes float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spans.take(spans)
	b.bytes.take(bytes)
}

// BudgetStatus is how a sink gets on with its limits.
type BudgetStatus struct {
	// LeftRatio is what is left, at this moment, of what is scarcest: 0 to 1.
	LeftRatio float64 `json:"left_ratio"`
	// OrdinaryShareRatio is the share of traces of no special value that are sent: 1
	// where none are left out.
	OrdinaryShareRatio float64 `json:"ordinary_share_ratio"`
	// WaitingUntil is when there is room for what waits, null if nothing does.
	WaitingUntil *time.Time `json:"waiting_until"`
}

// budgetStatus gives nil for a sink without limits.
func (s *Sink) budgetStatus(now time.Time) *BudgetStatus {
	if s.budget == nil {
		return nil
	}
	left, until := s.budget.left(now)
	b := &BudgetStatus{LeftRatio: left, OrdinaryShareRatio: 1}
	if until.After(now) {
		b.WaitingUntil = moment(until)
	}
	if h := s.pump.thrift; h != nil {
		h.mu.Lock()
		b.OrdinaryShareRatio = h.share
		h.mu.Unlock()
	}
	return b
}
