package otlp

import (
	"fmt"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

const benchSpans = 512

var contents = []int{0, 1536, 16384}

// each runs a benchmark for every size of content and reports ns a span.
func each(b *testing.B, prepare func([]byte) []byte, run func([]byte) error) {
	for _, content := range contents {
		b.Run(fmt.Sprintf("content=%d", content), func(b *testing.B) {
			body := prepare(AppendTraceRequest(nil, payload(benchSpans, content)...))
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := run(body); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchSpans, "ns/span")
		})
	}
}

func asIs(body []byte) []byte { return body }

type counter struct{ spans, attributes int }

func (c *counter) Resource(*Resource) {}
func (c *counter) Scope(*Scope)       {}
func (c *counter) Span(s *Span) {
	c.spans++
	c.attributes += len(s.Attributes)
}

func BenchmarkScanTraces(b *testing.B) {
	var s Scanner
	var c counter
	each(b, asIs, func(body []byte) error { return s.Traces(body, &c) })
}

func BenchmarkCheckTraces(b *testing.B) {
	each(b, asIs, func(body []byte) error {
		_, err := CheckTraces(body)
		return err
	})
}

func BenchmarkTracesFromJSON(b *testing.B) {
	var dst []byte
	each(b, toJSON, func(body []byte) (err error) {
		dst, err = TracesFromJSON(dst[:0], body)
		return err
	})
}

func BenchmarkPdataProto(b *testing.B) {
	each(b, asIs, func(body []byte) error { return ptraceotlp.NewExportRequest().UnmarshalProto(body) })
}

func BenchmarkPdataJSON(b *testing.B) {
	each(b, toJSON, func(body []byte) error { return ptraceotlp.NewExportRequest().UnmarshalJSON(body) })
}

func BenchmarkAppendTraceRequest(b *testing.B) {
	data := payload(benchSpans, 0)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendTraceRequest(dst[:0], data...)
	}
}

func toJSON(body []byte) []byte {
	r := ptraceotlp.NewExportRequest()
	if err := r.UnmarshalProto(body); err != nil {
		panic(err)
	}
	out, err := r.MarshalJSON()
	if err != nil {
		panic(err)
	}
	return out
}
