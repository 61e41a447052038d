package otlp

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"treq/telemetry"
)

// documented tells whether pdata may accept what was refused with err.
func documented(err error) bool {
	return telemetry.KindOf(err) == telemetry.TooLarge ||
		strings.Contains(err.Error(), "a group in field") || strings.Contains(err.Error(), "impossible field number")
}

// agreeOnTraces holds the scanner, the check and the cut to each other and to pdata.
func agreeOnTraces(t *testing.T, body []byte) {
	t.Helper()
	found, err := CheckTraces(body)
	told, scanErr := scanned(body)
	if (err == nil) != (scanErr == nil) {
		t.Fatalf("check says %v, scan says %v", err, scanErr)
	}
	if err != nil {
		if k := telemetry.KindOf(err); k != telemetry.Invalid && k != telemetry.TooLarge {
			t.Errorf("kind %d of %v", k, err)
		}
		if ptraceotlp.NewExportRequest().UnmarshalProto(body) == nil && !documented(err) {
			t.Errorf("pdata accepts what was refused: %v", err)
		}
		return
	}
	spans := 0
	for _, l := range told {
		if strings.HasPrefix(l, "span ") {
			spans++
		}
	}
	if spans != found.Spans {
		t.Errorf("check counts %d spans, scan tells %d", found.Spans, spans)
	}
	var counted facts
	if err := new(Scanner).Traces(body, &counted); err != nil {
		t.Fatal(err)
	}
	if counted.unended != found.Unended || counted.reversed != found.Reversed || counted.zeroIDs > found.BadIDs {
		t.Errorf("check says %+v, scan %+v", found, counted)
	}
	agreeOnCut(t, body, found)
}

// facts counts by the scanner what the check counts by itself. Ids of wrong length
// count as bad there, and are zero here where they are the span's own.
type facts struct{ zeroIDs, reversed, unended int }

func (*facts) Resource(*Resource) {}
func (*facts) Scope(*Scope)       {}

func (f *facts) Span(sp *Span) {
	if sp.TraceID == ([16]byte{}) || sp.SpanID == ([8]byte{}) {
		f.zeroIDs++
	}
	switch {
	case sp.End == 0:
		f.unended++
	case sp.End < sp.Start:
		f.reversed++
	}
}

func agreeOnCut(t *testing.T, body []byte, found TracesCheck) {
	t.Helper()
	cut := CutTraces([]byte("before"), body)
	if string(cut[:6]) != "before" {
		t.Fatal("the cut overwrote what it appends to")
	}
	cut = cut[6:]
	rest, err := CheckTraces(cut)
	if err != nil {
		t.Fatalf("the cut request is malformed: %v", err)
	}
	if rest.BadIDs != 0 || rest.Spans != found.Spans-found.BadIDs {
		t.Errorf("cut %+v to %+v", found, rest)
	}
	legacyTag := appendTag(nil, legacyNumber, wireLen)
	if found.BadIDs == 0 && !bytes.Equal(cut, body) && !bytes.Contains(body, legacyTag) {
		t.Error("nothing to cut, and the bytes changed")
	}
	theirs := ptraceotlp.NewExportRequest()
	if err := theirs.UnmarshalProto(cut); err != nil {
		t.Fatalf("pdata refuses the cut request: %v", err)
	}
	ours, err := scanned(cut)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tracesOf(theirs.Traces()), ours); diff != "" {
		t.Errorf("differs from pdata (-pdata +ours):\n%s", diff)
	}
}

func agreeOnLogs(t *testing.T, body []byte) {
	t.Helper()
	records, err := CheckLogs(body)
	ours, scanErr := scannedLogs(body)
	if (err == nil) != (scanErr == nil) {
		t.Fatalf("check says %v, scan says %v", err, scanErr)
	}
	theirs := plogotlp.NewExportRequest()
	theirErr := theirs.UnmarshalProto(body)
	if err != nil {
		if theirErr == nil && !documented(err) {
			t.Errorf("pdata accepts what was refused: %v", err)
		}
		return
	}
	if theirErr != nil {
		t.Fatalf("pdata refuses what was accepted: %v", theirErr)
	}
	if n := theirs.Logs().LogRecordCount(); n != records {
		t.Errorf("%d records, pdata counts %d", records, n)
	}
	if diff := cmp.Diff(logsOf(theirs.Logs()), ours); diff != "" {
		t.Errorf("differs from pdata (-pdata +ours):\n%s", diff)
	}
}

