package demo

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"treq/telemetry/semconv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func plans(seed uint64, n int) (list []chat, sent Sent) {
	p := newPlanner(seed)
	sent.ByModel = map[string]int{}
	for range n {
		c := p.chat()
		list = append(list, c)
		sent.add(&c)
	}
	return list, sent
}

func TestSameSeedSameChats(t *testing.T) {
	a, _ := plans(7, 200)
	b, _ := plans(7, 200)
	if diff := cmp.Diff(a, b, cmp.AllowUnexported(chat{}, search{}, call{})); diff != "" {
		t.Errorf("two runs of one seed differ (-first +second):\n%s", diff)
	}
	c, _ := plans(8, 200)
	if cmp.Equal(a, c, cmp.AllowUnexported(chat{}, search{}, call{})) {
		t.Error("another seed gives the same chats")
	}
}

// The traffic looks like what the monitoring guide expects of a healthy service:
// a newcomer who sees red would look for a fault that is not there.
func TestTrafficIsHealthy(t *testing.T) {
	list, s := plans(1, 20000)
	var response, similarity float64
	var scored int
	for i := range list {
		response += list[i].duration().Seconds() * 1000
		if r := list[i].search; r != nil && len(r.scores) > 0 {
			scored++
			var sum float64
			for _, score := range r.scores {
				if score < 0 || score > 1 {
					t.Fatalf("score %v lies outside 0..1", score)
				}
				sum += score
			}
			similarity += sum / float64(len(r.scores))
		}
	}
	share := func(n, of int) float64 { return 100 * float64(n) / float64(of) }
	for _, tt := range []struct {
		name           string
		got, low, high float64
	}{
		{"error rate, %", share(s.Failed, s.Chats), 2, 4},
		{"searches that found nothing, %", share(s.NoResult, s.Searches), 5, 9},
		{"cache hits, %", share(s.CacheHits, s.Searches), 33, 41},
		{"mean similarity", similarity / float64(scored), 0.6, 0.75},
		{"mean response, ms", response / float64(s.Chats), 500, 1000},
		{"tokens a chat", float64(s.Tokens) / float64(s.Chats), 300, 1000},
		{"share of the 8B model, %", share(s.ByModel["llama-3.1-8b-instant"], s.Calls), 58, 62},
		{"share of the 70B model, %", share(s.ByModel["llama-3.3-70b-versatile"], s.Calls), 28, 32},
		{"share of GLM, %", share(s.ByModel["glm-4.7"], s.Calls), 8, 12},
	} {
		if math.IsNaN(tt.got) || tt.got < tt.low || tt.got > tt.high {
			t.Errorf("%s = %.3f, want within %v and %v", tt.name, tt.got, tt.low, tt.high)
		}
	}
}

func TestSpansOfOneChat(t *testing.T) {
	memory := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(memory))
	defer func() { _ = provider.Shutdown(context.Background()) }()
	c := chat{
		question: "?", stream: true, status: 200, overhead: 20 * time.Millisecond,
		search: &search{duration: 100 * time.Millisecond, embedding: 40 * time.Millisecond, scores: []float64{0.9, 0.8}},
		calls: []call{
			{model: "glm-4.7", provider: "zhipuai", duration: 300 * time.Millisecond, errorType: "503"},
			{model: "llama-3.1-8b-instant", provider: "groq", duration: 500 * time.Millisecond, firstToken: 100 * time.Millisecond, input: 200, cached: 100, output: 50},
		},
	}
	end := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	emitter{provider.Tracer("test")}.emit(&c, end)

	type line struct {
		Name, Parent string
		MS           int64
		Failed       bool
	}
	names := map[string]string{}
	for _, s := range memory.GetSpans() {
		names[s.SpanContext.SpanID().String()] = s.Name
	}
	var got []line
	for _, s := range memory.GetSpans() {
		got = append(got, line{s.Name, names[s.Parent.SpanID().String()], s.EndTime.Sub(s.StartTime).Milliseconds(), s.Status.Description != ""})
		for _, kv := range s.Attributes {
			if string(kv.Key) == semconv.GenAIRetrievalDocuments && kv.Value.AsString() != `[{"id":"doc-100","score":0.9},{"id":"doc-000","score":0.8}]` {
				t.Errorf("documents = %s", kv.Value.AsString())
			}
		}
	}
	want := []line{
		{"embeddings text-embedding-004", "retrieval treq-docs", 40, false},
		{"retrieval treq-docs", "POST /chat", 100, false},
		{"chat glm-4.7", "POST /chat", 300, true},
		{"chat llama-3.1-8b-instant", "POST /chat", 500, false},
		{"POST /chat", "", 920, false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
}

// receiver is an OTLP/HTTP service that counts what the plans count.
type receiver struct {
	chats, searches, calls, metrics atomic.Int64
	token                           atomic.Value
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body := io.Reader(req.Body)
	if req.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = z
	}
	b, err := io.ReadAll(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.token.Store(req.Header.Get("Authorization"))
	if req.URL.Path == "/v1/metrics" {
		m := pmetricotlp.NewExportRequest()
		if m.UnmarshalProto(b) == nil {
			r.metrics.Add(int64(m.Metrics().DataPointCount()))
		}
		return
	}
	traces := ptraceotlp.NewExportRequest()
	if err := traces.UnmarshalProto(b); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for _, rs := range traces.Traces().ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				switch name, _, _ := strings.Cut(s.Name(), " "); name {
				case "POST":
					r.chats.Add(1)
				case "retrieval":
					r.searches.Add(1)
				case "chat":
					r.calls.Add(1)
				}
			}
		}
	}
}

