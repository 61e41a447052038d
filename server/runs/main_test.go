package runs

import (
	"encoding/binary"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
	"treq/telemetry/understand"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a viewer over a journal, on one directory over several lives. Its clock
// is that of a bubble.
type house struct {
	t       *testing.T
	dir     string
	options Options
	journal *journal.Journal
	viewer  *Viewer
	keep    time.Duration // of the journal; 2 minutes when 0
}

// within runs a test in a bubble, with a viewer over an empty journal.
func within(t *testing.T, change func(*Options), test func(h *house)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t, dir: dir, options: Options{Rules: understand.DefaultConfig(), Logger: slog.New(slog.DiscardHandler)}}
		if change != nil {
			change(&h.options)
		}
		h.open()
		defer h.close()
		test(h)
	})
}

func (h *house) open() {
	h.t.Helper()
	var err error
	h.journal, err = journal.Open(h.t.Context(), filepath.Join(h.dir, "journal"), journal.Options{
		SegmentBytes: 64 << 10, RingBytes: 32 << 10, Ack: journal.Memory, Logger: slog.New(slog.DiscardHandler),
		Horizon: time.Minute, Keep: max(h.keep, 2*time.Minute),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.options.Journal = h.journal
	if h.viewer, err = Open(h.options); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) close() {
	h.t.Helper()
	h.viewer.Close()
	if err := h.journal.Close(); err != nil {
		h.t.Error(err)
	}
}

// again closes everything and opens it once more.
func (h *house) again() {
	h.t.Helper()
	h.close()
	h.open()
}

// settle lets the index be made, pauses included.
func (h *house) settle() {
	time.Sleep(time.Minute)
	synctest.Wait()
}

// listBytes gives what the list takes, while its readers are at work.
func (h *house) listBytes() int64 {
	h.viewer.rows.mu.RLock()
	defer h.viewer.rows.mu.RUnlock()
	return h.viewer.rows.size()
}

func (h *house) append(body []byte) journal.Position {
	h.t.Helper()
	r, err := h.journal.Append(h.t.Context(), &journal.Entry{Kind: journal.Traces, Door: "http", Body: body, Project: "sent-to"})
	if err != nil {
		h.t.Fatal(err)
	}
	return r.Position
}

func (h *house) get(id string) *Run {
	h.t.Helper()
	run, err := h.viewer.Get(h.t.Context(), id, false)
	if err != nil {
		h.t.Fatalf("Get(%s): %v", id, err)
	}
	return run
}

func (h *house) explained(id string) *Run {
	h.t.Helper()
	run, err := h.viewer.Get(h.t.Context(), id, true)
	if err != nil {
		h.t.Fatalf("Get(%s): %v", id, err)
	}
	return run
}

// absent checks that an id means nothing, and gives what is said of it.
func (h *house) absent(id string) string {
	h.t.Helper()
	_, err := h.viewer.Get(h.t.Context(), id, false)
	if telemetry.KindOf(err) != telemetry.NotFound || err == nil {
		h.t.Fatalf("Get(%s) = %v; want an error of kind NotFound", id, err)
	}
	return err.Error()
}

// traceID and spanID make ids of small numbers.
func traceID(n uint64) (id [16]byte) {
	id[0] = 0xaa
	binary.BigEndian.PutUint64(id[8:], n)
	return id
}

func spanID(n uint64) (id [8]byte) {
	id[0] = 0xbb
	binary.BigEndian.PutUint32(id[4:], uint32(n))
	return id
}

func traceText(n uint64) string { return fmt.Sprintf("%x", traceID(n)) }

func spanHex(n uint64) string { return fmt.Sprintf("%x", spanID(n)) }

// llm makes a model span; parent 0 is none.
func llm(trace, span, parent uint64, more ...otlp.KV) otlp.SpanData {
	s := otlp.SpanData{
		TraceID: traceID(trace), SpanID: spanID(span), Name: fmt.Sprintf("span %d", span),
		Start: 1e18 + span*1e6, End: 1e18 + span*1e6 + 5e6,
		Attributes: append([]otlp.KV{otlp.Str(semconv.GenAIOperationName, "chat")}, more...),
	}
	if parent != 0 {
		s.ParentID = spanID(parent)
	}
	return s
}

func body(spans ...otlp.SpanData) []byte {
	return otlp.AppendTraceRequest(nil, otlp.ResourceData{
		Attributes: []otlp.KV{otlp.Str(semconv.ServiceName, "assistant")},
		Scopes:     []otlp.ScopeData{{Name: "test", Spans: spans}},
	})
}

// outline writes a tree down, a span a line.
func outline(spans []*Span) string {
	text := ""
	var write func(spans []*Span, indent string)
	write = func(spans []*Span, indent string) {
		for _, s := range spans {
			text += indent + s.Name + "\n"
			write(s.Children, indent+"  ")
		}
	}
	write(spans, "")
	return text
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
