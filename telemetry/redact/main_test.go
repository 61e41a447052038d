package redact

import (
	"testing"

	"treq/telemetry"
	"treq/telemetry/otlp"
)

var testKey = telemetry.NewSecret("a key of the tests")

func made(t testing.TB, rules Rules) *Redactor {
	t.Helper()
	rules.Key = testKey
	r, err := New(rules)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// oneSpan is a request of one span with these attributes.
func oneSpan(attributes ...otlp.KV) []byte {
	return otlp.AppendTraceRequest(nil, otlp.ResourceData{
		Attributes: []otlp.KV{otlp.Str("service.name", "backend")},
		Scopes: []otlp.ScopeData{{Name: "test", Spans: []otlp.SpanData{{
			TraceID: [16]byte{1}, SpanID: [8]byte{2}, Name: "chat", Start: 1767614400123456789, End: 1767614401123456789, Attributes: attributes,
		}}}},
	})
}

// attribute gives the text that a rewritten request has for an attribute of its first span.
type texts struct{ got map[string]string }

func (x *texts) Resource(r *otlp.Resource) { x.add("resource.", r.Attributes) }
func (x *texts) Scope(*otlp.Scope)         {}
func (x *texts) Span(s *otlp.Span) {
	x.got["name"], x.got["status"] = string(s.Name), string(s.StatusMessage)
	x.add("", s.Attributes)
	s.EachEvent(func(e *otlp.Event) bool {
		x.add("event.", e.Attributes)
		return true
	})
}

func (x *texts) add(prefix string, list []otlp.Attribute) {
	for _, a := range list {
		x.got[prefix+string(a.Key)] = string(a.Value.Bytes)
	}
}

func textsOf(t testing.TB, body []byte) map[string]string {
	t.Helper()
	x := &texts{map[string]string{}}
	var s otlp.Scanner
	if err := s.Traces(body, x); err != nil {
		t.Fatal(err)
	}
	return x.got
}
