package api

import (
	"net/http"

	"treq/telemetry"
)

// models answers what each model did and cost: ?service= narrows it to one service.
func (a *API) models(w http.ResponseWriter, r *http.Request) error {
	if a.o.Models == nil {
		return telemetry.Errorf(telemetry.NotFound, "models are not listed here")
	}
	if err := a.counting(); err != nil {
		return err
	}
	q := parseQuery(r.URL.RawQuery)
	if window, ok := q["window"]; ok {
		return windowError(window)
	}
	v, err := a.o.Models(r.Context(), q["service"])
	if err != nil {
		return err
	}
	body, err := encode(v)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, body)
	return nil
}
