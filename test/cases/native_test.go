package cases

import (
	"strings"
	"testing"
	"time"

	"treq/telemetry/judgement"
	"treq/telemetry/langsmith"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
	"treq/test/recorded"
)

// derive gives the spans that the runs of a case become, a request for each that was
// recorded. The merger does the same out of a log; here nothing is lost or late.
func derive(t testing.TB, c *recorded.Case) [][]byte {
	t.Helper()
	var requests [][]byte
	runs := map[langsmith.ID]*langsmith.Run{}
	for _, sent := range c.Native {
		if !strings.HasPrefix(sent.Path, "/runs") {
			continue
		}
		request, err := langsmith.Read(sent.Body)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		var body []byte
		for i := range request.Ops {
			op := &request.Ops[i]
			r := runs[op.ID]
			if r == nil {
				r = &langsmith.Run{}
				runs[op.ID] = r
			}
			r.Merge(op)
			if r.Posted && r.Ended() {
				body = append(body, spanOf(r)...)
				delete(runs, op.ID)
			}
		}
		requests = append(requests, body)
	}
	if len(runs) > 0 {
		t.Errorf("%s: %d runs have no end", c.Name, len(runs))
	}
	return requests
}

func spanOf(r *langsmith.Run) []byte {
	var parent [8]byte
	if r.Parent != (langsmith.ID{}) {
		parent = r.Parent.SpanID()
	}
	return otlp.AppendTraceRequest(nil, otlp.ResourceData{
		Attributes: []otlp.KV{otlp.Str(semconv.ServiceName, r.Service())},
		Scopes:     []otlp.ScopeData{{Name: semconv.LSScope, Version: r.SDK(), Spans: []otlp.SpanData{r.Span(r.ID.SpanID(), parent, "")}}},
	})
}

// judged gives the judgements of a case as the log requests that they become.
func judged(t testing.TB, c *recorded.Case) [][]byte {
	t.Helper()
	var requests [][]byte
	add := func(j judgement.Judgement) {
		j.Time = time.Unix(0, epoch.UnixNano())
		requests = append(requests, judgement.Append(nil, &j))
	}
	for _, sent := range c.Native {
		if strings.HasSuffix(sent.Path, "/feedback") {
			j, err := langsmith.ReadFeedback(sent.Body)
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			add(j)
			continue
		}
		request, err := langsmith.Read(sent.Body)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		for _, j := range request.Feedback {
			add(j)
		}
	}
	return requests
}
