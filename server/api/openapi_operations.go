package api

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
)

type names = map[reflect.Type]string

// schema describes a parameter of this kind, with its most.
func (k kind) schema(most float64) schema {
	switch k {
	case boolean:
		return schema{"type": "boolean"}
	case number:
		if most == 0 {
			return schema{"type": "number", "minimum": 0}
		}
		return schema{"type": "number", "minimum": 0, "maximum": most}
	case whole:
		if most == 0 {
			return schema{"type": "integer", "minimum": 0}
		}
		return schema{"type": "integer", "minimum": 0, "maximum": most}
	}
	return schema{"type": "string"}
}

func decimal(n int) string { return strconv.Itoa(n) }

// variables are the names in braces of a path.
func variables(path string) (list []string) {
	for part := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			list = append(list, strings.TrimSuffix(strings.TrimSuffix(name, "}"), "..."))
		}
	}
	return list
}

// operationID is a name for a route that programs can use.
func operationID(r Route) string {
	id := strings.ToLower(r.Method)
	for word := range strings.FieldsFuncSeq(r.Path, func(c rune) bool { return c < '0' || c > '9' && c < 'A' || c > 'Z' && c < 'a' || c > 'z' }) {
		id += strings.ToUpper(word[:1]) + word[1:]
	}
	if strings.HasSuffix(r.Path, "/") {
		id += "Slash"
	}
	return id
}

// tagOf groups paths on the page.
func tagOf(path string) string {
	for prefix, tag := range map[string]string{"/monitoring": "monitoring", "/prometheus": "prometheus", "/feedback": "feedback", "/api/v1": "feedback"} {
		if strings.HasPrefix(path, prefix) {
			return tag
		}
	}
	return "process"
}

// accepted is the answer to what was recorded.
type accepted struct {
	Status string `json:"status"`
}

// judgementBody is what a judgement may hold: docs/api.md, section 2.
type judgementBody struct {
	RunID     string   `json:"run_id,omitempty"`
	Key       string   `json:"key,omitempty"`
	Score     *float64 `json:"score,omitempty"`
	Value     any      `json:"value,omitempty"`
	Thumb     string   `json:"thumb,omitempty"`
	Comment   string   `json:"comment,omitempty"`
	Source    string   `json:"source,omitempty"`
	Service   string   `json:"service,omitempty"`
	MessageID string   `json:"message_id,omitempty"`
	Type      string   `json:"feedback_type,omitempty"`
	Timestamp string   `json:"timestamp,omitempty"`
}

// feedbackChange is what may change of a judgement.
type feedbackChange struct {
	Score      any    `json:"score,omitempty"`
	Value      any    `json:"value,omitempty"`
	Comment    string `json:"comment,omitempty"`
	Correction any    `json:"correction,omitempty"`
}

// keptParameters narrow the list of judgements.
var keptParameters = []described{
	{name: "run", about: "only of this run; may stand several times, as key and source may", kind: text},
	{name: "key", about: "only this key", kind: text},
	{name: "source", about: "only from this source", kind: text},
	{name: "limit", about: "1 to 100", kind: whole},
	{name: "offset", about: "how many to pass over", kind: whole},
}

// endpoint is one address on the index page.
type endpoint struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	About  string `json:"about"`
}

