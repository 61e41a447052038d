package meter

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry/otlp"
)

// shown gives every figure that a scraper would get, to the last bit.
func (h *house) shown() map[string]string {
	h.t.Helper()
	h.reader.Invalidate()
	s, err := h.reader.Snapshot(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	all := map[string]string{}
	for _, scope := range s.Scopes() {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					all[m.Name+p.Attributes.Encoded(attribute.DefaultEncoder())] = fmt.Sprint(p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					all[m.Name+p.Attributes.Encoded(attribute.DefaultEncoder())] = fmt.Sprintf("%d %x %v", p.Count, p.Sum, p.BucketCounts)
				}
			}
		}
	}
	return all
}

// oddChat is a question whose times have no exact sum in seconds.
func oddChat(n int, random *rand.Rand) []byte {
	var trace [16]byte
	binary.BigEndian.PutUint64(trace[8:], uint64(n)+1)
	id := func(i byte) (id [8]byte) {
		binary.BigEndian.PutUint64(id[:], uint64(n)<<8|uint64(i))
		return id
	}
	const began = uint64(time.Second)
	called := random.Uint64N(1e10)
	return otlp.AppendTraceRequest(nil, otlp.ResourceData{
		Attributes: []otlp.KV{otlp.Str("service.name", "backend")},
		Scopes: []otlp.ScopeData{{Name: "test", Spans: []otlp.SpanData{
			{TraceID: trace, SpanID: id(2), ParentID: id(1), Name: "chat", Kind: otlp.KindClient, Start: began, End: began + called, Attributes: []otlp.KV{
				otlp.Str("gen_ai.operation.name", "chat"), otlp.Str("gen_ai.request.model", fmt.Sprintf("llama-3.1-8b-%d", n%3)),
			}},
			{TraceID: trace, SpanID: id(3), ParentID: id(1), Name: "retrieval docs", Start: began, End: began + called/3, Attributes: []otlp.KV{
				otlp.Str("gen_ai.operation.name", "retrieval"),
				otlp.List("gen_ai.retrieval.documents", otlp.Group("", otlp.Str("id", "a"), otlp.F64("score", random.Float64()))),
			}},
			{TraceID: trace, SpanID: id(1), Name: "POST /chat", Kind: otlp.KindServer, Start: began, End: began + called + random.Uint64N(1e9)},
		}}},
	})
}

// As soon as a process is ready after a kill it shows what the one before it showed,
// the chats whose time had come included: anything less is to a scraper a counter that
// began again, a sum that is one digit smaller too.
func TestWhatWasShownIsShownAfterAKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(3, 4))
		h := newHouse(t)
		for life := range 20 {
			h.start(true, time.Duration(1+random.IntN(5))*time.Second)
			for n := range 50 {
				h.append(oddChat(life*50+n, random))
				if random.IntN(10) == 0 {
					time.Sleep(time.Second) // of the bubble: checkpoints in the middle
				}
			}
			h.tally()
			before := h.shown()
			h.crash()
			h.start(true, time.Hour)
			for h.meter.Ready() != nil {
				time.Sleep(time.Nanosecond) // of the bubble
			}
			if diff := cmp.Diff(before, h.shown()); diff != "" {
				t.Fatalf("life %d (-before the kill +after):\n%s", life, diff)
			}
			h.crash()
		}
	})
}
