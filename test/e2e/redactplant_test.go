package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	collectorlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	otelresource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"treq/test/e2e/e2etest"
)

// planter plants texts that each hold something private of another kind, and knows
// what must not be found again.
type planter struct {
	n       int
	planted map[string]string // what was planted, by what holds it
}

// written is what only a user wrote: a word that stands nowhere but in content.
const written = " rapadura"

// cpf gives a CPF whose check digits hold.
func cpf(n int) string {
	digits := fmt.Sprintf("%09d", 100_000_000+n*7919)
	for range 2 {
		sum := 0
		for i, c := range digits {
			sum += int(c-'0') * (len(digits) + 1 - i)
		}
		digits += fmt.Sprint(sum * 10 % 11 % 10)
	}
	return digits
}

// card gives a card's number whose check digit holds.
func card(n int) string {
	digits := fmt.Sprintf("41111111%07d", n*7919)
	sum := 0
	for i := range digits {
		v := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			v = v*2/10 + v*2%10
		}
		sum += v
	}
	return digits + fmt.Sprint((10-sum%10)%10)
}

// text gives a sentence with what is planted at a place in it: bare, formatted, in
// JSON and in JSON within JSON, of every kind.
func (p *planter) text(place string) string {
	p.n++
	number, c := cpf(p.n), card(p.n)
	plants := map[string]string{
		number: number,
		number[:3] + "." + number[3:6] + "." + number[6:9] + "-" + number[9:]: number[:3] + "." + number[3:6],
		fmt.Sprintf("canario.%d@exemplo.com.br", p.n):                         fmt.Sprintf("canario.%d@", p.n),
		fmt.Sprintf("+55 (11) 9%04d-%04d", p.n, p.n+1000):                     fmt.Sprintf("9%04d-%04d", p.n, p.n+1000),
		c:                    c,
		"12.ABC.345/01DE-35": "12.ABC.345",
		"11.222.333/0001-81": "11.222.333",
		fmt.Sprintf("sk-proj-Canario%04dAb12Cd34Ef56", p.n): fmt.Sprintf("Canario%04dAb12", p.n),
	}
	var words []string
	for text, sign := range plants {
		words = append(words, text)
		if _, before := p.planted[sign]; !before { // some are the same everywhere
			p.planted[sign] = place
		}
	}
	slices.Sort(words)
	plain := strings.Join(words, " e ")
	inside := fmt.Sprintf(`{"pergunta":"meu cpf \u00e9 %s","n":[%s,1],"dentro":"{\"resposta\":\"%s\\n%s\"}"}`, words[0], number, words[1], words[len(words)-1])
	return plain + " " + inside
}

func array(values ...string) *common.AnyValue {
	list := &common.ArrayValue{}
	for _, v := range values {
		list.Values = append(list.Values, &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: v}})
	}
	return &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: list}}
}

// question is a chat with something planted wherever a trace holds text.
func (p *planter) question(g *e2etest.Generator, door string) *collectortrace.ExportTraceServiceRequest {
	one := g.Trace(e2etest.Question{Input: 200, Output: 100, Scores: []float64{0.5, 0.7}, Content: p.text(door+" content") + written}, time.Now().Add(-time.Second))
	call := one.Spans[2]
	call.Name += " " + p.text(door+" name")
	call.Status = &trace.Status{Code: trace.Status_STATUS_CODE_OK, Message: p.text(door + " status")}
	call.Attributes = append(call.Attributes,
		&common.KeyValue{Key: "list", Value: array(p.text(door+" array"), "x")},
		&common.KeyValue{Key: "map", Value: &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{
			Values: []*common.KeyValue{e2etest.Text("inner", p.text(door+" map"))},
		}}}},
		&common.KeyValue{Key: "raw", Value: &common.AnyValue{Value: &common.AnyValue_BytesValue{BytesValue: []byte(p.text(door + " bytes"))}}},
		e2etest.Text("user.id", fmt.Sprintf("canario.user.%d@exemplo.com.br", p.n)))
	p.planted[fmt.Sprintf("canario.user.%d@", p.n)] = door + " user"
	call.Events = []*trace.Span_Event{{Name: p.text(door + " event"), Attributes: []*common.KeyValue{e2etest.Text("exception.message", p.text(door+" exception"))}}}
	call.Links = []*trace.Span_Link{{TraceId: call.TraceId, SpanId: call.SpanId, Attributes: []*common.KeyValue{e2etest.Text("l", p.text(door+" link"))}}}
	request := e2etest.Request("private", one.Spans...)
	resource := request.ResourceSpans[0]
	resource.Resource.Attributes = append(resource.Resource.Attributes, e2etest.Text("owner", p.text(door+" resource")))
	resource.ScopeSpans[0].Scope.Attributes = []*common.KeyValue{e2etest.Text("s", p.text(door+" scope"))}
	return request
}

