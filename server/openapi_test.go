package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/server/config"
	"treq/telemetry"
)

// openAPI is as much of the description as these tests read.
type openAPI struct {
	OpenAPI    string
	Paths      map[string]map[string]openOperation
	Components struct{ Schemas map[string]openSchema }

	asked map[string]bool // the routes that answered 200
}

type openOperation struct {
	OperationID string
	Summary     string
	Responses   map[string]struct {
		Content map[string]struct{ Schema openSchema }
	}
}

type openSchema struct {
	Ref                  string `json:"$ref"`
	Type                 any
	Format               string
	Items                *openSchema
	AnyOf                []openSchema
	Properties           map[string]openSchema
	Required             []string
	AdditionalProperties *openSchema
}

// check says where a value is not what a schema describes. A member that the
// schema does not name is wrong, too.
func (d *openAPI) check(at string, s openSchema, v any) error {
	if s.Ref != "" {
		named, ok := d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
		if !ok {
			return fmt.Errorf("%s: %s is nowhere", at, s.Ref)
		}
		return d.check(at, named, v)
	}
	if len(s.AnyOf) > 0 {
		var whys []string
		for _, one := range s.AnyOf {
			err := d.check(at, one, v)
			if err == nil {
				return nil
			}
			whys = append(whys, err.Error())
		}
		return fmt.Errorf("%s: %s", at, strings.Join(whys, " and "))
	}
	kinds := []any{s.Type}
	if list, ok := s.Type.([]any); ok {
		kinds = list
	} else if s.Type == nil {
		return nil
	}
	switch v := v.(type) {
	case nil:
		return d.want(at, kinds, "null")
	case bool:
		return d.want(at, kinds, "boolean")
	case string:
		return d.want(at, kinds, "string")
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return d.want(at, kinds, "number")
		}
		return d.want(at, kinds, "number", "integer")
	case []any:
		if err := d.want(at, kinds, "array"); err != nil {
			return err
		}
		for i, e := range v {
			if err := d.check(fmt.Sprintf("%s[%d]", at, i), *s.Items, e); err != nil {
				return err
			}
		}
	case map[string]any:
		return d.checkObject(at, s, v)
	}
	return nil
}

func (d *openAPI) checkObject(at string, s openSchema, v map[string]any) error {
	if s.Type != "object" {
		return fmt.Errorf("%s is an object, and should be %v", at, s.Type)
	}
	for _, name := range s.Required {
		if _, ok := v[name]; !ok {
			return fmt.Errorf("%s lacks %s", at, name)
		}
	}
	for name, value := range v {
		of, known := s.Properties[name]
		if !known && s.AdditionalProperties != nil {
			of, known = *s.AdditionalProperties, true
		}
		if !known {
			return fmt.Errorf("%s.%s is not described", at, name)
		}
		if err := d.check(at+"."+name, of, value); err != nil {
			return err
		}
	}
	return nil
}

func (d *openAPI) want(at string, kinds []any, any ...string) error {
	for _, k := range kinds {
		if slices.Contains(any, k.(string)) {
			return nil
		}
	}
	return fmt.Errorf("%s is %s, and should be %v", at, any[0], kinds)
}

// described is a running service and what it says of itself.
func described(t *testing.T, change func(*config.Config)) (*process, *openAPI) {
	c := settings(t)
	if change != nil {
		change(&c)
	}
	p := begin(t, c)
	code, body := p.do(http.MethodGet, "/openapi.json")
	d := &openAPI{asked: map[string]bool{}}
	if err := json.Unmarshal([]byte(body), d); code != http.StatusOK || err != nil {
		t.Fatalf("%d %v %.200s", code, err, body)
	}
	return p, d
}

// ask sends a request and holds the answer to what the description says of it.
func (d *openAPI) ask(t *testing.T, p *process, method, path, address, body string, want int) (answered []byte) {
	t.Helper()
	return d.askWith(t, p, "", method, path, address, body, want)
}

