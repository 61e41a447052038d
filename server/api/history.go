package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"treq/server/fault"
	"treq/telemetry"
)

// History gives what charts are drawn from. The values encode as JSON exactly as
// they are to be answered. Safe for concurrent use.
type History interface {
	// Charts lists the quantities that there are.
	Charts() any
	// Chart gives one; what is wrong with the question is an error of kind Unprocessable.
	Chart(ctx context.Context, q ChartQuery) (any, error)
}

// ChartQuery asks for a quantity over time.
type ChartQuery struct {
	// Metric is the quantity's name, such as latency_p95.
	Metric string
	// Range is how far it goes back from End; zero End is now, zero Step is chosen.
	Range, Step time.Duration
	End         time.Time
	// Service and Model narrow it; "" is all. By tells series apart: service, model, data_source, sink.
	Service, Model string
	By             []string
}

// promQLPath is the route of Prometheus's query API.
const promQLPath = "/prometheus/api/v1/{query...}"

// historyRoutes are the addresses of the history, none where there is none.
func (a *API) historyRoutes() (routes []Route) {
	if a.o.History != nil {
		routes = append(routes, Route{"GET", "/monitoring/history", "a quantity over time: ?metric=latency_p95&range=6h; without metric, which there are", a.history})
	}
	if a.o.PromQL != nil {
		ask := func(w http.ResponseWriter, r *http.Request) error {
			a.o.PromQL.ServeHTTP(w, r)
			return nil
		}
		routes = append(routes,
			Route{"GET", promQLPath, "Prometheus's query API, for Grafana and promtool", fault.Handler(ask)},
			Route{"POST", promQLPath, "the same, with parameters in a form", fault.Handler(ask)},
		)
	}
	return routes
}

// usualRange is how far back a chart goes that does not say so.
const usualRange = time.Hour

func (a *API) history(w http.ResponseWriter, r *http.Request) error {
	if err := a.counting(); err != nil {
		return err
	}
	values := parseQuery(r.URL.RawQuery)
	if values["metric"] == "" {
		return reply(w, http.StatusOK, struct {
			Metrics any `json:"metrics"`
		}{a.o.History.Charts()})
	}
	q := ChartQuery{Metric: values["metric"], Range: usualRange, Service: values["service"], Model: values["model"]}
	for name, to := range map[string]*time.Duration{"range": &q.Range, "step": &q.Step} {
		text, asked := values[name]
		if !asked {
			continue
		}
		var err error
		if *to, err = parseSpan(text); err != nil {
			return telemetry.Errorf(telemetry.Unprocessable, "%s is %s, not %.40q", name, errSpan, text)
		}
	}
	if text, asked := values["end"]; asked {
		var err error
		if q.End, err = time.Parse(time.RFC3339, text); err != nil {
			return telemetry.Errorf(telemetry.Unprocessable, "end is a time such as 2026-01-05T12:00:00Z, not %.40q", text)
		}
	}
	if by := values["by"]; by != "" {
		q.By = strings.Split(by, ",")
	}
	v, err := a.o.History.Chart(r.Context(), q)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, v)
}
