package runs

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// slow lists what eachSpan tells, by a whole scan.
type slow struct{ lines []string }

func (s *slow) Resource(*otlp.Resource) {}
func (s *slow) Scope(*otlp.Scope)       {}

func (s *slow) Span(sp *otlp.Span) {
	if sp.TraceID == [16]byte{} || sp.SpanID == [8]byte{} {
		return // told so where an id is missing; the doors let none in
	}
	var run []byte
	for i := range sp.Attributes {
		if a := &sp.Attributes[i]; string(a.Key) == semconv.LSSpanID || string(a.Key) == semconv.TreqRunID {
			if a.Value.Type == otlp.String {
				run = a.Value.Bytes
			}
		}
	}
	s.lines = append(s.lines, fmt.Sprintf("%x %x %q", sp.TraceID, sp.SpanID, run))
}

func walked(body []byte) (lines []string) {
	eachSpan(body, func(trace, span, run []byte, _ bool) {
		if [16]byte(trace) != [16]byte{} && [8]byte(span) != [8]byte{} {
			lines = append(lines, fmt.Sprintf("%x %x %q", trace, span, run))
		}
	})
	return lines
}

func TestWalk(t *testing.T) {
	request := body(
		llm(1, 1, 0, otlp.Str("x", "y"), otlp.Str(semconv.TreqRunID, "a question"), otlp.I64("n", 1<<40), otlp.F64("f", 1)),
		llm(1, 2, 1, otlp.I64(semconv.TreqRunID, 3), otlp.Str(semconv.LSSpanID, "01a20595-2dc8-7d7c-bc3a-b8ecb8def0e2")),
		llm(2, 3, 0, otlp.Group(semconv.LSSpanID, otlp.Str("a", "b"))),
	)
	request = append(request, body(llm(4, 1, 0))...)
	var s slow
	if err := new(otlp.Scanner).Traces(request, &s); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.lines, walked(request)); diff != "" || len(s.lines) != 4 {
		t.Errorf("(-scanned +walked):\n%s", diff)
	}
}

// The walk never panics, and stays within the body.
func FuzzWalk(f *testing.F) {
	f.Add(body(llm(1, 1, 0, otlp.Str(semconv.TreqRunID, "r")), llm(1, 2, 1)))
	f.Add([]byte("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Add([]byte("\x0a\x05\x12\x03\x12\x01\x4a"))
	f.Fuzz(func(t *testing.T, body []byte) {
		eachSpan(body, func(trace, span, run []byte, _ bool) {
			if len(trace) != 16 || len(span) != 8 || len(run) > len(body) {
				t.Fatalf("ids of %d and %d bytes, a run's of %d", len(trace), len(span), len(run))
			}
		})
	})
}
