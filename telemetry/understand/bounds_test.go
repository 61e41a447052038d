package understand

import (
	"encoding/binary"
	"testing"
	"time"

	"treq/telemetry/otlp"
)

// TestTracesOfOneSpanAreBoundedToo: what a trace takes beside its spans counts, while it
// is open, while it is remembered, and after a restart.
func TestTracesOfOneSpanAreBoundedToo(t *testing.T) {
	config := DefaultConfig()
	config.MaxOpenSpans, config.MaxRemembered = 300, 600
	e, rec := newEngine(t, config)
	one := func(i uint64) step {
		s := step{at: time.Duration(i) * time.Millisecond, resource: "app", scope: "test", span: &otlp.SpanData{
			SpanID: [8]byte{1}, Name: "chat", Start: uint64(epoch.UnixNano()), End: uint64(epoch.UnixNano()) + 1,
			Attributes: []otlp.KV{otlp.Str("gen_ai.operation.name", "chat")},
		}}
		binary.BigEndian.PutUint64(s.span.TraceID[:], i+1)
		return s
	}
	check := func(e *Engine) {
		t.Helper()
		if s := e.Stats(); s.OpenSpans > 100 || s.Remembered > 200 || s.OpenTraces > 300 {
			t.Errorf("%d open, %d remembered, %d traces", s.OpenSpans, s.Remembered, s.OpenTraces)
		}
	}
	for i := range uint64(1000) {
		play(t, e, []step{one(i)})
	}
	check(e)
	if s := e.Stats(); s.OpenSpans != 100 || s.Remembered != 200 || s.ClosedEarly != 900 {
		t.Errorf("%+v", s)
	}
	e = restored(t, e, rec)
	for i := range uint64(500) {
		play(t, e, []step{one(1000 + i)})
	}
	check(e)
	if s := e.Stats(); s.ClosedEarly != 1400 {
		t.Errorf("%d closed early after a restart, want 1400", s.ClosedEarly)
	}
}
