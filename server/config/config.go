// Package config gathers the settings of one process from flags, the
// environment, one YAML file and defaults, in that order of precedence, checks
// them, and shows where each came from.
//
// The struct tags of Config are the keys of the file; the table in settings.go
// gives each key its flag, its environment variable and its line in
// docs/configuration.md. A key without a line in the table, or the reverse,
// fails a test.
package config

import (
	"net"
	"time"

	"treq/telemetry"
	"treq/telemetry/export"
	"treq/telemetry/instrument"
)

// Config is what a person can set, complete and checked once Load has returned
// it. It is a value: whoever gets a copy owns it.
type Config struct {
	// Listen is the one port: all of HTTP, and OTLP/gRPC over cleartext HTTP/2.
	Listen Address `yaml:"listen"`
	OTLP   OTLP    `yaml:"otlp"`
	// DataDir holds the journal, the checkpoint and the sinks' positions. One
	// process at a time.
	DataDir string `yaml:"data_dir"`
	// Ack is when a request is answered.
	Ack     Ack     `yaml:"ack"`
	Journal Journal `yaml:"journal"`
	Chats   Chats   `yaml:"chats"`
	// Families sorts model names for the documented counts; the first match wins.
	Families  []Family  `yaml:"families"`
	Retrieval Retrieval `yaml:"retrieval"`
	Prices    Prices    `yaml:"prices"`
	Currency  Currency  `yaml:"currency"`
	// Semconv chooses how /metrics calls what it tells of model calls.
	Semconv Semconv `yaml:"semconv"`
	History History `yaml:"history"`
	// Scope says whose numbers the documents show; Fleet is about the other replicas.
	Scope Scope `yaml:"scope"`
	Fleet Fleet `yaml:"fleet"`
	// Objectives are the targets and alerts that are evaluated over the history.
	Objectives Objectives `yaml:"objectives"`
	// Sinks are the ones of the file, then the ones of the environment.
	Sinks []export.Config `yaml:"sinks"`
	// Redact takes out what belongs in no log.
	Redact Redact `yaml:"redact"`
	// Notifications deliver alerts.
	Notifications Notifications `yaml:"notifications"`
	Tokens        Tokens        `yaml:"tokens"`
	// RequireAuth asks for a token wherever one can be asked for, for the numbers
	// too, and refuses to start where other machines can come in and there is none.
	RequireAuth bool `yaml:"require_auth"`
	TLS         TLS  `yaml:"tls"`
	// CORSOrigins may read answers in a browser and send state-changing requests.
	CORSOrigins []string `yaml:"cors_origins"`
	// AllowedHosts are the host names answered on the one port; empty means the
	// rule of docs/api.md, section 3.
	AllowedHosts []string `yaml:"allowed_hosts"`
	Limits       Limits   `yaml:"limits"`
	Runs         Runs     `yaml:"runs"`
	Debug        Debug    `yaml:"debug"`
	Log          Log      `yaml:"log"`
}

// OTLP is where the standard ports listen.
type OTLP struct {
	HTTP Address `yaml:"http"`
	GRPC Address `yaml:"grpc"`
}

// Journal bounds what is kept on disk (docs/architecture.md, section 1).
type Journal struct {
	// Keep is how long segments stay at least, while bytes allow.
	Keep Duration `yaml:"keep"`
	// MaxAge is how long they stay at most.
	MaxAge Duration `yaml:"max_age"`
	// MaxBytes is the most the segments take; 0 is 20 % of the disk, at most 10 GiB.
	MaxBytes Size `yaml:"max_bytes"`
	// SegmentBytes ends a segment.
	SegmentBytes Size `yaml:"segment_bytes"`
	// PrepareRate is how many bytes may come in a second for the next segment to be
	// prepared; 0: it never is.
	PrepareRate Size `yaml:"prepare_rate"`
	// LockWait is how long a start waits for the process before it to let go of
	// the data directory.
	LockWait Duration `yaml:"lock_wait"`
}

