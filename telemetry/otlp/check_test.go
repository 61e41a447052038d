package otlp

import (
	"strings"
	"testing"

	"treq/telemetry"
)

func inSpan(fields msg) msg { return msg{}.in(1, msg{}.in(2, msg{}.in(2, fields))) }

func TestFaultsAreNamed(t *testing.T) {
	valid := spanNamed("ok")
	tests := map[string]struct {
		body msg
		want string
	}{
		"not protobuf": {msg("<html>"), "malformed OTLP: the request has a group in field 7"},
		"cut short":    {inSpan(valid)[:30], "malformed OTLP: resourceSpans[0] has a length that passes the end"},
		"wrong wire":   {inSpan(valid.tag(9, wireVarint).raw(1)), "malformed OTLP: resourceSpans[0].scopeSpans[0].spans[0].attributes[0] has the wrong wire type"},
		"second of two": {
			msg{}.in(1, nil).in(1, msg{}.in(2, msg{}.in(2, valid).in(2, valid).in(2, spanNamed("x").in(9, attribute("a", "b")).in(9, msg{}.in(2, msg{}.tag(1, wireLen).raw(5)))))),
			"malformed OTLP: resourceSpans[1].scopeSpans[0].spans[2].attributes[1].value.stringValue has a length that passes the end",
		},
		"group":              {inSpan(valid.tag(20, 3).tag(20, 4)), "spans[0] has a group in field 20"},
		"group end":          {inSpan(valid.tag(20, 4)), "spans[0] has a group in field 20"},
		"wire type 6":        {inSpan(valid.tag(20, 6)), "spans[0] has the unknown wire type 6"},
		"field 0":            {inSpan(valid.raw(2, 0)), "spans[0] has the impossible field number 0"},
		"field 2^29":         {msg(appendVarint(nil, 1<<29<<3)).raw(0), "has the impossible field number 536870912"},
		"long varint":        {msg{}.raw(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1), "has a truncated tag"},
		"truncated tag":      {msg{}.raw(0x80), "has a truncated tag"},
		"truncated number":   {inSpan(valid.tag(6, wireVarint).raw(0x80)), "spans[0].kind has a truncated number"},
		"truncated time":     {inSpan(valid.tag(7, wireI64).raw(1, 2, 3)), "spans[0].startTimeUnixNano has a truncated number"},
		"truncated flags":    {inSpan(valid.tag(16, wireI32).raw(1)), "spans[0].flags has a truncated number"},
		"truncated unknown":  {inSpan(valid.tag(30, wireI64).raw(1)), "spans[0] has the truncated unknown field 30"},
		"huge length":        {msg{}.tag(1, wireLen).raw(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), "resourceSpans[0] has a length that passes the end"},
		"in an event":        {inSpan(valid.in(11, nil).in(11, msg{}.in(3, msg{}.tag(1, wireVarint).raw(1)))), "spans[0].events[1].attributes[0].key has the wrong wire type"},
		"in an entity":       {msg{}.in(1, msg{}.in(1, msg{}.in(3, msg{}.varint(2, 1)))), "resourceSpans[0].resource.entityRefs[0].type has the wrong wire type"},
		"legacy, wrong wire": {msg{}.in(1, msg{}.varint(1000, 1)), "resourceSpans[0].instrumentationLibrarySpans[0] has the wrong wire type"},
		"unread legacy":      {msg{}.in(1, msg{}.in(2, nil).in(1000, msg{}.varint(2, 1))), "instrumentationLibrarySpans[0].spans[0] has the wrong wire type"},
	}
	for name, test := range tests {
		_, err := CheckTraces(test.body)
		if err == nil || telemetry.KindOf(err) != telemetry.Invalid || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
		if _, scanErr := scanned(test.body); scanErr == nil || scanErr.Error() != err.Error() {
			t.Errorf("%s: scan says %v, check says %v", name, scanErr, err)
		}
	}
}

func TestIDsOfOtherSignalsMustFit(t *testing.T) {
	record := msg{}.in(1, msg{}.in(2, msg{}.in(2, msg{}.text(9, "short"))))
	const want = "malformed OTLP: resourceLogs[0].scopeLogs[0].logRecords[0].traceId has an id of wrong length"
	if _, err := CheckLogs(record); err == nil || err.Error() != want {
		t.Error(err)
	}
	if _, err := scannedLogs(record); err == nil || err.Error() != want {
		t.Error(err)
	}
	exemplar := msg{}.in(5, msg{}.in(1, msg{}.in(5, msg{}.text(4, "short"))))
	_, err := CheckMetrics(msg{}.in(1, msg{}.in(2, msg{}.in(2, exemplar))))
	if err == nil || !strings.HasSuffix(err.Error(), "metrics[0].gauge.dataPoints[0].exemplars[0].spanId has an id of wrong length") {
		t.Error(err)
	}
}

