package api

import (
	"net/http"
	"time"

	"treq/telemetry"
)

// models answers what each model did and cost: ?service= and ?window=
// narrow it.
func (a *API) models(w http.ResponseWriter, r *http.Request) error {
	if a.o.Models == nil {
		return telemetry.Errorf(telemetry.NotFound, "models are not listed here")
	}
	if err := a.counting(); err != nil {
		return err
	}
	n, err := a.narrow(r.Context(), parseQuery(r.URL.RawQuery))
	if err != nil {
		return err
	}
	v, err := a.o.Models(r.Context(), n)
	if err != nil {
		return err
	}
	body, err := encode(v)
	if err != nil {
		return err
	}
	if !n.From.IsZero() {
		w.Header().Set(headerFrom, n.From.UTC().Format(time.RFC3339))
	}
	writeJSON(w, http.StatusOK, body)
	return nil
}
