package e2e

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"treq/test/e2e/e2etest"
)

// patient leaves room for spans of one trace that take different ways.
const patient = "chats: { close: { root: 3s } }\n"

// oracle is one product that got the same from its clients directly, each trace once
// and nothing in its way; the ledger knows what should come of it.
type oracle struct {
	t      *testing.T
	alone  *e2etest.Server
	ledger *e2etest.Ledger
	traces *e2etest.Generator

	mu   sync.Mutex
	sent []*e2etest.Trace
}

func newOracle(t *testing.T) *oracle {
	t.Helper()
	return &oracle{
		t:      t,
		alone:  e2etest.Start(t, e2etest.Spec{Config: patient + "history: {step: 1s}\n"}),
		ledger: e2etest.NewLedger(), traces: e2etest.NewGenerator(uint64(time.Now().UnixNano())),
	}
}

// next makes the i-th trace.
func (o *oracle) next(i int) *e2etest.Trace {
	q := e2etest.Question{Input: int64(10 + i%90), Output: 5, Failed: i%5 == 0, Model: []string{"llama-3.1-8b-instant", "llama-3.3-70b-versatile"}[i%2]}
	if i%3 > 0 {
		q.Scores = []float64{0.5, float64(i%8) / 8}
	}
	one := o.traces.Trace(q, time.Now().Add(-time.Second))
	o.ledger.Issue(one)
	return one
}

// acknowledged notes traces that the gateway took, and gives them to the oracle.
func (o *oracle) acknowledged(of ...*e2etest.Trace) error {
	var spans []*trace.Span
	for _, one := range of {
		spans = append(spans, one.Spans...)
	}
	o.ledger.Ack(spans)
	o.mu.Lock()
	o.sent = append(o.sent, of...)
	o.mu.Unlock()
	return e2etest.Send(o.t.Context(), o.alone.URL("/v1/traces"), e2etest.Encoding{}, e2etest.Request("svc", spans...))
}

// same wants every replica to serve what the oracle does.
func (o *oracle) same(what string, replicas ...*e2etest.Server) {
	o.t.Helper()
	want := wantTotals(o.t, o.alone, "svc", o.ledger.Totals())
	var models json.RawMessage
	for i, r := range append([]*e2etest.Server{o.alone}, replicas...) {
		e2etest.Eventually(o.t, time.Minute, func() error {
			for _, query := range []string{"?service=svc", "?service=svc&window=1h"} {
				got := r.Metrics(query)
				got.UptimeSeconds, got.System = want.UptimeSeconds, want.System
				if diff := cmp.Diff(want, got); diff != "" {
					return fmt.Errorf("%s, %s at %s (-oracle +fleet):\n%s", what, query, r.Addr, diff)
				}
			}
			var document struct{ Total, Models json.RawMessage }
			r.JSON("/monitoring/models?service=svc", &document)
			got := fmt.Appendf(nil, "%s %s", document.Total, document.Models)
			if i == 0 {
				models = got
			}
			if diff := cmp.Diff(string(models), string(got)); diff != "" {
				return fmt.Errorf("%s, models at %s (-oracle +fleet):\n%s", what, r.Addr, diff)
			}
			return nil
		})
	}
}

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

// kpi is what GET /monitoring/kpis says of one, as far as it is compared.
type kpi struct {
	Name, Status string
	Value        *float64
	Samples      float64 `json:"sample_count"`
}

// telemetrygen begins to send the same 200 calls of a model to an address.
func telemetrygen(t *testing.T, program, addr string) (run *exec.Cmd, said *strings.Builder) {
	t.Helper()
	run = exec.CommandContext(t.Context(), program, "traces", "--otlp-insecure", "--traces", "200", "--rate", "100", "--workers", "1", "--service", "generated",
		"--otlp-endpoint", addr, "--otlp-header", `authorization="Bearer `+ingestToken+`"`, "--telemetry-attributes", `gen_ai.operation.name="chat"`)
	said = new(strings.Builder)
	run.Stdout, run.Stderr = said, said
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	return run, said
}

// sameKPIs wants the KPIs and the alerts of all replicas to be the oracle's.
func (top *topology) sameKPIs(o *oracle) {
	top.t.Helper()
	read := func(s *e2etest.Server) map[string]kpi {
		var document struct{ KPIs []kpi }
		s.JSON("/monitoring/kpis", &document)
		all := map[string]kpi{}
		for _, k := range document.KPIs {
			if k.Value != nil {
				rounded := math.Round(*k.Value*1e6) / 1e6
				k.Value = &rounded
			}
			all[k.Name] = k
		}
		return all
	}
	const judged = 4
	for _, r := range top.replicas {
		e2etest.Eventually(top.t, time.Minute, func() error {
			want, got := read(o.alone), read(r)
			if diff := cmp.Diff(want, got); diff != "" {
				return fmt.Errorf("KPIs at %s (-oracle +fleet):\n%s", r.Addr, diff)
			}
			if diff := cmp.Diff(alertStates(o.alone), alertStates(r)); diff != "" {
				return fmt.Errorf("alerts at %s (-oracle +fleet):\n%s", r.Addr, diff)
			}
			compared := 0
			for _, k := range want {
				if k.Value != nil {
					compared++
				}
			}
			if compared < judged {
				return fmt.Errorf("only %d KPIs have a value at the oracle: %v", compared, want)
			}
			return nil
		})
	}
}

// alertStates tells in which state each alert is.
func alertStates(s *e2etest.Server) map[string]string {
	var document struct {
		Alerts []struct{ Name, State string }
	}
	s.JSON("/monitoring/alerts", &document)
	states := map[string]string{}
	for _, a := range document.Alerts {
		// What a process needs is its own, and "for" begins when it is first asked about.
		if a.State != "pending" && a.Name != "high_memory" {
			states[a.Name] = a.State
		}
	}
	return states
}
