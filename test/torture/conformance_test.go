package torture

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	logspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	statuspb "google.golang.org/genproto/googleapis/rpc/status"

	"treq/test/e2e/e2etest"
)

// pack counts the cases of OTLP's rules that hold.
type pack struct {
	t             *testing.T
	s             *e2etest.Server
	cases, failed int
	byRule        map[string]int
}

func (p *pack) check(rule string, ok bool, format string, args ...any) {
	p.t.Helper()
	p.cases++
	p.byRule[rule]++
	if !ok {
		p.failed++
		p.t.Errorf(rule+": "+format, args...)
	}
}

const (
	protobufType = "application/x-protobuf"
	jsonType     = "application/json"
)

// signal is one of the three that OTLP has, each with a request of one item.
type signal struct {
	path  string
	json  string
	proto []byte
}

func signals() []signal {
	ids := `"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"`
	span := append(message(1, []byte("\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c")), message(2, []byte("\xee\xe1\x9b\x7e\xc3\xc1\xb1\x74"))...)
	return []signal{
		{"/v1/traces", `{"resourceSpans":[{"scopeSpans":[{"spans":[{` + ids + `}]}]}]}`, message(1, message(2, message(2, span)))},
		{
			"/v1/metrics", `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"asInt":"1"}]}}]}]}]}`,
			message(1, message(2, message(2, append(message(1, []byte("m")), message(5, message(1, []byte{6<<3 | 1, 1, 0, 0, 0, 0, 0, 0, 0}))...)))),
		},
		{
			"/v1/logs", `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}`,
			message(1, message(2, message(2, message(5, message(1, []byte("x")))))),
		},
	}
}

func (p *pack) post(url, contentType, coding string, body []byte) e2etest.Answer {
	p.t.Helper()
	header := http.Header{}
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	if coding != "" {
		header.Set("Content-Encoding", coding)
		if compressed, err := e2etest.Compress(coding, 1, body); err == nil {
			body = compressed
		}
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	a, err := e2etest.Do(ctx, http.MethodPost, url, header, bytes.NewReader(body))
	if err != nil {
		p.t.Errorf("%s: %v", url, err)
	}
	return a
}

// isStatus tells whether a refusal carries a google.rpc.Status in the request's encoding.
func isStatus(a e2etest.Answer, contentType string) bool {
	if !strings.HasPrefix(a.Header.Get("Content-Type"), contentType) {
		return false
	}
	if contentType == jsonType {
		var s struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		}
		return json.Unmarshal(a.Body, &s) == nil && s.Message != ""
	}
	var s statuspb.Status
	return proto.Unmarshal(a.Body, &s) == nil && s.Message != ""
}

// isUnset tells whether a success leaves partial_success unset.
func isUnset(a e2etest.Answer, contentType string) bool {
	if !strings.HasPrefix(a.Header.Get("Content-Type"), contentType) {
		return false
	}
	if contentType == jsonType {
		return strings.TrimSpace(string(a.Body)) == "{}"
	}
	return len(a.Body) == 0
}

// conformance holds the doors to OTLP 1.11's rules for servers.
func conformance(t *testing.T, f *figures) {
	const limit = 1 << 20
	s := e2etest.Start(t, e2etest.Spec{Config: quick + "limits:\n  max_request_bytes: 1MiB\n"})
	p := &pack{t: t, s: s, byRule: map[string]int{}}
	for _, sig := range signals() {
		for _, contentType := range []string{protobufType, jsonType} {
			p.overHTTP(sig, contentType, limit)
		}
	}
	p.jsonRules()
	p.values()
	p.overGRPC(limit)
	f.want(p.cases >= 150, "%d cases", p.cases)
	f.want(p.failed == 0, "%d fail", p.failed)
	rules := []string{}
	for _, rule := range []string{"R1", "R2", "R3", "R5", "R6", "R7", "R8", "R9", "R11", "R12", "R13"} {
		if p.byRule[rule] == 0 {
			t.Errorf("no case for %s", rule)
		}
		rules = append(rules, fmt.Sprintf("%s ×%d", rule, p.byRule[rule]))
	}
	f.say("%s", strings.Join(rules, ", "))
	r := goTest(t, f, "./server/ingest", "^(TestBudgetIsForAllRequests|TestOTelExporters|TestGRPCRefusals|TestRefusals|TestGRPCOnTheWire)$")
	f.want(r.failed == 0, "and %d of the doors' own tests (R4, R10), E1 to E10 in S5", r.passed)
}

