package runs

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// attributesOf gives attributes as a scan tells them.
func attributesOf(t *testing.T, list ...otlp.KV) []otlp.Attribute {
	t.Helper()
	var c catcher
	var s otlp.Scanner
	if err := s.Traces(body(llm(1, 1, 0, list...)), &c); err != nil {
		t.Fatal(err)
	}
	return c.attributes[1:]
}

type catcher struct{ attributes []otlp.Attribute }

func (c *catcher) Resource(*otlp.Resource) {}
func (c *catcher) Scope(*otlp.Scope)       {}
func (c *catcher) Span(s *otlp.Span)       { c.attributes = append(c.attributes, s.Attributes...) }

func TestContent(t *testing.T) {
	tests := []struct {
		name string
		list []otlp.KV
		most int
		want *Text
	}{
		{"none", nil, 100, nil},
		{"empty is none", []otlp.KV{otlp.Str(semconv.GenAIPrompt, "")}, 100, nil},
		{"as it is", []otlp.KV{otlp.Str(semconv.OIInputValue, `<b>"Olá"</b>`)}, 100, &Text{`<b>"Olá"</b>`, 13, false}},
		{"the plainest place", []otlp.KV{otlp.Str(semconv.OIInputValue, "b"), otlp.Str(semconv.GenAIInputMessages, "a")}, 100, &Text{"a", 1, false}},
		{"cut between runes", []otlp.KV{otlp.Str(semconv.GenAIPrompt, "áéí")}, 3, &Text{"á", 6, true}},
		{"no room", []otlp.KV{otlp.Str(semconv.GenAIPrompt, "abc")}, 0, &Text{"", 3, true}},
		{"no UTF-8", []otlp.KV{otlp.Str(semconv.GenAIPrompt, "a\xffb")}, 100, &Text{"a\uFFFDb", 3, false}},
		{
			"structured",
			[]otlp.KV{otlp.List(semconv.GenAIInputMessages,
				otlp.Group("", otlp.Str("role", "user"), otlp.Str("content", "<a>\n"), otlp.I64("n", 3), otlp.F64("f", 0.5), otlp.Flag("ok", true)),
				otlp.Blob("", []byte{0xab}), otlp.KV{})},
			200, &Text{`[{"role":"user","content":"<a>\n","n":3,"f":0.5,"ok":true},"ab",null]`, 81, false},
		},
		{"structured and cut", []otlp.KV{otlp.Strs(semconv.GenAIInputMessages, "aaaa", "bbbb")}, 8, &Text{`["aaaa",`, 16, true}},
		{"a message a line", []otlp.KV{
			otlp.Str(semconv.GenAIPrompt+".0.role", "system"), otlp.Str(semconv.GenAIPrompt+".0.content", "Be brief."),
			otlp.Str(semconv.GenAIPrompt+".1.content", "Why?"),
		}, 100, &Text{"Be brief.\nWhy?", 14, false}},
	}
	for _, tt := range tests {
		got := content(attributesOf(t, tt.list...), inputs[:], tt.most)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// A document is bounded however much content a run has, and says what was cut.
func TestContentOfADocumentIsBounded(t *testing.T) {
	within(t, nil, func(h *house) {
		t := h.t
		long := strings.Repeat("é", mostText)
		var spans []otlp.SpanData
		for i := range uint64(150) {
			spans = append(spans, llm(1, i+1, i, otlp.Str(semconv.GenAIPrompt, long), otlp.Str(semconv.GenAICompletion, "short")))
		}
		h.append(body(spans...))
		run := h.get(traceText(1))
		first := run.Tree[0]
		if len(first.Input.Text) != mostText || first.Input.Bytes != len(long) || !first.Input.Truncated ||
			first.Output.Text != "short" || first.Output.Truncated {
			t.Errorf("input %d of %d, output %+v", len(first.Input.Text), first.Input.Bytes, first.Output)
		}
		encoded, err := json.Marshal(run)
		if err != nil || len(encoded) > 2*mostContent || !utf8.Valid(encoded) {
			t.Errorf("%d bytes, %v", len(encoded), err)
		}
		last := first
		for len(last.Children) > 0 {
			last = last.Children[0]
		}
		if last.Input.Text != "" || last.Input.Bytes != len(long) || !last.Input.Truncated {
			t.Errorf("last input: %d bytes of text, %d, %t", len(last.Input.Text), last.Input.Bytes, last.Input.Truncated)
		}
	})
}

func TestRunsOfTooManySpansAreCut(t *testing.T) {
	within(t, nil, func(h *house) {
		t := h.t
		var spans []otlp.SpanData
		for i := range uint64(mostSpans + 1) {
			spans = append(spans, llm(1, i+1, 0))
		}
		h.append(body(spans...))
		if run := h.get(traceText(1)); !run.Truncated || run.Spans != mostSpans {
			t.Errorf("%d spans, truncated: %t", run.Spans, run.Truncated)
		}
	})
}
