package snapshot_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.uber.org/goleak"

	"treq/telemetry"
	"treq/telemetry/instrument"
	"treq/telemetry/snapshot"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// golden compares with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// life is one process's instruments and reader.
type life struct {
	*instrument.Instruments
	reader *snapshot.Reader
}

func begin(t testing.TB, o snapshot.Options) life {
	t.Helper()
	in, err := instrument.New(instrument.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o.Instruments = in
	reader := snapshot.NewReader(o)
	snapshot.NewProvider(reader)
	return life{in, reader}
}

// reincarnate begins another life with what this one checkpoints.
func (l life) reincarnate(t testing.TB) life {
	t.Helper()
	totals, err := l.reader.Totals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	admitted, err := l.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	next := begin(t, snapshot.Options{})
	if err := next.UnmarshalBinary(admitted); err != nil {
		t.Fatal(err)
	}
	if err := next.reader.Restore(totals); err != nil {
		t.Fatal(err)
	}
	return next
}

func (l life) tally(t testing.TB, service string) snapshot.Tally {
	t.Helper()
	l.reader.Invalidate()
	s, err := l.reader.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.Tally(service)
}

// playGuide records the n-th hundredth of the guide's example: all of it for from 0, to 100.
func playGuide(r telemetry.Recorder, from, to int) {
	each := func(total int, record func(i int)) {
		for i := total * from / 100; i < total*to/100; i++ {
			record(i)
		}
	}
	origin := telemetry.Origin{Service: "treq-backend"}
	each(150, func(i int) {
		c := telemetry.Chat{Origin: origin, Duration: 850500 * time.Microsecond}
		if i < 5 {
			c.Outcome, c.ErrorType = telemetry.Failed, "TimeoutError"
		} else {
			c.LLMCalls = 1
		}
		switch {
		case i < 112:
			c.RAG = telemetry.Found
		case i < 120:
			c.RAG = telemetry.Empty
		}
		c.Tokens = 300
		r.Chat(&c)
	})
	each(120, func(i int) {
		s := telemetry.Retrieval{
			Origin: origin, Duration: 120300 * time.Microsecond, DataSource: "manuais", Result: telemetry.Found,
			Documents: 4, Scored: true, MeanSimilarity: 0.685, TopSimilarity: 0.8,
		}
		if i < 45 {
			s.Cache = telemetry.Hit
		}
		r.Retrieval(&s)
	})
	each(145, func(i int) {
		model := "llama-3.1-8b-instant"
		switch {
		case i >= 135:
			model = "glm-4.7"
		case i >= 95:
			model = "llama-3.3-70b-versatile"
		}
		tokens := telemetry.Tokens{Input: 250, Output: 60}
		if i >= 144 {
			tokens = telemetry.Tokens{Input: 300, Output: 60}
		}
		r.LLMCall(&telemetry.LLMCall{ModelCall: telemetry.ModelCall{
			Origin: origin, Duration: 650200 * time.Microsecond, Provider: "groq",
			RequestModel: model, ResponseModel: model, Tokens: tokens, HasUsage: true,
		}})
	})
}

func encoded(set attribute.Set) string { return set.Encoded(attribute.DefaultEncoder()) }
