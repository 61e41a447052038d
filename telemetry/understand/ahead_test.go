package understand

import (
	"testing"
)

// TestAhead has every span that was heralded looked up once and before it is told,
// a stretch at a time, and none of another scope.
func TestAhead(t *testing.T) {
	var a ahead
	h, table := NewHorizon(1, 1<<14), &traceTable{}
	scope := func(spans, perTrace int) {
		for i := range spans {
			a.herald(&[16]byte{1, byte(i / perTrace), byte(i / perTrace >> 8)}, uint64(i+1)<<generationBits)
		}
		a.scope()
		for i := range spans {
			a.warm(h, table)
			if a.span <= i && i < mostAhead {
				t.Fatalf("span %d of %d is told, %d are looked up", i, spans, a.span)
			}
			if a.span > i+stretch {
				t.Fatalf("span %d of %d is told, %d are looked up already", i, spans, a.span)
			}
			if known := min(i, mostAhead-1) / perTrace; a.trace <= known {
				t.Fatalf("span %d of %d is of trace %d, %d are looked up", i, spans, known, a.trace)
			}
		}
		if a.span != min(spans, mostAhead) || a.trace != len(a.traces) {
			t.Fatalf("of %d spans %d are looked up, of %d traces %d", spans, a.span, len(a.traces), a.trace)
		}
	}
	scope(3*stretch+5, 4)
	scope(1, 1)
	scope(0, 1)
	if a.scope(); len(a.spans) != 0 {
		t.Error("a scope without spans has those of the one before")
	}
	scope(stretch, stretch)
	scope(mostAhead+stretch, 3)
}
