package export

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"
)

// Parts are what the slow twin selects span by span, whatever the request looks like and
// wherever it is cut.
func TestPartsOfARequest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var spans int64
		request := &coltrace.ExportTraceServiceRequest{}
		for r := range rapid.IntRange(0, 3).Draw(t, "resources") {
			rs := &trace.ResourceSpans{SchemaUrl: fmt.Sprint("r", r), Resource: &resource.Resource{DroppedAttributesCount: uint32(r)}}
			for s := range rapid.IntRange(0, 3).Draw(t, "scopes") {
				ss := &trace.ScopeSpans{SchemaUrl: fmt.Sprint("s", s), Scope: &common.InstrumentationScope{Name: fmt.Sprint(r, s)}}
				for range rapid.IntRange(0, 5).Draw(t, "spans") {
					ss.Spans = append(ss.Spans, &trace.Span{Name: fmt.Sprint(spans)})
					spans++
				}
				rs.ScopeSpans = append(rs.ScopeSpans, ss)
			}
			request.ResourceSpans = append(request.ResourceSpans, rs)
		}
		body, err := proto.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		var sizes []int64
		for left := spans; left > 0; left -= sizes[len(sizes)-1] {
			sizes = append(sizes, rapid.Int64Range(1, left).Draw(t, "size"))
		}
		if len(sizes) == 0 {
			return
		}
		parts, err := cutSpans(body, sizes)
		if err != nil || len(parts) != len(sizes) {
			t.Fatalf("%d parts of %v, %v", len(parts), sizes, err)
		}
		var from int64
		for i, part := range parts {
			if len(parts) > 1 && cap(part) != len(part) {
				t.Errorf("part %d has %d bytes in memory for %d", i, len(part), cap(part))
			}
			var n int64
			twin, _, err := selectSpans(body, func([]byte) bool { n++; return n > from && n <= from+sizes[i] })
			if err != nil {
				t.Fatal(err)
			}
			if len(parts) == 1 {
				twin = body // one part is the request as it came
			}
			var got, want coltrace.ExportTraceServiceRequest
			if err := proto.Unmarshal(part, &got); err != nil {
				t.Fatal(err)
			}
			if err := proto.Unmarshal(twin, &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&want, &got, protocmp.Transform()); diff != "" {
				t.Fatalf("part %d of %v: %s", i, sizes, diff)
			}
			from += sizes[i]
		}
	})
	for _, bad := range [][]byte{{1<<3 | 2, 9}, {1<<3 | 2, 2, 2<<3 | 2, 9}, {1<<3 | 2, 4, 2<<3 | 2, 2, 2<<3 | 2, 9}} {
		if _, err := cutSpans(bad, []int64{1, 1}); err == nil {
			t.Errorf("%x is cut", bad)
		}
	}
}
