package torture

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"treq/test/e2e/e2etest"
)

// service is what load calls itself.
const service = "torture"

// load is a set of clients that never give up a span before it is acknowledged.
type load struct {
	t      *testing.T
	server *e2etest.Server
	ledger *e2etest.Ledger
	plan   plan

	rounds   atomic.Int64 // completed
	refused  atomic.Int64 // answers other than 200
	unheard  atomic.Int64 // connections that failed
	hintless atomic.Int64 // refusals to come again without a Retry-After of 1 to 30 s

	mu        sync.Mutex
	latencies []time.Duration // of acknowledged requests

	stop chan struct{}
	all  sync.WaitGroup
}

// plan says what clients send.
type plan struct {
	workers int
	// traces is how many a round has at most; each is 4 spans. A round sends the
	// leaves first, then the roots.
	traces int
	// every is the pace of each worker's rounds; 0 is as fast as it goes.
	every time.Duration
	// content is how many bytes prompts and completions have each.
	content int
}

func startLoad(t *testing.T, s *e2etest.Server, p plan) *load {
	l := &load{t: t, server: s, ledger: e2etest.NewLedger(), plan: p, stop: make(chan struct{})}
	for i := range p.workers {
		l.all.Go(func() { l.work(uint64(i)) })
	}
	t.Cleanup(l.finish)
	return l
}

// finish lets every client complete what it holds.
func (l *load) finish() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.all.Wait()
}

func (l *load) work(worker uint64) {
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), worker))
	traces := e2etest.NewGenerator(random.Uint64())
	pace := time.NewTicker(max(l.plan.every, time.Nanosecond))
	defer pace.Stop()
	for {
		select {
		case <-l.stop:
			return
		default:
		}
		if l.plan.every > 0 {
			select {
			case <-l.stop:
				return
			case <-pace.C:
			}
		}
		var leaves, roots []*trace.Span
		n := l.plan.traces
		if l.plan.every == 0 {
			n = 1 + random.IntN(n)
		}
		for range n {
			one := traces.Trace(question(random, l.plan.content), time.Now().Add(-time.Second))
			l.ledger.Issue(one)
			last := len(one.Spans) - 1
			leaves, roots = append(leaves, one.Spans[:last]...), append(roots, one.Spans[last])
		}
		if !l.until(random, leaves) || !l.until(random, roots) {
			return
		}
		l.rounds.Add(1)
	}
}

func question(random *rand.Rand, content int) e2etest.Question {
	q := e2etest.Question{
		Input: int64(random.IntN(1000)), Output: int64(random.IntN(500)), Failed: random.IntN(20) == 0,
		Model: []string{"llama-3.1-8b-instant", "llama-3.3-70b-versatile", "glm-4.7"}[random.IntN(3)],
	}
	for range random.IntN(4) {
		q.Scores = append(q.Scores, random.Float64())
	}
	if content > 0 {
		q.Content = noise(random, content)
	}
	return q
}

// noise is text that does not compress well.
func noise(random *rand.Rand, n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ."
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[random.Uint64()%64]
	}
	return string(b)
}

// until sends spans until all are acknowledged. Each attempt may be compressed
// otherwise than the one before and hold other spans.
func (l *load) until(random *rand.Rand, spans []*trace.Span) bool {
	encodings := []e2etest.Encoding{{}, {Compression: "gzip", Level: 1}, {Compression: "zstd"}, {JSON: true}}
	give := time.Now().Add(10 * time.Minute)
	for attempt := 0; len(spans) > 0; attempt++ {
		n := len(spans)
		if attempt > 0 && attempt < 20 {
			n = 1 + random.IntN(n)
		}
		if l.once(encodings[random.IntN(len(encodings))], spans[:n]) {
			l.ledger.Ack(spans[:n])
			spans = spans[n:]
			continue
		}
		if time.Now().After(give) {
			l.t.Error("gave up a request")
			return false
		}
		time.Sleep(10 * time.Millisecond)
	}
	return true
}

func (l *load) once(e e2etest.Encoding, spans []*trace.Span) bool {
	body, header, err := e.Encode(e2etest.Request(service, spans...))
	if err != nil {
		l.t.Error(err)
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	started := time.Now()
	a, err := e2etest.Do(ctx, http.MethodPost, l.server.URL("/v1/traces"), header, bytes.NewReader(body))
	switch {
	case err != nil:
		l.unheard.Add(1)
		return false
	case a.Status != http.StatusOK:
		l.refused.Add(1)
		seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
		if a.Status != http.StatusServiceUnavailable || err != nil || seconds < 1 || seconds > 30 {
			l.hintless.Add(1)
			l.t.Logf("%d, Retry-After %q: %s", a.Status, a.Header.Get("Retry-After"), a.Body)
		}
		return false
	}
	l.mu.Lock()
	l.latencies = append(l.latencies, time.Since(started))
	l.mu.Unlock()
	return true
}

// p99 gives the 99th percentile of the acknowledged requests since the last call.
func (l *load) p99() time.Duration {
	l.mu.Lock()
	taken := l.latencies
	l.latencies = nil
	l.mu.Unlock()
	return percentile(taken, 0.99)
}

func percentile(d []time.Duration, p float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[min(int(float64(len(d))*p), len(d)-1)]
}
