package understand

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

const quarter = 15 * time.Minute

func fingerprint(n uint64) uint64 { return Fingerprint(&[16]byte{1}, n) }

func TestHorizonKnowsForItsTime(t *testing.T) {
	h := NewHorizon(quarter, 1<<20)
	start := epoch.UnixNano()
	if h.Add(start, fingerprint(1)) {
		t.Error("known before it was added")
	}
	if !h.Add(start+int64(quarter), fingerprint(1)) {
		t.Error("forgotten before its time")
	}
	if h.Add(start+2*int64(quarter), fingerprint(1)) {
		t.Error("known after twice its time")
	}
	if h.Add(start+100*int64(quarter), fingerprint(1)) {
		t.Error("known for ever")
	}
}

func TestHorizonIsBounded(t *testing.T) {
	h := NewHorizon(quarter, 1<<16)
	at := epoch.UnixNano()
	for n := range uint64(50_000) {
		h.Add(at, fingerprint(n))
	}
	if h.Bytes() > 1<<16 || h.Evicted() == 0 || h.Len() > h.Bytes()/8 {
		t.Errorf("%d bytes, %d held, %d evicted", h.Bytes(), h.Len(), h.Evicted())
	}
}

// TestHorizonForgetsNothingBelowItsBound: a table that may grow does so before it
// forgets, and its sweeps lose nothing that is young enough.
func TestHorizonForgetsNothingBelowItsBound(t *testing.T) {
	const n = 200_000
	h := NewHorizon(quarter, 64<<20)
	at := epoch.UnixNano()
	for i := range uint64(n) {
		h.Add(at+int64(i)*int64(2*quarter)/n, fingerprint(i))
	}
	at += int64(2 * quarter)
	if h.Evicted() != 0 {
		t.Errorf("%d forgotten for want of room in %d bytes", h.Evicted(), h.Bytes())
	}
	for i := uint64(n/2 + 1); i < n; i++ {
		if !h.Add(at, fingerprint(i)) {
			t.Fatalf("%d is forgotten", i)
		}
	}
	if h.Len() > n*7/10+1 {
		t.Errorf("%d of %d are held after twice the time", h.Len(), n)
	}
}

// TestHorizonKeepsWhatItKnowsWhileItGrows: a table outside the heap is given back in
// pieces while it is moved out of, and whole when nobody has it any more.
func TestHorizonKeepsWhatItKnowsWhileItGrows(t *testing.T) {
	const n = 1_100_000
	h := NewHorizon(quarter, 64<<20)
	at := epoch.UnixNano()
	for i := range uint64(n) {
		if h.Add(at, fingerprint(i)) {
			t.Fatalf("%d was known before", i)
		}
	}
	for i := range uint64(n) {
		if !h.Add(at, fingerprint(i)) {
			t.Fatalf("%d is forgotten in %d bytes", i, h.Bytes())
		}
	}
	if h.Bytes() < 16<<20 || h.Evicted() != 0 {
		t.Errorf("%d bytes, %d evicted", h.Bytes(), h.Evicted())
	}
}

// TestHorizonAgreesWithASet: within its time and its room a horizon is a set.
func TestHorizonAgreesWithASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := NewHorizon(quarter, 1<<20)
		added := map[uint64]int64{}
		at := epoch.UnixNano()
		for range rapid.IntRange(1, 300).Draw(t, "adds") {
			at += int64(rapid.SampledFrom([]int{0, 10, 60, 170, 400, 900, 2000}).Draw(t, "seconds")) * int64(time.Second)
			fp := fingerprint(uint64(rapid.IntRange(0, 40).Draw(t, "span")))
			when, ok := added[fp]
			age := at - when
			known := h.Add(at, fp)
			switch {
			case ok && age <= int64(quarter) && !known:
				t.Fatalf("forgotten after %v", time.Duration(age))
			case (!ok || age > int64(quarter)*6/5) && known:
				t.Fatalf("known: %v after %v", ok, time.Duration(age))
			}
			if !known {
				added[fp] = at
			}
			if rapid.IntRange(0, 20).Draw(t, "restart") == 0 {
				fresh := NewHorizon(quarter, 1<<20)
				if err := fresh.Load(h.Export(nil, 0)); err != nil {
					t.Fatal(err)
				}
				if fresh.Len() != h.Len() {
					t.Fatalf("%d of %d loaded", fresh.Len(), h.Len())
				}
				h = fresh
			}
		}
	})
}

func TestHorizonExportsSinceATime(t *testing.T) {
	h := NewHorizon(quarter, 1<<20)
	at := epoch.UnixNano()
	h.Add(at, fingerprint(1))
	later := at + 2*int64(quarter)/5
	h.Add(later, fingerprint(2))
	fresh := NewHorizon(quarter, 1<<20)
	if err := fresh.Load(h.Export(nil, later)); err != nil {
		t.Fatal(err)
	}
	if fresh.Add(later, fingerprint(1)) || !fresh.Add(later, fingerprint(2)) {
		t.Error("not what was added since")
	}
}

func FuzzHorizonLoad(f *testing.F) {
	h := NewHorizon(quarter, 1<<16)
	h.Add(epoch.UnixNano(), fingerprint(1))
	f.Add(h.Export(nil, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		h := NewHorizon(quarter, 1<<16)
		if h.Load(data) != nil && h.Len() != 0 {
			t.Error("half loaded")
		}
		h.Add(epoch.UnixNano(), fingerprint(1))
	})
}

func BenchmarkHorizon(b *testing.B) {
	h := NewHorizon(quarter, 32<<20)
	at := epoch.UnixNano()
	b.ReportAllocs()
	for n := uint64(0); b.Loop(); n++ {
		at += int64(200 * time.Microsecond)
		h.Add(at, fingerprint(n))
	}
}