func TestSpansAreJudged(t *testing.T) {
	trace, id := "0123456789abcdef", "01234567"
	zeros := string(make([]byte, 16))
	good := msg{}.text(1, trace).text(2, id).fixed64(7, 10).fixed64(8, 10)
	tests := map[string]struct {
		span msg
		want TracesCheck
	}{
		"good":                                {good, TracesCheck{Spans: 1}},
		"nothing":                             {nil, TracesCheck{Spans: 1, BadIDs: 1, Unended: 1}},
		"zero trace id":                       {msg{}.text(1, zeros).text(2, id).fixed64(8, 1), TracesCheck{Spans: 1, BadIDs: 1}},
		"zero span id":                        {msg{}.text(1, trace).text(2, zeros[:8]).fixed64(8, 1), TracesCheck{Spans: 1, BadIDs: 1}},
		"short trace id":                      {msg{}.text(1, trace[:15]).text(2, id).fixed64(8, 1), TracesCheck{Spans: 1, BadIDs: 1}},
		"long span id":                        {msg{}.text(1, trace).text(2, trace).fixed64(8, 1), TracesCheck{Spans: 1, BadIDs: 1}},
		"short parent":                        {good.text(4, "1"), TracesCheck{Spans: 1, BadIDs: 1}},
		"no parent, told":                     {good.text(4, ""), TracesCheck{Spans: 1}},
		"short link":                          {good.in(13, msg{}.text(1, "1")), TracesCheck{Spans: 1, BadIDs: 1}},
		"id of wrong length, then a good one": {msg{}.text(1, "1").text(1, trace).text(2, id).fixed64(8, 1), TracesCheck{Spans: 1, BadIDs: 1}},
		"reversed":                            {good.fixed64(8, 9), TracesCheck{Spans: 1, Reversed: 1}},
		"never ended":                         {good.fixed64(8, 0), TracesCheck{Spans: 1, Unended: 1}},
	}
	for name, test := range tests {
		if got, err := CheckTraces(inSpan(test.span)); err != nil || got != test.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, test.want)
		}
	}
}

// nested is an AnyValue of so many levels.
func nested(levels int, field uint32) msg {
	v := msg{}.varint(3, 1)
	for range levels - 1 {
		if field == 6 {
			v = msg{}.in(1, msg{}.text(1, "k").in(2, v))
		} else {
			v = msg{}.in(1, v)
		}
		v = msg{}.in(field, v)
	}
	return v
}

func TestDepthIsBoundedEverywhere(t *testing.T) {
	places := map[string]func(msg) msg{
		"resource": func(kv msg) msg { return msg{}.in(1, msg{}.in(1, msg{}.in(1, kv))) },
		"scope":    func(kv msg) msg { return msg{}.in(1, msg{}.in(2, msg{}.in(1, msg{}.in(3, kv)))) },
		"span":     func(kv msg) msg { return inSpan(msg{}.in(9, kv)) },
		"event":    func(kv msg) msg { return inSpan(msg{}.in(11, msg{}.in(3, kv))) },
		"link":     func(kv msg) msg { return inSpan(msg{}.in(13, msg{}.in(4, kv))) },
	}
	for _, field := range []uint32{5, 6} {
		fits, deep, deepest := nested(MaxDepth, field), nested(MaxDepth+1, field), nested(3000, field)
		for name, place := range places {
			if _, err := CheckTraces(place(msg{}.in(2, fits))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := scanned(place(msg{}.in(2, fits))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for _, v := range []msg{deep, deepest} {
				_, err := CheckTraces(place(msg{}.in(2, v)))
				if telemetry.KindOf(err) != telemetry.TooLarge || !strings.Contains(err.Error(), "nested deeper than 64") {
					t.Errorf("%s: %v", name, err)
				}
				if _, err := scanned(place(msg{}.in(2, v))); telemetry.KindOf(err) != telemetry.TooLarge {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		body := func(v msg) msg { return msg{}.in(1, msg{}.in(2, msg{}.in(2, msg{}.in(5, v)))) }
		if _, err := CheckLogs(body(fits)); err != nil {
			t.Error(err)
		}
		if _, err := CheckLogs(body(deep)); telemetry.KindOf(err) != telemetry.TooLarge {
			t.Error(err)
		}
		if _, err := scannedLogs(body(deep)); telemetry.KindOf(err) != telemetry.TooLarge {
			t.Error(err)
		}
	}
}

func TestCutLeavesTheRestAsItIs(t *testing.T) {
	good := func(name string) msg { return spanNamed(name).text(300, "unknown") }
	bad := msg{}.text(5, "bad")
	clean := msg{}.in(1, msg{}.in(2, msg{}.in(2, good("a"))).raw(0x1a, 0x81, 0x00, 'u'))
	body := clean.
		in(1, msg{}.in(1, resource("r", "1")).in(2, msg{}.in(2, bad).in(1, msg{}.text(1, "lib")).in(2, good("b")).in(2, bad)).text(77, "x")).
		in(1, msg{}.in(2, msg{}.in(2, bad))).
		in(1, msg{}.in(1000, msg{}.in(2, bad).in(2, good("c")))).
		text(9, "tail")
	want := clean.
		in(1, msg{}.in(1, resource("r", "1")).in(2, msg{}.in(1, msg{}.text(1, "lib")).in(2, good("b"))).text(77, "x")).
		in(1, msg{}.in(2, msg{})).
		in(1, msg{}.in(1000, msg{}.in(2, good("c")))).
		text(9, "tail")
	if found, err := CheckTraces(body); err != nil || found != (TracesCheck{Spans: 7, BadIDs: 4, Unended: 7}) {
		t.Fatalf("%+v, %v", found, err)
	}
	if got := CutTraces(nil, body); string(got) != string(want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
	if got := CutTraces(nil, want); string(got) != string(want) {
		t.Error("nothing to cut, and the bytes changed")
	}
}
