package main

import (
	"context"
	"errors"
	"log/slog"
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

SIGTERM or SIGINT stops within 10 s; a second one at once. Exit codes: 0 a clean
stop, 1 a failure, 2 a mistake in flags or settings.`,
		Example: `  treq-telemetry serve
  treq-telemetry serve --listen :8002 --ingest-token "$TOKEN"
  treq-telemetry serve --otlp-http= --otlp-grpc=        only the one port
  treq-telemetry serve --config treq.yaml --data-dir /var/lib/treq`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
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

// serve runs the product until ctx ends or a signal asks it to stop.
func (p *process) serve(ctx context.Context, loaded config.Loaded, reload func() (config.Loaded, error)) error {
	log := newLogger(p.stderr, loaded.Config.Log)
	for _, w := range loaded.Warnings {
		log.Warn(w)
	}
	signals := listen(ctx)
	defer signals.close()
	go signals.each(func() { reportReload(log, loaded.Config, reload) })

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
	p.announce(loaded, svc, version)
	warnExposed(log, loaded.Config)
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

// reportReload says what a changed file would change. Nothing can change while
// the process runs yet, so each difference is named.
func reportReload(log *slog.Logger, now config.Config, reload func() (config.Loaded, error)) {
	next, err := reload()
	if err != nil {
		log.Error("settings are refused and stay as they were", "problems", err.Error())
		return
	}
	keys := config.Differences(now, next.Config)
	if len(keys) == 0 {
		log.Info("settings are unchanged")
		return
	}
	log.Warn("settings changed that need a restart", "keys", keys)
}

func warnExposed(log *slog.Logger, c config.Config) {
	if c.Exposed() && len(c.Tokens.Ingest) == 0 {
		log.Warn("other machines can reach this process and no ingest token is set: anyone who can may send telemetry; set --ingest-token or TREQ_INGEST_TOKEN")
	}
}
