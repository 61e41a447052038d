package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"treq/demo"
	"treq/telemetry"
)

func (p *process) demoCommand() *cobra.Command {
	o := demo.Options{Out: p.stdout, Live: onTerminal(p.stdout)}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Send realistic RAG chat traffic",
		Long: `Demo plays the backend of a RAG chat and sends its traces and process metrics
over OTLP, with the exporters of the OpenTelemetry SDK: questions in Portuguese,
searches (some empty, some cached), embeddings, calls to three models, streams,
a fallback, and about 3 % failures. What it prints at the end is what a service
that received nothing else shows.`,
		Example: `  treq-telemetry demo
  treq-telemetry demo --rate 50 --duration 1m
  treq-telemetry demo --endpoint http://localhost:4317 --protocol grpc --chats 1000`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			first, _, _ := strings.Cut(p.env("TREQ_INGEST_TOKEN"), ",")
			o.Token = telemetry.NewSecret(strings.TrimSpace(first))
			if t, _ := cmd.Flags().GetString("ingest-token"); t != "" {
				o.Token = telemetry.NewSecret(t)
			}
			if err := o.Validate(); err != nil {
				return usageError{err}
			}
			return p.demo(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.Endpoint, "endpoint", "http://localhost:8002", "`URL` of the service")
	flags.StringVar(&o.Protocol, "protocol", demo.HTTP, "http or grpc")
	flags.Float64Var(&o.Rate, "rate", 5, "`chats` a second")
	flags.DurationVar(&o.Duration, "duration", 0, "end after this `time`; 0 goes on until stopped")
	flags.IntVar(&o.Chats, "chats", 0, "end after this `number` of chats; 0 goes on until stopped")
	flags.Uint64Var(&o.Seed, "seed", 1, "the same `number` gives the same chats")
	flags.String("ingest-token", "", "`token` to show; environment TREQ_INGEST_TOKEN, of several the first")
	return cmd
}

// demo runs the traffic until the first signal; a second one ends the process.
func (p *process) demo(ctx context.Context, o demo.Options) error {
	signals := listen(ctx)
	defer signals.close()
	go signals.each(nil, nil)
	fmt.Fprintf(p.stdout, "Sending %g chats a second to %s; Ctrl-C ends it.\n"+
		"A chat counts some seconds later, when its trace is complete: see %[2]s/monitoring/stats/summary\n", o.Rate, o.Endpoint)
	done := make(chan error, 1)
	go func() {
		_, err := demo.Run(signals.quit, o)
		done <- err
	}()
	select {
	case err := <-done:
		if errors.Is(err, demo.ErrNothingDelivered) {
			return fmt.Errorf("%w\nIs the service running? Start it with: treq-telemetry", err)
		}
		return err
	case <-signals.forced.Done():
		return errors.New("ended at once by a second signal: the last chats may be missing")
	}
}
