package otlp

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry"
)

// attribute wraps the JSON of an AnyValue as the only attribute of a span.
func attributeJSON(value string) string {
	return `{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"k","value":` + value + `}]}]}]}]}`
}

func TestValuesFromJSON(t *testing.T) {
	tests := map[string]string{
		`{"stringValue":"a"}`:                 `"a"`,
		`{"string_value":"a"}`:                `"a"`,
		`{"stringValue":""}`:                  `""`,
		`{"stringValue":null}`:                `empty`,
		`null`:                                `empty`,
		`{}`:                                  `empty`,
		`{"nobody":[1,{"knows":"this"}]}`:     `empty`,
		`{"stringValue":"\u00e7\n\"\\\/\t"}`:  `"ç\n\"\\/\t"`,
		`{"stringValue":"\ud83d\ude00"}`:      `"😀"`,
		`{"stringValue":"x\ud83dy"}`:          `"x` + "\uFFFD" + `y"`,
		`{"stringValue":"\ud83d\u0041"}`:      `"` + "\uFFFD" + `A"`,
		`{"string\u0056alue":"a"}`:            `"a"`,
		`{"boolValue":true}`:                  `true`,
		`{"boolValue":false}`:                 `false`,
		`{"intValue":"-9223372036854775808"}`: `-9223372036854775808`,
		`{"intValue":9223372036854775807}`:    `9223372036854775807`,
		`{"intValue":"+7"}`:                   `7`,
		`{"intValue":1e3}`:                    `1000`,
		`{"intValue":2.0}`:                    `2`,
		`{"intValue":-0}`:                     `0`,
		`{"doubleValue":1.5}`:                 `3ff8000000000000`,
		`{"doubleValue":"1.5"}`:               `3ff8000000000000`,
		`{"doubleValue":"-Infinity"}`:         `fff0000000000000`,
		`{"doubleValue":3}`:                   `4008000000000000`,
		`{"bytesValue":"+/8="}`:               `0xfbff`,
		`{"bytesValue":"-_8"}`:                `0xfbff`,
		`{"bytesValue":""}`:                   `0x`,
		`{"arrayValue":{"values":[{"intValue":1},null,{"stringValue":"b"}]}}`: `[1,empty,"b",]`,
		`{"arrayValue":{}}`:   `[]`,
		`{"arrayValue":null}`: `empty`,
		`{"kvlistValue":{"values":[{"key":"a","value":{"boolValue":true}},{}]}}`:       `{"a":true,"":empty,}`,
		`{"stringValue":"a","intValue":1}`:                                             `1`,
		` { "arrayValue" : { "values" : [ { "intValue" : "5" } , { } ] , "x" : 0 } } `: `[5,empty,]`,
	}
	for value, want := range tests {
		body, err := TracesFromJSON(nil, []byte(attributeJSON(value)))
		if err != nil {
			t.Errorf("%s: %v", value, err)
			continue
		}
		told, err := scanned(body)
		if err != nil {
			t.Errorf("%s: %v", value, err)
			continue
		}
		if got := told[2]; !strings.HasSuffix(got, ` "k"=`+want+" ") {
			t.Errorf("%s: got %s, want %s", value, got, want)
		}
	}
}

func TestMalformedJSONIsRefused(t *testing.T) {
	tests := map[string]string{
		``:                                       "the request is not an object",
		`null`:                                   "the request is not an object",
		`[]`:                                     "the request is not an object",
		"\xef\xbb\xbf{}":                         "the request is not an object",
		`{} {}`:                                  "data behind the request",
		`{"resourceSpans":{}}`:                   "expected a list",
		`{"resourceSpans":[1]}`:                  "expected an object",
		`{"resourceSpans":[{}`:                   "expected a comma or the end of the list",
		`{"resourceSpans":[{}],}`:                "a comma before the end",
		attributeJSON(`{"stringValue":1}`):       "expected a string",
		attributeJSON(`{"stringValue":"` + "\n"): "a control character in a string",
		attributeJSON(`{"stringValue":"\x"}`):    "an unknown escape sequence",
		attributeJSON(`{"stringValue":"\u12g4"}`):                                            "without four hexadecimal digits",
		attributeJSON(`{"boolValue":"true"}`):                                                "expected true or false",
		attributeJSON(`{"intValue":1.5}`):                                                    "expected a whole number",
		attributeJSON(`{"intValue":""}`):                                                     "expected a whole number",
		attributeJSON(`{"intValue":"0x1"}`):                                                  "expected a whole number",
		attributeJSON(`{"intValue":"9223372036854775808"}`):                                  "out of range",
		attributeJSON(`{"intValue":01}`):                                                     "a leading zero",
		attributeJSON(`{"doubleValue":1.}`):                                                  "digits behind its point",
		attributeJSON(`{"doubleValue":1e}`):                                                  "digits in its exponent",
		attributeJSON(`{"doubleValue":NaN}`):                                                 "expected a value",
		attributeJSON(`{"doubleValue":1e999}`):                                               "expected a number",
		attributeJSON(`{"bytesValue":"*"}`):                                                  "not base64",
		attributeJSON(`tru`):                                                                 "expected an object",
		attributeJSON(`{"unknown":tru}`):                                                     "expected true",
		`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}`:                 "not hexadecimal",
		`{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"SERVER"}]}]}]}`:                 "an unknown name of an enum",
		`{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":-1}]}]}]}`:          "out of range",
		`{"resourceSpans":[{"scopeSpans":[{"spans":[{"droppedEventsCount":4294967296}]}]}]}`: "out of range",
	}
	for body, want := range tests {
		_, err := TracesFromJSON(nil, []byte(body))
		if err == nil {
			t.Errorf("%s is accepted", body)
			continue
		}
		if telemetry.KindOf(err) != telemetry.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v (kind %d), want %q", body, err, telemetry.KindOf(err), want)
		}
	}
}

