package torture

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"treq/test/e2e/e2etest"
)

// shape is one hostile request.
type shape struct {
	name string
	json bool
	body []byte
}

// message wraps bytes as a length-delimited field.
func message(field byte, inner []byte) []byte {
	out := binary.AppendUvarint([]byte{field<<3 | 2}, uint64(len(inner)))
	return append(out, inner...)
}

// nested gives an AnyValue of arrays in arrays. It is written from the inside out,
// backwards, since each level needs the length of the next.
func nested(depth int) []byte {
	var back []byte
	for range depth {
		for _, field := range []byte{1, 5} { // ArrayValue.values, AnyValue.array_value
			length := binary.AppendUvarint(nil, uint64(len(back)))
			slices.Reverse(length)
			back = append(append(back, length...), field<<3|2)
		}
	}
	slices.Reverse(back)
	return back
}

// inSpan wraps the fields of a span into a request.
func inSpan(fields []byte) []byte {
	span := append(message(1, bytes.Repeat([]byte{1}, 16)), message(2, bytes.Repeat([]byte{2}, 8))...)
	return message(1, message(2, message(2, append(span, fields...))))
}

func attribute(key string, value []byte) []byte {
	return append(message(1, []byte(key)), message(2, value)...)
}

// jsonSpan wraps members of a span into a request.
func jsonSpan(members string) []byte {
	return []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"01010101010101010101010101010101","spanId":"0202020202020202",` + members + `}]}]}]}`)
}

func shapes() []shape {
	var out []shape
	both := func(name string, protobuf, json []byte) {
		out = append(out, shape{name, false, protobuf}, shape{name + ", JSON", true, json})
	}
	for _, depth := range []int{60, 65, 1000, 100_000, size(200_000, 2_000_000, 2_000_000)} {
		both(fmt.Sprintf("%d levels", depth),
			inSpan(message(9, attribute("deep", nested(depth)))),
			jsonSpan(`"attributes":[{"key":"deep","value":`+strings.Repeat(`{"arrayValue":{"values":[`, depth)+strings.Repeat(`]}}`, depth)+`}]`))
	}
	n := size(100_000, 1_000_000, 1_000_000)
	each := message(9, attribute("k", message(1, []byte("v"))))
	both(fmt.Sprintf("%d attributes", n), inSpan(bytes.Repeat(each, n)),
		jsonSpan(`"attributes":[`+strings.Repeat(`{"key":"k","value":{"stringValue":"v"}},`, n)+`{"key":"k"}]`))
	both(fmt.Sprintf("%d empty resources", n), bytes.Repeat([]byte{1<<3 | 2, 0}, n),
		[]byte(`{"resourceSpans":[`+strings.Repeat(`{},`, n)+`{}]}`))
	both(fmt.Sprintf("%d empty spans", n), message(1, message(2, bytes.Repeat([]byte{2<<3 | 2, 0}, n))),
		[]byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[`+strings.Repeat(`{},`, n)+`{}]}]}]}`))
	both(fmt.Sprintf("%d events", n), inSpan(bytes.Repeat([]byte{11<<3 | 2, 0}, n)),
		jsonSpan(`"events":[`+strings.Repeat(`{},`, n)+`{}]`))
	text := strings.Repeat("ã", 30<<20)
	both("a string of 60 MiB", inSpan(message(9, attribute("gen_ai.input.messages", message(1, []byte(text))))),
		jsonSpan(`"attributes":[{"key":"gen_ai.input.messages","value":{"stringValue":"`+text+`"}}]`))
	both("a name of 60 MiB", inSpan(message(5, []byte(text))), jsonSpan(`"name":"`+text+`"`))
	both("a key of 60 MiB", inSpan(message(9, attribute(text, message(1, []byte("v"))))),
		jsonSpan(`"attributes":[{"key":"`+text+`","value":{"stringValue":"v"}}]`))
	out = append(out,
		shape{"JSON escapes", true, jsonSpan(`"name":"` + strings.Repeat(`\u00e3`, 10<<20) + `"`)},
		shape{"open brackets", true, bytes.Repeat([]byte("["), 60<<20)},
		shape{"open braces", true, bytes.Repeat([]byte(`{"a":`), 12<<20)},
		shape{"groups", false, bytes.Repeat([]byte{1<<3 | 3}, 60<<20)},
		shape{"unknown fields", false, bytes.Repeat([]byte{15 << 3, 1}, 30<<20)},
	)
	return out
}

// deepAndWide sends them one after the other, plain and as gzip.
func deepAndWide(t *testing.T, f *figures) {
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	good := e2etest.NewGenerator(3).Trace(e2etest.Question{}, time.Now())
	if err := e2etest.Send(t.Context(), s.URL("/v1/traces"), e2etest.Encoding{}, e2etest.Request("good", good.Spans...)); err != nil {
		t.Fatal(err)
	}
	base := memory(t, s, "VmRSS")
	forgetPeak(t, s)
	var slowest time.Duration
	var worst int64
	var slowName, worstName string
	cases := 0
	for _, shape := range shapes() {
		for _, coding := range []string{"", "gzip"} {
			header, body := http.Header{"Content-Type": {"application/x-protobuf"}}, shape.body
			if shape.json {
				header.Set("Content-Type", "application/json")
			}
			if coding != "" {
				header.Set("Content-Encoding", coding)
				var err error
				if body, err = e2etest.Compress(coding, 1, body); err != nil {
					t.Fatal(err)
				}
			}
			cases++
			used := cpu(t, s)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			a, err := e2etest.Do(ctx, http.MethodPost, s.URL("/v1/traces"), header, bytes.NewReader(body))
			cancel()
			switch {
			case err != nil:
				t.Errorf("%s %s: %v", shape.name, coding, err)
			case a.Status != 200 && a.Status != 400 && a.Status != 413:
				t.Errorf("%s %s: %d %.200s", shape.name, coding, a.Status, a.Body)
			}
			if took := cpu(t, s) - used; took > slowest {
				slowest, slowName = took, shape.name+" "+coding
			}
			peak := memory(t, s, "VmHWM") - base
			t.Logf("%s %s: %d, %s of CPU, peak RSS so far %+d MiB", shape.name, coding, a.Status, ms(cpu(t, s)-used), peak>>20)
			if peak > worst {
				worst, worstName = peak, shape.name+" "+coding
			}
		}
	}
	// What was taken is read by the meter too: it lives and answers.
	if err := within(settled, func() error {
		a, err := e2etest.Do(t.Context(), http.MethodGet, s.URL("/readyz"), nil, nil)
		if err == nil && a.Status != http.StatusOK {
			err = fmt.Errorf("%d %s", a.Status, a.Body)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
	s.Crash() // and it is read again
	f.want(true, "%d requests answered with 200, 400 or 413, no exit", cases)
	f.aim(slowest <= 2*time.Second, "most CPU %s (%s)", ms(slowest), strings.TrimSpace(slowName))
	f.want(worst <= 256<<20, "peak RSS %+d MiB (%s)", worst>>20, strings.TrimSpace(worstName))
}
