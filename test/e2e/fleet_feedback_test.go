package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/test/e2e/e2etest"
)

// TestFleetTellsSinksOfRunsElsewhere judges at one replica what another has: before
// the trace comes and after, by the id of the trace and of its first span. Every sink
// is told, with what it wants to know of the run.
func TestFleetTellsSinksOfRunsElsewhere(t *testing.T) {
	t.Parallel()
	backends, url := newJudges(t)
	replicas := fleetOf(t, 2, false, `sinks:
  - {name: langsmith, profile: langsmith, endpoint: "`+url+`/ls", api_key: key, project: mine, delay: 20ms}
  - {name: langfuse, endpoint: "`+url+`/lf/api/public/otel/v1/traces", headers: {Authorization: "Basic cHVibGljOnNlY3JldA=="}, delay: 20ms}
  - {name: phoenix, endpoint: "`+url+`/px/v1/traces", feedback: phoenix, delay: 20ms}
`)
	owner, judge := replicas[0], replicas[1]
	want := map[string]float64{}
	vote := func(run []byte, score float64) {
		t.Helper()
		body := fmt.Sprintf(`{"run_id":"%x","score":%v}`, run, score)
		a := judge.Do(http.MethodPost, "/monitoring/feedback", http.Header{"Content-Type": {"application/json"}}, strings.NewReader(body))
		var answer struct{ ID string }
		if err := json.Unmarshal(a.Body, &answer); err != nil || a.Status/100 != 2 {
			t.Fatalf("%d %s %v", a.Status, a.Body, err)
		}
		for _, backend := range []string{"ls ", "lf ", "px "} {
			want[backend+answer.ID] = score
		}
	}
	send := func(one *e2etest.Trace) {
		t.Helper()
		if err := e2etest.Send(t.Context(), owner.URL("/v1/traces"), e2etest.Encoding{}, e2etest.Request("svc", one.Spans...)); err != nil {
			t.Fatal(err)
		}
	}
	generator := e2etest.NewGenerator(uint64(time.Now().UnixNano()))
	first, second := generator.Trace(e2etest.Question{Input: 10, Output: 5}, time.Now().Add(-time.Second)), generator.Trace(e2etest.Question{Input: 10, Output: 5}, time.Now().Add(-time.Second))
	vote(first.Spans[0].TraceId, 1)
	send(first)
	send(second)
	vote(second.Spans[0].TraceId, 0.25)
	vote(second.Spans[e2etest.SpansPerTrace-1].SpanId, 0.75)
	e2etest.Eventually(t, time.Minute, func() error {
		votes, _ := backends.has()
		if diff := cmp.Diff(want, votes); diff != "" {
			return fmt.Errorf("-want +got:\n%s", diff)
		}
		return nil
	})
}
