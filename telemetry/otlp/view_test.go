package otlp

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// view writes down what a scan tells, one line a thing, so that it can be compared
// with what pdata found and with what a test expects.
type view struct{ lines []string }

func (w *view) line(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

func (w *view) Resource(r *Resource) { w.line("resource %s", attributesText(r.Attributes)) }

func (w *view) Scope(s *Scope) { w.line("scope %q %q", s.Name, s.Version) }

func (w *view) Span(s *Span) {
	w.line("span %x %x %x %q kind=%d %d..%d status=%d %q %s",
		s.TraceID, s.SpanID, s.ParentID, s.Name, s.Kind, s.Start, s.End, s.Status, s.StatusMessage, attributesText(s.Attributes))
	for e := range s.EachEvent {
		w.line("event %d %q %s", e.Time, e.Name, attributesText(e.Attributes))
	}
}

func (w *view) LogRecord(r *LogRecord) {
	w.line("record %d %q %q %x %x body=%s %s",
		r.Time, r.EventName, r.SeverityText, r.TraceID, r.SpanID, valueText(r.Body), attributesText(r.Attributes))
}

func attributesText(list []Attribute) string {
	var b strings.Builder
	for _, a := range list {
		fmt.Fprintf(&b, "%q=%s ", a.Key, valueText(a.Value))
	}
	return b.String()
}

func valueText(v Value) string {
	var b strings.Builder
	switch v.Type {
	case String:
		return fmt.Sprintf("%q", v.Bytes)
	case Bool:
		return fmt.Sprint(v.Num != 0)
	case Int:
		return fmt.Sprint(v.Int())
	case Double:
		return fmt.Sprintf("%x", v.Num)
	case Bytes:
		return fmt.Sprintf("0x%x", v.Bytes)
	case Array:
		EachElement(v, func(e Value) bool {
			b.WriteString(valueText(e) + ",")
			return true
		})
		return "[" + b.String() + "]"
	case KVList:
		EachPair(v, func(key []byte, e Value) bool {
			fmt.Fprintf(&b, "%q:%s,", key, valueText(e))
			return true
		})
		return "{" + b.String() + "}"
	default:
		return "empty"
	}
}

func tracesOf(td ptrace.Traces) []string {
	w := view{}
	for _, r := range td.ResourceSpans().All() {
		w.line("resource %s", mapText(r.Resource().Attributes()))
		for _, s := range r.ScopeSpans().All() {
			w.line("scope %q %q", s.Scope().Name(), s.Scope().Version())
			for _, sp := range s.Spans().All() {
				w.line("span %x %x %x %q kind=%d %d..%d status=%d %q %s",
					[16]byte(sp.TraceID()), [8]byte(sp.SpanID()), [8]byte(sp.ParentSpanID()), sp.Name(),
					within(int32(sp.Kind()), 5), uint64(sp.StartTimestamp()), uint64(sp.EndTimestamp()),
					within(int32(sp.Status().Code()), 2), sp.Status().Message(), mapText(sp.Attributes()))
				for _, e := range sp.Events().All() {
					w.line("event %d %q %s", uint64(e.Timestamp()), e.Name(), mapText(e.Attributes()))
				}
			}
		}
	}
	return w.lines
}

func logsOf(ld plog.Logs) []string {
	w := view{}
	for _, r := range ld.ResourceLogs().All() {
		w.line("resource %s", mapText(r.Resource().Attributes()))
		for _, s := range r.ScopeLogs().All() {
			w.line("scope %q %q", s.Scope().Name(), s.Scope().Version())
			for _, l := range s.LogRecords().All() {
				at := l.Timestamp()
				if at == 0 {
					at = l.ObservedTimestamp()
				}
				w.line("record %d %q %q %x %x body=%s %s", uint64(at), eventNameOf(l), l.SeverityText(),
					[16]byte(l.TraceID()), [8]byte(l.SpanID()), pdataText(l.Body()), mapText(l.Attributes()))
			}
		}
	}
	return w.lines
}

func eventNameOf(l plog.LogRecord) string {
	if l.EventName() != "" {
		return l.EventName()
	}
	for k, v := range l.Attributes().All() {
		if k == eventNameKey && v.Type() == pcommon.ValueTypeStr {
			return v.Str()
		}
	}
	return ""
}

func within(n, most int32) int32 {
	if n < 0 || n > most {
		return 0
	}
	return n
}

func mapText(m pcommon.Map) string {
	var b strings.Builder
	for k, v := range m.All() {
		fmt.Fprintf(&b, "%q=%s ", k, pdataText(v))
	}
	return b.String()
}

func pdataText(v pcommon.Value) string {
	var b strings.Builder
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return fmt.Sprintf("%q", v.Str())
	case pcommon.ValueTypeBool:
		return fmt.Sprint(v.Bool())
	case pcommon.ValueTypeInt:
		return fmt.Sprint(v.Int())
	case pcommon.ValueTypeDouble:
		return fmt.Sprintf("%x", doubleBits(v.Double()))
	case pcommon.ValueTypeBytes:
		return fmt.Sprintf("0x%x", v.Bytes().AsRaw())
	case pcommon.ValueTypeSlice:
		for _, e := range v.Slice().All() {
			b.WriteString(pdataText(e) + ",")
		}
		return "[" + b.String() + "]"
	case pcommon.ValueTypeMap:
		for k, e := range v.Map().All() {
			fmt.Fprintf(&b, "%q:%s,", k, pdataText(e))
		}
		return "{" + b.String() + "}"
	default:
		return "empty"
	}
}

func scanned(body []byte) ([]string, error) {
	w := view{}
	s := Scanner{}
	err := s.Traces(body, &w)
	return w.lines, err
}

func scannedLogs(body []byte) ([]string, error) {
	w := view{}
	s := Scanner{}
	err := s.Logs(body, &w)
	return w.lines, err
}
