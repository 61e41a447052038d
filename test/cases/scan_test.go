package cases

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"treq/telemetry/otlp"
)

// scan writes down what the scanner tells of a request.
type scan struct {
	resource, scope string
	spans           []string
}

func (s *scan) Resource(r *otlp.Resource) { s.resource = attributes(r.Attributes) }
func (s *scan) Scope(sc *otlp.Scope)      { s.scope = fmt.Sprintf("%q %q", sc.Name, sc.Version) }

func (s *scan) Span(sp *otlp.Span) {
	text := fmt.Sprintf("%s %s %x %x %x %q kind %d %d-%d status %d %q %s", s.resource, s.scope, sp.TraceID, sp.SpanID, sp.ParentID,
		sp.Name, sp.Kind, sp.Start, sp.End, sp.Status, sp.StatusMessage, attributes(sp.Attributes))
	sp.EachEvent(func(e *otlp.Event) bool {
		text += fmt.Sprintf(" event %d %q %s", e.Time, e.Name, attributes(e.Attributes))
		return true
	})
	s.spans = append(s.spans, text)
}

func attributes(all []otlp.Attribute) string {
	var b strings.Builder
	for _, a := range all {
		fmt.Fprintf(&b, "%q=%s ", a.Key, text(a.Value))
	}
	return b.String()
}

func text(v otlp.Value) string {
	switch v.Type {
	case otlp.String:
		return fmt.Sprintf("%q", v.Bytes)
	case otlp.Bool:
		return fmt.Sprint(v.Num != 0)
	case otlp.Int:
		return fmt.Sprint(v.Int())
	case otlp.Double:
		return fmt.Sprint(v.Double())
	case otlp.Bytes:
		return fmt.Sprintf("bytes %x", v.Bytes)
	case otlp.Array:
		parts := "["
		otlp.EachElement(v, func(e otlp.Value) bool {
			parts += text(e) + " "
			return true
		})
		return parts + "]"
	case otlp.KVList:
		parts := "{"
		otlp.EachPair(v, func(key []byte, e otlp.Value) bool {
			parts += fmt.Sprintf("%q=%s ", key, text(e))
			return true
		})
		return parts + "}"
	}
	return "nothing"
}

// theirs writes down what the Collector's library decodes of a request.
func theirs(request ptraceotlp.ExportRequest) []string {
	var spans []string
	for _, r := range request.Traces().ResourceSpans().All() {
		for _, s := range r.ScopeSpans().All() {
			for _, sp := range s.Spans().All() {
				text := fmt.Sprintf("%s %q %q %x %x %x %q kind %d %d-%d status %d %q %s", ofMap(r.Resource().Attributes()),
					s.Scope().Name(), s.Scope().Version(), [16]byte(sp.TraceID()), [8]byte(sp.SpanID()), [8]byte(sp.ParentSpanID()),
					sp.Name(), known(sp.Kind(), 5), uint64(sp.StartTimestamp()), uint64(sp.EndTimestamp()), known(sp.Status().Code(), 2), sp.Status().Message(), ofMap(sp.Attributes()))
				for _, e := range sp.Events().All() {
					text += fmt.Sprintf(" event %d %q %s", uint64(e.Timestamp()), e.Name(), ofMap(e.Attributes()))
				}
				spans = append(spans, text)
			}
		}
	}
	return spans
}

// known gives 0 for numbers that the enumeration does not have, as the scanner does.
func known[T ~int32](n T, most int32) int32 {
	if n < 0 || int32(n) > most {
		return 0
	}
	return int32(n)
}

func ofMap(m pcommon.Map) string {
	var b strings.Builder
	for key, v := range m.All() {
		fmt.Fprintf(&b, "%q=%s ", key, ofValue(v))
	}
	return b.String()
}

func ofValue(v pcommon.Value) string {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return fmt.Sprintf("%q", v.Str())
	case pcommon.ValueTypeBool:
		return fmt.Sprint(v.Bool())
	case pcommon.ValueTypeInt:
		return fmt.Sprint(v.Int())
	case pcommon.ValueTypeDouble:
		return fmt.Sprint(v.Double())
	case pcommon.ValueTypeBytes:
		return fmt.Sprintf("bytes %x", v.Bytes().AsRaw())
	case pcommon.ValueTypeSlice:
		parts := "["
		for _, e := range v.Slice().All() {
			parts += ofValue(e) + " "
		}
		return parts + "]"
	case pcommon.ValueTypeMap:
		return "{" + ofMap(v.Map()) + "}"
	}
	return "nothing"
}

// TestScannerAgreesWithPdata: of what clients were recorded to send, and of that
// with some bytes changed, the scanner tells the spans that the Collector's library
// decodes.
func TestScannerAgreesWithPdata(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	compared, refused := 0, 0
	for _, c := range told(t) {
		for _, body := range c.Requests {
			if !sameSpans(t, body) {
				t.Errorf("%s: a recorded request is refused", c.Name)
			}
			for range 30 {
				mutated := append([]byte(nil), body...)
				for range 1 + r.IntN(3) {
					switch i := r.IntN(len(mutated)); r.IntN(3) {
					case 0:
						mutated[i] ^= 1 << r.IntN(8)
					case 1:
						mutated = append(mutated[:i], mutated[min(len(mutated), i+1+r.IntN(8)):]...)
					default:
						mutated = append(mutated[:i:i], append([]byte{byte(r.Uint32())}, mutated[i:]...)...)
					}
					if len(mutated) == 0 {
						break
					}
				}
				if len(mutated) > 0 && sameSpans(t, mutated) {
					compared++
				} else {
					refused++
				}
				if t.Failed() {
					t.Fatalf("%s: %x", c.Name, mutated)
				}
			}
		}
	}
	if compared < 100 || refused < 100 {
		t.Errorf("%d changed requests were compared and %d refused: too few of one", compared, refused)
	}
}

// sameSpans holds the scanner to the Collector's library; false if the scanner
// refuses the request, which it may do of what the library takes (too deep, groups).
func sameSpans(t *testing.T, body []byte) bool {
	t.Helper()
	var ours scan
	var scanner otlp.Scanner
	if err := scanner.Traces(body, &ours); err != nil {
		return false
	}
	if found, err := otlp.CheckTraces(body); err != nil || found.BadIDs > 0 {
		return false // the doors cut such spans out before anybody scans
	}
	request := ptraceotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		t.Errorf("the Collector's library refuses what the scanner takes: %v", err)
		return false
	}
	if diff := gocmp.Diff(theirs(request), ours.spans); diff != "" && utf8.ValidString(diff) {
		t.Errorf("(-pdata +scanner):\n%s", diff)
	}
	return true
}
