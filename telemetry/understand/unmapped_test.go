package understand

import (
	"fmt"
	"testing"

	"treq/telemetry/otlp"
)

// TestUnmappedAttributesAreCounted: names of a dialect that nobody reads are told
// after each request, ordered, and beyond the bound together.
func TestUnmappedAttributesAreCounted(t *testing.T) {
	e, rec := newEngine(t, DefaultConfig())
	sp := &otlp.SpanData{TraceID: [16]byte{1}, SpanID: [8]byte{1}, Start: uint64(epoch.UnixNano()), End: uint64(epoch.UnixNano()) + 1}
	for _, key := range []string{"llm.things.3.thing", "llm.things.14.thing", "gen_ai.new.name", "gen_ai.request.temperature", "http.route.x"} {
		sp.Attributes = append(sp.Attributes, otlp.Str(key, "x"))
	}
	one := step{span: sp, resource: "app"}
	if err := e.Traces(epoch, 0, one.request()); err != nil {
		t.Fatal(err)
	}
	if got, want := rec.String(), "unmapped  gen_ai.new.name 1\nunmapped  llm.things.N.thing 2\n"; got != want {
		t.Errorf("told %q, want %q", got, want)
	}
	sp.SpanID[0] = 2
	sp.Attributes = sp.Attributes[:0]
	for i := range 20_000 {
		sp.Attributes = append(sp.Attributes, otlp.Str(fmt.Sprintf("gen_ai.x%06d", i), "x"))
	}
	rec.lines = nil
	if err := e.Traces(epoch, 0, one.request()); err != nil {
		t.Fatal(err)
	}
	if n := len(rec.lines); n != mostUnmapped+1 || rec.lines[n-1] != fmt.Sprint("unmapped  other ", 20_000-mostUnmapped) {
		t.Errorf("%d names, the last %q", n, rec.lines[len(rec.lines)-1])
	}
}
