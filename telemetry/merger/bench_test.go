package merger

import (
	"fmt"
	"strings"
	"testing"

	"treq/telemetry/langsmith"
)

// BenchmarkRuns is the work of the merger for a run of 1.5 KB that comes in two
// pieces of a multipart body of fifty runs: reading, joining, making the span.
func BenchmarkRuns(b *testing.B) {
	const runs = 50
	content := `{"messages":[{"role":"user","content":"` + strings.Repeat("A que pressão a válvula abre? ", 20) + `"}]}`
	body := func(n int) []byte {
		var w strings.Builder
		part := func(name, content string) {
			fmt.Fprintf(&w, "--b\r\nContent-Disposition: form-data; name=%q\r\nContent-Type: application/json\r\n\r\n%s\r\n", name, content)
		}
		for i := range runs {
			id := fmt.Sprintf("%08x-%04x-7000-8000-%012x", n, i, n)
			part("post."+id, fmt.Sprintf(`{"id":%q,"trace_id":%q,"name":"n","run_type":"llm","session_name":"loja","start_time":%q}`, id, id, began))
			part("post."+id+".inputs", content)
			part("post."+id+".extra", `{"metadata":{"ls_provider":"groq","ls_model_name":"llama-3.1-8b-instant"},"runtime":{"sdk":"langsmith-py","sdk_version":"0.15.0"}}`)
			part("patch."+id, fmt.Sprintf(`{"id":%q,"trace_id":%q,"end_time":"2026-01-02T03:04:06Z"}`, id, id))
			part("patch."+id+".outputs", `{"content":"`+strings.Repeat("A válvula abre a 6 bar. ", 20)+`","usage_metadata":{"input_tokens":42,"output_tokens":12,"total_tokens":54}}`)
		}
		w.WriteString("--b--\r\n")
		return []byte(w.String())
	}
	var out outbox
	l := limits{timeout: DefaultTimeout, orphan: DefaultOrphanWait, bytes: DefaultPendingBytes, runs: DefaultPendingRuns}
	table := newTable(l, func(e ended) { out.add(&e, 1) })
	bodies := make([][]byte, 64)
	for i := range bodies {
		bodies[i] = body(i + 1)
	}
	b.SetBytes(int64(len(bodies[0])))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		r, err := langsmith.Reread(bodies[n%len(bodies)])
		if err != nil {
			b.Fatal(err)
		}
		for i := range r.Ops {
			table.take(&r.Ops[i], "", int64(n))
		}
		for _, g := range out.groups {
			g.entry()
		}
		out = outbox{}
		if n++; n%len(bodies) == 0 {
			table.told = newMemory()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*runs), "ns/run")
}

// BenchmarkState is a checkpoint with a thousand runs that go on.
func BenchmarkState(b *testing.B) {
	l := limits{timeout: DefaultTimeout, orphan: DefaultOrphanWait, bytes: DefaultPendingBytes, runs: DefaultPendingRuns}
	table := newTable(l, func(ended) {})
	for n := 1; n <= 1000; n++ {
		r, err := langsmith.Read([]byte(request([]string{post(n, 0, n)}, nil)))
		if err != nil {
			b.Fatal(err)
		}
		table.take(&r.Ops[0], "", 0)
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = table.marshal()
	}
}
