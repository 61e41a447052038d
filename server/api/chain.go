package api

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"treq/server/fault"
	"treq/telemetry"
)

// Handler gives the handler of the one port: the host is checked, then the
// origin, then the request goes to the OTLP doors or to its route.
func (a *API) Handler() http.Handler {
	guarded := a.origins.guard(http.HandlerFunc(a.route))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Content-Type-Options"] = nosniff
		if !a.o.Hosts.Serves(r.Host) {
			fault.WriteProblem(w, telemetry.Errorf(telemetry.Misdirected,
				"the host %q is not served here; use localhost or an address, or allow it with --allowed-hosts", r.Host))
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// nosniff is shared by all answers and never changed.
var nosniff = []string{"nosniff"}

func (a *API) route(w http.ResponseWriter, r *http.Request) {
	switch {
	case a.o.GRPC != nil && r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc"):
		a.o.GRPC.ServeHTTP(w, r)
	case a.o.OTLP != nil && a.o.IsOTLP(r):
		a.o.OTLP.ServeHTTP(w, r)
	default:
		a.mux.ServeHTTP(w, r)
	}
}

// Hosts decides which names of this process are served, against DNS rebinding:
// a page of a stranger whose name resolves here must not read what a browser
// on this machine can reach. Addresses cannot be rebound. The zero value serves all names.
type Hosts struct {
	// Loopback serves localhost, *.localhost and addresses only.
	Loopback bool
	// Allowed serves these names too, and, beyond loopback, no others. "*.example.com"
	// stands for every name below it, "*" for all.
	Allowed []string
}

// Serves tells whether requests for host, with or without a port, are answered.
func (h Hosts) Serves(host string) bool {
	if (!h.Loopback && len(h.Allowed) == 0) || host == "" {
		return true
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(strings.SplitN(host, "%", 2)[0]) != nil {
		return true
	}
	return slices.ContainsFunc(h.Allowed, func(allowed string) bool {
		allowed = strings.ToLower(allowed)
		below, isBelow := strings.CutPrefix(allowed, "*.")
		return allowed == "*" || allowed == host || isBelow && strings.HasSuffix(host, "."+below)
	})
}

// origins lets pages of some origins read answers and change state.
type origins struct {
	any     bool
	allowed map[string]bool
	cross   *http.CrossOriginProtection
}

func newOrigins(list []string) (*origins, error) {
	o := &origins{allowed: map[string]bool{}, cross: http.NewCrossOriginProtection()}
	for _, origin := range list {
		origin = strings.TrimSuffix(strings.TrimSpace(origin), "/")
		if origin == "" {
			continue
		}
		if origin == "*" {
			o.any = true
			continue
		}
		if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" {
			return nil, fmt.Errorf("origin %q is not of the form scheme://host:port", origin)
		}
		if err := o.cross.AddTrustedOrigin(origin); err != nil {
			return nil, err
		}
		o.allowed[origin] = true
	}
	return o, nil
}

// CORS lets pages of these origins use next: for a door that has no API around
// it. It fails on an origin that is none.
func CORS(list []string, next http.Handler) (http.Handler, error) {
	o, err := newOrigins(list)
	if err != nil {
		return nil, err
	}
	return o.guard(next), nil
}

var errOrigin = errors.New("origin refused")

// guard answers preflights, tells browsers which origins may read, and refuses
// state-changing requests of pages of other origins.
func (o *origins) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if origin := r.Header.Get("Origin"); origin != "" {
			if done := o.cors(w, r, origin); done {
				return
			}
		}
		if err := o.cross.Check(r); err != nil {
			fault.WriteProblem(w, &telemetry.Error{
				Kind: telemetry.Forbidden, Err: errOrigin,
				Message: "a page of another origin may not change anything here; name its origin in CORS_ORIGINS",
			})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// cors sets the headers for an origin, and tells whether it has answered.
func (o *origins) cors(w http.ResponseWriter, r *http.Request, origin string) bool {
	h := w.Header()
	h.Add("Vary", "Origin")
	allowed := o.allowed[origin]
	switch {
	case allowed:
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
	case o.any:
		h.Set("Access-Control-Allow-Origin", "*")
	}
	wanted := r.Header.Get("Access-Control-Request-Method")
	if r.Method != http.MethodOptions || wanted == "" {
		if allowed || o.any {
			h.Set("Access-Control-Expose-Headers", "ETag, Retry-After")
		}
		return false
	}
	if !allowed && !(o.any && (wanted == http.MethodGet || wanted == http.MethodHead)) {
		fault.WriteProblem(w, telemetry.Errorf(telemetry.Forbidden, "the origin %q is not in CORS_ORIGINS", origin))
		return true
	}
	h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST")
	if headers := r.Header.Get("Access-Control-Request-Headers"); headers != "" {
		h.Set("Access-Control-Allow-Headers", headers)
	}
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}
