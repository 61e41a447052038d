package runs

import (
	"bytes"
	"fmt"
	"strings"
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

// plainly is seeSpan field by field, without the short cuts.
func plainly(b []byte, see func(trace, span, run []byte, notable bool)) {
	var trace, span, run []byte
	notable := false
	for len(b) > 0 {
		number, part, rest := field(b)
		b = rest
		switch number {
		case fieldTraceID:
			trace = part
		case fieldSpanID:
			span = part
		case fieldAttribute:
			if name := runName(part); name != nil {
				run = name
			} else if isScore(part) {
				notable = notable || scoresLow(part)
			}
		case fieldStatus:
			notable = notable || failed(part)
		}
	}
	if len(trace) == 16 && len(span) == 8 {
		see(trace, span, run, notable)
	}
}

// TestShortCuts has spans whose fields are short, long and out of order told as they
// are without short cuts.
func TestShortCuts(t *testing.T) {
	long := strings.Repeat("x", 200)
	endless := strings.Repeat("x", 20_000)
	for name, attributes := range map[string][]otlp.KV{
		"none":        nil,
		"run":         {otlp.Str(semconv.TreqRunID, "r"), otlp.Str("end.e", "x")},
		"long run":    {otlp.Str("a.d", "x"), otlp.Str(semconv.LSSpanID, long)},
		"endless run": {otlp.Str(semconv.TreqRunID, endless), otlp.Str("b", endless)},
		"low score":   {otlp.Str("x", long), otlp.F64("retrieval.documents.0.document.score", 0.2)},
		"high score":  {otlp.F64("retrieval.documents.0.document.score", 0.8)},
		"long name":   {otlp.F64(long+"score", 0.2), otlp.Str(long+"d", "x")},
		"no name":     {otlp.Str("", "x"), otlp.Str(semconv.TreqRunID, "r")},
		"no value":    {otlp.Str("score", ""), otlp.Str(semconv.TreqRunID, "")},
	} {
		one := func(walk func([]byte, func(trace, span, run []byte, notable bool)), b []byte) (told string) {
			walk(b, func(trace, span, run []byte, notable bool) {
				told = fmt.Sprintf("%x %x %q %v", trace, span, run, notable)
			})
			return told
		}
		_, resource, _ := field(body(llm(1, 2, 0, attributes...)))
		for len(resource) > 0 {
			number, scope, rest := field(resource)
			resource = rest
			if number != fieldScopeSpans {
				continue
			}
			_, span, _ := field(scope)
			for number != fieldSpan || len(span) < 28 {
				_, _, scope = field(scope)
				number, span, _ = field(scope)
			}
			ids := append(bytes.Clone(span[28:]), span[:28]...) // ids last
			for _, b := range [][]byte{span, ids} {
				if got, want := one(seeSpan, b), one(plainly, b); got != want || want == "" {
					t.Errorf("%s: told %q, field by field %q", name, got, want)
				}
			}
		}
	}
}

// The walk never panics, and stays within the body.
func FuzzWalk(f *testing.F) {
	f.Add(body(llm(1, 1, 0, otlp.Str(semconv.TreqRunID, "r")), llm(1, 2, 1)))
	f.Add([]byte("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Add([]byte("\x0a\x05\x12\x03\x12\x01\x4a"))
	f.Add([]byte("\x0a\x100123456789abcdef\x12\x0801234567\x4a\x12\x0a\x05score\x12\x09\x21\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		eachSpan(body, func(trace, span, run []byte, _ bool) {
			if len(trace) != 16 || len(span) != 8 || len(run) > len(body) {
				t.Fatalf("ids of %d and %d bytes, a run's of %d", len(trace), len(span), len(run))
			}
		})
		// As a span: what the short cuts tell is what is told without.
		told := func(walk func([]byte, func(trace, span, run []byte, notable bool))) (s string) {
			walk(body, func(trace, span, run []byte, notable bool) {
				s = fmt.Sprintf("%x %x %q %v", trace, span, run, notable)
			})
			return s
		}
		if got, want := told(seeSpan), told(plainly); got != want {
			t.Fatalf("told %q, field by field %q", got, want)
		}
	})
}
