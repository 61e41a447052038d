package recorded

import (
	"math/rand/v2"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// TestOrderAndBatchesDoNotMatter sends every case again with its spans in any order
// and in any number of requests, some of them twice, over less than the shortest
// time that a fragment is waited for: the totals never change.
func TestOrderAndBatchesDoNotMatter(t *testing.T) {
	const rounds = 20
	for _, c := range Load(t) {
		if len(c.Requests) == 0 {
			continue // native runs alone
		}
		t.Run(c.Name, func(t *testing.T) {
			want := tree(t, understood(t, c, c.Requests, 0))
			for seed := range uint64(rounds) {
				random := rand.New(rand.NewPCG(seed, 0))
				requests := scattered(t, c.Requests, random)
				apart := 5 * time.Second / time.Duration(len(requests))
				var differences lines
				gocmp.Equal(want, tree(t, understood(t, c, requests, apart)), gocmp.Reporter(&differences))
				for _, line := range differences.found {
					t.Errorf("seed %d: as recorded, and in another order: %s", seed, line)
				}
			}
		})
	}
}

// scattered puts the spans of requests into other requests, at random.
func scattered(t *testing.T, requests [][]byte, random *rand.Rand) [][]byte {
	t.Helper()
	var spans []func(ptrace.Traces)
	for _, body := range requests {
		request := ptraceotlp.NewExportRequest()
		if err := request.UnmarshalProto(body); err != nil {
			t.Fatal(err)
		}
		for _, resource := range request.Traces().ResourceSpans().All() {
			for _, scope := range resource.ScopeSpans().All() {
				for _, span := range scope.Spans().All() {
					spans = append(spans, func(to ptrace.Traces) {
						ofResource := to.ResourceSpans().AppendEmpty()
						resource.Resource().CopyTo(ofResource.Resource())
						ofScope := ofResource.ScopeSpans().AppendEmpty()
						scope.Scope().CopyTo(ofScope.Scope())
						span.CopyTo(ofScope.Spans().AppendEmpty())
					})
				}
			}
		}
	}
	spans = append(spans, spans[:random.IntN(len(spans)+1)]...)
	random.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
	batches := make([]ptrace.Traces, 1+random.IntN(len(spans)))
	for i := range batches {
		batches[i] = ptrace.NewTraces()
	}
	for _, put := range spans {
		put(batches[random.IntN(len(batches))])
	}
	bodies := make([][]byte, len(batches))
	for i, batch := range batches {
		body, err := ptraceotlp.NewExportRequestFromTraces(batch).MarshalProto()
		if err != nil {
			t.Fatal(err)
		}
		bodies[i] = body
	}
	return bodies
}