func (p *pack) overHTTP(sig signal, contentType string, limit int) {
	body := sig.proto
	if contentType == jsonType {
		body = []byte(sig.json)
	}
	name := sig.path + " " + contentType
	for _, url := range []string{p.s.URL(sig.path), "http://" + p.s.HTTP + sig.path} {
		for _, coding := range []string{"", "gzip", "zstd", "deflate"} {
			a := p.post(url, contentType, coding, body)
			p.check("R1", a.Status == 200, "%s %s: %d %s", name, coding, a.Status, a.Body)
			p.check("R6", isUnset(a, contentType), "%s %s: %q", name, coding, a.Body)
		}
		a := p.post(url, contentType, "", nil)
		if contentType == jsonType {
			a = p.post(url, contentType, "", []byte("{}"))
		}
		p.check("R5", a.Status == 200 && isUnset(a, contentType), "%s: empty: %d %s", name, a.Status, a.Body)
		p.check("R12", a.Status == 200, "%s: %d", name, a.Status)
	}
	url := p.s.URL(sig.path)
	large := append(bytes.Clone(body), bytes.Repeat([]byte{14 << 3, 1}, limit)...)
	if contentType == jsonType {
		large = []byte(`{"x":"` + strings.Repeat("y", 2*limit) + `"}`)
	}
	for _, coding := range []string{"", "gzip", "zstd", "deflate"} {
		a := p.post(url, contentType, coding, large)
		p.check("R2", a.Status >= 400, "%s %s: %d", name, coding, a.Status)
		p.check("R3", a.Status == 413 && isStatus(a, contentType), "%s %s: too large: %d %q %s", name, coding, a.Status, a.Body, a.Header.Get("Content-Type"))
	}
	for _, broken := range [][]byte{{0xff}, []byte("\x0a\xff\xff\xff\xff\x0f"), []byte(`{"resourceSpans":`), []byte("nonsense"), {0x0a, 5, 1}, []byte("<html>")} {
		a := p.post(url, contentType, "", broken)
		p.check("R8", a.Status == 400 && isStatus(a, contentType), "%s: %q: %d %q", name, broken, a.Status, a.Body)
	}
	a := p.post(url, contentType, "br", body)
	p.check("R9", a.Status == 415 && isStatus(a, contentType), "%s: br: %d %q %s", name, a.Status, a.Body, a.Header.Get("Content-Type"))
	a = p.post(url, contentType, "", body[:len(body)-1])
	p.check("R9", a.Status == 400 && isStatus(a, contentType), "%s: cut short: %d %q", name, a.Status, a.Body)
	a = p.s.Do(http.MethodGet, sig.path, http.Header{"Content-Type": {contentType}}, nil)
	p.check("R9", a.Status == 405 && isStatus(a, contentType) && a.Header.Get("Allow") != "", "%s: GET: %d %q", name, a.Status, a.Body)
	a = p.post(url, "text/plain", "", body)
	p.check("R9", a.Status == 415 && (isStatus(a, protobufType) || isStatus(a, jsonType)), "%s: text/plain: %d %q %s", name, a.Status, a.Body, a.Header.Get("Content-Type"))
}

