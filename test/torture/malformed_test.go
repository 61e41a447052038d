package torture

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"treq/test/e2e/e2etest"
	"treq/test/recorded"
)

// naughty are texts that programs stumble over.
var naughty = []string{
	"", " ", "\x00", "\n", "\u2028", "\ufeff", "\u202e", "null", "undefined", "NaN", "true", "-1", "0x0", "1e999", "..", "../../etc/passwd", "%s%n", "%00", "${HOME}",
	"{{7*7}}", "<script>alert(1)</script>", "' OR 1=1--", "\"", "\\", "`", "a\u0300\u0301\u0302", "👩‍👩‍👧‍👦", "田中さん", "ﷺ", "Ṱ̺̺o͞ ", "İ", "ß", "\U0010ffff", "__proto__", "constructor", "le", "__name__", "otel.metric.overflow",
}

// malformed sends what is no request and what hardly is one.
func malformed(t *testing.T, f *figures) {
	root, err := e2etest.Root()
	if err != nil {
		t.Fatal(err)
	}
	suite, err := filepath.Glob(filepath.Join(root, "telemetry/otlp/testdata/json-test-suite/test_parsing/*.json"))
	if err != nil {
		t.Fatal(err)
	}
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	m := &mess{t: t, s: s}
	for _, path := range suite {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		wrapped := append(append([]byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","unknown":`), text...), "}]}]}]}"...)
		for _, body := range [][]byte{text, wrapped} {
			m.send(jsonType, body, filepath.Base(path))
		}
		switch status := m.send(jsonType, wrapped, filepath.Base(path)); {
		case filepath.Base(path)[0] == 'y' && status != 200, filepath.Base(path)[0] == 'n' && status == 200:
			m.wrong++
			t.Errorf("%s: %d", filepath.Base(path), status)
		}
	}
	for _, text := range naughty {
		one := e2etest.NewGenerator(1).Trace(e2etest.Question{Model: text + "m", Content: text}, time.Now())
		for _, span := range one.Spans {
			span.Name = text
			span.Attributes = append(span.Attributes, e2etest.Text(text, text))
		}
		for _, e := range []e2etest.Encoding{{}, {JSON: true}} {
			body, header, err := e.Encode(e2etest.Request(text, one.Spans...))
			if err != nil {
				t.Fatal(err)
			}
			m.send(header.Get("Content-Type"), body, fmt.Sprintf("%q", text))
		}
	}
	var seeds [][]byte
	for _, c := range recorded.Load(t) {
		seeds = append(seeds, c.Requests...)
	}
	mutants := size(300, 10_000, 100_000)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 19))
			for range mutants / 4 {
				m.mutant(random, seeds[random.IntN(len(seeds))])
			}
		})
	}
	wg.Wait()
	if a := s.Get("/readyz"); a.Status != 200 {
		t.Errorf("/readyz: %d %s", a.Status, a.Body)
	}
	s.Crash() // what was taken is read again
	f.want(m.sent >= mutants, "%d requests: %d JSON files wrapped and bare, %d texts, %d mutated recordings", m.sent, len(suite), len(naughty), mutants)
	f.want(m.odd == 0, "%d answers other than 200 and 4xx", m.odd)
	f.want(m.wrong == 0, "%d JSON files misjudged", m.wrong)
	f.aim(m.slowest <= time.Second, "slowest %s", ms(m.slowest))
	f.say("%d of the mutants judged otherwise than by pdata (depth, ids and text that is no UTF-8 are ours)", m.differ)
}

// mess counts what became of bad requests.
type mess struct {
	t *testing.T
	s *e2etest.Server

	mu                       sync.Mutex
	sent, odd, wrong, differ int
	slowest                  time.Duration
}

func (m *mess) send(contentType string, body []byte, name string) int {
	ctx, cancel := context.WithTimeout(m.t.Context(), 30*time.Second)
	defer cancel()
	started := time.Now()
	a, err := e2etest.Do(ctx, http.MethodPost, m.s.URL("/v1/traces"), http.Header{"Content-Type": {contentType}}, bytes.NewReader(body))
	took := time.Since(started)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent++
	m.slowest = max(m.slowest, took)
	if err != nil || a.Status != 200 && (a.Status < 400 || a.Status > 499) {
		m.odd++
		m.t.Errorf("%s: %d %v %.200s", name, a.Status, err, a.Body)
	}
	return a.Status
}

// mutant damages a request and compares the judgement with pdata's.
func (m *mess) mutant(random *rand.Rand, seed []byte) {
	b := bytes.Clone(seed)
	for range 1 + random.IntN(4) {
		at := random.IntN(len(b))
		switch random.IntN(4) {
		case 0:
			b[at] ^= 1 << random.IntN(8)
		case 1:
			b = append(b[:at], b[min(len(b), at+1+random.IntN(8)):]...)
		case 2:
			b = append(b[:at:at], append([]byte{byte(random.Uint32())}, b[at:]...)...)
		case 3:
			copy(b[at:], b[random.IntN(len(b)):])
		}
		if len(b) == 0 {
			return
		}
	}
	taken := m.send(protobufType, b, "mutant") == 200
	_, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(b)
	if taken != (err == nil) {
		m.mu.Lock()
		m.differ++
		m.mu.Unlock()
	}
}
