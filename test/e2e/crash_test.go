package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"treq/test/e2e/e2etest"
)

// TestCrashes kills the service at random moments under load. Its clients retry
// what was not acknowledged, compressed anew and in other batches. Afterwards
// totals equal the ledger's, and the sink has every acknowledged span, unaltered.
//
// TREQ_E2E_KILLS sets the number of kills, default 30.
func TestCrashes(t *testing.T) {
	t.Parallel()
	kills := 30
	if n, err := strconv.Atoi(os.Getenv("TREQ_E2E_KILLS")); err == nil {
		kills = n
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)

	sink := e2etest.NewSink(t)
	// The leaves of a trace come before its root, so that only the root's delay matters.
	s := e2etest.Start(t, e2etest.Spec{Config: sinkConfig(map[string]string{"any": sink.URL()})})
	load := startLoad(t, s, 4)
	for i := range kills {
		// For a third of the time a backlog grows, then it is delivered between kills.
		switch i {
		case kills / 3:
			sink.Down()
		case 2 * kills / 3:
			sink.Up()
		}
		// Some kills hit a start, others a running service.
		pause := time.Duration(random.IntN(400)) * time.Millisecond
		select {
		case <-time.After(pause):
		case <-t.Context().Done():
		}
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := s.Relaunch(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AwaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	load.progress(50)
	load.finish()

	want := load.ledger.Totals()
	m := wantTotals(t, s, "crash", want)
	if m.Chat.LLMCalls != want.Calls || m.Chat.LLMTokensUsed != want.Tokens {
		t.Errorf("chats have %d calls and %d tokens, want %d and %d", m.Chat.LLMCalls, m.Chat.LLMTokensUsed, want.Calls, want.Tokens)
	}
	wantPosts(t, s, load.posts.Load())
	e2etest.Eventually(t, 90*time.Second, func() error {
		if n := load.ledger.Missing(sink); n > 0 {
			return fmt.Errorf("%d of %d acknowledged spans are not delivered: %+v", n, load.ledger.Acked(), s.Sink("any"))
		}
		return nil
	})
	repeated := load.ledger.Check(t, sink)
	t.Logf("%d kills, %d spans acknowledged, %d delivered more than once, %d posts", kills, load.ledger.Acked(), repeated, load.posts.Load())
	wantSettled(t, s, "any", s.Sink("any").Admitted, 0)

	s.Crash()
	wantTotals(t, s, "crash", want)
	wantPosts(t, s, load.posts.Load())
}

// wantPosts wants the JSON API's chats exactly.
func wantPosts(t *testing.T, s *e2etest.Server, want int64) {
	t.Helper()
	check := func() error {
		if got := s.Metrics("?service=posts").Chat.TotalRequests; got != want {
			return fmt.Errorf("%d posted chats, want %d", got, want)
		}
		return nil
	}
	e2etest.Eventually(t, settled, check)
}

// load is a set of clients that send until told to finish, and never give up a
// span before it is acknowledged.
type load struct {
	t      *testing.T
	server *e2etest.Server
	ledger *e2etest.Ledger
	posts  atomic.Int64 // acknowledged
	rounds atomic.Int64 // completed by all clients together
	stop   chan struct{}
	all    sync.WaitGroup
}

// startLoad starts workers that send traces, and one that posts.
func startLoad(t *testing.T, s *e2etest.Server, workers int) *load {
	l := &load{t: t, server: s, ledger: e2etest.NewLedger(), stop: make(chan struct{})}
	for i := range workers {
		l.all.Go(func() { l.traces(uint64(i)) })
	}
	l.all.Go(l.post)
	t.Cleanup(l.finish)
	return l
}

// progress waits until the clients have completed n more rounds.
func (l *load) progress(n int64) {
	l.t.Helper()
	from := l.rounds.Load()
	e2etest.Eventually(l.t, time.Minute, func() error {
		if done := l.rounds.Load() - from; done < n {
			return fmt.Errorf("%d of %d rounds", done, n)
		}
		return nil
	})
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

func (l *load) stopping() bool {
	select {
	case <-l.stop:
		return true
	default:
		return false
	}
}

func (l *load) traces(worker uint64) {
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), worker))
	traces := e2etest.NewGenerator(random.Uint64())
	for !l.stopping() {
		var leaves, roots []*trace.Span
		for range 1 + random.IntN(8) {
			q := e2etest.Question{
				Input: int64(random.IntN(1000)), Output: int64(random.IntN(500)), Failed: random.IntN(20) == 0,
				Model: []string{"llama-3.1-8b-instant", "llama-3.3-70b-versatile", "glm-4.7"}[random.IntN(3)],
			}
			for range random.IntN(4) {
				q.Scores = append(q.Scores, random.Float64())
			}
			one := traces.Trace(q, time.Now().Add(-time.Second))
			l.ledger.Issue(one)
			last := len(one.Spans) - 1
			leaves, roots = append(leaves, one.Spans[:last]...), append(roots, one.Spans[last])
		}
		if random.IntN(2) == 0 {
			leaves, roots = append(leaves, roots...), nil
		}
		if !l.until(random, leaves) || !l.until(random, roots) {
			return
		}
		l.rounds.Add(1)
	}
}

// until sends spans until all are acknowledged. Each attempt may be compressed
// otherwise than the one before and hold other spans.
func (l *load) until(random *rand.Rand, spans []*trace.Span) bool {
	encodings := []e2etest.Encoding{
		{}, {Compression: "gzip", Level: 1}, {Compression: "gzip", Level: 6}, {Compression: "zstd"}, {Compression: "deflate"}, {JSON: true}, {JSON: true, Compression: "gzip"},
	}
	for attempt := 0; len(spans) > 0; {
		n := len(spans)
		if attempt > 0 {
			n = 1 + random.IntN(n)
		}
		err := e2etest.Send(context.Background(), l.server.URL("/v1/traces"), encodings[random.IntN(len(encodings))], e2etest.Request("crash", spans[:n]...))
		if err == nil {
			l.ledger.Ack(spans[:n])
			spans = spans[n:]
			continue
		}
		if attempt++; attempt > 5000 {
			l.t.Errorf("gave up: %v", err)
			return false
		}
		time.Sleep(10 * time.Millisecond)
	}
	return true
}

// post posts chats with an idempotency key, each until it is acknowledged.
func (l *load) post() {
	run := time.Now().UnixNano()
	for i := 0; !l.stopping(); i++ {
		header := http.Header{"Idempotency-Key": {fmt.Sprintf("%d-%d", run, i)}}
		for attempt := 0; ; attempt++ {
			a, err := e2etest.Do(context.Background(), http.MethodPost,
				l.server.URL("/monitoring/chat/metrics?success=true&response_time_ms=5&service=posts"), header, nil)
			// 202 is durable too: the meter, still replaying, has not come to it.
			if err == nil && (a.Status == http.StatusOK || a.Status == http.StatusAccepted) {
				break
			}
			if attempt > 5000 || (err == nil && a.Status != http.StatusServiceUnavailable) {
				l.t.Errorf("gave up a post: %d %s %v", a.Status, a.Body, err)
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		l.posts.Add(1)
	}
}
