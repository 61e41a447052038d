package langsmith

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry/otlp"
	"treq/test/recorded"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// script writes down spans as text, a line each attribute and event.
type script struct{ b strings.Builder }

func (s *script) Resource(r *otlp.Resource) {
	for i := range r.Attributes {
		fmt.Fprintf(&s.b, "resource %s = %s\n", r.Attributes[i].Key, r.Attributes[i].Value.Bytes)
	}
}

func (s *script) Scope(sc *otlp.Scope) { fmt.Fprintf(&s.b, "scope %s %s\n", sc.Name, sc.Version) }

func (s *script) Span(sp *otlp.Span) {
	fmt.Fprintf(&s.b, "span %q %s %s<%s %s +%v status %d %s\n", sp.Name, hex.EncodeToString(sp.TraceID[:]), hex.EncodeToString(sp.SpanID[:]),
		hex.EncodeToString(sp.ParentID[:]), time.Unix(0, int64(sp.Start)).UTC().Format(time.RFC3339Nano), time.Duration(sp.End-sp.Start), sp.Status, sp.StatusMessage)
	for i := range sp.Attributes {
		s.attribute("", &sp.Attributes[i])
	}
	sp.EachEvent(func(e *otlp.Event) bool {
		fmt.Fprintf(&s.b, "  event %s +%v\n", e.Name, time.Duration(e.Time-sp.Start))
		for i := range e.Attributes {
			s.attribute("  ", &e.Attributes[i])
		}
		return true
	})
}

func (s *script) attribute(indent string, a *otlp.Attribute) {
	switch a.Value.Type {
	case otlp.String:
		text := string(a.Value.Bytes)
		if len(text) > 120 {
			text = fmt.Sprintf("%s… %d bytes", strings.ToValidUTF8(text[:100], ""), len(text))
		}
		fmt.Fprintf(&s.b, "%s  %s = %s\n", indent, a.Key, text)
	default:
		fmt.Fprintf(&s.b, "%s  %s = %d\n", indent, a.Key, a.Value.Num)
	}
}

// written gives a span as text, through the bytes that it is sent as.
func written(t *testing.T, spans ...otlp.SpanData) string {
	t.Helper()
	body := otlp.AppendTraceRequest(nil, otlp.ResourceData{Scopes: []otlp.ScopeData{{Spans: spans}}})
	if c, err := otlp.CheckTraces(body); err != nil || c.BadIDs > 0 {
		t.Fatalf("%+v, %v", c, err)
	}
	var s script
	var scanner otlp.Scanner
	if err := scanner.Traces(body, &s); err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(s.b.String(), "\n") // behind the scope
	return text
}

// merged gives the runs of requests in the order in which they were met first.
func merged(t *testing.T, bodies ...[]byte) (runs []*Run) {
	t.Helper()
	byID := map[ID]*Run{}
	for _, body := range bodies {
		request, err := Read(body)
		if err != nil {
			t.Fatal(err)
		}
		for i := range request.Ops {
			op := &request.Ops[i]
			if byID[op.ID] == nil {
				byID[op.ID] = &Run{}
				runs = append(runs, byID[op.ID])
			}
			byID[op.ID].Merge(op)
		}
	}
	return runs
}

