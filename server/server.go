// Package server is the process: it wires journal, meter, sinks and doors
// together, starts them from the far end to the doors and stops them the other
// way round (docs/architecture.md, section 8).
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"treq/server/access"
	"treq/server/config"
)

// The parts of a stop. Together they stay below the time that a stop may take:
// 10 s, and 30 s where acknowledged data does not outlive the process's storage,
// so that sinks get what there is.
const (
	finishRequests = 3 * time.Second
	finishSinks    = 4 * time.Second
	finishFeedback = time.Second
	stopWithin     = 10 * time.Second

	finishNotifications = time.Second

	finishVolatileSinks = 23 * time.Second
	stopVolatileWithin  = 30 * time.Second
)

// Server is one process of the product on one data directory. Make it with New,
// then Start it once; Stop may be called any time, any number of times.
type Server struct {
	config  config.Config
	log     *slog.Logger
	version string
	started time.Time

	listeners listeners
	doors     *doors
	gate      *gate
	tokens    *access.Tokens
	// certificates are nil where the doors speak clear text.
	certificates *certificates
	debug        net.Listener // nil where profiles are off
	reloads      reloads
	prices       string // version of the book in force
	redaction    redaction
	inForce      config.Config // config, and what was reloaded since

	notices  []string // of the start; not changed once the doors serve
	volatile bool     // the data directory does not outlive the machine or container

	start context.Context // ends a start that waits
	built *parts          // nil before Start

	mu       sync.Mutex
	teardown []step
	stopOnce sync.Once
	stopErr  error
}

// step undoes a part of the start. Steps run in reverse order of the start.
type step struct {
	name string
	undo func(ctx context.Context) error
}

// New binds the addresses, so that Addr tells them, and answers probes from then
// on; everything else answers 503 until Start is done. ctx ends a Start that
// waits for the data directory.
func New(ctx context.Context, c config.Config, log *slog.Logger, version string) (*Server, error) {
	s := &Server{
		config: c, inForce: c, log: log, version: version, started: time.Now(), start: ctx,
		gate: newGate(c.Limits.MaxConnections), tokens: access.New(callers(c)...),
	}
	s.reloads.success.Store(s.started.Unix())
	var err error
	if c.TLS.On() {
		if s.certificates, err = newCertificates(c.TLS, log); err != nil {
			return nil, err
		}
	}
	if s.listeners, err = listen(c, log); err != nil {
		return nil, err
	}
	s.doors = openDoors(s.listeners, s.gate, s.certificates, log)
	if err := s.openDebug(); err != nil {
		_ = s.Stop(ctx)
		return nil, err
	}
	return s, nil
}

// Start opens the data directory, waiting for a process that still holds it as
// long as the configuration says, and opens the doors for data. It returns when
// ingest is accepted; what the journal holds is counted behind it, and until
// then the documents answer 503. After an error the caller still calls Stop.
func (s *Server) Start() error {
	p, err := s.build(s.start)
	if err != nil {
		return err
	}
	handlers, err := p.handlers(s, s.config, s.tokens)
	if err != nil {
		return err
	}
	s.built = p
	s.doors.serve(handlers)
	return nil
}

// Addr gives the bound address of the one port, of OTLP/HTTP and of OTLP/gRPC;
// "" for a door that is off.
func (s *Server) Addr() (one, otlpHTTP, otlpGRPC string) {
	addr := func(l net.Listener) string {
		if l == nil {
			return ""
		}
		return l.Addr().String()
	}
	return addr(s.listeners.one), addr(s.listeners.otlpHTTP), addr(s.listeners.otlpGRPC)
}

// StopWithin is how long a Stop takes at most: 10 s, and 30 s when the data
// directory lies in memory or in a container's own layer.
func (s *Server) StopWithin() time.Duration {
	if s.volatile {
		return stopVolatileWithin
	}
	return stopWithin
}

// Stop closes the doors, finishes requests in flight, counts what is durable,
// writes a last checkpoint, gives sinks a short chance and lets go of the data
// directory. It returns within StopWithin whatever a sink does, sooner if ctx ends; a
// part that did not end in time is named in the error. Later calls give the
// first one's error.
func (s *Server) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() {
		s.mu.Lock()
		steps := s.teardown
		s.mu.Unlock()
		var errs []error
		if err := s.doors.close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop doors: %w", err))
		}
		for i := len(steps) - 1; i >= 0; i-- {
			if err := steps[i].undo(ctx); err != nil {
				errs = append(errs, fmt.Errorf("stop %s: %w", steps[i].name, err))
			}
		}
		s.stopErr = errors.Join(errs...)
	})
	return s.stopErr
}

func (s *Server) onStop(name string, undo func(context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.teardown = append(s.teardown, step{name, undo})
}