// operations says of every route what it takes and answers.
func (a *API) operations() map[string]operation {
	h := a.o.Shapes
	ok := func(v any) map[int]any { return map[int]any{http.StatusOK: v} }
	narrowed := []described{askService, askWindow}
	alive := operation{answers: ok(accepted{})}
	judge := operation{
		about:     "The key is user-score where none is given. positive is 1, negative 0. Keyed by run, key and source: the same again counts once.",
		body:      judgementBody{},
		answers:   map[int]any{http.StatusOK: judged{}, http.StatusAccepted: judged{}},
		validated: true,
	}
	stats := operation{parameters: []described{askService, {name: "key", about: "user-score if left out", kind: text}}, answers: ok(h.FeedbackStatistics)}
	promQL := operation{about: "https://prometheus.io/docs/prometheus/latest/querying/api/", answers: ok(anything{})}
	recorded := func(p post) operation {
		return operation{about: "An Idempotency-Key header makes a retry count once.", form: p.parameters, answers: ok(accepted{}), validated: true}
	}
	all := map[string]operation{
		"GET /":             {answers: ok(members{{"service", ""}, {"version", ""}, {"time", time.Time{}}, {"endpoints", []endpoint{}}})},
		"GET /openapi.json": {answers: ok(anything{})},
		"GET /docs":         {answers: ok(nil), media: "text/html"},

		"GET /monitoring/metrics":       {parameters: narrowed, answers: ok(h.Metrics), validated: true},
		"GET /monitoring/stats/summary": {parameters: narrowed, answers: ok(h.Summary), validated: true},
		"GET /monitoring/models":        {parameters: narrowed, answers: ok(h.Models), validated: true},
		"GET /monitoring/health": {
			parameters: []described{{name: "verbose", about: "adds reasons and telemetry", kind: boolean}},
			answers:    ok(members{{"status", ""}, {"service", ""}, {"timestamp", ""}, {"reasons", optional{[]string{}}}, {"telemetry", optional{h.Telemetry}}}),
		},
		"GET /monitoring/sinks":         {answers: ok(members{{"sinks", h.Sinks}})},
		"GET /monitoring/chats/entries": {answers: ok(members{{"entries", h.ChatEntries}})},
		"GET /monitoring/live":          {about: "Events summary and alerts, each with the document that a GET would give.", answers: ok(nil), media: "text/event-stream"},
		"POST /monitoring/chat/metrics": recorded(chatPost),
		"POST /monitoring/rag/metrics":  recorded(ragPost),
		"POST /monitoring/llm/metrics":  recorded(llmPost),
		"GET /metrics":                  {answers: ok(nil), media: "text/plain"},
		"GET /healthz":                  alive,
		"GET /livez":                    alive,
		"GET /readyz": {
			parameters: []described{{name: "verbose", about: "adds checks and notices", kind: boolean}},
			answers:    map[int]any{http.StatusOK: readiness{}, http.StatusServiceUnavailable: readiness{}},
		},

		"GET /monitoring/history": {
			about: "Without metric the quantities that there are, under metrics.",
			parameters: []described{
				{name: "metric", about: "such as latency_p95", kind: text},
				{name: "range", about: "1h if left out", kind: text},
				{name: "step", about: "between two values", kind: text},
				{name: "end", about: "now if left out", kind: text},
				askService,
				{name: "model", about: "only this model", kind: text},
				{name: "by", about: "service, model, data_source, sink", kind: text},
			},
			answers: ok(either{h.Chart, members{{"metrics", h.Charts}}}),
		},
		"GET " + promQLPath:  promQL,
		"POST " + promQLPath: promQL,

		"GET /monitoring/fleet":  {answers: ok(h.Fleet)},
		"GET /monitoring/kpis":   {answers: ok(h.KPIs)},
		"GET /monitoring/alerts": {answers: ok(h.Alerts)},

		"GET /monitoring/runs/{run_id}": {
			about:      "run_id is a LangSmith UUID, a trace id or a span id.",
			parameters: []described{{name: "explain", about: "1 says what each span counted for", kind: boolean}},
			answers:    ok(h.Run),
		},
		"GET /monitoring/runs":             {parameters: runParameters, answers: ok(h.RunList)},
		"DELETE /monitoring/runs/{run_id}": {about: "Overwrites its content; what it counted for stays.", answers: ok(h.Erased)},
		"DELETE /monitoring/runs": {
			about:      "Overwrites the content of every run that names the user; what they counted for stays.",
			parameters: []described{{name: "user", about: "the user, conversation or session as spans name it", kind: text}}, answers: ok(h.Erased),
		},

		"POST " + ownFeedback + "/tokens": {
			form:      []parameter{{name: "run_id", kind: text, required: true}, {name: "expires_in_seconds", kind: whole}},
			answers:   ok(members{{"token", ""}, {"run_id", ""}, {"expires_at", time.Time{}}}),
			validated: true,
		},
	}
	for _, path := range feedbackDoors {
		all["POST "+path] = judge
	}
	for _, path := range keptFeedback {
		changed := func(v any) map[int]any { return map[int]any{http.StatusOK: v, http.StatusAccepted: v} }
		all["GET "+path] = operation{parameters: keptParameters, answers: ok(anything{})}
		all["GET "+path+"/{feedback_id}"] = operation{answers: ok(anything{})}
		all["PATCH "+path+"/{feedback_id}"] = operation{
			about: "Fields that are left out stay, null empties one. Counts in the place of what was said before.",
			body:  feedbackChange{}, answers: changed(anything{}), validated: true,
		}
		all["DELETE "+path+"/{feedback_id}"] = operation{about: "Shown and counted no longer; sinks are told.", answers: changed(withdrawn{})}
	}
	for _, path := range []string{ownFeedback + "/stats", "/feedback/stats", "/api/v1/feedback/stats"} {
		all["GET "+path] = stats
	}
	return all
}

// runParameters narrow the list of runs.
var runParameters = []described{
	{name: "limit", about: "1 to 200", kind: whole},
	{name: "cursor", about: "next of the page before", kind: text},
	{name: "q", about: "in the name, an id, the model, the error or the user", kind: text},
	askService,
	{name: "model", about: "only runs that called this model", kind: text},
	{name: "user", about: "only this user's", kind: text},
	{name: "conversation", about: "only this conversation's", kind: text},
	{name: "outcome", about: "success, failure or running", kind: text},
	{name: "feedback", about: "positive, negative, any or none", kind: text},
	{name: "similarity_below", about: "0 to 1", kind: number},
	{name: "from", about: "RFC 3339", kind: text},
	{name: "to", about: "RFC 3339", kind: text},
	{name: "sort", about: "see docs/api.md", kind: text},
}

// either is one of several documents.
type either []any

// optional is a member that may be left out.
type optional struct{ of any }