// TestRecordedRunsAsSpans keeps what the runs of real SDKs become: readable files
// that -update writes.
func TestRecordedRunsAsSpans(t *testing.T) {
	for _, c := range recorded.Load(t) {
		var bodies [][]byte
		for _, sent := range c.Native {
			if strings.HasPrefix(sent.Path, "/runs") {
				bodies = append(bodies, sent.Body)
			}
		}
		if len(bodies) == 0 {
			continue
		}
		var b strings.Builder
		for _, r := range merged(t, bodies...) {
			if !r.Posted || !r.Ended() {
				t.Errorf("%s: run %s: begun %v, ended %v", c.Name, r.ID, r.Posted, r.Ended())
			}
			b.WriteString(written(t, r.Span(r.ID.SpanID(), r.Parent.SpanID(), "")))
			restored := &Run{}
			data, _ := r.AppendBinary(nil)
			rest, err := restored.ReadBinary(append(data, "more"...))
			if err != nil || string(rest) != "more" {
				t.Fatalf("%s: %q, %v", c.Name, rest, err)
			}
			if diff := cmp.Diff(r, restored, cmp.AllowUnexported(Run{})); diff != "" {
				t.Errorf("%s: another run after it was kept (-was +is):\n%s", c.Name, diff)
			}
			for n := range data {
				if _, err := (&Run{}).ReadBinary(data[:n]); err == nil {
					t.Fatalf("%s: %d of %d bytes read as a run", c.Name, n, len(data))
				}
			}
		}
		path := filepath.Join("testdata", c.Name+".txt")
		if *update {
			if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

const (
	one   = "01a205b0-1000-708a-bded-4459b039fe0e"
	two   = "01a205b0-114e-7b62-95fd-14395b4fb57f"
	head  = `"id":"` + one + `","trace_id":"` + one + `","name":"n","start_time":"2026-11-22T23:55:54Z","end_time":"2026-11-22T23:55:55Z"`
	named = `  langsmith.span.kind = chain
  langsmith.span.id = 01a205b0-1000-708a-bded-4459b039fe0e
  langsmith.trace.id = 01a205b0-1000-708a-bded-4459b039fe0e
  langsmith.is_root = 1
  langsmith.trace.name = n
  langsmith.trace.session_name = default
  gen_ai.operation.name = chain
  gen_ai.system = langchain
`
	span = `span "n" 01a205b01000708abded4459b039fe0e 01a205b01000708a<0000000000000000 2026-11-22T23:55:54Z +1s status `
)

func TestFailuresAsSpans(t *testing.T) {
	for failure, want := range map[string]string{
		`"ValueError('x y')\n\nTraceback (most recent call last):\n  File"`: "2 ValueError('x y')\n" + named +
			"  event exception +1s\n    exception.message = ValueError('x y')\n    exception.type = ValueError\n    exception.stacktrace = Traceback (most recent call last):\n  File\n",
		`"openai.RateLimitError: 429"`: "2 openai.RateLimitError: 429\n" + named +
			"  event exception +1s\n    exception.message = openai.RateLimitError: 429\n    exception.type = openai.RateLimitError\n",
		`"it went wrong"`:   "2 it went wrong\n" + named + "  event exception +1s\n    exception.message = it went wrong\n",
		`"GeneratorExit()"`: "2 GeneratorExit()\n" + named + "  event exception +1s\n    exception.message = GeneratorExit()\n    exception.type = GeneratorExit\n",
		`""`:                "1 \n" + named,
		`null`:              "1 \n" + named,
	} {
		runs := merged(t, []byte(`{"post":[{`+head+`,"error":`+failure+`}]}`))
		if diff := cmp.Diff(span+want, written(t, runs[0].Span(runs[0].ID.SpanID(), [8]byte{}, ""))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", failure, diff)
		}
	}
}

func TestUsageAndModelOfSpans(t *testing.T) {
	const llm = `{"post":[{"run_type":"llm",` + head + `,`
	for body, want := range map[string][]string{
		`"extra":{"metadata":{"ls_provider":"Groq","ls_model_name":"m1"},"invocation_params":{"model":"m2","stream":true}}}]}`: {
			"gen_ai.system = groq", "gen_ai.request.model = m1", `llm.invocation_parameters = {"model":"m2","stream":true}`, "langsmith.metadata.ls_provider = Groq",
		},
		`"extra":{"invocation_params":{"model_name":"m3"}}}]}`: {"gen_ai.request.model = m3"},
		`"extra":{"metadata":{"usage_metadata":{"input_tokens":3,"output_tokens":2,"total_tokens":5}}}}]}`: {
			"gen_ai.usage.input_tokens = 3", "gen_ai.usage.total_tokens = 5", `langsmith.metadata.usage_metadata = {"input_tokens":3,"output_tokens":2,"total_tokens":5}`,
		},
		`"outputs":{"usage_metadata":{"input_tokens":3,"output_tokens":2}}}]}`: {
			"gen_ai.usage.output_tokens = 2", `langsmith.usage_metadata = {"input_tokens":3,"output_tokens":2}`,
		},
		`"outputs":{"generations":[[{"message":{"kwargs":{"usage_metadata":{"input_tokens":7}}}}]]}}]}`: {"gen_ai.usage.input_tokens = 7"},
		`"events":[{"name":"start","time":"2026-11-22T23:55:54Z"},{"name":"new_token","time":"2026-11-22T23:55:54.25Z"},{"name":"new_token","time":"2026-11-22T23:55:54.5Z"}]}]}`: {
			"event start +0s", "event new_token +250ms",
		},
		`"tags":["a","b"],"serialized":{"name":"C"},"session_name":"loja","session_id":"` + two + `"}]}`: {
			"langsmith.span.tags = a, b", "gen_ai.serialized.name = C", "langsmith.trace.session_name = loja", "langsmith.trace.session_id = " + two,
		},
	} {
		runs := merged(t, []byte(llm+body))
		got := written(t, runs[0].Span(runs[0].ID.SpanID(), [8]byte{}, ""))
		for _, line := range want {
			if !strings.Contains(got, "  "+line+"\n") {
				t.Errorf("%s\nhas no line %q:\n%s", body, line, got)
			}
		}
		if strings.Count(got, "new_token") > 1 {
			t.Errorf("every token is an event:\n%s", got)
		}
	}
}

// A run whose end never came has a span that says so, and no end: no duration is made up.
func TestUnendedAsSpan(t *testing.T) {
	runs := merged(t, []byte(`{"post":[{"id":"`+one+`","start_time":"2026-11-22T23:55:54Z"}]}`))
	r := runs[0]
	r.Trace = r.ID
	s := r.Span(r.ID.SpanID(), [8]byte{}, "timed_out")
	if s.End != 0 || s.Status != otlp.StatusUnset || s.StatusMessage == "" || !strings.Contains(written(t, s), "treq.run.state = timed_out\n") {
		t.Errorf("%+v", s)
	}
}