func agreeOnMetrics(t *testing.T, body []byte) {
	t.Helper()
	points, err := CheckMetrics(body)
	theirs := pmetricotlp.NewExportRequest()
	theirErr := theirs.UnmarshalProto(body)
	switch {
	case err != nil && theirErr == nil && !documented(err):
		t.Errorf("pdata accepts what was refused: %v", err)
	case err == nil && theirErr != nil:
		t.Errorf("pdata refuses what was accepted: %v", theirErr)
	case err == nil && points < theirs.Metrics().DataPointCount():
		t.Errorf("%d points, pdata counts %d", points, theirs.Metrics().DataPointCount())
	}
}

func TestTracesAgreeWithPdata(t *testing.T) {
	r := random{rand.New(rand.NewPCG(1, 2))}
	for range 400 {
		body := AppendTraceRequest(nil, r.resources()...)
		if _, err := CheckTraces(body); err != nil {
			t.Fatalf("what was built is refused: %v", err)
		}
		agreeOnTraces(t, body)
		for range 10 {
			agreeOnTraces(t, r.mutate(body))
		}
		if t.Failed() {
			return
		}
	}
}

func TestLogsAgreeWithPdata(t *testing.T) {
	r := random{rand.New(rand.NewPCG(3, 4))}
	for range 400 {
		body := r.logs()
		agreeOnLogs(t, body)
		for range 10 {
			agreeOnLogs(t, r.mutate(body))
		}
		if t.Failed() {
			return
		}
	}
}

func TestMetricsAgreeWithPdata(t *testing.T) {
	r := random{rand.New(rand.NewPCG(5, 6))}
	body := everyMetric(t)
	if n, err := CheckMetrics(body); err != nil || n != 6 {
		t.Fatalf("%d points, %v", n, err)
	}
	for range 4000 {
		agreeOnMetrics(t, r.mutate(body))
		if t.Failed() {
			return
		}
	}
}

func FuzzTraces(f *testing.F) {
	for _, body := range recordedTraces(f) {
		encoded, err := TracesFromJSON(nil, body)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encoded)
	}
	r := random{rand.New(rand.NewPCG(7, 8))}
	for range 20 {
		f.Add(AppendTraceRequest(nil, r.resources()...))
	}
	f.Add(AppendTraceRequest(nil, payload(4, 40)...))
	f.Fuzz(agreeOnTraces)
}

func FuzzLogs(f *testing.F) {
	r := random{rand.New(rand.NewPCG(9, 10))}
	for range 20 {
		f.Add(r.logs())
	}
	f.Fuzz(agreeOnLogs)
}

func FuzzMetrics(f *testing.F) {
	f.Add(everyMetric(f))
	f.Fuzz(agreeOnMetrics)
}

// everyMetric is a request with a data point of every kind, made by pdata.
func everyMetric(t testing.TB) []byte {
	t.Helper()
	request := pmetricotlp.NewExportRequest()
	if err := request.UnmarshalJSON([]byte(metricsJSON)); err != nil {
		t.Fatal(err)
	}
	body, err := request.MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

const metricsJSON = `{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]},
"scopeMetrics":[{"scope":{"name":"n","attributes":[{"key":"k","value":{"boolValue":true}}]},"metrics":[
{"name":"g","unit":"1","gauge":{"dataPoints":[{"asDouble":1.5,"timeUnixNano":"7"},{"asInt":"-3","flags":1,"attributes":[{"key":"a","value":{"intValue":"1"}}]}]}},
{"name":"s","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[{"asInt":"9","exemplars":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","asDouble":2,"filteredAttributes":[{"key":"f","value":{"arrayValue":{"values":[{"intValue":1}]}}}]}]}]}},
{"name":"h","histogram":{"aggregationTemporality":1,"dataPoints":[{"count":"3","sum":4.5,"bucketCounts":["1","2"],"explicitBounds":[0.5],"min":0.1,"max":3}]}},
{"name":"e","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{"count":"3","sum":1,"scale":-2,"zeroCount":"1","zeroThreshold":0.1,"positive":{"offset":-7,"bucketCounts":["300",2]},"negative":{"offset":3,"bucketCounts":[]}}]}},
{"name":"q","metadata":[{"key":"m","value":{}}],"summary":{"dataPoints":[{"count":"2","sum":3,"quantileValues":[{"quantile":0.5,"value":1.5}]}]}}]}]}]}`
