package cases

import (
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"treq/test/recorded"
)

// piece is one span with the resource and scope it was sent under.
type piece struct {
	resource *trace.ResourceSpans
	scope    *trace.ScopeSpans
	span     *trace.Span
}

// piecesOf takes a case's requests apart, by another decoder than the product's.
func piecesOf(t testing.TB, c *recorded.Case) []piece {
	t.Helper()
	var pieces []piece
	for _, body := range c.Requests {
		var request collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &request); err != nil {
			t.Fatal(err)
		}
		for _, r := range request.ResourceSpans {
			for _, s := range r.ScopeSpans {
				for _, sp := range s.Spans {
					pieces = append(pieces, piece{r, s, sp})
				}
			}
		}
	}
	return pieces
}

// requestOf puts spans into one request, each under a resource and scope of its own.
func requestOf(t testing.TB, pieces []piece) []byte {
	t.Helper()
	var request collector.ExportTraceServiceRequest
	for _, p := range pieces {
		request.ResourceSpans = append(request.ResourceSpans, &trace.ResourceSpans{
			Resource: p.resource.Resource, SchemaUrl: p.resource.SchemaUrl,
			ScopeSpans: []*trace.ScopeSpans{{Scope: p.scope.Scope, SchemaUrl: p.scope.SchemaUrl, Spans: []*trace.Span{p.span}}},
		})
	}
	body, err := proto.Marshal(&request)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
