package otlp

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// msg builds a message by hand, for what the builders never write. Every step
// copies, so that messages may share their beginning.
type msg []byte

func (m msg) text(number uint32, text string) msg {
	return appendText(slices.Clip(m), number, text)
}

func (m msg) in(number uint32, inner msg) msg {
	return appendText(slices.Clip(m), number, []byte(inner))
}

func (m msg) varint(number uint32, v uint64) msg {
	return appendNumber(slices.Clip(m), number, v)
}

func (m msg) fixed64(number uint32, v uint64) msg {
	return appendFixed64(slices.Clip(m), number, v)
}

func (m msg) tag(number uint32, wire uint8) msg {
	return appendTag(slices.Clip(m), number, wire)
}

func (m msg) raw(bytes ...byte) msg {
	return append(slices.Clip(m), bytes...)
}

func (m msg) fixed32(number uint32, v byte) msg {
	return m.tag(number, wireI32).raw(v, 0, 0, 0)
}

func attribute(key, value string) msg { return msg{}.text(1, key).in(2, msg{}.text(1, value)) }

func resource(key, value string) msg { return msg{}.in(1, attribute(key, value)) }

func spanNamed(name string) msg {
	return msg{}.text(1, "0123456789abcdef").text(2, "01234567").text(5, name)
}

const ids = "30313233343536373839616263646566 3031323334353637 0000000000000000"

func TestScanTellsInOrder(t *testing.T) {
	end := func(name string) string { return "span " + ids + ` "` + name + `" kind=0 0..0 status=0 "" ` }
	tests := map[string]struct {
		body msg
		want []string
	}{
		"empty request":  {nil, nil},
		"empty resource": {msg{}.in(1, nil), []string{"resource "}},
		"empty scope":    {msg{}.in(1, msg{}.in(2, nil)), []string{"resource ", `scope "" ""`}},
		"resource and scope behind the spans": {
			msg{}.in(1, msg{}.
				in(2, msg{}.in(2, spanNamed("a")).in(2, spanNamed("b")).in(1, msg{}.text(1, "lib"))).
				text(3, "schema").
				in(1, resource("service.name", "s"))),
			[]string{`resource "service.name"="s" `, `scope "lib" ""`, end("a"), end("b")},
		},
		"resource and scope in parts": {
			msg{}.in(1, msg{}.
				in(1, resource("a", "1")).
				in(2, msg{}.in(1, msg{}.text(1, "lib").text(2, "1")).in(2, spanNamed("a")).in(1, msg{}.text(2, "2"))).
				in(1, resource("b", "2"))),
			[]string{`resource "a"="1" "b"="2" `, `scope "lib" "2"`, end("a")},
		},
		"next resource forgets the one before": {
			msg{}.in(1, msg{}.in(1, resource("a", "1")).in(2, msg{}.in(1, msg{}.text(1, "x")))).in(1, msg{}.in(2, msg{}.in(2, spanNamed("b")))),
			[]string{`resource "a"="1" `, `scope "x" ""`, "resource ", `scope "" ""`, end("b")},
		},
		"libraries of old, where scopes are missing": {
			msg{}.in(1, msg{}.in(1000, msg{}.in(2, spanNamed("old")))),
			[]string{"resource ", `scope "" ""`, end("old")},
		},
		"libraries of old, where scopes are there": {
			msg{}.in(1, msg{}.in(1000, msg{}.in(2, spanNamed("old"))).in(2, msg{}.in(2, spanNamed("new")))),
			[]string{"resource ", `scope "" ""`, end("new")},
		},
		"unknown fields everywhere": {
			msg{}.varint(7, 1).in(1, msg{}.fixed64(17, 1).in(2, msg{}.fixed32(99, 1).in(2, spanNamed("a").text(500, "?")))),
			[]string{"resource ", `scope "" ""`, end("a")},
		},
		"status and value in parts, last of the rest": {
			msg{}.in(1, msg{}.in(2, msg{}.in(2, spanNamed("a").text(5, "b").
				in(15, msg{}.text(2, "why")).in(15, msg{}.varint(3, 2)).varint(6, 99).varint(6, 3).
				in(9, msg{}.text(1, "k").in(2, msg{}.text(1, "x").varint(3, 5)).in(2, nil)).
				in(11, msg{}.fixed64(1, 4).text(2, "e").in(3, attribute("a", "1"))).in(11, nil)))),
			[]string{
				"resource ", `scope "" ""`,
				"span " + ids + ` "b" kind=3 0..0 status=2 "why" "k"=5 `, `event 4 "e" "a"="1" `, `event 0 "" `,
			},
		},
		"numbers that no enum names": {
			msg{}.in(1, msg{}.in(2, msg{}.in(2, spanNamed("a").varint(6, 6).in(15, msg{}.varint(3, 3))))),
			[]string{"resource ", `scope "" ""`, end("a")},
		},
		"ids of wrong length are zero": {
			msg{}.in(1, msg{}.in(2, msg{}.in(2, msg{}.text(1, "short").text(2, "123456789").text(4, "1")))),
			[]string{"resource ", `scope "" ""`, `span 00000000000000000000000000000000 0000000000000000 0000000000000000 "" kind=0 0..0 status=0 "" `},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := scanned(test.body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			spans := strings.Count(strings.Join(got, "\n"), "span ")
			if found, err := CheckTraces(test.body); err != nil || found.Spans != spans {
				t.Errorf("%d spans told, check finds %+v, %v", spans, found, err)
			}
		})
	}
}

