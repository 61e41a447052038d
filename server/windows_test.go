package server

import (
	"testing"
	"time"

	"treq/server/api"
	"treq/server/history"
	"treq/telemetry"
	"treq/telemetry/instrument"
	"treq/telemetry/snapshot"
)

// watched is a meter whose history is sampled by hand, on a clock of its own.
type watched struct {
	*windows
	t          *testing.T
	store      *history.Store
	exposition *snapshot.Exposition
	meter      *instrument.Instruments
	clock      time.Time
}

func watch(t *testing.T, totals []byte) *watched {
	t.Helper()
	store, err := history.Open(history.Options{Dir: t.TempDir() + "/history", Instance: "here"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w := &watched{t: t, store: store, clock: time.Now()}
	if w.meter, err = instrument.New(instrument.Options{}); err != nil {
		t.Fatal(err)
	}
	reader := snapshot.NewReader(snapshot.Options{Instruments: w.meter})
	snapshot.NewProvider(reader)
	if totals != nil {
		if err := reader.Restore(totals); err != nil {
			t.Fatal(err)
		}
	}
	if w.exposition, err = snapshot.NewExposition(reader, snapshot.ExpositionOptions{}); err != nil {
		t.Fatal(err)
	}
	if w.windows, err = newWindows(store, reader); err != nil {
		t.Fatal(err)
	}
	w.now = func() time.Time { return w.clock }
	return w
}

// chats counts n chats of a second, samples, and lets 15 s pass.
func (w *watched) chats(n int) {
	w.t.Helper()
	w.meter.Lock()
	for range n {
		w.meter.Chat(&telemetry.Chat{Origin: telemetry.Origin{Service: "app"}, Duration: time.Second, Tokens: 10})
	}
	w.meter.Unlock()
	w.reader.Invalidate()
	families, err := w.exposition.Families(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.Sample(w.t.Context(), w.clock, families, w.reader.Restored()); err != nil {
		w.t.Fatal(err)
	}
	w.clock = w.clock.Add(15 * time.Second)
}

// in gives the chats of a trailing window.
func (w *watched) in(window time.Duration) int64 {
	w.t.Helper()
	from, err := w.from(w.t.Context(), window)
	if err != nil {
		w.t.Fatal(err)
	}
	d := documents{reader: w.reader, windows: w.windows, hindered: func() bool { return false }}
	d.process, err = instrument.NewProcess()
	if err != nil {
		w.t.Fatal(err)
	}
	m, _, err := d.build(w.t.Context(), api.Narrow{From: from})
	if err != nil {
		w.t.Fatal(err)
	}
	return m.Chat.TotalRequests
}

// A window holds what came in it, and at most what came in the step before.
func TestWindowsAreAStepCoarse(t *testing.T) {
	w := watch(t, nil)
	for i := range 12 {
		w.chats(1 << i)
	}
	// The clock stands 15 s after the twelfth sampling.
	for window, want := range map[time.Duration]int64{
		10 * time.Second: 0,                    // begins after the twelfth sampling
		15 * time.Second: 0,                    // at it
		16 * time.Second: 1 << 11,              // before it: what it was the first to hold
		30 * time.Second: 1 << 11,              // at the eleventh
		59 * time.Second: 1<<11 | 1<<10 | 1<<9, // between the eighth and the ninth
		time.Hour:        1<<12 - 1,            // before all: the totals began then
	} {
		if got := w.in(window); got != want {
			t.Errorf("%v holds %b chats, want %b", window, got, want)
		}
	}
}

// Where history is younger than the totals, a window begins with it.
func TestWindowsOfAYoungHistory(t *testing.T) {
	first := watch(t, nil)
	first.chats(100)
	totals, err := first.reader.Totals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The totals began before the clock's hour does.
	w := watch(t, totals)
	w.clock = w.clock.Add(24 * time.Hour)
	if _, err := w.from(t.Context(), time.Hour); telemetry.KindOf(err) != telemetry.Unavailable {
		t.Errorf("without a sampling: %v", err)
	}
	w.chats(1)
	w.chats(2)
	if got := w.in(time.Hour); got != 2 {
		t.Errorf("an hour holds %d chats, want those after the oldest sampling", got)
	}
	if got := w.in(10 * 24 * time.Hour); got != 103 {
		t.Errorf("ten days hold %d chats, want all: the totals are younger", got)
	}
	if _, err := w.from(t.Context(), 16*24*time.Hour); telemetry.KindOf(err) != telemetry.Unprocessable {
		t.Errorf("longer than is kept: %v", err)
	}
}
