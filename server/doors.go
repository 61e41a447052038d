package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"treq/server/fault"
	"treq/server/ingest"
	"treq/telemetry"
)

// handlers answer on the addresses.
type handlers struct{ one, otlpHTTP, otlpGRPC http.Handler }

// doors are the HTTP servers on the bound addresses. Until serve is called they
// answer probes only.
type doors struct {
	current atomic.Pointer[handlers]
	servers []*http.Server
	running sync.WaitGroup
	log     *slog.Logger
	gate    *gate
	// certificates are nil where the doors speak clear text.
	certificates *certificates
	// ending is closed when the doors begin to close.
	ending chan struct{}
}

func openDoors(l listeners, g *gate, certs *certificates, log *slog.Logger) *doors {
	d := &doors{log: log, gate: g, certificates: certs, ending: make(chan struct{})}
	starting := http.HandlerFunc(starting)
	d.current.Store(&handlers{starting, starting, starting})
	d.open(l.one, func(h *handlers) http.Handler { return h.one })
	d.open(l.otlpHTTP, func(h *handlers) http.Handler { return h.otlpHTTP })
	d.open(l.otlpGRPC, func(h *handlers) http.Handler { return h.otlpGRPC })
	return d
}

func (d *doors) open(l net.Listener, which func(*handlers) http.Handler) {
	if l == nil {
		return
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	s := &http.Server{
		Handler: d.gate.guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			which(d.current.Load()).ServeHTTP(w, r)
		})),
		Protocols:   &protocols,
		HTTP2:       ingest.HTTP2(),
		ConnContext: withPlace,
		// A sender that drips costs a connection and a part of the byte budget:
		// neither for long. Bodies have a pace besides.
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       bodyWithin,
		WriteTimeout:      90 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(d.log.Handler(), slog.LevelDebug),
	}
	serve := s.Serve
	if d.certificates != nil {
		protocols.SetHTTP2(true)
		s.TLSConfig = d.certificates.server()
		serve = func(l net.Listener) error { return s.ServeTLS(l, "", "") }
	} else {
		protocols.SetUnencryptedHTTP2(true)
	}
	d.servers = append(d.servers, s)
	l = guarded{l, d.gate}
	d.running.Go(func() {
		if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
			d.log.Error("a door closed by itself", "address", l.Addr().String(), "error", err)
		}
	})
}

// serve opens the doors for data.
func (d *doors) serve(h handlers) { d.current.Store(&h) }

// close stops accepting and lets requests in flight finish for a while.
func (d *doors) close(ctx context.Context) error {
	close(d.ending)
	ctx, cancel := context.WithTimeout(ctx, finishRequests)
	defer cancel()
	errs := make([]error, len(d.servers))
	var closing sync.WaitGroup
	for i, s := range d.servers {
		closing.Go(func() {
			if errs[i] = s.Shutdown(ctx); errs[i] != nil {
				errs[i] = s.Close() // clients that were cut off send again
			}
		})
	}
	closing.Wait()
	d.running.Wait()
	return errors.Join(errs...)
}

// starting answers while the data directory is being opened.
func starting(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz", "/livez":
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("{\"status\":\"ok\"}\n"))
	case "/readyz":
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"status":"not ready","reasons":["the data directory is being opened"]}` + "\n"))
	default:
		// gRPC clients read the HTTP status as UNAVAILABLE.
		if !ingest.IsGRPC(r) && ingest.Serves(r) {
			fault.WriteOTLP(w, errStarting(), r.Header.Get("Content-Type") == "application/json")
			return
		}
		fault.WriteProblem(w, errStarting())
	}
}

func errStarting() error {
	return &telemetry.Error{
		Kind:       telemetry.Unavailable,
		Message:    "starting: the data directory is being opened",
		RetryAfter: time.Second,
	}
}