// plant sends something by every door, and gives how many questions were asked.
func (p *planter) plant(t *testing.T, s *e2etest.Server) (questions int64) {
	t.Helper()
	g := e2etest.NewGenerator(uint64(time.Now().UnixNano()))
	for _, base := range []string{"http://" + s.Addr, "http://" + s.HTTP} {
		for _, e := range []e2etest.Encoding{{}, {JSON: true}, {Compression: "gzip"}, {Compression: "zstd"}, {JSON: true, Compression: "gzip"}} {
			if err := e2etest.Send(t.Context(), base+"/v1/traces", e, p.question(g, "http "+e.String())); err != nil {
				t.Fatal(err)
			}
			questions++
		}
	}
	resource := &otelresource.Resource{Attributes: []*common.KeyValue{e2etest.Text("service.name", "private"), e2etest.Text("owner", p.text("resource of logs"))}}
	record := &logs.LogRecord{
		TimeUnixNano: uint64(time.Now().UnixNano()), Body: array(p.text("log body")), Attributes: []*common.KeyValue{e2etest.Text("x", p.text("log attribute"))},
	}
	toldLogs := &collectorlogs.ExportLogsServiceRequest{ResourceLogs: []*logs.ResourceLogs{{Resource: resource, ScopeLogs: []*logs.ScopeLogs{{LogRecords: []*logs.LogRecord{record}}}}}}
	toldMetrics := &collectormetrics.ExportMetricsServiceRequest{ResourceMetrics: []*metrics.ResourceMetrics{{Resource: resource, ScopeMetrics: []*metrics.ScopeMetrics{{Metrics: []*metrics.Metric{{
		Name: "process.memory.usage", Unit: "By", Description: p.text("metric description"),
		Data: &metrics.Metric_Gauge{Gauge: &metrics.Gauge{DataPoints: []*metrics.NumberDataPoint{{
			TimeUnixNano: uint64(time.Now().UnixNano()), Value: &metrics.NumberDataPoint_AsInt{AsInt: 100 << 20}, Attributes: []*common.KeyValue{e2etest.Text("x", p.text("metric attribute"))},
		}}}},
	}}}}}}}
	for _, addr := range []string{s.Addr, s.GRPC} {
		conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		_, err1 := collectortrace.NewTraceServiceClient(conn).Export(t.Context(), p.question(g, "grpc"))
		_, err2 := collectorlogs.NewLogsServiceClient(conn).Export(t.Context(), toldLogs)
		_, err3 := collectormetrics.NewMetricsServiceClient(conn).Export(t.Context(), toldMetrics)
		if err1 != nil || err2 != nil || err3 != nil {
			t.Fatal(err1, err2, err3)
		}
		questions++
	}
	send := func(want int, method, path, contentType string, body []byte) {
		t.Helper()
		a := s.Do(method, path, http.Header{"Content-Type": {contentType}}, bytes.NewReader(body))
		if a.Status != want {
			t.Fatalf("%s %s: %d %s", method, path, a.Status, a.Body)
		}
	}
	for path, message := range map[string]proto.Message{"/v1/logs": toldLogs, "/v1/metrics": toldMetrics} {
		body, err := proto.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		send(200, "POST", path, "application/x-protobuf", body)
	}
	user := fmt.Sprintf("canario.api.%d@exemplo.com.br", p.n)
	p.planted["canario.api."] = "post"
	a := s.Do("POST", "/monitoring/chat/metrics?"+url.Values{
		"success": {"true"}, "response_time_ms": {"12"}, "user_id": {user}, "conversation_id": {user}, "service": {"private"},
	}.Encode(), nil, nil)
	if a.Status != 200 && a.Status != 202 {
		t.Fatalf("a post: %d %s", a.Status, a.Body)
	}
	p.native(t, send)
	p.judge(t, send)
	return questions + 1 + 3 // the post and the native runs
}

