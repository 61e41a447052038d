package mirror

import (
	"bytes"
	"flag"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/judgement"
)

func TestMain(m *testing.M) {
	// Each check of idempotence plays a life with a journal on disk: fewer of them
	// unless asked for more.
	if err := flag.Set("rapid.checks", "12"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// known is a resolver with runs that a test may add.
type known struct {
	mu   sync.Mutex
	runs map[string]Run
}

func (k *known) add(id string, r Run) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.runs == nil {
		k.runs = map[string]Run{}
	}
	k.runs[id] = r
}

// house is a mirror over a journal, on one directory over several lives. Its clock is
// that of a bubble.
type house struct {
	t       *testing.T
	dir     string
	options Options
	backend *backend
	runs    *known
	logs    *bytes.Buffer
	journal *journal.Journal
	mirror  *Mirror
}

// within runs a test in a bubble with a mirror to one sink.
func within(t *testing.T, sink Sink, test func(h *house)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t, dir: dir, backend: newBackend(t), runs: &known{}, logs: &bytes.Buffer{}}
		sink.Name, sink.Base = "sink", "https://backend.example"
		if sink.Headers == nil {
			sink.Headers = map[string]telemetry.Secret{"x-api-key": telemetry.NewSecret("sealed-key")}
		}
		h.options = Options{
			Dir: dir, Sinks: []Sink{sink}, Resolver: h.runs, Version: "1.2.3", Instance: "me", Transport: h.backend,
			Logger: slog.New(slog.NewTextHandler(h.logs, nil)), Random: func() float64 { return 0.5 },
			Open: func(name string, from journal.Position) (Cursor, error) {
				return h.journal.NewCursor(name, from, false)
			},
		}
		var err error
		h.journal, err = journal.Open(t.Context(), filepath.Join(dir, "journal"), journal.Options{
			SegmentBytes: 64 << 10, RingBytes: 32 << 10, Ack: journal.Memory, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			h.stop()
			if err := h.journal.Close(); err != nil {
				t.Error(err)
			}
		}()
		h.start()
		test(h)
	})
}

func (h *house) start() {
	h.t.Helper()
	var err error
	if h.mirror, err = New(h.options); err != nil {
		h.t.Fatal(err)
	}
	h.mirror.Start()
}

func (h *house) stop() {
	h.t.Helper()
	if err := h.mirror.Stop(h.t.Context()); err != nil {
		h.t.Error(err)
	}
}

// judge lets a judgement into the journal.
func (h *house) judge(j judgement.Judgement) judgement.Judgement {
	h.t.Helper()
	if j.Key == "" {
		j.Key = judgement.DefaultKey
	}
	if j.Source == "" {
		j.Source = judgement.FromAPI
	}
	if j.ID == "" {
		j.ID = judgement.ID(j.RunID, j.Key, j.Source)
	}
	j.Time = time.Now()
	_, err := h.journal.Append(h.t.Context(), &journal.Entry{Kind: journal.Posts, Door: "feedback", Items: 1, Body: judgement.Append(nil, &j)})
	if err != nil {
		h.t.Fatal(err)
	}
	synctest.Wait()
	return j
}

func (h *house) status() Status {
	h.t.Helper()
	synctest.Wait()
	s, ok := h.mirror.Status("sink")
	if !ok {
		h.t.Fatal("the sink is not told")
	}
	if s.Judgements != s.Sent+s.Waiting+s.Replaced+s.DeadLettered {
		h.t.Errorf("the account does not balance: %+v", s)
	}
	return s
}

// pass lets time pass.
func (h *house) pass(d time.Duration) {
	time.Sleep(d) // of the bubble's clock
	synctest.Wait()
}

const (
	runA = "11111111-1111-4111-8111-111111111111"
	runB = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
)

func thumb(run string, score float64) judgement.Judgement {
	return judgement.Judgement{RunID: run, Scored: true, Score: score}
}
