package api

import "net/http"

// fleetRoutes are the addresses of a fleet, none where the numbers are one replica's.
func (a *API) fleetRoutes() []Route {
	if a.o.Fleet == nil {
		return nil
	}
	return []Route{{"GET", "/monitoring/fleet", "the replicas that are counted together, and what of their sum is not exact", a.fleet}}
}

// fleet answers who is counted together with this replica.
func (a *API) fleet(w http.ResponseWriter, r *http.Request) error {
	v, err := a.o.Fleet(r.Context())
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, v)
}
