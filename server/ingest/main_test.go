package ingest

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"

	"treq/server/access"
	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/otlp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeLog keeps copies of what it is given and, like the journal, knows an
// equal hash and gives the bytes back once.
type fakeLog struct {
	mu      sync.Mutex
	entries []journal.Entry
	err     error
	// during is called inside Append, before anything is kept.
	during func(ctx context.Context)
}

func (l *fakeLog) Append(ctx context.Context, e *journal.Entry) (journal.Receipt, error) {
	if l.during != nil {
		l.during(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	defer e.Release()
	if l.err != nil {
		return journal.Receipt{}, l.err
	}
	for _, old := range l.entries {
		if old.Hash == e.Hash {
			return journal.Receipt{Duplicate: true}, nil
		}
	}
	kept := *e
	kept.Body, kept.Decoded = bytes.Clone(e.Body), bytes.Clone(e.Decoded)
	l.entries = append(l.entries, kept)
	return journal.Receipt{End: journal.Position(len(l.entries))}, nil
}

// one gives the only entry.
func (l *fakeLog) one(t *testing.T) journal.Entry {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) != 1 {
		t.Fatalf("%d entries", len(l.entries))
	}
	return l.entries[0]
}

// nullLog keeps nothing and remembers nothing.
type nullLog struct{}

func (nullLog) Append(_ context.Context, e *journal.Entry) (journal.Receipt, error) {
	e.Release()
	return journal.Receipt{}, nil
}

// spans gives a request with n good spans, then these more.
func spans(n int, more ...otlp.SpanData) []byte {
	var list []otlp.SpanData
	for i := range n {
		s := otlp.SpanData{Name: "chat glm-4.7", Start: 1, End: 2, Attributes: []otlp.KV{otlp.Str("gen_ai.operation.name", "chat")}}
		s.TraceID[15], s.SpanID[7], s.SpanID[6] = 1, byte(i+1), byte((i+1)>>8)
		list = append(list, s)
	}
	list = append(list, more...)
	return otlp.AppendTraceRequest(nil, otlp.ResourceData{
		Attributes: []otlp.KV{otlp.Str("service.name", "backend")},
		Scopes:     []otlp.ScopeData{{Name: "test", Spans: list}},
	})
}

var badSpan = otlp.SpanData{Name: "no ids", Start: 1, End: 2}

const jsonSpan = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090A0B0C0D0E0F10","spanId":"eee19b7ec3c1b174","name":"a","startTimeUnixNano":"1","endTimeUnixNano":2}]}]}]}`

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func zstded(b []byte) []byte {
	w, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	defer w.Close()
	return w.EncodeAll(b, nil)
}

func deflated(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

// call sends a POST to the HTTP door, with headers given by pairs.
func call(i *Ingest, path string, body []byte, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	for p := range slices.Chunk(headers, 2) {
		r.Header.Add(p[0], p[1])
	}
	w := httptest.NewRecorder()
	i.HTTP().ServeHTTP(w, r)
	return w
}

const protobuf = "application/x-protobuf"

// checkIdle wants every byte of the budget back.
func checkIdle(t *testing.T, i *Ingest) {
	t.Helper()
	if free, want := i.budget.free.Load(), max(int64(DefaultInflightBytes), 3*i.max.Load()); free != want {
		t.Errorf("%d bytes of the budget are free, want %d", free, want)
	}
}

func noRoom() error { return telemetry.Errorf(telemetry.Unavailable, "the disk is full") }

func compressed(encoding string, b []byte) []byte {
	switch encoding {
	case "gzip":
		return gzipped(b)
	case "zstd":
		return zstded(b)
	case "deflate":
		return deflated(b)
	}
	return b
}

func metricRequest() []byte {
	b, err := otlp.MetricsFromJSON(nil, []byte(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"asInt":"1"}]}}]}]}]}`))
	if err != nil {
		panic(err)
	}
	return b
}

// tokens gives a set that opens the doors.
func tokens(secrets ...telemetry.Secret) *access.Tokens {
	return access.New(access.List(access.Ingest, secrets...)...)
}
