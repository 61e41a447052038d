package export

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"treq/telemetry/journal"
	"treq/telemetry/otlp"
)

// traceSpan is a span of a trace by number, of a service and an environment.
type traceSpan struct {
	trace, id   byte
	service, of string
	attributes  []otlp.KV
}

func requestOf(spans ...traceSpan) []byte {
	var body []byte
	for _, s := range spans {
		body = otlp.AppendTraceRequest(body, otlp.ResourceData{
			Attributes: []otlp.KV{otlp.Str("service.name", s.service), otlp.Str("deployment.environment.name", s.of)},
			Scopes: []otlp.ScopeData{{Spans: []otlp.SpanData{{
				TraceID: [16]byte{15: s.trace}, SpanID: [8]byte{7: s.id}, Name: "span", Start: 1, End: 2, Attributes: s.attributes,
			}}}},
		})
	}
	return body
}

func taken(b *backend) (ids []uint64) {
	for _, p := range b.got() {
		for _, span := range p.spans {
			ids = append(ids, span.id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Services and attributes choose whole traces, by what comes of each first; the rest
// is accounted for as sampled out.
func TestChoice(t *testing.T) {
	tools := []otlp.KV{otlp.Flag("beta", true), otlp.I64("tier", 3)}
	records := [][]traceSpan{
		{{1, 1, "backend", "production", nil}, {2, 2, "batch", "production", nil}, {3, 3, "backend", "staging", nil}},
		{{4, 4, "front", "production", nil}, {4, 5, "backend", "production", nil}},
		{{5, 6, "batch", "production", tools}},
		{{2, 7, "backend", "production", nil}, {1, 8, "batch", "staging", nil}}, // late, of 1 and 2
	}
	for _, c := range []struct {
		name   string
		config Config
		want   []uint64
	}{
		{"everything", Config{}, []uint64{1, 2, 3, 4, 5, 6, 7, 8}},
		{"a service", Config{OnlyServices: []string{"backend"}}, []uint64{1, 3, 4, 5, 8}},
		{"an environment", Config{OnlyAttributes: map[string][]string{"deployment.environment.name": {"staging", "test"}}}, []uint64{3}},
		{"a service of an environment", Config{OnlyServices: []string{"backend"}, OnlyAttributes: map[string][]string{"deployment.environment.name": {"production"}}}, []uint64{1, 4, 5, 8}},
		{"a truth and a number", Config{OnlyAttributes: map[string][]string{"beta": {"true"}, "tier": {"3"}}}, []uint64{6}},
		{"not a service", Config{ExceptServices: []string{"front", "batch"}}, []uint64{1, 3, 8}},
		{"not an attribute", Config{ExceptAttributes: map[string][]string{"beta": {"true"}}}, []uint64{1, 2, 3, 4, 5, 7, 8}},
		{"only and not", Config{OnlyServices: []string{"backend"}, ExceptServices: []string{"front"}}, []uint64{1, 3, 8}},
		{"nothing", Config{OnlyServices: []string{"nobody"}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
				for _, r := range records {
					stand.append(journal.Entry{Items: uint32(len(r)), Body: requestOf(r...)})
				}
				sink := stand.sink(b, c.config)
				settleFor(time.Second)
				if got := taken(b); !slices.Equal(got, c.want) {
					t.Errorf("got spans %v, want %v", got, c.want)
				}
				n := int64(len(c.want))
				checkAccount(t, sink, account{Admitted: 8, Sent: n, SampledOut: 8 - n})
			})
		})
	}
}

// A share is of whole traces, the same in every process, and near what was asked for.
func TestSample(t *testing.T) {
	chosen := func(share float64) map[byte]bool {
		h := newChoice(Config{Sample: share})
		kept := map[byte]bool{}
		for trace := range byte(250) {
			for part := range byte(3) {
				out, n, err := h.of(requestOf(traceSpan{trace, part, "a", "b", nil}, traceSpan{trace, part + 3, "c", "d", nil}))
				if err != nil {
					t.Fatal(err)
				}
				if n != 0 && n != 2 || (n == 0) != (len(out) == 0) {
					t.Fatalf("%d spans of a trace are sent", n)
				}
				if part > 0 && kept[trace] != (n == 2) {
					t.Fatalf("a part of trace %d is sent", trace)
				}
				kept[trace] = n == 2
			}
		}
		return kept
	}
	half, again, tenth := chosen(0.5), chosen(0.5), chosen(0.1)
	count := func(m map[byte]bool) (n int) {
		for _, yes := range m {
			if yes {
				n++
			}
		}
		return n
	}
	if n := count(half); n < 95 || n > 155 {
		t.Errorf("half of 250 traces are %d", n)
	}
	if n := count(tenth); n < 8 || n > 45 {
		t.Errorf("a tenth of 250 traces are %d", n)
	}
	for trace := range byte(250) {
		if half[trace] != again[trace] {
			t.Errorf("trace %d is chosen once and not again", trace)
		}
		if tenth[trace] && !half[trace] {
			t.Errorf("trace %d is in a tenth and not in a half", trace)
		}
	}
	if newChoice(Config{Sample: 1}) != nil {
		t.Error("all traces are looked at to be sent")
	}
}

// What leaves is rewritten where a sink asks or all are, also where it came as gzip;
// what cannot be rewritten is never sent as it came.
func TestRewrite(t *testing.T) {
	private := []otlp.KV{otlp.Str("x", "private")}
	clean := func(_ journal.Kind, body []byte) ([]byte, error) {
		if bytes.Contains(body, []byte("hopeless")) {
			return nil, errors.New("no")
		}
		if !bytes.Contains(body, []byte("private")) {
			return body, nil
		}
		return bytes.ReplaceAll(body, []byte("private"), []byte("_______")), nil
	}
	for _, c := range []struct {
		name string
		all  bool
		ask  Redact
		want bool
	}{
		{"nobody asks", false, "", false},
		{"the sink asks", false, RedactOn, true},
		{"all are", true, "", true},
		{"all but this one are", true, RedactOff, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
				plain, hopeless := requestOf(traceSpan{1, 1, "a", "b", private}), requestOf(traceSpan{2, 2, "hopeless", "b", nil})
				stand.append(journal.Entry{Items: 1, Body: plain})
				stand.append(journal.Entry{Items: 1, Body: zip(t, plain), Encoding: journal.Gzip, Decoded: plain})
				stand.append(journal.Entry{Items: 1, Body: hopeless})
				stand.append(journal.Entry{Items: 1, Body: requestOf(traceSpan{3, 3, "a", "b", nil})})
				d := stand.deps(b.transport())
				d.Rewrite, d.RewriteAll = clean, c.all
				sink, err := New(Config{Name: "sink", Endpoint: "http://backend.test/v1/traces", Redact: c.ask}, d)
				if err != nil {
					t.Fatal(err)
				}
				sink.Start()
				defer stop(t, sink)
				settleFor(time.Second)
				for _, p := range b.got() {
					body, err := b.unzip(p.raw)
					if err != nil {
						t.Fatal(err)
					}
					if c.want && (bytes.Contains(body, []byte("private")) || bytes.Contains(body, []byte("hopeless"))) {
						t.Error("what was to be rewritten was sent as it came")
					}
				}
				if c.want {
					checkAccount(t, sink, account{Admitted: 4, Sent: 3, Dead: 1})
				} else {
					checkAccount(t, sink, account{Admitted: 4, Sent: 4})
				}
			})
		})
	}
	stand := newStand(t, journal.Options{})
	if _, err := New(Config{Name: "sink", Endpoint: "http://backend.test/", Redact: RedactOn}, stand.deps(nil)); err == nil {
		t.Error("a sink that asks for rules is made where there are none")
	}
}
