package understand

import (
	"encoding/binary"
	"fmt"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"treq/telemetry/semconv"
)

// TestTimersAgreeWithASearch: whatever is set, grows, shrinks, ages and ends, the
// next fragment is the one a search through all of them finds.
func TestTimersAgreeWithASearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h timers
		var all []*fragment
		now, seq := int64(0), uint64(0)
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			now += int64(rapid.IntRange(0, 3).Draw(t, "pause"))
			in := lane(rapid.IntRange(0, int(laneCount)-1).Draw(t, "lane"))
			due := now + []int64{6, 30, 300}[in]
			switch what := rapid.IntRange(0, 5).Draw(t, "what"); {
			case what <= 2 || len(all) == 0:
				seq++
				f := &fragment{seq: seq, due: due, trace: &trace{opened: nothingOpen, closed: nothingKept}}
				all = append(all, f)
				h.set(f, in)
			case what == 3:
				f := rapid.SampledFrom(all).Draw(t, "fragment")
				f.due, f.seq = due, min(f.seq, rapid.SampledFrom(all).Draw(t, "joined").seq)
				h.set(f, in)
			default:
				i := rapid.IntRange(0, len(all)-1).Draw(t, "ended")
				h.remove(all[i])
				all = append(all[:i], all[i+1:]...)
			}
			h.warm()
			var want *fragment
			for _, f := range all {
				if want == nil || f.due < want.due || f.due == want.due && f.seq < want.seq {
					want = f
				}
			}
			got := h.next()
			if (got == nil) != (want == nil) || got != nil && (got.due != want.due || got.seq != want.seq) {
				t.Fatalf("next is %+v, want %+v", got, want)
			}
			if h.len() > 2*len(all)+64 {
				t.Fatalf("%d entries for %d fragments", h.len(), len(all))
			}
		}
	})
}

// TestTraceTableAgreesWithAMap: what is put in is found until it is taken out,
// however the places of the ids collide.
func TestTraceTableAgreesWithAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var table traceTable
		known := map[[16]byte]*trace{}
		ids := rapid.IntRange(1, 300).Draw(t, "ids")
		for range rapid.IntRange(1, 600).Draw(t, "steps") {
			var id [16]byte
			binary.BigEndian.PutUint64(id[8:], uint64(rapid.IntRange(1, ids).Draw(t, "id")))
			table.warm([]aheadOne{{id: id}})
			got := table.get(&id)
			if got != known[id] {
				t.Fatalf("%x: found %p, want %p", id, got, known[id])
			}
			if got == nil {
				one := &trace{id: id}
				table.put(one)
				known[id] = one
			} else if rapid.Bool().Draw(t, "remove") {
				table.remove(got)
				delete(known, id)
			}
		}
		n := 0
		for one := range table.all() {
			n++
			if known[one.id] != one {
				t.Fatalf("%x is in the table and should not be", one.id)
			}
		}
		if n != len(known) || table.len() != n {
			t.Fatalf("%d of %d traces, said to be %d", n, len(known), table.len())
		}
	})
}

func TestTraceTableShrinks(t *testing.T) {
	var table traceTable
	var all []*trace
	for i := range 50_000 {
		one := &trace{}
		binary.BigEndian.PutUint64(one.id[:], uint64(i)+1)
		table.put(one)
		all = append(all, one)
	}
	for _, one := range all {
		table.remove(one)
	}
	if len(table.slots) > 4096 || table.len() != 0 {
		t.Errorf("%d slots for %d traces", len(table.slots), table.len())
	}
}

// TestShapesAreSharedAndBounded: spans that say the same have one shape, and words
// that never repeat hold no more than the table has room for.
func TestShapesAreSharedAndBounded(t *testing.T) {
	var table shapes
	one := Span{Service: "s", Scope: "o", Name: "chat gpt", Kind: semconv.KindLLM, Call: Call{RequestModel: "gpt", Provider: "p"}}
	first := table.of(&one)
	if table.of(&one) != first {
		t.Error("two shapes of one")
	}
	for _, change := range []func(*Span){
		func(s *Span) { s.Service = "x" }, func(s *Span) { s.Scope = "x" }, func(s *Span) { s.Name = "x" },
		func(s *Span) { s.Kind = semconv.KindTool }, func(s *Span) { s.SpanKind = 3 }, func(s *Span) { s.ErrorType = "x" },
		func(s *Span) { s.Tool = "x" }, func(s *Span) { s.Search.DataSource = "x" }, func(s *Span) { s.Call.Operation = "x" },
		func(s *Span) { s.Call.Provider = "x" }, func(s *Span) { s.Call.RequestModel = "x" },
		func(s *Span) { s.Call.ResponseModel = "x" }, func(s *Span) { s.Call.ServiceTier = "x" },
	} {
		other := one
		change(&other)
		h := table.of(&other)
		if h == first || !h.says(&other) || h.says(&one) {
			t.Errorf("%+v has the shape of %+v", other, one)
		}
	}
	for i := range 100_000 {
		other := one
		other.Service, other.Name = fmt.Sprint("s", i), fmt.Sprint("n", i)
		if h := table.of(&other); !h.says(&other) {
			t.Fatalf("%+v is said to be %+v", other, h)
		}
	}
	if len(table.sets) != shapeSets || len(table.sources) > mostSources {
		t.Errorf("%d sets, %d sources", len(table.sets), len(table.sources))
	}
}

// TestNamesAreKnownAgain: the memory of attribute names gives what semconv gives,
// in any order, for names that meet in the table and for those that are too long.
func TestNamesAreKnownAgain(t *testing.T) {
	var n names
	long := make([]byte, 300)
	copy(long, "gen_ai.something.")
	list := [][]byte{long, nil, []byte("gen_ai.request.model"), []byte("gen_ai.strange.7"), []byte("http.route")}
	for i := range 3000 {
		list = append(list, fmt.Appendf(nil, "retrieval.documents.%d.document.score", i))
	}
	for range 2 {
		for i := range list {
			name := list[(i*7)%len(list)]
			got := n.of(name)
			var unmapped string
			if key := semconv.Lookup(name); got.key != key || got.place != places[key] {
				t.Fatalf("%s is %v, want %v", name, got.key, key)
			} else if key == semconv.NoKey {
				if b, ok := semconv.Unmapped(nil, name); ok {
					unmapped = string(b)
				}
			}
			if got.unmapped != unmapped {
				t.Fatalf("%s counts as %q, want %q", name, got.unmapped, unmapped)
			}
		}
	}
	if len(n.table) != namesSize+1 {
		t.Errorf("%d entries", len(n.table))
	}
}

// TestHeldIsSmall: what waits in its tens of thousands is no larger than it was
// measured with.
func TestHeldIsSmall(t *testing.T) {
	for what, size := range map[string][2]uintptr{
		"a span":                 {unsafe.Sizeof(held{}), 96},
		"the figures of a call":  {unsafe.Sizeof(callFigures{}), 80},
		"a remembered span":      {unsafe.Sizeof(kept{}), 48},
		"a trace without halves": {unsafe.Sizeof(trace{}), 48},
	} {
		if size[0] > size[1] {
			t.Errorf("%s takes %d bytes, more than %d", what, size[0], size[1])
		}
	}
}
