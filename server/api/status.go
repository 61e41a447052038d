package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// guideTime is how the guide writes times: UTC without saying so, whole seconds.
const guideTime = "2006-01-02T15:04:05"

func (a *API) sinks(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, struct {
		Sinks any `json:"sinks"`
	}{listed(a.o.Sinks)})
}

func (a *API) chatEntries(w http.ResponseWriter, _ *http.Request) error {
	if err := a.counting(); err != nil {
		return err
	}
	return reply(w, http.StatusOK, struct {
		Entries any `json:"entries"`
	}{listed(a.o.ChatEntries)})
}

// listed gives what list gives as JSON, and an empty list for nothing.
func listed(list func() any) any {
	if list != nil {
		if body, err := encode(list()); err != nil || string(body) != "null" {
			return json.RawMessage(body)
		}
	}
	return []any{}
}

func (a *API) alive(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, struct {
		Status string `json:"status"`
	}{"ok"})
}

// readiness is the document of /readyz. Checks and Notices stand in it only
// when asked for.
type readiness struct {
	Status  string       `json:"status"`
	Reasons []string     `json:"reasons"`
	Checks  []checkState `json:"checks,omitempty"`
	Notices []string     `json:"notices,omitempty"`
}

type checkState struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

// ready says whether everything works that a client may count on, and what does not.
func (a *API) ready(w http.ResponseWriter, r *http.Request) error {
	doc := readiness{Status: "ready", Reasons: []string{}}
	checks := append([]Check{{"replay", a.o.Meter.Ready}}, a.o.Checks...)
	_, verbose := parseQuery(r.URL.RawQuery)["verbose"]
	for _, c := range checks {
		state := checkState{Name: c.Name, Status: "ok"}
		if err := c.Err(); err != nil {
			state.Status, state.Reason = "failed", err.Error()
			doc.Status = "not ready"
			doc.Reasons = append(doc.Reasons, c.Name+": "+state.Reason)
		}
		if verbose {
			doc.Checks = append(doc.Checks, state)
		}
	}
	if verbose && a.o.Notices != nil {
		doc.Notices = a.o.Notices()
	}
	status := http.StatusOK
	if len(doc.Reasons) > 0 {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	}
	return reply(w, status, doc)
}

// index shows the dashboard to whoever reads pages, and lists the addresses to programs.
func (a *API) index(w http.ResponseWriter, r *http.Request) error {
	w.Header().Add("Vary", "Accept")
	if a.o.Page != nil && strings.Contains(r.Header.Get("Accept"), "text/html") {
		a.o.Page.ServeHTTP(w, r)
		return nil
	}
	doc := struct {
		Service   string     `json:"service"`
		Version   string     `json:"version"`
		Time      string     `json:"time"`
		Endpoints []endpoint `json:"endpoints"`
	}{Service: "treq-telemetry", Version: a.o.Version, Time: a.now().UTC().Format(time.RFC3339)}
	for _, route := range a.Routes() {
		doc.Endpoints = append(doc.Endpoints, endpoint{route.Method, route.Path, route.About})
	}
	return reply(w, http.StatusOK, doc)
}

// reply answers with v as JSON.
func reply(w http.ResponseWriter, status int, v any) error {
	body, err := encode(v)
	if err != nil {
		return err
	}
	writeJSON(w, status, body)
	return nil
}