// askWith is ask with a token.
func (d *openAPI) askWith(t *testing.T, p *process, token, method, path, address, body string, want int) (answered []byte) {
	t.Helper()
	one, _, _ := p.Addr()
	r, err := http.NewRequest(method, "http://"+one+address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := p.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	read, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	at := method + " " + address
	if res.StatusCode != want {
		t.Errorf("%s: %d, want %d: %s", at, res.StatusCode, want, read)
		return read
	}
	if res.StatusCode == http.StatusOK {
		d.asked[method+" "+path] = true
	}
	answers := d.Paths[path][strings.ToLower(method)].Responses
	answer, ok := answers[fmt.Sprint(res.StatusCode)]
	media, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	content, described := answer.Content[media]
	if !described {
		// A 422 that is not about parameters is a problem like any other error.
		content, described = answers["default"].Content[media]
	}
	if !ok || !described {
		t.Errorf("%s: %d as %s is not described", at, res.StatusCode, media)
		return read
	}
	if media != "application/json" && media != "application/problem+json" {
		return read
	}
	decoder := json.NewDecoder(bytes.NewReader(read))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	if err := d.check("answer", content.Schema, v); err != nil {
		t.Errorf("%s: %v\n%.600s", at, err, read)
	}
	return read
}

// Every address that the service lists is described, each once.
func TestEveryRouteIsDescribed(t *testing.T) {
	p, d := described(t, nil)
	_, body := p.do(http.MethodGet, "/")
	var index struct {
		Endpoints []struct{ Method, Path string }
	}
	if err := json.Unmarshal([]byte(body), &index); err != nil {
		t.Fatal(err)
	}
	if len(index.Endpoints) < 30 || d.OpenAPI != "3.1.0" {
		t.Errorf("OpenAPI %s, %d addresses", d.OpenAPI, len(index.Endpoints))
	}
	ids := map[string]string{}
	for _, e := range index.Endpoints {
		path := strings.ReplaceAll(e.Path, "...}", "}")
		o, ok := d.Paths[path][strings.ToLower(e.Method)]
		if !ok || o.Summary == "" {
			t.Errorf("%s %s is not described", e.Method, e.Path)
			continue
		}
		answered := false
		for status, a := range o.Responses {
			answered = answered || status[0] == '2' && len(a.Content) > 0
		}
		if !answered {
			t.Errorf("%s %s: no answer is described", e.Method, e.Path)
		}
		if ids[o.OperationID] != "" {
			t.Errorf("%s and %s %s are both called %s", ids[o.OperationID], e.Method, e.Path, o.OperationID)
		}
		ids[o.OperationID] = e.Method + " " + e.Path
	}
	for path, methods := range d.Paths {
		for method := range methods {
			if !slices.ContainsFunc(index.Endpoints, func(e struct{ Method, Path string }) bool {
				return strings.EqualFold(e.Method, method) && strings.ReplaceAll(e.Path, "...}", "}") == path
			}) {
				t.Errorf("%s %s is described and not served", method, path)
			}
		}
	}
}

// What the handlers answer is what is described, good and bad.
func TestAnswersAreAsDescribed(t *testing.T) {
	p, d := described(t, nil)
	const run = "0123456789abcdef0123456789abcdef"
	trace := fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"app"}}]},"scopeSpans":[{"spans":[
		{"traceId":%q,"spanId":"0123456789abcdef","name":"POST /chat","kind":2,"startTimeUnixNano":"1767614400000000000","endTimeUnixNano":"1767614401000000000","status":{"code":2,"message":"no"}},
		{"traceId":%q,"spanId":"1123456789abcdef","parentSpanId":"0123456789abcdef","name":"chat m","kind":3,"startTimeUnixNano":"1767614400100000000","endTimeUnixNano":"1767614400900000000","attributes":[
			{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.response.model","value":{"stringValue":"llama-3.1-8b-instant"}},{"key":"gen_ai.provider.name","value":{"stringValue":"groq"}},
			{"key":"gen_ai.usage.input_tokens","value":{"intValue":"10"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"5"}},{"key":"gen_ai.input.messages","value":{"stringValue":"[{\"role\":\"user\",\"content\":\"Oi\"}]"}}]},
		{"traceId":%q,"spanId":"2123456789abcdef","parentSpanId":"0123456789abcdef","name":"search","kind":3,"startTimeUnixNano":"1767614400000000000","endTimeUnixNano":"1767614400050000000","attributes":[
			{"key":"gen_ai.operation.name","value":{"stringValue":"retrieval"}},{"key":"gen_ai.data_source.id","value":{"stringValue":"docs"}}]}
	]}]}]}`, run, run, run)
	one, _, _ := p.Addr()
	res, err := p.client.Post("http://"+one+"/v1/traces", "application/json", strings.NewReader(trace))
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("the trace: %d %v", res.StatusCode, err)
	}
	const chat = "/monitoring/chat/metrics?success=true&response_time_ms=500&rag_used=true&rag_found=true&model=llama-3.1-8b-instant&llm_latency_ms=400&llm_tokens=20&search_time_ms=10&similarity_score=0.7"
	for _, q := range []struct {
		method, path, address, body string
		want                        int
	}{
		{"POST", "/monitoring/chat/metrics", chat, "", 200},
		{"POST", "/monitoring/chat/metrics", "/monitoring/chat/metrics", "", 422},
		{"POST", "/monitoring/chat/metrics", "/monitoring/chat/metrics", `{"success":3,"response_time_ms":"x"}`, 422},
		{"POST", "/monitoring/rag/metrics", "/monitoring/rag/metrics", `{"search_time_ms":12,"similarity_score":0.4,"data_source":"docs"}`, 200},
		{"POST", "/monitoring/llm/metrics", "/monitoring/llm/metrics?model=m&tokens=3&latency_ms=100", "", 200},
		{"POST", "/monitoring/feedback", "/monitoring/feedback", `{"run_id":"` + run + `","score":1,"comment":"good"}`, 200},
		{"POST", "/monitoring/feedback", "/monitoring/feedback", `{}`, 422},
		{"POST", "/feedback", "/feedback", `{"message_id":"` + run + `","feedback_type":"negative"}`, 200},
		{"POST", "/feedback/", "/feedback/", `{"message_id":"` + run + `","feedback_type":"positive"}`, 200},
		{"POST", "/api/v1/feedback", "/api/v1/feedback", `{"run_id":"` + run + `","key":"k","score":0.5}`, 200},
		{"POST", "/api/v1/feedback/", "/api/v1/feedback/", `{"run_id":"` + run + `","key":"k","score":0.5}`, 200},
		{"POST", "/monitoring/feedback/tokens", "/monitoring/feedback/tokens", `{"run_id":"` + run + `"}`, 200},
		{"POST", "/monitoring/feedback/tokens", "/monitoring/feedback/tokens", `{}`, 422},
		{"GET", "/monitoring/feedback/stats", "/monitoring/feedback/stats", "", 200},
		{"GET", "/feedback/stats", "/feedback/stats?service=app", "", 200},
		{"GET", "/api/v1/feedback/stats", "/api/v1/feedback/stats", "", 200},
		{"GET", "/feedback", "/feedback?run=" + run, "", 200},
		{"GET", "/api/v1/feedback/{feedback_id}", "/api/v1/feedback/99999999-9999-4999-8999-999999999999", "", 404},
		{"PATCH", "/feedback/{feedback_id}", "/feedback/99999999-9999-4999-8999-999999999999", `{"score":1}`, 404},
		{"DELETE", "/api/v1/feedback/{feedback_id}", "/api/v1/feedback/99999999-9999-4999-8999-999999999999", "", 404},
		{"GET", "/", "/", "", 200},
		{"GET", "/openapi.json", "/openapi.json", "", 200},
		{"GET", "/docs", "/docs", "", 200},
		{"GET", "/metrics", "/metrics", "", 200},
		{"GET", "/healthz", "/healthz", "", 200},
		{"GET", "/livez", "/livez", "", 200},
		{"GET", "/readyz", "/readyz", "", 200},
		{"GET", "/readyz", "/readyz?verbose", "", 200},
		{"GET", "/monitoring/metrics", "/monitoring/metrics", "", 200},
		{"GET", "/monitoring/metrics", "/monitoring/metrics?service=app&window=5m", "", 200},
		{"GET", "/monitoring/metrics", "/monitoring/metrics?window=x", "", 422},
		{"GET", "/monitoring/stats/summary", "/monitoring/stats/summary", "", 200},
		{"GET", "/monitoring/models", "/monitoring/models", "", 200},
		{"GET", "/monitoring/health", "/monitoring/health", "", 200},
		{"GET", "/monitoring/health", "/monitoring/health?verbose=1", "", 200},
		{"GET", "/monitoring/sinks", "/monitoring/sinks", "", 200},
		{"GET", "/monitoring/chats/entries", "/monitoring/chats/entries", "", 200},
		{"GET", "/monitoring/history", "/monitoring/history", "", 200},
		{"GET", "/monitoring/history", "/monitoring/history?metric=requests&range=1h&by=service", "", 200},
		{"GET", "/monitoring/history", "/monitoring/history?metric=none", "", 422},
		{"GET", "/prometheus/api/v1/{query}", "/prometheus/api/v1/query?query=1", "", 200},
		{"GET", "/monitoring/kpis", "/monitoring/kpis", "", 200},
		{"GET", "/monitoring/alerts", "/monitoring/alerts", "", 200},
		{"GET", "/monitoring/runs", "/monitoring/runs?limit=5", "", 200},
		{"GET", "/monitoring/runs", "/monitoring/runs?limit=x", "", 422},
		{"GET", "/monitoring/runs/{run_id}", "/monitoring/runs/" + run + "?explain=1", "", 200},
		{"GET", "/monitoring/runs/{run_id}", "/monitoring/runs/ffffffffffffffffffffffffffffffff", "", 404},
	} {
		d.ask(t, p, q.method, q.path, q.address, q.body, q.want)
	}
	// A judgement is read, changed and withdrawn below both addresses.
	for _, base := range []string{"/feedback", "/api/v1/feedback"} {
		var said struct{ ID string }
		if err := json.Unmarshal(d.ask(t, p, "POST", base, base, `{"run_id":"`+run+`","key":"kept`+base+`","score":1}`, 200), &said); err != nil {
			t.Fatal(err)
		}
		d.ask(t, p, "GET", base, base+"?limit=1", "", 200)
		d.ask(t, p, "GET", base+"/{feedback_id}", base+"/"+said.ID, "", 200)
		d.ask(t, p, "PATCH", base+"/{feedback_id}", base+"/"+said.ID, `{"score":0}`, 200)
		d.ask(t, p, "DELETE", base+"/{feedback_id}", base+"/"+said.ID, "", 200)
		d.ask(t, p, "GET", base+"/{feedback_id}", base+"/"+said.ID, "", 404)
	}
	d.ask(t, p, "POST", "/prometheus/api/v1/{query}", "/prometheus/api/v1/query?query=1", "", 200)
	d.ask(t, p, "DELETE", "/monitoring/runs", "/monitoring/runs?user=maria", "", 403)

	var left []string
	for path, methods := range d.Paths {
		for method := range methods {
			if route := strings.ToUpper(method) + " " + path; !d.asked[route] {
				left = append(left, route)
			}
		}
	}
	slices.Sort(left)
	// Erasure asks for a token, as the next test does; the stream of events never ends.
	if diff := cmp.Diff([]string{"DELETE /monitoring/runs", "DELETE /monitoring/runs/{run_id}", "GET /monitoring/live"}, left); diff != "" {
		t.Errorf("addresses that were not asked (-expected +left):\n%s", diff)
	}
}

// Refusals are what is described, too: without a token, with one of another scope, with
// one that was used too often.
func TestRefusalsAreAsDescribed(t *testing.T) {
	secrets := func(list ...string) (all []telemetry.Secret) {
		for _, text := range list {
			all = append(all, telemetry.NewSecret(text))
		}
		return all
	}
	p, d := described(t, func(c *config.Config) {
		c.Tokens.Ingest, c.Tokens.API, c.Tokens.Admin = secrets("sends"), secrets("reads"), secrets("rules")
		c.RequireAuth = true
	})
	const run = "0123456789abcdef0123456789abcdef"
	for path, methods := range d.Paths {
		for method, o := range methods {
			address := strings.NewReplacer("{run_id}", run, "{feedback_id}", "99999999-9999-4999-8999-999999999999", "{query}", "query").Replace(path)
			if _, closed := o.Responses["401"]; closed {
				d.ask(t, p, strings.ToUpper(method), path, address, "", 401)
			}
		}
	}
	d.askWith(t, p, "reads", "DELETE", "/monitoring/runs", "/monitoring/runs?user=maria", "", 403)
	d.askWith(t, p, "sends", "GET", "/monitoring/runs", "/monitoring/runs", "", 403)
	d.askWith(t, p, "rules", "DELETE", "/monitoring/runs", "/monitoring/runs?user=maria", "", 200)
	d.askWith(t, p, "rules", "DELETE", "/monitoring/runs", "/monitoring/runs", "", 422)
	d.askWith(t, p, "rules", "DELETE", "/monitoring/runs/{run_id}", "/monitoring/runs/"+run, "", 404)
	var made struct{ Token string }
	if err := json.Unmarshal(d.askWith(t, p, "sends", "POST", "/monitoring/feedback/tokens", "/monitoring/feedback/tokens", `{"run_id":"`+run+`"}`, 200), &made); err != nil {
		t.Fatal(err)
	}
	for n := range 51 {
		want := 200
		if n == 50 {
			want = 429
		}
		d.askWith(t, p, made.Token, "POST", "/monitoring/feedback", "/monitoring/feedback", fmt.Sprintf(`{"run_id":%q,"key":"k%d","score":1}`, run, n), want)
	}
}
