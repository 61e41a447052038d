package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"treq/server"
	"treq/telemetry"
)

var errNotTaken = errors.New("not every sink took its trace")

func (p *process) sinksCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sinks",
		Short: "Ask the sinks that traces are forwarded to",
		Args:  usageArgs(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	test := &cobra.Command{
		Use:   "test [NAME...]",
		Short: "Send one marked trace to each sink and say what it answered",
		Long: `Test reads the settings as serve would, sends one trace of one span, named
"treq-telemetry sinks test", to each sink or to those of these names, and writes
what each answered. A LangSmith sink is asked twice: with a span and with a run.
It needs no running service. Exit code 0: all took it; 1: not.`,
		Example: `  treq-telemetry sinks test --config treq.yaml
  treq-telemetry sinks test langfuse --config treq.yaml`,
	}
	addSettingFlags(test)
	test.RunE = func(cmd *cobra.Command, names []string) error {
		loaded, err := p.loadSettings(cmd, "")
		if err != nil {
			return err
		}
		p.warn(loaded.Warnings)
		answers, err := server.TestSinks(cmd.Context(), loaded.Config, buildVersion().Version, names...)
		taken := true
		for _, a := range answers {
			verdict := "taken"
			if !a.Taken {
				verdict, taken = "NOT TAKEN", false
			}
			fmt.Fprintf(p.stdout, "%s (%s, %s) %s: %s in %s\n  %s\n  trace %s\n",
				a.Sink, a.Profile, a.Protocol, verdict, a.Said, a.Took.Round(time.Millisecond), a.Endpoint, a.Trace)
		}
		switch {
		case telemetry.KindOf(err) == telemetry.Unprocessable && len(answers) == 0:
			return usageError{err}
		case err != nil:
			return err
		case !taken:
			return errNotTaken
		}
		return nil
	}
	cmd.AddCommand(test)
	return cmd
}