func TestIDsAndEnumsFromJSON(t *testing.T) {
	const span = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":%q,"spanId":%q,"kind":%s,"status":{"code":2}}]}]}]}`
	tests := []struct {
		trace, span, kind string
		want              TracesCheck
		line              string
	}{
		{
			"5b8EFFF798038103d269b633813fc60C", "eee19b7EC3C1B174", "2",
			TracesCheck{Spans: 1, Unended: 1},
			`span 5b8efff798038103d269b633813fc60c eee19b7ec3c1b174 0000000000000000 "" kind=2 0..0 status=2 "" `,
		},
		{"5b8EFFF798038103d269b633813fc60C", "eee19b7EC3C1B17", `"SPAN_KIND_CLIENT"`, TracesCheck{Spans: 1, Unended: 1, BadIDs: 1}, ""},
		{"5b8EFFF798038103d269b633813fc6", "eee19b7EC3C1B174", `"3"`, TracesCheck{}, ""},
		{"5b8EFFF798038103d269b633813fc6", "eee19b7EC3C1B174", `77`, TracesCheck{Spans: 1, Unended: 1, BadIDs: 1}, ""},
		{"5b8EFFF798038103d269b633813fc60C0", "eee19b7EC3C1B174", "3", TracesCheck{Spans: 1, Unended: 1, BadIDs: 1}, ""},
		{"5b8EFFF798038103d269b633813fc60C", "eee19b7EC3C1B1740", "3", TracesCheck{Spans: 1, Unended: 1, BadIDs: 1}, ""},
		{"", "", "null", TracesCheck{Spans: 1, Unended: 1, BadIDs: 1}, ""},
	}
	for _, test := range tests {
		body, err := TracesFromJSON(nil, fmt.Appendf(nil, span, test.trace, test.span, test.kind))
		if err != nil {
			if test.want != (TracesCheck{}) {
				t.Error(err)
			}
			continue
		}
		got, err := CheckTraces(body)
		if err != nil || got != test.want {
			t.Errorf("%+v: got %+v, %v", test, got, err)
		}
		if told, _ := scanned(body); test.line != "" && told[2] != test.line {
			t.Error(cmp.Diff(test.line, told[2]))
		}
	}
}

func TestJSONNestingIsBounded(t *testing.T) {
	nest := func(open, end string, levels int) string {
		return strings.Repeat(open, levels) + `{"intValue":1}` + strings.Repeat(end, levels)
	}
	array := func(levels int) string { return nest(`{"arrayValue":{"values":[`, `]}}`, levels) }
	kvlist := func(levels int) string {
		return nest(`{"kvlistValue":{"values":[{"key":"k","value":`, `}]}}`, levels)
	}
	for name, value := range map[string]func(int) string{"array": array, "kvlist": kvlist} {
		body, err := TracesFromJSON(nil, []byte(attributeJSON(value(MaxDepth-1))))
		if err != nil {
			t.Errorf("%s of the largest depth: %v", name, err)
		}
		if _, err := CheckTraces(body); err != nil {
			t.Errorf("%s of the largest depth: %v", name, err)
		}
		for _, levels := range []int{MaxDepth, 100, 100_000} {
			if _, err := TracesFromJSON(nil, []byte(attributeJSON(value(levels)))); telemetry.KindOf(err) != telemetry.TooLarge {
				t.Errorf("%s of %d levels: %v", name, levels, err)
			}
		}
	}
	text := strings.Repeat(`{"kvlistValue":{"values":[{"key":"k","value":`, MaxDepth) + `{"stringValue":"v"}` + strings.Repeat(`}]}}`, MaxDepth)
	if _, err := TracesFromJSON(nil, []byte(attributeJSON(text))); telemetry.KindOf(err) != telemetry.TooLarge {
		t.Errorf("text nested too deep: %v", err)
	}
	if _, err := TracesFromJSON(nil, []byte(`{"x":`+strings.Repeat("[", 1_000_000))); telemetry.KindOf(err) != telemetry.TooLarge {
		t.Errorf("unknown values nested too deep: %v", err)
	}
}

func TestTruncatedJSONIsRefused(t *testing.T) {
	body := toJSON(AppendTraceRequest(nil, payload(4, 10)...))
	for i := range body {
		if _, err := TracesFromJSON(nil, body[:i:i]); telemetry.KindOf(err) != telemetry.Invalid || err == nil {
			t.Fatalf("%s: %v", body[:i], err)
		}
	}
}