// jsonRules are the rules of OTLP/JSON.
func (p *pack) jsonRules() {
	span := func(members string) []byte {
		return []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174",` + members + `}]}]}]}`)
	}
	for name, c := range map[string]struct {
		body []byte
		code int
	}{
		"ids in any case":            {span(`"name":"x"`), 200},
		"64-bit integer as string":   {span(`"startTimeUnixNano":"1544712660000000000"`), 200},
		"64-bit integer as number":   {span(`"startTimeUnixNano":1544712660000000000`), 200},
		"enum as integer":            {span(`"kind":2`), 200},
		"unknown field":              {span(`"fromTheFuture":{"a":[1,2,{}]}`), 200},
		"unknown null":               {span(`"fromTheFuture":null`), 200},
		"null list":                  {span(`"attributes":null`), 200},
		"bytes in base64":            {span(`"attributes":[{"key":"k","value":{"bytesValue":"AQID"}}]`), 200},
		"escaped text":               {span(`"name":"\u00e3\n\ud83d\ude00"`), 200},
		"a string where a list is":   {span(`"attributes":"x"`), 400},
		"a number where a string is": {span(`"name":5`), 400},
		"two values":                 {append(span(`"name":"x"`), "{}"...), 400},
		"a list on top":              {[]byte("[]"), 400},
	} {
		a := p.post(p.s.URL("/v1/traces"), jsonType, "", c.body)
		p.check("R11", a.Status == c.code, "%s: %d %s", name, a.Status, a.Body)
	}
	// An id that is none costs its span only.
	for contentType, body := range map[string][]byte{
		jsonType: []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"00000000000000000000000000000000","spanId":"eee19b7ec3c1b174"},` +
			`{"traceId":"5b8efff798038103d269b633813fc60d","spanId":"eee19b7ec3c1b175"}]}]}]}`),
		protobufType: message(1, message(2, append(message(2, message(2, []byte("short"))), signals()[0].proto[4:]...))),
	} {
		a := p.post(p.s.URL("/v1/traces"), contentType, "", body)
		rejected, text := int64(0), ""
		if contentType == jsonType {
			var r struct {
				Partial struct {
					Rejected json.RawMessage `json:"rejectedSpans"`
					Message  string          `json:"errorMessage"`
				} `json:"partialSuccess"`
			}
			if json.Unmarshal(a.Body, &r) == nil && strings.Trim(string(r.Partial.Rejected), `"`) == "1" {
				rejected, text = 1, r.Partial.Message
			}
		} else {
			var r tracepb.ExportTraceServiceResponse
			if proto.Unmarshal(a.Body, &r) == nil {
				rejected, text = r.GetPartialSuccess().GetRejectedSpans(), r.GetPartialSuccess().GetErrorMessage()
			}
		}
		p.check("R7", a.Status == 200 && rejected == 1 && text != "", "%s: %d %q", contentType, a.Status, a.Body)
	}
}

// values are attributes of every kind.
func (p *pack) values() {
	for name, v := range map[string]string{
		"string": `{"stringValue":"x"}`, "bool": `{"boolValue":true}`, "int": `{"intValue":"5"}`, "double": `{"doubleValue":0.5}`,
		"bytes": `{"bytesValue":"AQID"}`, "empty": `{}`, "empty list": `{"arrayValue":{}}`, "list": `{"arrayValue":{"values":[{"intValue":"1"}]}}`,
		"mixed list": `{"arrayValue":{"values":[{"intValue":"1"},{"stringValue":"x"},{},{"arrayValue":{"values":[{}]}}]}}`,
		"map":        `{"kvlistValue":{"values":[{"key":"a","value":{"kvlistValue":{"values":[{"key":"b","value":{"boolValue":false}}]}}}]}}`,
		"empty map":  `{"kvlistValue":{"values":[]}}`, "NaN": `{"doubleValue":"NaN"}`, "infinity": `{"doubleValue":"-Infinity"}`,
	} {
		for _, place := range []string{"span", "resource"} {
			attributes := `"attributes":[{"key":"k","value":` + v + `}]`
			body := `{"resourceSpans":[{"resource":{` + attributes + `},"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60e","spanId":"eee19b7ec3c1b176"}]}]}]}`
			if place == "span" {
				body = string(jsonSpan(attributes))
			}
			a := p.post(p.s.URL("/v1/traces"), jsonType, "", []byte(body))
			p.check("R13", a.Status == 200 && isUnset(a, jsonType), "%s in a %s: %d %s", name, place, a.Status, a.Body)
		}
	}
}

