package server

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry/instrument"
	"treq/telemetry/journal"
	"treq/telemetry/snapshot"
)

// What the doors counted and what became of it stands in the document, added up over
// services, and zeros do not.
func TestFlow(t *testing.T) {
	points := func(values map[int64][]attribute.KeyValue) metricdata.Aggregation {
		var sum metricdata.Sum[int64]
		for n, of := range values {
			sum.DataPoints = append(sum.DataPoints, metricdata.DataPoint[int64]{Value: n, Attributes: attribute.NewSet(of...)})
		}
		return sum
	}
	door := func(name, signal string) []attribute.KeyValue {
		return []attribute.KeyValue{attribute.String(instrument.AttrDoor, name), attribute.String(instrument.AttrSignal, signal)}
	}
	why := func(disposition, reason, service string) []attribute.KeyValue {
		return []attribute.KeyValue{
			attribute.String(instrument.AttrDisposition, disposition), attribute.String(instrument.AttrReason, reason), attribute.String(instrument.AttrService, service),
		}
	}
	f := flow{Received: []received{}, Refused: []refused{}}
	doors, spans, rejected := map[[2]string]*received{}, map[[2]string]int64{}, map[string]int64{}
	for name, data := range map[string]metricdata.Aggregation{
		instrument.PipelineRequests: points(map[int64][]attribute.KeyValue{2: door("http", "traces"), 0: door("grpc", "logs")}),
		instrument.PipelineReceived: points(map[int64][]attribute.KeyValue{9: door("http", "traces")}),
		instrument.PipelineBytes:    points(map[int64][]attribute.KeyValue{512: door("http", "traces")}),
		instrument.PipelineRefused: points(map[int64][]attribute.KeyValue{
			1: {attribute.String(instrument.AttrDoor, "grpc"), attribute.String(instrument.AttrReason, "invalid")},
		}),
		instrument.PipelineAdmitted: points(map[int64][]attribute.KeyValue{8: nil}),
		instrument.PipelineOpen:     points(map[int64][]attribute.KeyValue{3: nil}),
		instrument.PipelineLate:     points(map[int64][]attribute.KeyValue{1: nil}),
		instrument.PipelineSpans:    points(map[int64][]attribute.KeyValue{2: why("recorded", "chat", "a"), 1: why("recorded", "chat", "b"), 4: why("suppressed", "echo", "b")}),
		instrument.PipelineRejected: points(map[int64][]attribute.KeyValue{5: {attribute.String(instrument.AttrReason, "trace_id")}}),
	} {
		f.take(metricdata.Metrics{Name: name, Data: data}, doors, spans, rejected)
	}
	if len(doors) != 1 {
		t.Errorf("doors that took nothing are listed: %v", doors)
	}
	if diff := cmp.Diff(&received{"http", "traces", 2, 9, 512}, doors[[2]string{"http", "traces"}]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[[2]string]int64{{"recorded", "chat"}: 3, {"suppressed", "echo"}: 4}, spans); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(flow{Received: []received{}, Refused: []refused{{"grpc", "invalid", 1}}, AdmittedSpans: 8, OpenSpans: 3, LateSpans: 1}, f); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int64{"trace_id": 5}, rejected); diff != "" {
		t.Error(diff)
	}
}

// The journal's age is told where it holds something, and lists are never null.
func TestFlowOfAnEmptyService(t *testing.T) {
	for stats, want := range map[journal.Stats]string{
		{MaxBytes: 100}: `{"bytes":0,"limit_bytes":100,"room_bytes":0,"oldest_age_seconds":null}`,
		{Bytes: 40, MaxBytes: 100, RoomBytes: 60, Oldest: time.Unix(1, 0), OldestAge: 90 * time.Second}: `{"bytes":40,"limit_bytes":100,"room_bytes":60,"oldest_age_seconds":90}`,
	} {
		got, err := json.Marshal(flowOf(&snapshot.Snapshot{}, stats))
		if err != nil {
			t.Fatal(err)
		}
		whole := `{"journal":` + want + `,"received":[],"refused":[],"admitted_spans":0,"open_spans":0,"late_spans":0,"spans":[],"rejected":[]}`
		if diff := cmp.Diff(whole, string(got)); diff != "" {
			t.Error(diff)
		}
	}
}
