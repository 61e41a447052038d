package export

import (
	"bytes"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"treq/telemetry/journal"
)

// TestEnrichment sends a call that misses its provider's old name, and a span that
// misses nothing: with enrichment the first gets it, and the second leaves in its
// client's own gzip either way.
func TestEnrichment(t *testing.T) {
	traces := ptrace.NewTraces()
	span := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID([16]byte{15: 2})
	span.SetSpanID([8]byte{7: 2})
	span.Attributes().PutStr("gen_ai.provider.name", "groq")
	call, err := ptraceotlp.NewExportRequestFromTraces(traces).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		profile string
		enrich  Enrich
		want    bool
	}{{"langsmith", "", true}, {"langsmith", EnrichOff, false}, {"otlp", "", false}} {
		sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
			passed := zip(t, encode(t, ids(1, 1)))
			stand.append(journal.Entry{Items: 1, Project: "p", Encoding: journal.Gzip, Body: passed})
			sink := stand.sink(b, Config{Profile: c.profile, Enrich: c.enrich})
			settleFor(time.Second)
			stand.append(journal.Entry{Items: 1, Project: "p", Body: call})
			settleFor(time.Second)
			checkAccount(t, sink, account{Admitted: 2, Sent: 2})
			posts := b.got()
			if len(posts) != 2 || !bytes.Equal(posts[0].raw, passed) {
				t.Errorf("%s: what misses nothing did not pass as it came", c.profile)
			}
			body, err := b.unzip(posts[1].raw)
			if err != nil {
				t.Fatal(err)
			}
			if got := bytes.Contains(body, []byte("gen_ai.system")); got != c.want {
				t.Errorf("%s, enrich %q: enriched %v, want %v", c.profile, c.enrich, got, c.want)
			}
		})
	}
	if err := (Config{Name: "s", Endpoint: "http://x", Enrich: "much"}).Validate(); err == nil {
		t.Error("enrich: much is taken")
	}
}
