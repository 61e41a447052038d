package api

import (
	"context"
	"net/http"

	"treq/telemetry"
)

// Objectives gives what is wanted of the numbers and how they stand. The values
// encode as JSON exactly as they are to be answered. Safe for concurrent use.
type Objectives interface {
	// KPIs is the scorecard: every target with its value.
	KPIs(ctx context.Context) (any, error)
	// Alerts lists every rule with its state.
	Alerts() any
}

// Health is what GET /monitoring/health says beyond that it answers.
type Health struct {
	// Reasons say what hinders the service; it is degraded with any.
	Reasons []string
	// Telemetry is how far the numbers can be trusted; encodes as JSON.
	Telemetry any
}

// objectiveRoutes are the addresses of targets and alerts, none where there are none.
func (a *API) objectiveRoutes() []Route {
	if a.o.Objectives == nil {
		return nil
	}
	return []Route{
		{"GET", "/monitoring/kpis", "the targets, and how far they are met", a.kpis},
		{"GET", "/monitoring/alerts", "the alerts, and which fire", a.alerts},
	}
}

func (a *API) kpis(w http.ResponseWriter, r *http.Request) error {
	if err := a.counting(); err != nil {
		return err
	}
	doc, err := a.o.Objectives.KPIs(r.Context())
	if err != nil {
		return &telemetry.Error{Kind: telemetry.Unavailable, Message: "the scorecard cannot be read from the history now", Err: err}
	}
	return reply(w, http.StatusOK, doc)
}

func (a *API) alerts(w http.ResponseWriter, _ *http.Request) error {
	if err := a.counting(); err != nil {
		return err
	}
	return reply(w, http.StatusOK, a.o.Objectives.Alerts())
}

// health is the guide's: it answers as soon as the listener does. ?verbose says why
// the service is degraded, and how far its numbers can be trusted.
func (a *API) health(w http.ResponseWriter, r *http.Request) error {
	doc := guideHealth{Status: "ok", Service: "treq-monitoring", Timestamp: a.now().UTC().Format(guideTime)}
	if a.o.Health == nil {
		return reply(w, http.StatusOK, doc)
	}
	_, verbose := parseQuery(r.URL.RawQuery)["verbose"]
	verbose = verbose && a.mayKnow(r)
	h := a.o.Health(r.Context(), verbose)
	if len(h.Reasons) > 0 {
		doc.Status = "degraded"
	}
	if !verbose {
		return reply(w, http.StatusOK, doc)
	}
	return reply(w, http.StatusOK, struct {
		guideHealth
		Reasons   []string `json:"reasons"`
		Telemetry any      `json:"telemetry"`
	}{doc, append([]string{}, h.Reasons...), h.Telemetry})
}

type guideHealth struct {
	Status    string `json:"status"`
	Service   string `json:"service"`
	Timestamp string `json:"timestamp"`
}

// mayKnow tells whether a caller may see numbers: where these are closed, health is
// open and its details are not.
func (a *API) mayKnow(r *http.Request) bool {
	if !a.o.Closed {
		return true
	}
	if a.o.AuthorizeRead == nil {
		return false
	}
	_, err := a.o.AuthorizeRead(r.Header)
	return err == nil
}
