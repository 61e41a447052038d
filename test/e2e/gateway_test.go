package e2e

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"treq/test/e2e/e2etest"
)

// owners gives the replicas that have a run themselves, with all of its spans.
func (top *topology) owners(one *e2etest.Trace) (list []int) {
	top.t.Helper()
	for i, r := range top.replicas {
		a := r.Do(http.MethodGet, "/monitoring/runs/"+hex.EncodeToString(one.Spans[0].TraceId),
			http.Header{"Authorization": {"Bearer " + readToken}, "Treq-Fleet-Asked": {"1"}}, nil)
		if a.Status == http.StatusOK {
			list = append(list, i)
			if !strings.Contains(string(a.Body), `"spans":4`) {
				top.t.Errorf("replica %d has a part of %x: %.300s", i, one.Spans[0].TraceId, a.Body)
			}
		}
	}
	return list
}

// spread sends a trace's spans one by one, each by another client.
func (top *topology) spread(stub collectortrace.TraceServiceClient, one *e2etest.Trace) error {
	for i, s := range one.Spans {
		request := e2etest.Request("svc", s)
		var err error
		if i%2 == 0 {
			ctx := metadata.AppendToOutgoingContext(top.t.Context(), "authorization", "Bearer "+ingestToken)
			_, err = stub.Export(ctx, request)
		} else {
			err = top.gateway.send(top.t.Context(), e2etest.Encoding{JSON: i == 1, Compression: "gzip"}, request)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// load sends from three clients until stop, each request until it is acknowledged.
func (top *topology) load(o *oracle) (acknowledged *atomic.Int64, stop func()) {
	acknowledged = new(atomic.Int64)
	end := make(chan struct{})
	var clients sync.WaitGroup
	for c := range 3 {
		clients.Go(func() {
			for i := c; ; i += 3 {
				select {
				case <-end:
					return
				case <-time.After(20 * time.Millisecond):
				}
				batch := []*e2etest.Trace{o.next(i), o.next(i + 1)}
				var spans []*trace.Span
				for _, one := range batch {
					spans = append(spans, one.Spans...)
				}
				for top.gateway.send(top.t.Context(), e2etest.Encoding{}, e2etest.Request("svc", spans...)) != nil {
					if top.t.Context().Err() != nil {
						return
					}
					time.Sleep(20 * time.Millisecond)
				}
				if err := o.acknowledged(batch...); err != nil {
					top.t.Error(err)
					return
				}
				acknowledged.Add(1)
			}
		})
	}
	return acknowledged, sync.OnceFunc(func() {
		close(end)
		clients.Wait()
	})
}

// TestGateway runs what scale-out writes: our distribution of the Collector, three
// replicas and a real Prometheus. Spans of a trace meet whatever way they take;
// replicas and gateway are killed under load, and nothing that was acknowledged is
// lost; every replica serves what one product alone would.
func TestGateway(t *testing.T) {
	t.Parallel()
	generator, err := e2etest.Tool("github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen", "v0.161.0")
	if err != nil {
		t.Fatal(err)
	}
	top, o := startTopology(t, 3, "", patient), newOracle(t)
	top.prometheus.want(`count(up{job="treq-gateway"} == 1)`, 1)

	// Affinity: span by span, by different clients.
	conn, err := grpc.NewClient(top.gateway.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stub := collectortrace.NewTraceServiceClient(conn)
	if _, err := stub.Export(t.Context(), e2etest.Request("svc")); err == nil || !strings.Contains(err.Error(), "Unauthenticated") {
		t.Errorf("without a token: %v", err)
	}
	for i := range 24 {
		one := o.next(i)
		if err := top.spread(stub, one); err != nil {
			t.Fatal(err)
		}
		if err := o.acknowledged(one); err != nil {
			t.Fatal(err)
		}
	}
	o.same("span by span", top.replicas...)
	share := map[int]int{}
	for _, one := range o.sent {
		owners := top.owners(one)
		if len(owners) != 1 {
			t.Fatalf("trace %x is at %v, want one replica", one.Spans[0].TraceId, owners)
		}
		share[owners[0]]++
	}
	if len(share) < 2 {
		t.Errorf("of 24 traces the replicas have %v", share)
	}

	// A replica dies and comes back, under load from us and from telemetrygen.
	acknowledged, stop := top.load(o)
	defer stop()
	more := func(n int64) {
		t.Helper()
		want := acknowledged.Load() + n
		e2etest.Eventually(t, time.Minute, func() error {
			if got := acknowledged.Load(); got < want {
				return fmt.Errorf("the gateway took %d requests, want %d", got, want)
			}
			return nil
		})
	}
	more(20)
	generated, said := telemetrygen(t, generator, top.gateway.grpc)
	direct, _ := telemetrygen(t, generator, o.alone.GRPC)
	if err := top.replicas[1].Kill(); err != nil {
		t.Fatal(err)
	}
	more(30)
	// The others go on while one is away.
	before := top.counted(0, 2)
	e2etest.Eventually(t, settled, func() error {
		if now := top.counted(0, 2); now <= before {
			return fmt.Errorf("while a replica is away the others count %d, as before", now)
		}
		return nil
	})
	for _, run := range []*exec.Cmd{generated, direct} {
		if err := run.Wait(); err != nil {
			t.Fatalf("telemetrygen: %v\n%s", err, said)
		}
	}
	top.replicas[1].Again()

	// The gateway dies with what waits for another, comes back, and is restarted.
	if err := top.replicas[2].Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	more(20)
	top.gateway.kill()
	if err := top.replicas[2].Kill(); err != nil {
		t.Fatal(err)
	}
	top.gateway.start()
	more(20)
	top.replicas[2].Again()
	top.gateway.terminate()
	top.gateway.start()
	more(20)
	stop()
	o.same("after the kills", top.replicas...)
	for _, r := range top.replicas {
		if got := wantCalls(t, r, "generated", 200); got.Chat.FailedRequests != 0 {
			t.Errorf("telemetrygen's spans at %s: %+v", r.Addr, got)
		}
	}
	for i, one := range o.sent {
		if i%7 > 0 {
			continue
		}
		if owners := top.owners(one); len(owners) != 1 {
			t.Errorf("after the kills trace %x is at %v, want one replica", one.Spans[0].TraceId, owners)
		}
		top.foundEverywhere(one)
	}
	top.sameKPIs(o)

	// One goes for good: it is counted with what it told, and as gone.
	top.replicas[2].Terminate()
	e2etest.Eventually(t, time.Minute, func() error {
		var block fleetBlock
		top.replicas[0].JSON("/monitoring/stats/summary", &block)
		if f := block.Fleet; f.Scope != "fleet" || f.Replicas != 3 || f.Present != 2 {
			return fmt.Errorf("one of three is gone, and the summary says %+v", f)
		}
		return nil
	})
	o.same("without one", top.replicas[:2]...)
	var fleet struct {
		Instances []struct{ Present bool }
	}
	top.replicas[0].JSON("/monitoring/fleet", &fleet)
	if len(fleet.Instances) != 3 {
		t.Errorf("the fleet is %+v", fleet)
	}
	page := top.replicas[1].Do(http.MethodGet, "/", http.Header{"Accept": {"text/html"}}, nil)
	if page.Status != http.StatusOK || !strings.Contains(string(page.Body), "<html") {
		t.Errorf("the dashboard: %d %.200s", page.Status, page.Body)
	}
}

// counted is how many chats replicas counted themselves, as their own /metrics tell.
func (top *topology) counted(of ...int) (n int) {
	top.t.Helper()
	for _, i := range of {
		shown, err := samples(top.replicas[i].URL("/metrics"))
		if err != nil {
			top.t.Fatal(err)
		}
		for series, value := range shown {
			if strings.HasPrefix(series, "treq_chat_duration_seconds_count{") {
				var v int
				if _, err := fmt.Sscan(value, &v); err != nil {
					top.t.Fatal(err)
				}
				n += v
			}
		}
	}
	return n
}

// foundEverywhere wants a run's document from every replica, the same of all.
func (top *topology) foundEverywhere(one *e2etest.Trace) {
	top.t.Helper()
	var first string
	for _, r := range top.replicas {
		a := r.Do(http.MethodGet, "/monitoring/runs/"+hex.EncodeToString(one.Spans[0].TraceId), http.Header{"Authorization": {"Bearer " + readToken}}, nil)
		var run struct{ Summary, Spans json.RawMessage }
		if err := json.Unmarshal(a.Body, &run); err != nil || a.Status != http.StatusOK {
			top.t.Errorf("run %x at %s: %d %.200s", one.Spans[0].TraceId, r.Addr, a.Status, a.Body)
			return
		}
		if got := string(run.Summary) + string(run.Spans); first == "" {
			first = got
		} else if got != first {
			top.t.Errorf("run %x differs at %s", one.Spans[0].TraceId, r.Addr)
		}
	}
}

// wantCalls waits until a service has made so many calls of models.
func wantCalls(t *testing.T, s *e2etest.Server, service string, calls int64) (m e2etest.Metrics) {
	t.Helper()
	e2etest.Eventually(t, settled, func() error {
		if m = s.Metrics("?service=" + service); m.LLM.TotalCalls != calls {
			return fmt.Errorf("%d calls of %s at %s, want %d", m.LLM.TotalCalls, service, s.Addr, calls)
		}
		return nil
	})
	return m
}
