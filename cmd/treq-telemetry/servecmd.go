package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"treq/server/config"
)

// service is what the command needs of server.Server, so that its tests can see
// signals and failures without a data directory.
type service interface {
	Start() error
	Addr() (listen, otlpHTTP, otlpGRPC string)
	Stop(ctx context.Context) error
	// StopWithin bounds a stop, whatever a sink does (docs/architecture.md, section 8).
	StopWithin() time.Duration
	// Reload takes over what a running process can, all of it or nothing, and
	// names what changed and what needs a restart.
	Reload(load func() (config.Config, error)) (taken, restart []string, err error)
}

// newService makes the product; ctx ends a Start that waits.
type newService func(ctx context.Context, c config.Config, log *slog.Logger, version string) (service, error)

func (p *process) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve (the default)",
		Long: `Serve receives telemetry, answers with its numbers and forwards traces.

Every setting is a flag, an environment variable TREQ_… or a key of the YAML file,
in that order of precedence; docs/configuration.md lists them. LangSmith's and
OpenTelemetry's own variables (LANGSMITH_API_KEY, OTEL_EXPORTER_OTLP_ENDPOINT, …)
each make a sink.

SIGHUP, or a change of the file, reads the settings again: tokens, certificates,
origins, hosts, limits, objectives and the log level change at once, the rest is
named as needing a restart, and a file with a mistake changes nothing.

SIGTERM or SIGINT stops within 10 s, or 30 s with a data directory in memory or in
a container's own layer; a second one at once. Exit codes: 0 a clean stop, 1 a
failure, 2 a mistake in flags or settings.`,
		Example: `  treq-telemetry serve
  treq-telemetry serve --listen :8002 --ingest-token "$TOKEN"
  treq-telemetry serve --otlp-http= --otlp-grpc=        only the one port
  treq-telemetry serve --config treq.yaml --data-dir /var/lib/treq`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			keepPrivate()
			loaded, err := p.loadSettings(cmd, "")
			if err != nil {
				return err
			}
			return p.serve(cmd.Context(), loaded, func() (config.Loaded, error) { return p.loadSettings(cmd, "") })
		},
	}
	addSettingFlags(cmd)
	return cmd
}

var errForced = errors.New("stopped at once by a second signal: the last seconds are replayed at the next start")

// softMemory is where the garbage collector begins to work harder. Requests of up
// to 64 MiB come and go: left alone, their garbage doubles what the process holds.
const softMemory = 192 << 20

// limitMemory leaves the limit to GOMEMLIMIT where that is set.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
}

// headroom is how much garbage may lie on the heap, in hundredths of what lives. What
// lives long is tables of fixed bounds, and little garbage is made: a fifth of the usual
// headroom costs two hundredths of the time, and saves half the memory.
const headroom = 20

// forgetGarbage leaves little room to garbage from now on, where GOGC says nothing. A
// start makes much of it and keeps little: collected this often, it took twice as long.
func forgetGarbage() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(headroom)
		debug.FreeOSMemory()
	}
}

// serve runs the product until ctx ends or a signal asks it to stop.
func (p *process) serve(ctx context.Context, loaded config.Loaded, reload func() (config.Loaded, error)) error {
	limitMemory()
	level := &slog.LevelVar{}
	level.Set(loaded.Config.Log.Level.Slog())
	log := newLogger(p.stderr, loaded.Config.Log.Format, level)
	for _, w := range loaded.Warnings {
		log.Warn(w)
	}
	signals := listen(ctx)
	defer signals.close()
	watching := watch(loaded.File, log)
	defer watching.close()
	started := make(chan *reloader, 1)
	go signals.each(watching.changed, started)

	version := buildVersion().Version
	svc, err := p.newService(signals.quit, loaded.Config, log, version)
	if err != nil {
		return err
	}
	if err := svc.Start(); err != nil {
		stopped := p.stop(signals, svc)
		if signals.quit.Err() != nil {
			log.Info("stopped before the start was done", "reason", err)
			return stopped
		}
		return errors.Join(err, stopped)
	}
	started <- &reloader{log: log, level: level, svc: svc, load: reload}
	p.announce(loaded, svc, version)
	warnExposed(log, loaded.Config)
	forgetGarbage()
	forgetStart()
	<-signals.quit.Done()
	log.Info("stopping", "within", svc.StopWithin().String())
	if err := p.stop(signals, svc); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

// stop gives the service its time, less when a second signal comes.
func (p *process) stop(signals *signals, svc service) error {
	ctx, cancel := context.WithTimeout(context.Background(), svc.StopWithin())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- svc.Stop(ctx) }()
	select {
	case err := <-done:
		return err
	case <-signals.forced.Done():
		return errForced
	}
}

func warnExposed(log *slog.Logger, c config.Config) {
	if ingest, _ := c.Tokened(); c.Exposed() && !ingest {
		log.Warn("other machines can reach this process and no ingest token is set: anyone who can may send telemetry; set --ingest-token or TREQ_INGEST_TOKEN, and --require-auth to refuse to start without")
	}
	if c.Exposed() && !c.TLS.On() && (len(c.Tokens.Ingest)+len(c.Tokens.API)+len(c.Tokens.Admin) > 0) {
		log.Warn("other machines can reach this process and show it tokens in clear text; set --tls-cert and --tls-key where no proxy does TLS for it")
	}
}
