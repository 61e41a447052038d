package merger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"treq/telemetry/journal"
	"treq/telemetry/langsmith"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a merger with its journal, on one directory over several lives.
type house struct {
	t       *testing.T
	dir     string
	options Options
	journal *journal.Journal
	merger  *Merger
	log     *mortal
	cancel  context.CancelFunc
	done    chan error
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, dir: t.TempDir()}
	t.Cleanup(func() {
		if h.journal != nil {
			h.stop()
		}
	})
	return h
}

// mortal is a log at one of whose appends the process dies.
type mortal struct {
	*journal.Journal
	// left is how many appends are done before the one at which it dies; negative: none does.
	left int
	// after tells whether that one is still kept.
	after bool
	die   func()
	dead  atomic.Bool
	// refuse makes appends fail while it holds.
	refuse atomic.Bool
}

var errDead = errors.New("the process has died")

func (m *mortal) Append(ctx context.Context, e *journal.Entry) (journal.Receipt, error) {
	if m.dead.Load() || m.refuse.Load() {
		return journal.Receipt{}, errDead
	}
	if m.left == 0 {
		m.dead.Store(true)
		if m.after {
			_, _ = m.Journal.Append(ctx, e)
		}
		m.die()
		return journal.Receipt{}, errDead
	}
	m.left--
	return m.Journal.Append(ctx, e)
}

// start opens both and runs the merger. left is as in mortal.
func (h *house) start(left int, after bool) {
	h.t.Helper()
	var err error
	h.journal, err = journal.Open(h.t.Context(), filepath.Join(h.dir, "journal"), journal.Options{
		SegmentBytes: 64 << 10, Ack: journal.Memory, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	files := map[string][]byte{}
	h.log = &mortal{Journal: h.journal, left: left, after: after, die: func() {
		for i := range 2 {
			path := generations(h.dir).Path(i)
			files[path], _ = os.ReadFile(path)
		}
		cancel()
	}}
	o := h.options
	o.Dir, o.Log, o.Logger = h.dir, h.log, slog.New(slog.DiscardHandler)
	if h.merger, err = Open(o); err != nil {
		h.t.Fatal(err)
	}
	done := make(chan error, 1)
	h.cancel, h.done = cancel, done
	go func(m *Merger) {
		err := m.Run(ctx)
		// What was written behind the death was not.
		for path, content := range files {
			if content == nil {
				_ = os.Remove(path)
			} else if e := os.WriteFile(path, content, 0o600); e != nil {
				err = e
			}
		}
		done <- err
	}(h.merger)
}

func (h *house) stop() {
	h.t.Helper()
	h.cancel()
	if err := <-h.done; err != nil {
		h.t.Error(err)
	}
	if err := h.journal.Close(); err != nil {
		h.t.Error(err)
	}
	h.journal = nil
}

// send has a body admitted as the door would.
func (h *house) send(body string) {
	h.t.Helper()
	r, err := langsmith.Read([]byte(body))
	if err != nil {
		h.t.Fatal(err)
	}
	e := &journal.Entry{Kind: journal.Runs, Door: "langsmith", Items: uint32(r.Items()), Body: []byte(body)}
	if _, err := h.journal.Append(h.t.Context(), e); err != nil {
		h.t.Fatal(err)
	}
}

// made gives what stands in the journal behind the doors, a line a span or
// judgement, in order.
func (h *house) made() (lines []string) {
	h.t.Helper()
	c, err := h.journal.NewCursor("test", 0, false)
	if err != nil {
		h.t.Fatal(err)
	}
	defer c.Close()
	for {
		rec, err := c.TryNext()
		if err != nil {
			h.t.Fatal(err)
		}
		if rec == nil {
			return lines
		}
		data, err := rec.Data()
		if err != nil {
			h.t.Fatal(err)
		}
		var s otlp.Scanner
		v := &reading{route: rec.Project + "/" + rec.Tenant}
		switch rec.Kind {
		case journal.Derived:
			err = s.Traces(data, v)
			if int(rec.Items) != len(v.lines) || rec.Door != Door || rec.Check == 0 && rec.Position != 0 && len(v.lines) == 0 {
				h.t.Errorf("a record of %d spans says %d", len(v.lines), rec.Items)
			}
		case journal.Logs:
			err = s.Logs(data, v)
		}
		if err != nil {
			h.t.Fatal(err)
		}
		lines = append(lines, v.lines...)
		rec.Release()
	}
}

// reading writes down what the scanner tells.
type reading struct {
	route string
	lines []string
}

func (v *reading) Resource(*otlp.Resource) {}
func (v *reading) Scope(*otlp.Scope)       {}

func (v *reading) Span(sp *otlp.Span) {
	run, state := "", "ended"
	for i := range sp.Attributes {
		switch a := &sp.Attributes[i]; string(a.Key) {
		case semconv.LSSpanID:
			run = string(a.Value.Bytes)
		case semconv.TreqRunState:
			state = string(a.Value.Bytes)
		}
	}
	v.lines = append(v.lines, fmt.Sprintf("%s %s %s<%s %q %s %s", v.route, run, hex.EncodeToString(sp.SpanID[:]), hex.EncodeToString(sp.ParentID[:]),
		sp.Name, state, time.Duration(sp.End-min(sp.Start, sp.End))))
}

func (v *reading) LogRecord(l *otlp.LogRecord) {
	for i := range l.Attributes {
		if a := &l.Attributes[i]; string(a.Key) == semconv.TreqRunID {
			v.lines = append(v.lines, "judged "+string(a.Value.Bytes))
		}
	}
}

// id gives a UUID of a number.
func id(n int) string { return fmt.Sprintf("%08x-0000-7000-8000-%012x", 0xa0000000+n, n) }

const began = "2026-01-02T03:04:05.000000Z"

// post gives the object of a run's beginning, patch of its end a second later.
func post(n, parent, root int) string {
	p := ""
	if parent != 0 {
		p = `,"parent_run_id":"` + id(parent) + `"`
	}
	return fmt.Sprintf(`{"id":%q,"trace_id":%q%s,"name":"run %d","run_type":"chain","session_name":"loja","start_time":%q,"inputs":{"n":%d}}`,
		id(n), id(root), p, n, began, n)
}

func patch(n int) string {
	return fmt.Sprintf(`{"id":%q,"end_time":"2026-01-02T03:04:06.000000Z","outputs":{"m":%d}}`, id(n), n)
}

func request(posts, patches []string) string {
	return `{"post":[` + strings.Join(posts, ",") + `],"patch":[` + strings.Join(patches, ",") + `]}`
}

// settle lets everybody do what there is to do.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
