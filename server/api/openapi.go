package api

import (
	"net/http"
	"slices"
	"strings"

	"treq/server/fault"
)

// Shapes are values of the types that Options' functions answer with; what they hold
// is not looked at. A nil one may be anything.
type Shapes struct {
	Metrics, Summary, Models any
	// Sinks and ChatEntries are the lists, Charts that of GET /monitoring/history
	// without a metric, Chart one with.
	Sinks, ChatEntries, Charts, Chart any
	KPIs, Alerts                      any
	// Telemetry is what verbose health tells.
	Telemetry          any
	RunList, Run       any
	Erased             any
	FeedbackStatistics any
	Fleet              any
}

// input and answer of an address.
type operation struct {
	about      string
	parameters []described
	// form are parameters that may stand in the query, a form or a JSON object.
	form []parameter
	body any
	// answers by status; media is their type if it is not JSON.
	answers map[int]any
	media   string
	// validated tells that bad parameters are answered as FastAPI does.
	validated bool
}

// described is a parameter of a question.
type described struct {
	name, about string
	kind        kind
	required    bool
}

var (
	askService = described{name: "service", about: "only this service", kind: text}
	askWindow  = described{name: "window", about: "only a trailing window, such as 5m, 24h or 7d", kind: text}
)

// openAPIRoutes are the addresses of the description.
func (a *API) openAPIRoutes() []Route {
	routes := []Route{{"GET", "/openapi.json", "this API as OpenAPI 3.1", a.openAPI}}
	if a.o.Page != nil {
		routes = append(routes, Route{"GET", "/docs", "this API as a page", a.docs})
	}
	return routes
}

func (a *API) docs(w http.ResponseWriter, r *http.Request) error {
	a.o.Page.ServeHTTP(w, r)
	return nil
}

func (a *API) openAPI(w http.ResponseWriter, r *http.Request) error {
	body, err := a.description()
	if err != nil {
		return err
	}
	tag := etagOf(body)
	w.Header().Set("Etag", tag)
	if matches(r.Header.Get("If-None-Match"), tag) {
		w.Header().Set("Cache-Control", "no-cache")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	writeJSON(w, http.StatusOK, body)
	return nil
}

// describe makes the OpenAPI document of all routes.
func (a *API) describe() ([]byte, error) {
	s := &schemas{kept: schema{}, names: names{}}
	operations := a.operations()
	paths := map[string]schema{}
	for _, r := range a.Routes() {
		path := strings.ReplaceAll(r.Path, "...}", "}")
		if paths[path] == nil {
			paths[path] = schema{}
		}
		paths[path][strings.ToLower(r.Method)] = s.operation(r, operations[r.Method+" "+r.Path])
	}
	return encode(schema{
		"openapi": "3.1.0",
		"info": schema{
			"title": "Treq Telemetry", "version": a.o.Version,
			"description": "The numbers of RAG chat services, and the runs behind them. Times are RFC 3339 in UTC, units stand in the names, lists are never null.",
			"license":     schema{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"servers": []schema{{"url": "/"}},
		"paths":   paths,
		"components": schema{
			"schemas":         s.kept,
			"securitySchemes": schema{"token": schema{"type": "http", "scheme": "bearer"}, "key": schema{"type": "apiKey", "in": "header", "name": "x-api-key"}},
		},
		"security": []schema{{}, {"token": []string{}}, {"key": []string{}}},
	})
}

// operation describes one route.
func (s *schemas) operation(r Route, o operation) schema {
	parameters := []schema{}
	for _, name := range variables(r.Path) {
		parameters = append(parameters, schema{"name": name, "in": "path", "required": true, "schema": schema{"type": "string"}})
	}
	for _, p := range o.parameters {
		parameters = append(parameters, schema{"name": p.name, "in": "query", "required": p.required, "description": p.about, "schema": p.kind.schema(0)})
	}
	d := schema{"operationId": operationID(r), "summary": r.About, "tags": []string{tagOf(r.Path)}}
	if o.about != "" {
		d["description"] = o.about
	}
	if o.form != nil {
		properties, required := schema{}, []string{}
		for _, p := range o.form {
			about := "here or in the body"
			if p.required {
				about = "required, here or in the body"
				required = append(required, p.name)
			}
			parameters = append(parameters, schema{"name": p.name, "in": "query", "required": false, "description": about, "schema": p.kind.schema(p.max)})
			properties[p.name] = p.kind.schema(p.max)
		}
		body := schema{"schema": schema{"type": "object", "properties": properties, "required": required}}
		d["requestBody"] = schema{"required": false, "content": schema{"application/json": body, "application/x-www-form-urlencoded": body}}
	}
	if o.body != nil {
		d["requestBody"] = schema{"required": true, "content": schema{"application/json": schema{"schema": s.shape(o.body)}}}
	}
	if len(parameters) > 0 {
		d["parameters"] = parameters
	}
	answers := schema{"default": schema{
		"description": "why not", "content": schema{"application/problem+json": schema{"schema": s.shape(problem{})}},
	}}
	for _, status := range r.refusals() {
		answers[decimal(status)] = schema{
			"description": refusals[status], "content": schema{"application/problem+json": schema{"schema": s.shape(problem{})}},
		}
	}
	for status, v := range o.answers {
		answer := schema{"description": http.StatusText(status)}
		switch {
		case o.media != "":
			answer["content"] = schema{o.media: schema{"schema": schema{"type": "string"}}}
		case v != nil:
			answer["content"] = schema{"application/json": schema{"schema": s.shape(v)}}
		}
		answers[decimal(status)] = answer
	}
	if o.validated {
		answers["422"] = schema{
			"description": "parameters that are missing or bad, all at once; nothing was recorded",
			"content":     schema{"application/json": schema{"schema": s.shape(fault.Validation{})}},
		}
	}
	d["responses"] = answers
	return d
}

// refusals say why a request is refused, by status.
var refusals = map[int]string{
	http.StatusUnauthorized:          "a token is needed, or the one that was shown is none",
	http.StatusForbidden:             "the token's scope does not hold this, or nobody's does",
	http.StatusNotFound:              "nothing has this id",
	http.StatusRequestEntityTooLarge: "the body is too large",
	http.StatusUnprocessableEntity:   "a parameter is bad",
	http.StatusTooManyRequests:       "the feedback token was used as often as it may be",
	http.StatusServiceUnavailable:    "not yet, or no room: Retry-After says when to come again",
}

// refusals are the statuses by which a route refuses.
func (r Route) refusals() []int {
	list := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable}
	if slices.Contains(open, r.Path) || r.Path == "/openapi.json" || r.Path == "/docs" {
		list = nil
	}
	if strings.Contains(r.Path, "{") && r.Path != promQLPath {
		list = append(list, http.StatusNotFound)
	}
	if strings.HasPrefix(r.Path, "/monitoring/runs") || strings.HasPrefix(r.Path, "/monitoring/history") || strings.Contains(r.Path, "feedback") {
		list = append(list, http.StatusUnprocessableEntity)
	}
	if r.Method == http.MethodPost || r.Method == http.MethodPatch {
		list = append(list, http.StatusRequestEntityTooLarge)
	}
	if r.Method == http.MethodPost && slices.Contains(feedbackDoors, r.Path) {
		list = append(list, http.StatusTooManyRequests)
	}
	return list
}

// problem is what errors are answered with.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}