func TestRunDeliversWhatItSays(t *testing.T) {
	var r receiver
	server := httptest.NewServer(&r)
	defer server.Close()
	var out bytes.Buffer
	sent, err := Run(t.Context(), Options{
		Endpoint: server.URL, Protocol: HTTP, Rate: 20000, Chats: 700, Seed: 3, Out: &out,
	})
	if err != nil {
		t.Fatal(err)
	}
	got := [3]int64{r.chats.Load(), r.searches.Load(), r.calls.Load()}
	want := [3]int64{700, int64(sent.Searches), int64(sent.Calls)}
	if got != want {
		t.Errorf("received chats, searches, calls = %v, want %v", got, want)
	}
	if r.metrics.Load() == 0 {
		t.Error("no process metrics arrived")
	}
	if !strings.Contains(out.String(), "700 chats") {
		t.Errorf("the progress does not end with 700 chats:\n%s", out.String())
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	server := httptest.NewServer(&receiver{})
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sent, err := Run(ctx, Options{Endpoint: server.URL, Protocol: HTTP, Rate: 1, Out: io.Discard})
	if err != nil || sent.Chats != 0 {
		t.Errorf("Run = %d chats, %v; want none", sent.Chats, err)
	}
}

func TestNothingDelivered(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	_, err := Run(t.Context(), Options{Endpoint: server.URL, Protocol: HTTP, Rate: 1000, Chats: 3, Out: io.Discard})
	if !errors.Is(err, ErrNothingDelivered) || !strings.Contains(err.Error(), "404") {
		t.Errorf("Run = %v, want that nothing was delivered, and the 404", err)
	}
}

// An export that the end cuts off, before the last one, is no error; any other is.
func TestAnExportCutOffByTheEndIsNoError(t *testing.T) {
	refused := errors.New("refused")
	for _, ended := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if ended {
			cancel()
		}
		var d delivery
		if err := (countingMetrics{failing{err: refused}, &d}).Export(ctx, nil); err != nil {
			t.Error("the SDK's handler is told of", err)
		}
		if _, _, err := d.state(); errors.Is(err, refused) == ended {
			t.Errorf("ended %t: %v", ended, err)
		}
	}
}

// failing exports nothing.
type failing struct {
	sdkmetric.Exporter
	err error
}

func (f failing) Export(context.Context, *metricdata.ResourceMetrics) error { return f.err }

func TestValidate(t *testing.T) {
	good := Options{Endpoint: "http://localhost:8002", Protocol: HTTP, Rate: 5}
	if err := good.Validate(); err != nil {
		t.Errorf("good options: %v", err)
	}
	for name, change := range map[string]func(*Options){
		"endpoint": func(o *Options) { o.Endpoint = "localhost:8002" },
		"protocol": func(o *Options) { o.Protocol = "tcp" },
		"rate":     func(o *Options) { o.Rate = math.NaN() },
		"duration": func(o *Options) { o.Duration = -1 },
		"chats":    func(o *Options) { o.Chats = -1 },
	} {
		o := good
		change(&o)
		if err := o.Validate(); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("bad %s: Validate = %v, want an error that names it", name, err)
		}
	}
}
