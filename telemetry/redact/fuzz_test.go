package redact

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry/otlp"
)

// everywhere is a request that has a text wherever one may stand, and the text's
// neighbours in the encoding vary with its length.
func everywhere(text string) []byte {
	return otlp.AppendTraceRequest(nil, otlp.ResourceData{
		Attributes: []otlp.KV{otlp.Str("service.name", "backend"), otlp.Str("deployment", text)},
		Scopes: []otlp.ScopeData{{Name: "test", Spans: []otlp.SpanData{{
			TraceID: [16]byte{1}, SpanID: [8]byte{2}, Name: text, Start: 1767614400123456789, End: 1767614401123456789,
			Attributes: []otlp.KV{
				otlp.Str("gen_ai.prompt", text), otlp.Str("gen_ai.request.model", text), otlp.Str("user.id", text),
				otlp.I64("gen_ai.usage.input_tokens", 12345678909), otlp.F64("score", 0.25), otlp.Str("x", text),
			},
			Events:        []otlp.EventData{{Time: 1, Name: "e", Attributes: []otlp.KV{otlp.Str("exception.message", text)}}},
			StatusMessage: text,
		}}}},
	})
}

// numbers are what a visitor sees of a request besides text.
type numbers struct{ list []any }

func (n *numbers) Resource(r *otlp.Resource) { n.add(r.Attributes) }
func (n *numbers) Scope(s *otlp.Scope)       { n.list = append(n.list, string(s.Name)) }
func (n *numbers) Span(s *otlp.Span) {
	n.list = append(n.list, s.TraceID, s.SpanID, s.Start, s.End, s.Kind, s.Status)
	n.add(s.Attributes)
	s.EachEvent(func(e *otlp.Event) bool {
		n.list = append(n.list, e.Time)
		return true
	})
}

func (n *numbers) add(list []otlp.Attribute) {
	for _, a := range list {
		n.list = append(n.list, string(a.Key), a.Value.Type)
		if a.Value.Type != otlp.String {
			n.list = append(n.list, a.Value.Num)
		}
		if string(a.Key) == "gen_ai.request.model" {
			n.list = append(n.list, string(a.Value.Bytes))
		}
	}
}

func numbersOf(t testing.TB, body []byte) []any {
	t.Helper()
	n := &numbers{}
	var s otlp.Scanner
	if err := s.Traces(body, n); err != nil {
		t.Fatalf("what comes out is no OTLP: %v", err)
	}
	return n.list
}

func holds(t *testing.T, r *Redactor, text string) {
	t.Helper()
	s := scanner{r: r}
	body := everywhere(text)
	was := bytes.Clone(body)
	out, err := r.Traces(body)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(was, body) {
		t.Fatal("the request itself was changed")
	}
	found := len(s.scan([]byte(text))) > 0
	if same := &out[0] == &body[0]; same == found {
		t.Errorf("%q: found is %v, the same slice %v", text, found, same)
	}
	if diff := cmp.Diff(numbersOf(t, body), numbersOf(t, out)); diff != "" {
		t.Errorf("%q: numbers and names changed: %s", text, diff)
	}
	for name, text := range textsOf(t, out) {
		if name != "gen_ai.request.model" && len(s.scan([]byte(text))) > 0 {
			t.Errorf("%s still holds something: %q", name, text)
		}
	}
	again, err := r.Traces(out)
	if err != nil || !bytes.Equal(again, out) {
		t.Errorf("%q: redacted twice is not redacted once: %v", text, err)
	}
}

var seeds = []string{
	"", "cpf 123.456.789-09", `{"a":"\u00a012345678909","b":[12345678909,2]}`, "ana@exemplo.com", "(11) 91234-5678 4111 1111 1111 1111",
	"sk-proj-Ab12Cd34Ef56Gh78Ij90Kl Bearer abcDEF123456abcDEF123456", "123.456.789-09.11987654321", "12.ABC.345/01DE-35",
	"123456789091234567890", "https://a:b@c.d/%40x.y", "-----BEGIN PRIVATE KEY-----", "\\u12345678909", "+5511912345678.5",
}

// FuzzText: whatever a text holds, what comes out is OTLP with the same numbers, holds
// nothing that is looked for, and stays as it is; what holds nothing is the same slice.
func FuzzText(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	r := made(f, Brazil())
	f.Fuzz(func(t *testing.T, text string) { holds(t, r, text) })
}

// FuzzRequest: of any bytes that a door lets in the same spans come out, whatever the rules.
func FuzzRequest(f *testing.F) {
	for _, s := range seeds {
		f.Add(everywhere(s))
	}
	rules := Brazil()
	rules.Content = NoContent
	rules.Fields = map[string]Mode{"x": Hash, "deploy*": Drop}
	rules.Patterns = []Pattern{{Name: "registration", Match: `M-\d{6}`}}
	all := []*Redactor{made(f, Brazil()), made(f, rules)}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := otlp.CheckTraces(body)
		for _, r := range all {
			r.Runs(body) // text of any kind
			out, fault := r.Traces(body)
			if err != nil {
				continue // no door lets it in
			}
			if fault != nil {
				t.Fatal(fault)
			}
			if d, err := otlp.CheckTraces(out); err != nil || c != d {
				t.Fatalf("%+v became %+v: %v", c, d, err)
			}
			if again, err := r.Traces(out); err != nil || !bytes.Equal(again, out) {
				t.Fatal("redacted twice is not redacted once: ", err)
			}
		}
	})
}

// Lengths that take another number of bytes once what they are of has changed.
func TestLengths(t *testing.T) {
	hashed := Brazil()
	hashed.Kinds["cpf"] = Hash
	for _, r := range []*Redactor{made(t, Brazil()), made(t, hashed)} {
		for n := range 200 {
			holds(t, r, strings.Repeat("ab ", n)+"123.456.789-09")
		}
		for n := 16_300; n < 16_400; n += 7 {
			holds(t, r, strings.Repeat("é", n/2)+" 123.456.789-09")
		}
	}
}