func (p *pack) overGRPC(limit int) {
	for _, addr := range []string{p.s.Addr, p.s.GRPC} {
		conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			p.t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
		methods := []struct {
			name   string
			in     proto.Message
			out    proto.Message
			signal signal
		}{
			{"/opentelemetry.proto.collector.trace.v1.TraceService/Export", &tracepb.ExportTraceServiceRequest{}, &tracepb.ExportTraceServiceResponse{}, signals()[0]},
			{"/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", &metricspb.ExportMetricsServiceRequest{}, &metricspb.ExportMetricsServiceResponse{}, signals()[1]},
			{"/opentelemetry.proto.collector.logs.v1.LogsService/Export", &logspb.ExportLogsServiceRequest{}, &logspb.ExportLogsServiceResponse{}, signals()[2]},
		}
		for _, m := range methods {
			err := conn.Invoke(ctx, m.name, m.in, m.out)
			p.check("R5", err == nil && proto.Size(m.out) == 0, "%s: empty: %v", m.name, err)
			if err := proto.Unmarshal(m.signal.proto, m.in); err != nil {
				p.t.Fatal(err)
			}
			for _, options := range [][]grpc.CallOption{nil, {grpc.UseCompressor(gzip.Name)}} {
				err := conn.Invoke(ctx, m.name, m.in, m.out, options...)
				p.check("R1", err == nil, "%s: %v", m.name, err)
				p.check("R6", proto.Size(m.out) == 0, "%s: %v", m.name, m.out)
			}
			for _, options := range [][]grpc.CallOption{nil, {grpc.UseCompressor(gzip.Name)}} {
				large := &tracepb.ExportTraceServiceRequest{}
				large.ProtoReflect().SetUnknown(bytes.Repeat([]byte{14 << 3, 1}, limit))
				err := conn.Invoke(ctx, m.name, large, m.out, options...)
				st := status.Convert(err)
				hint := false
				for _, detail := range st.Details() {
					_, ok := detail.(*errdetails.RetryInfo)
					hint = hint || ok
				}
				p.check("R3", st.Code() == codes.ResourceExhausted && !hint, "%s: too large: %v, retry info %v", m.name, err, hint)
			}
			broken := &tracepb.ExportTraceServiceRequest{}
			broken.ProtoReflect().SetUnknown([]byte{0x0a, 5, 1})
			err = conn.Invoke(ctx, m.name, broken, m.out)
			p.check("R8", status.Code(err) == codes.InvalidArgument, "%s: broken: %v", m.name, err)
		}
		in := &tracepb.ExportTraceServiceRequest{}
		one := e2etest.NewGenerator(5).Trace(e2etest.Question{}, time.Now())
		one.Spans[0].SpanId = make([]byte, 8)
		proto.Merge(in, e2etest.Request("svc", one.Spans...))
		out := &tracepb.ExportTraceServiceResponse{}
		err = conn.Invoke(ctx, methods[0].name, in, out)
		p.check("R7", err == nil && out.GetPartialSuccess().GetRejectedSpans() == 1 && out.GetPartialSuccess().GetErrorMessage() != "", "gRPC: %v %v", err, out)
		err = conn.Invoke(ctx, "/opentelemetry.proto.collector.trace.v1.TraceService/Nothing", in, out)
		p.check("R9", status.Code(err) == codes.Unimplemented, "gRPC: unknown method: %v", err)
		cancel()
		if err := conn.Close(); err != nil {
			p.t.Error(err)
		}
	}
}