// judged is a run that native sends.
const judged = "01890a5d-ac96-774b-bcce-b302099a8003"

// judgements are how many native and judge tell.
const judgements = 5

// judge judges a run by every door for judgements, and changes what was said.
func (p *planter) judge(t *testing.T, send func(want int, method, path, contentType string, body []byte)) {
	t.Helper()
	said := func(v map[string]any, door string) []byte {
		v["comment"] = p.text(door) + written
		body, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	const id = "01890a5d-ac96-774b-bcce-b302099a8005"
	send(200, "POST", "/monitoring/feedback", "application/json", said(map[string]any{"run_id": judged, "key": "ours", "score": 1}, "judged: judgement"))
	send(200, "POST", "/feedback/", "application/json", said(map[string]any{"message_id": judged, "feedback_type": "positive"}, "judged: judgement of a front end"))
	send(200, "POST", "/feedback", "application/json", said(map[string]any{
		"id": id, "run_id": judged, "key": "theirs", "score": 0.5,
		"correction": map[string]string{"answer": p.text("judged: correction")}, "value": p.text("judged: judgement's value"),
	}, "judged: judgement of an SDK"))
	send(200, "PATCH", "/api/v1/feedback/"+id, "application/json", said(map[string]any{"score": 0.25}, "judged: changed judgement"))
}

// native sends runs by every door of LangSmith's protocol.
func (p *planter) native(t *testing.T, send func(want int, method, path, contentType string, body []byte)) {
	t.Helper()
	now := time.Now().UTC()
	run := func(n int, door string) string {
		id := fmt.Sprintf("01890a5d-ac96-774b-bcce-b302099a80%02d", n)
		text := strings.ReplaceAll(strings.ReplaceAll(p.text(door), `\`, `\\`), `"`, `\"`)
		return fmt.Sprintf(`{"id":"%s","trace_id":"%s","dotted_order":"%sZ%s","name":"chat %s","run_type":"chain","start_time":"%s","end_time":"%s","session_name":"private","inputs":{"question":"%s"},"outputs":{"answer":"%s"},"tags":["%s"],"error":null,"extra":{"metadata":{"user_id":"%s"}}}`,
			id, id, now.Format("20060102T150405000000"), id, text, now.Add(-time.Second).Format(time.RFC3339Nano), now.Format(time.RFC3339Nano), text, text, text, text)
	}
	send(202, "POST", "/runs", "application/json", []byte(run(1, "native run")))
	send(202, "POST", "/runs/batch", "application/json", []byte(`{"post":[`+run(2, "native batch")+`]}`))
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	id := judged
	part := func(name, contentType, content string) {
		header := textproto.MIMEHeader{}
		header.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"`, name))
		header.Set("Content-Type", contentType+"; length="+fmt.Sprint(len(content)))
		pw, err := w.CreatePart(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pw.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	quoted := func(place string) string {
		return `"` + strings.ReplaceAll(strings.ReplaceAll(p.text(place), `\`, `\\`), `"`, `\"`) + `"`
	}
	part("post."+id, "application/json", run(3, "native part"))
	part("post."+id+".inputs", "application/json", `{"question":`+quoted("native inputs")+`,"more":"`+written+`"}`)
	part("post."+id+".outputs", "application/json", `{"answer":`+quoted("native outputs")+`}`)
	part("attachment."+id+".note", "text/plain", p.text("native attachment"))
	part("feedback.01890a5d-ac96-774b-bcce-b302099a8004", "application/json", `{"id":"01890a5d-ac96-774b-bcce-b302099a8004","run_id":"`+id+`","key":"user-score","score":1,"comment":`+quoted("native feedback")+`}`)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	send(202, "POST", "/runs/multipart", w.FormDataContentType(), body.Bytes())
}

// seen tells which of what was planted a text has, by where it was planted.
func (p *planter) seen(text []byte) (places []string) {
	for sign, place := range p.planted {
		if bytes.Contains(text, []byte(sign)) {
			places = append(places, place+": "+sign)
		}
	}
	slices.Sort(places)
	return places
}
