package otlp

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
)

// everyText makes a request that has text in every place that a span can have it.
func everyText(text string) *coltrace.ExportTraceServiceRequest {
	str := func(s string) *common.AnyValue {
		return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}}
	}
	pair := func(v *common.AnyValue) *common.KeyValue { return &common.KeyValue{Key: "key" + text, Value: v} }
	pairs := []*common.KeyValue{
		pair(str(text)),
		pair(&common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: []*common.AnyValue{str("sound"), str(text)}}}}),
		pair(&common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: []*common.KeyValue{pair(str(text))}}}}),
		pair(&common.AnyValue{Value: &common.AnyValue_BytesValue{BytesValue: []byte("bytes \xff stay")}}),
	}
	return &coltrace.ExportTraceServiceRequest{ResourceSpans: []*trace.ResourceSpans{{
		SchemaUrl: text,
		Resource: &resourcepb.Resource{
			Attributes: pairs,
			EntityRefs: []*common.EntityRef{{SchemaUrl: text, Type: text, IdKeys: []string{"sound", text}, DescriptionKeys: []string{text}}},
		},
		ScopeSpans: []*trace.ScopeSpans{{
			SchemaUrl: text,
			Scope:     &common.InstrumentationScope{Name: text, Version: text, Attributes: pairs},
			Spans: []*trace.Span{{
				TraceId: bytes.Repeat([]byte{0xff}, 16), SpanId: bytes.Repeat([]byte{0xfe}, 8), TraceState: text, Name: text,
				StartTimeUnixNano: 1, EndTimeUnixNano: 2, Attributes: pairs,
				Events: []*trace.Span_Event{{Name: text, Attributes: pairs}},
				Links:  []*trace.Span_Link{{TraceId: bytes.Repeat([]byte{1}, 16), SpanId: bytes.Repeat([]byte{2}, 8), TraceState: text, Attributes: pairs}},
				Status: &trace.Status{Message: text, Code: trace.Status_STATUS_CODE_ERROR},
			}},
		}},
	}}}
}

// Wherever a text is cut within a letter, a strict reader reads the request afterwards,
// and everything else is as it was.
func TestTracesInUTF8(t *testing.T) {
	const mark = "~~"
	for cut, want := range map[string]string{
		"\xc3\x28":     "\uFFFD(",
		"\xff\xfe":     "\uFFFD",
		"\xe2\x82":     "\uFFFD",
		"ok":           "ok",
		"\xed\xa0\x80": "\uFFFD", // half of a surrogate pair
	} {
		for _, around := range []int{0, 60, 20_000} {
			text := string(bytes.Repeat([]byte("é"), around)) + "naç" + mark
			marked, err := proto.Marshal(everyText(text))
			if err != nil {
				t.Fatal(err)
			}
			body := replaceText(t, marked, mark, cut)
			if _, err := CheckTraces(body); err != nil {
				t.Fatal(err)
			}
			got, changed := TracesInUTF8(body)
			if changed == utf8.ValidString(cut) {
				t.Errorf("%q: changed is %v", cut, changed)
			}
			if !changed && &got[0] != &body[0] {
				t.Errorf("%q: a copy of what is sound", cut)
			}
			var read coltrace.ExportTraceServiceRequest
			if err := proto.Unmarshal(got, &read); err != nil {
				t.Fatalf("%q after %d letters: %v", cut, around, err)
			}
			if diff := cmp.Diff(everyText(string(bytes.Repeat([]byte("é"), around))+"naç"+want), &read, protocmp.Transform()); diff != "" {
				t.Errorf("%q: %s", cut, diff)
			}
			if again, changed := TracesInUTF8(got); changed || !bytes.Equal(again, got) {
				t.Errorf("%q: changed once more", cut)
			}
		}
	}
}

// replaceText puts bytes in the place of a mark of two, and makes the lengths right
// that enclose it: proto.Marshal writes no text that is not UTF-8.
func replaceText(t *testing.T, b []byte, mark, with string) []byte {
	t.Helper()
	if len(mark) == len(with) {
		return bytes.ReplaceAll(b, []byte(mark), []byte(with))
	}
	var rewrite func(b []byte, m *message) []byte
	rewrite = func(b []byte, m *message) []byte {
		var out []byte
		copied := 0
		texts(b, m, func(f *field, part []byte, start, end int) bool {
			out = append(out, b[copied:start]...)
			copied = end
			if f.kind == kindString {
				part = bytes.ReplaceAll(part, []byte(mark), []byte(with))
			} else {
				part = rewrite(part, f.message)
			}
			out = appendText(out, f.number, part)
			return true
		})
		return append(out, b[copied:]...)
	}
	return rewrite(b, messages.traces)
}