// Limits bound what one client can make the process hold.
type Limits struct {
	// MaxRequestBytes is the most one request may have, decompressed.
	MaxRequestBytes Size `yaml:"max_request_bytes"`
	// MaxInFlightBytes is the most all requests being received may hold together.
	MaxInFlightBytes Size `yaml:"max_in_flight_bytes"`
	// TokenBytesPerSecond is how many bytes each token may send in a second, over ten
	// of them; 0 is no limit.
	TokenBytesPerSecond Size `yaml:"token_bytes_per_second"`
	// MaxConnections is the most connections that are open at once, on all doors together.
	MaxConnections int `yaml:"max_connections"`
}

// Tokens are what callers show. Empty lists ask for nothing.
type Tokens struct {
	// Ingest lets telemetry in: as Authorization: Bearer or x-api-key.
	Ingest []telemetry.Secret `yaml:"ingest"`
	// API lets its bearer read runs, and do nothing else: shown in the same way.
	API []telemetry.Secret `yaml:"api"`
	// Admin lets its bearer do everything.
	Admin []telemetry.Secret `yaml:"admin"`
}

// TLS is how all doors prove who they are, and who may come in. Without files
// they speak clear text. The files are read again when they change.
type TLS struct {
	// Cert and Key are PEM files: the certificate with its chain, and its key.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// ClientCA is a PEM file of authorities; with it only clients with a
	// certificate of theirs get a connection.
	ClientCA string `yaml:"client_ca"`
}

// On tells whether the doors speak TLS.
func (t TLS) On() bool { return t.Cert != "" }

// Debug is for those who look into the process.
type Debug struct {
	// Listen answers Go's profiles, on this machine only.
	Listen Address `yaml:"listen"`
}

// Log is how the process reports on itself, on standard error.
type Log struct {
	Format LogFormat `yaml:"format"`
	Level  LogLevel  `yaml:"level"`
}

// Defaults gives the settings of a process that was told nothing.
func Defaults() Config {
	return Config{
		Listen:  Address{HostPort: "127.0.0.1:8002"},
		DataDir: "./data",
		Ack:     AckFsync,
		Journal: Journal{
			Keep:         Duration(24 * time.Hour),
			MaxAge:       Duration(7 * 24 * time.Hour),
			SegmentBytes: 64 << 20,
			PrepareRate:  48 << 20,
			LockWait:     Duration(30 * time.Second),
		},
		Chats:         defaultChats(),
		Families:      defaultFamilies(),
		Retrieval:     Retrieval{Threshold: instrument.DefaultThreshold},
		Currency:      Currency{Code: USD, USDRate: 1},
		Semconv:       SemconvReleased,
		History:       defaultHistory(),
		Scope:         ScopeInstance,
		Fleet:         defaultFleet(),
		Objectives:    defaultObjectives(),
		Sinks:         []export.Config{},
		Redact:        defaultRedact(),
		Notifications: defaultNotifications(),
		Tokens:        Tokens{Ingest: []telemetry.Secret{}, API: []telemetry.Secret{}, Admin: []telemetry.Secret{}},
		CORSOrigins:   []string{},
		AllowedHosts:  []string{},
		Runs:          defaultRuns(),
		Limits:        Limits{MaxRequestBytes: 64 << 20, MaxInFlightBytes: 192 << 20, MaxConnections: 4096},
		Log:           Log{Format: LogAuto, Level: LogInfo},
	}
}

// The standard ports of OTLP, used on the host of Listen when nothing else is said.
const (
	portOTLPHTTP = "4318"
	portOTLPGRPC = "4317"
)

// derive fills in what depends on other settings: the standard ports take the
// host of the one port.
func (c *Config) derive(set func(key string) bool) {
	host, _, err := net.SplitHostPort(c.Listen.HostPort)
	if err != nil {
		return // Validate names it
	}
	if !set("otlp.http") {
		c.OTLP.HTTP = Address{HostPort: net.JoinHostPort(host, portOTLPHTTP)}
	}
	if !set("otlp.grpc") {
		c.OTLP.GRPC = Address{HostPort: net.JoinHostPort(host, portOTLPGRPC)}
	}
}

// Exposed tells whether some address can be reached from another machine.
func (c *Config) Exposed() bool {
	for _, a := range []Address{c.Listen, c.OTLP.HTTP, c.OTLP.GRPC} {
		if !a.Off() && !a.Loopback() {
			return true
		}
	}
	return false
}