func TestScanLogs(t *testing.T) {
	body := AppendLogsRequest(nil, []KV{Str("service.name", "s")}, "treq",
		LogData{Time: 5, Observed: 6, EventName: "treq.chat", Body: Str("", "hi"), Attributes: []KV{Flag("ok", true)}},
		LogData{Observed: 6, Attributes: []KV{I64(eventNameKey, 1), Str(eventNameKey, "old")}, TraceID: [16]byte{1}, SpanID: [8]byte{2}},
	)
	got, err := scannedLogs(body)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`resource "service.name"="s" `, `scope "treq" ""`,
		`record 5 "treq.chat" "" 00000000000000000000000000000000 0000000000000000 body="hi" "ok"=true `,
		`record 6 "old" "" 01000000000000000000000000000000 0200000000000000 body=empty "event.name"=1 "event.name"="old" `,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEachStops(t *testing.T) {
	kv := Group("k", Str("a", "1"), List("b", I64("", 1), I64("", 2), I64("", 3)))
	var a Attribute
	if !readKeyValue(appendKeyValues(nil, 1, []KV{kv})[2:], &a, 1) {
		t.Fatal("unreadable")
	}
	pairs, elements := 0, 0
	EachPair(a.Value, func(_ []byte, v Value) bool {
		pairs++
		EachElement(v, func(Value) bool {
			elements++
			return elements < 2
		})
		return true
	})
	EachPair(a.Value, func([]byte, Value) bool {
		pairs++
		return false
	})
	EachElement(a.Value, func(Value) bool { t.Error("a list of pairs has no elements"); return true })
	EachPair(Value{Type: String, Bytes: []byte("x")}, func([]byte, Value) bool { t.Error("text has no pairs"); return true })
	if pairs != 3 || elements != 2 {
		t.Errorf("%d pairs, %d elements", pairs, elements)
	}
	span := spanNamed("s").in(11, msg{}.text(2, "one")).in(11, msg{}.text(2, "two"))
	events := 0
	v := onSpan(func(s *Span) {
		for range s.EachEvent {
			events++
			break
		}
	})
	if err := new(Scanner).Traces(msg{}.in(1, msg{}.in(2, msg{}.in(2, span))), v); err != nil || events != 1 {
		t.Errorf("%d events, %v", events, err)
	}
}

type onSpan func(*Span)

func (onSpan) Resource(*Resource) {}
func (onSpan) Scope(*Scope)       {}
func (f onSpan) Span(s *Span)     { f(s) }

func TestScanAllocatesNothing(t *testing.T) {
	body := AppendTraceRequest(nil, payload(64, 100)...)
	request := msg(body).in(1, msg{}.in(2, msg{}.in(2, spanNamed("e").in(11, msg{}.in(3, attribute("a", "b"))))))
	var s Scanner
	texts := 0
	v := onSpan(func(s *Span) {
		for e := range s.EachEvent {
			texts += len(e.Attributes)
		}
		for i := range s.Attributes {
			EachElement(s.Attributes[i].Value, func(v Value) bool {
				texts += len(v.Bytes)
				return true
			})
		}
	})
	if n := testing.AllocsPerRun(20, func() {
		if err := s.Traces(request, v); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a scan", n)
	}
	if n := testing.AllocsPerRun(20, func() {
		if _, err := CheckTraces(request); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a check", n)
	}
}

func TestScannerLetsGoOfTheMessage(t *testing.T) {
	var attributes []KV
	for range 3 * keep {
		attributes = append(attributes, Str("k", "v"))
	}
	var s Scanner
	for _, list := range [][]KV{attributes[:10], attributes} {
		body := AppendTraceRequest(nil, ResourceData{Attributes: list, Scopes: []ScopeData{{Spans: []SpanData{{Name: "n", Attributes: list}}}}})
		if err := s.Traces(body, onSpan(func(*Span) {})); err != nil {
			t.Fatal(err)
		}
		for _, a := range append(s.span.Attributes[:cap(s.span.Attributes)], s.resource.Attributes[:cap(s.resource.Attributes)]...) {
			if a.Key != nil || a.Value.Bytes != nil {
				t.Fatal("the scanner still holds the message")
			}
		}
		if cap(s.span.Attributes) > keep || s.span.Name != nil || s.span.Raw != nil {
			t.Error("the scanner keeps too much")
		}
	}
}
