package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"treq/server/api"
)

// openDebug answers Go's profiles on their own address, which configuration
// keeps on loopback. The command line is not among them: it may hold tokens.
func (s *Server) openDebug() error {
	a := s.config.Debug.Listen
	if a.Off() {
		return nil
	}
	l, err := net.Listen("tcp", a.HostPort)
	if err != nil {
		return fmt.Errorf("debug.listen: %w", err)
	}
	server := &http.Server{Handler: profiles(), ReadTimeout: 10 * time.Second, IdleTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10}
	s.debug = l
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("the profiles' address closed by itself", "address", l.Addr().String(), "error", err)
		}
	}()
	s.onStop("profiles", func(context.Context) error {
		defer func() { <-done }()
		return server.Close()
	})
	s.log.Info("profiles are answered", "address", "http://"+l.Addr().String()+"/debug/pprof/")
	return nil
}

// profiles serves requests for this machine by name or address only, as a page of
// a stranger must not read them (DNS rebinding).
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", http.NotFound)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	local := api.Hosts{Loopback: true}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if !local.Serves(r.Host) || r.Header.Get("Origin") != "" {
			http.Error(w, "profiles are for this machine", http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
