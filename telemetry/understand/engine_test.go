package understand

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"treq/telemetry"
	"treq/telemetry/otlp"
)

func TestNextTellsTheFirstTimer(t *testing.T) {
	e, _ := newEngine(t, DefaultConfig())
	if _, ok := e.Next(); ok {
		t.Error("a timer runs before anything came")
	}
	script := parseScript(t, "chain a 0-10 #1\nat 2s\nchain b 0-10 #2 ^1")
	play(t, e, script.steps)
	if at, ok := e.Next(); !ok || !at.Equal(epoch.Add(8*time.Second)) {
		t.Errorf("Next() = %v, %v", at, ok)
	}
	e.Advance(epoch.Add(8*time.Second - 1))
	if e.Open() != 2 {
		t.Error("closed before its time")
	}
	e.Advance(epoch.Add(8 * time.Second))
	if e.Open() != 0 {
		t.Error("open after its time")
	}
}

func TestConfigIsChecked(t *testing.T) {
	for what, c := range map[string]Config{
		"negative delay": {CloseRoot: -1}, "negative bound": {MaxOpenSpans: -1},
		"preset": {Preset: "nobody"}, "empty rule": {Exclude: []Rule{{}}},
	} {
		if _, err := New(c, newTotals()); telemetry.KindOf(err) != telemetry.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestHorizonIsRebuilt: observing the requests, and what was told at first sight,
// both make the horizon that the engine had.
func TestHorizonIsRebuilt(t *testing.T) {
	s := parseScript(t, "chain a 0-10 #1\nat 2s\nllm b 0-10 #2 ^1\nllm b 0-10 #2 ^1\nat 20m\nchain a 0-10 #1")
	e, rec := newEngine(t, s.config)
	told := NewHorizon(s.config.Remember, s.config.HorizonBytes)
	sights := 0
	e.OnFirstSight(func(at int64, fingerprint uint64) {
		sights++
		if told.Add(at, fingerprint) {
			t.Error("told twice")
		}
	})
	play(t, e, s.steps)
	if sights != 3 {
		t.Errorf("%d first sights", sights)
	}
	observer, silence := newEngine(t, s.config)
	for i := range s.steps {
		if err := observer.Observe(epoch.Add(s.steps[i].at), s.steps[i].request()); err != nil {
			t.Fatal(err)
		}
	}
	if silence.String() != "" || observer.Open() != 0 {
		t.Errorf("observing told %s", silence)
	}
	want := string(e.Horizon().Export(nil, 0))
	if string(observer.Horizon().Export(nil, 0)) != want || string(told.Export(nil, 0)) != want {
		t.Error("another horizon")
	}
	_ = rec
}

// TestLargeTraces: a trace of thousands of spans that come in the worst order, each
// an orphan at first or for good, is one chat or as many as it has calls.
func TestLargeTraces(t *testing.T) {
	const n = 3000
	for _, c := range []struct {
		what   string
		parent func(i int) int
		chats  int64
	}{
		{"a chain of spans, the deepest first", func(i int) int { return i - 1 }, 1},
		{"children of one span that comes last", func(i int) int { return 0 }, 1},
		{"orphans of as many parents", func(i int) int { return 1_000_000 + i }, n - 1},
	} {
		t.Run(c.what, func(t *testing.T) {
			rec := newTotals()
			e, err := New(DefaultConfig(), rec)
			if err != nil {
				t.Fatal(err)
			}
			for i := n - 1; i >= 0; i-- {
				sp := otlp.SpanData{
					TraceID: [16]byte{1}, SpanID: spanID(fmt.Sprint(i + 1)), Name: "x",
					Start: uint64(epoch.UnixNano()), End: uint64(epoch.UnixNano()) + 1,
				}
				if i > 0 {
					sp.ParentID = spanID(fmt.Sprint(c.parent(i) + 1))
					sp.Attributes = []otlp.KV{otlp.Str("openinference.span.kind", "LLM")}
				}
				s := step{span: &sp, resource: "app"}
				if err := e.Traces(epoch.Add(time.Duration(i)), 0, s.request()); err != nil {
					t.Fatal(err)
				}
			}
			e.Flush()
			var chats int64
			for what, n := range rec.Counts {
				if strings.HasPrefix(what, "chat success") {
					chats += n
				}
			}
			if chats != c.chats || rec.Counts["spans"] != n || e.Open() != 0 {
				t.Errorf("%d chats, want %d; %d spans; %d open", chats, c.chats, rec.Counts["spans"], e.Open())
			}
		})
	}
}
