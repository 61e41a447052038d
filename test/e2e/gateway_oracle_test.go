package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"

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
		if a.Name == "high_memory" {
			continue // what a process needs is its own
		}
		if a.State == "pending" {
			a.State = "firing" // "for" begins when it is first asked about
		}
		states[a.Name] = a.State
	}
	return states
}
