package e2e

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/test/e2e/e2etest"
)

// fleetOf starts replicas that share a real Prometheus and know each other. Of these
// the first alone tells of alerts, or all do. Further settings are the same for each.
func fleetOf(t *testing.T, n int, allTell bool, settings string) []*e2etest.Server {
	t.Helper()
	scraped := e2etest.Start(t, e2etest.Spec{Env: []string{often}}) // what a Prometheus of the tests begins with
	p := startPrometheus(t, scraped.Addr, "/metrics")
	replicas := make([]*e2etest.Server, n)
	peers := make([]string, n)
	for i := range replicas {
		replicas[i] = e2etest.Start(t, e2etest.Spec{Config: quick})
		peers[i] = fmt.Sprintf("%q", "http://"+replicas[i].Addr)
	}
	for i, r := range replicas {
		r.Configure(fmt.Sprintf(`%sscope: fleet
history:
  step: 1s
  url: http://%s
  remote_write: { url: http://%s/api/v1/write }
tokens: { api: [ reader ] }
fleet:
  peers: [ %s ]
  token: reader
  deliver_alerts: %v
%s`, quick, p.addr, p.addr, strings.Join(peers, ", "), i == 0 || allTell, settings))
		r.Crash()
	}
	return replicas
}

// at gives the replica that a balancer by trace id chooses.
func at(replicas []*e2etest.Server, one *e2etest.Trace) *e2etest.Server {
	return replicas[int(one.Spans[0].TraceId[0])%len(replicas)]
}

// fleetBlock is what a document of a fleet says of itself.
type fleetBlock struct {
	Fleet struct {
		Scope             string
		Replicas, Present int
		NotExact          []string `json:"not_exact"`
	}
}

// TestFleet kills a replica while traces come and brings it back, and lets every
// replica answer for all: exactly what was acknowledged.
func TestFleet(t *testing.T) {
	t.Parallel()
	replicas := fleetOf(t, 3, false, "")
	traces := e2etest.NewGenerator(uint64(time.Now().UnixNano()))
	ledger := e2etest.NewLedger()
	var sent []*e2etest.Trace
	send := func(n int) {
		for i := range n {
			q := e2etest.Question{Input: int64(10 + i), Output: 5, Failed: i%5 == 0, Model: []string{"llama-3.1-8b-instant", "llama-3.3-70b-versatile"}[i%2]}
			if i%3 > 0 {
				q.Scores = []float64{0.5}
			}
			one := traces.Trace(q, time.Now().Add(-time.Second))
			ledger.Issue(one)
			e2etest.Eventually(t, settled, func() error {
				return e2etest.Send(t.Context(), at(replicas, one).URL("/v1/traces"), e2etest.Encoding{}, e2etest.Request("svc", one.Spans...))
			})
			ledger.Ack(one.Spans)
			sent = append(sent, one)
		}
	}
	everywhere := func(of []*e2etest.Server) {
		t.Helper()
		for _, r := range of {
			for _, query := range []string{"", "svc"} {
				wantTotals(t, r, query, ledger.Totals())
			}
			// Each document asks for the others' numbers anew.
			e2etest.Eventually(t, settled, func() error {
				var window e2etest.Metrics
				r.JSON("/monitoring/metrics?window=1h", &window)
				if diff := cmp.Diff(ledger.Totals(), e2etest.Of(window)); diff != "" {
					return fmt.Errorf("an hour at %s (-want +got):\n%s", r.Addr, diff)
				}
				var models struct {
					Total struct {
						Calls int64 `json:"llm_calls"`
					}
				}
				r.JSON("/monitoring/models", &models)
				if models.Total.Calls != ledger.Totals().Calls {
					return fmt.Errorf("%s: %d calls of models, want %d", r.Addr, models.Total.Calls, ledger.Totals().Calls)
				}
				return nil
			})
		}
	}
	send(30)
	everywhere(replicas)

	// One dies with what it acknowledged a moment ago, and is away for a while.
	if err := replicas[1].Kill(); err != nil {
		t.Fatal(err)
	}
	others := []*e2etest.Server{replicas[0], replicas[2]}
	for _, r := range others {
		wantTotals(t, r, "", ledger.Totals())
	}
	replicas[1].Again()
	send(30)
	everywhere(replicas)

	// Each has the runs of all, and looks no further than the others.
	for _, one := range sent[:6] {
		for _, r := range replicas {
			id := hex.EncodeToString(one.Spans[0].TraceId)
			a := r.Do(http.MethodGet, "/monitoring/runs/"+id, http.Header{"Authorization": {"Bearer reader"}}, nil)
			if a.Status != http.StatusOK || !strings.Contains(string(a.Body), `"spans":4`) {
				t.Errorf("run %s at %s: %d %.200s", id, r.Addr, a.Status, a.Body)
			}
			asked := r.Do(http.MethodGet, "/monitoring/runs/"+id, http.Header{"Authorization": {"Bearer reader"}, "Treq-Fleet-Asked": {"1"}}, nil)
			if owner := at(replicas, one) == r; owner != (asked.Status == http.StatusOK) {
				t.Errorf("run %s at %s, asked by a replica: %d, owner: %v", id, r.Addr, asked.Status, owner)
			}
		}
	}
	a := replicas[0].Do(http.MethodGet, "/monitoring/runs/"+strings.Repeat("ab", 16), http.Header{"Authorization": {"Bearer reader"}}, nil)
	if a.Status != http.StatusNotFound || !strings.Contains(string(a.Body), "none of 3 replicas") {
		t.Errorf("a run that nobody has: %d %s", a.Status, a.Body)
	}

	// One leaves for good, and counts with what it told.
	replicas[2].Terminate()
	send0 := replicas[:2]
	everywhere(send0)
	var block fleetBlock
	replicas[0].JSON("/monitoring/stats/summary", &block)
	if f := block.Fleet; f.Scope != "fleet" || f.Replicas != 3 || f.Present < 2 || len(f.NotExact) == 0 {
		t.Errorf("the summary says of itself: %+v", f)
	}
}
