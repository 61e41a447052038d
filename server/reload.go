package server

import (
	"slices"
	"sync/atomic"
	"time"

	"treq/server/access"
	"treq/server/config"
)

// reloadable are the settings that a running process takes; the others need a
// restart. log.level is the logger's owner's to change.
var reloadable = map[string]func(to, from *config.Config){
	"tokens.ingest":              func(to, from *config.Config) { to.Tokens.Ingest = from.Tokens.Ingest },
	"tokens.api":                 func(to, from *config.Config) { to.Tokens.API = from.Tokens.API },
	"tokens.admin":               func(to, from *config.Config) { to.Tokens.Admin = from.Tokens.Admin },
	"require_auth":               func(to, from *config.Config) { to.RequireAuth = from.RequireAuth },
	"tls.cert":                   func(to, from *config.Config) { to.TLS.Cert = from.TLS.Cert },
	"tls.key":                    func(to, from *config.Config) { to.TLS.Key = from.TLS.Key },
	"tls.client_ca":              func(to, from *config.Config) { to.TLS.ClientCA = from.TLS.ClientCA },
	"cors_origins":               func(to, from *config.Config) { to.CORSOrigins = from.CORSOrigins },
	"allowed_hosts":              func(to, from *config.Config) { to.AllowedHosts = from.AllowedHosts },
	"limits.max_request_bytes":   func(to, from *config.Config) { to.Limits.MaxRequestBytes = from.Limits.MaxRequestBytes },
	"limits.max_in_flight_bytes": func(to, from *config.Config) { to.Limits.MaxInFlightBytes = from.Limits.MaxInFlightBytes },
	"limits.token_bytes_per_second": func(to, from *config.Config) {
		to.Limits.TokenBytesPerSecond = from.Limits.TokenBytesPerSecond
	},
	"limits.max_connections": func(to, from *config.Config) { to.Limits.MaxConnections = from.Limits.MaxConnections },
	"objectives.file":        func(to, from *config.Config) { to.Objectives.File = from.Objectives.File },
	"log.level":              func(to, from *config.Config) { to.Log.Level = from.Log.Level },
}

// reloads is how reading the settings again went.
type reloads struct {
	failed  atomic.Bool
	success atomic.Int64 // Unix time in seconds; the start is the first
}

// Reload reads the settings again with load and takes over what a running process
// can, without closing a door or a connection. It gives the keys that changed and
// are in force, and those that differ and need a restart. After an error
// everything is as it was. Only after Start; calls must not overlap.
func (s *Server) Reload(load func() (config.Config, error)) (taken, restart []string, err error) {
	defer func() {
		s.reloads.failed.Store(err != nil)
		if err == nil {
			s.reloads.success.Store(time.Now().Unix())
		}
	}()
	next, err := load()
	if err != nil {
		return nil, nil, err
	}
	now := s.inForce
	for _, key := range config.Differences(s.inForce, next) {
		set, can := reloadable[key]
		if !can || s.certificates == nil && slices.Contains(tlsKeys, key) || s.certificates != nil && !next.TLS.On() && slices.Contains(tlsKeys, key) {
			restart = append(restart, key)
			continue
		}
		set(&now, &next)
		taken = append(taken, key)
	}
	if next.Prices.File != "" && !slices.Contains(restart, "prices.file") {
		// The file may say something else under its old name.
		book, err := OpenPrices(next.Prices.File)
		if err != nil {
			return nil, nil, err
		}
		if book.Version() != s.prices {
			restart = append(restart, "prices.file")
		}
	}
	return taken, restart, s.take(now)
}

// tlsKeys cannot be turned on or off while doors are open.
var tlsKeys = []string{"tls.cert", "tls.key", "tls.client_ca"}

// take puts settings in force: first what can fail, then what cannot.
func (s *Server) take(c config.Config) error {
	h, err := s.built.handlers(s, c, access.New(callers(c)...))
	if err != nil {
		return err
	}
	// What the file says may have changed where its name has not.
	objectives, err := OpenObjectives(c.Objectives.File)
	if err != nil {
		return err
	}
	if s.certificates != nil {
		if err := s.certificates.replace(c.TLS); err != nil {
			return err
		}
	}
	if err := s.built.replaceObjectives(objectives); err != nil {
		return err
	}
	s.tokens.Replace(callers(c)...)
	s.gate.limit(c.Limits.MaxConnections)
	s.built.ingest.Limit(int64(c.Limits.MaxRequestBytes), int64(c.Limits.MaxInFlightBytes))
	if c.Limits.TokenBytesPerSecond != s.inForce.Limits.TokenBytesPerSecond {
		s.built.ingest.Quota(int64(c.Limits.TokenBytesPerSecond))
	}
	s.doors.serve(h)
	s.inForce = c
	return nil
}

// callers are the tokens with what they open.
func callers(c config.Config) []access.Token {
	return slices.Concat(
		access.List(access.Ingest, c.Tokens.Ingest...),
		access.List(access.Read, c.Tokens.API...),
		access.List(access.Admin, c.Tokens.Admin...),
	)
}
