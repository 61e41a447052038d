package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"treq/server"
	"treq/telemetry"
)

const receiverFlag = "receiver"

func (p *process) alertCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "alert",
		Short: "Try out how alerts are delivered",
		Args:  usageArgs(cobra.NoArgs),
	}
	cmd.AddCommand(p.sendTestCommand())
	return cmd
}

func (p *process) sendTestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "send-test",
		Short: "Send a test message to every receiver and show what each answers",
		Long: `Send-test sends one message that is marked as a test to each receiver of the
settings, whatever the routes and quiet hours say, and prints what it answered.
It needs no running service. The exit code is 1 when a receiver did not take it.`,
		Example: `  treq-telemetry alert send-test --config treq.yaml --receiver team`,
		Args:    usageArgs(cobra.NoArgs),
	}
	addSettingFlags(cmd, "notifications-language", "notifications-time-zone", "notifications-external-url")
	cmd.Flags().String(receiverFlag, "", "`name` of the only receiver to try")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		loaded, err := p.loadSettings(cmd, "")
		if err != nil {
			return err
		}
		name, _ := cmd.Flags().GetString(receiverFlag)
		if len(loaded.Config.Notifications.Receivers) == 0 {
			return usageError{telemetry.Errorf(telemetry.NotFound, "there are no receivers: write some into notifications.receivers of the file that --config names")}
		}
		sampled, err := server.SendSamples(cmd.Context(), loaded.Config, name, buildVersion().Version)
		if telemetry.KindOf(err) == telemetry.NotFound && err != nil {
			return usageError{err}
		}
		if err != nil {
			return err
		}
		var failures int
		err = columns(p.stdout, func(w io.Writer) {
			fmt.Fprintln(w, "RECEIVER\tKIND\tTAKEN\tANSWER")
			for _, s := range sampled {
				taken, answer := "yes", s.Answer
				if s.Err != nil {
					failures++
					taken = "no"
					if answer == "" {
						answer = s.Err.Error()
					}
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Receiver, s.Kind, taken, answer)
			}
		})
		if err == nil && failures > 0 {
			err = fmt.Errorf("%d of %d receivers did not take the test message", failures, len(sampled))
		}
		return err
	}
	return cmd
}
