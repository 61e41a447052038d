package otlp

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

func TestWhatIsBuiltIsWhatWasMeant(t *testing.T) {
	span := SpanData{
		TraceID: [16]byte{1}, SpanID: [8]byte{2}, ParentID: [8]byte{3}, Name: "n", Kind: KindServer, Start: 4, End: 5,
		Attributes: []KV{
			Str("s", "text"), Str("e", ""), I64("i", -1), F64("f", 0.5), Flag("t", true), Flag("f", false), Blob("b", []byte{1, 2}), Blob("n", nil),
			Strs("l", "a", "b"), List("m", I64("ignored", 1), Group("ignored", Str("k", "v"))), Group("g"),
			{},
			Copied("c", text("copied")), Copied("d", Value{Type: Array, Bytes: appendText(nil, 1, appendNumber(nil, 3, 7))}),
		},
		Events: []EventData{{Time: 6, Name: "e", Attributes: []KV{Str("k", "v")}}}, Status: StatusError, StatusMessage: "why",
	}
	body := AppendTraceRequest(nil, ResourceData{
		Attributes: []KV{Str("service.name", "s")},
		Scopes:     []ScopeData{{Name: "lib", Version: "1", Spans: []SpanData{span}}},
	})
	body = AppendTraceRequest(body, ResourceData{Scopes: []ScopeData{{}}})
	want := []string{
		`resource "service.name"="s" `, `scope "lib" "1"`,
		`span 01000000000000000000000000000000 0200000000000000 0300000000000000 "n" kind=2 4..5 status=2 "why" ` +
			`"s"="text" "e"="" "i"=-1 "f"=3fe0000000000000 "t"=true "f"=false "b"=0x0102 "n"=0x "l"=["a","b",] "m"=[1,{"k":"v",},] "g"={} ""=empty ` +
			`"c"="copied" "d"=[7,] `,
		`event 6 "e" "k"="v" `,
		`resource `, `scope "" ""`,
	}
	got, err := scanned(body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	theirs := ptraceotlp.NewExportRequest()
	if err := theirs.UnmarshalProto(body); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, tracesOf(theirs.Traces())); diff != "" {
		t.Errorf("pdata reads otherwise (-want +got):\n%s", diff)
	}
}

func TestMessagesOfEverySizeClose(t *testing.T) {
	for _, size := range []int{0, 1, 100, 110, 118, 119, 120, 127, 128, 129, 300, 16_383, 16_384, 2_100_000} {
		body := AppendTraceRequest(nil, ResourceData{Attributes: []KV{Strs("k", string(make([]byte, size)))}, Scopes: []ScopeData{{Spans: []SpanData{{Name: "n"}}}}})
		if found, err := CheckTraces(body); err != nil || found.Spans != 1 {
			t.Errorf("%d bytes: %+v, %v", size, found, err)
		}
	}
}

func TestResponses(t *testing.T) {
	type response interface {
		UnmarshalProto([]byte) error
		UnmarshalJSON([]byte) error
	}
	partials := []Partial{{}, {Rejected: 3, Message: "ids of \"wrong\" length"}, {Message: "a warning"}, {Rejected: 1}}
	for _, p := range partials {
		read := map[Signal]func() (response, func() Partial){
			TracesSignal: func() (response, func() Partial) {
				r := ptraceotlp.NewExportResponse()
				return r, func() Partial {
					return Partial{r.PartialSuccess().RejectedSpans(), r.PartialSuccess().ErrorMessage()}
				}
			},
			LogsSignal: func() (response, func() Partial) {
				r := plogotlp.NewExportResponse()
				return r, func() Partial {
					return Partial{r.PartialSuccess().RejectedLogRecords(), r.PartialSuccess().ErrorMessage()}
				}
			},
			MetricsSignal: func() (response, func() Partial) {
				r := pmetricotlp.NewExportResponse()
				return r, func() Partial {
					return Partial{r.PartialSuccess().RejectedDataPoints(), r.PartialSuccess().ErrorMessage()}
				}
			},
		}
		for signal, open := range read {
			r, partial := open()
			if err := r.UnmarshalProto(AppendResponse(nil, p)); err != nil || partial() != p {
				t.Errorf("protobuf of %+v: %+v, %v", p, partial(), err)
			}
			r, partial = open()
			body := AppendResponseJSON(nil, signal, p)
			if err := r.UnmarshalJSON(body); err != nil || !json.Valid(body) || partial() != p {
				t.Errorf("JSON of %+v: %s, %v", p, body, err)
			}
		}
	}
	if b := AppendResponse(nil, Partial{}); len(b) != 0 {
		t.Errorf("full success takes %d bytes", len(b))
	}
	if b := AppendResponseJSON(nil, LogsSignal, Partial{}); string(b) != "{}" {
		t.Errorf("full success is %s", b)
	}
}

func TestStatus(t *testing.T) {
	for _, retry := range []time.Duration{0, 1500 * time.Millisecond, 30 * time.Second} {
		var binary, text statuspb.Status
		if err := proto.Unmarshal(AppendStatus(nil, 14, "no \"room\"", retry), &binary); err != nil {
			t.Fatal(err)
		}
		if err := protojson.Unmarshal(AppendStatusJSON(nil, 14, "no \"room\"", retry), &text); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(&binary, &text) {
			t.Errorf("protobuf says %v, JSON says %v", &binary, &text)
		}
		if binary.Code != 14 || binary.Message != "no \"room\"" || len(binary.Details) != min(1, int(retry)) {
			t.Errorf("%v", &binary)
		}
		for _, d := range binary.Details {
			var info errdetails.RetryInfo
			if err := d.UnmarshalTo(&info); err != nil || info.RetryDelay.AsDuration() != retry {
				t.Errorf("%v, %v", &info, err)
			}
		}
	}
	var invalid statuspb.Status
	if err := proto.Unmarshal(AppendStatus(nil, 3, "\xff", 0), &invalid); err != nil || invalid.Message != "\uFFFD" {
		t.Errorf("%v, %v", &invalid, err)
	}
}
