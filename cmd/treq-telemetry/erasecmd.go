package main

import (
	"errors"

	"github.com/spf13/cobra"

	"treq/telemetry"
	"treq/terminal"
)

func (p *process) eraseCommand() *cobra.Command {
	var address, token, run, user string
	cmd := &cobra.Command{
		Use:   "erase (--run ID | --user ID)",
		Short: "Erase what one run or all runs of a user say (LGPD)",
		Long: `Erase has a running service overwrite what the spans of a run say, or of every run
in which a user is named: questions, answers, documents, comments, names. It does so
in the journal, in what is made of it, and in the dead letters of sinks. Numbers stay,
and so does what was counted. It does not reach what was forwarded: erase it there too.

It needs a token of the scope admin.`,
		Example: `  treq-telemetry erase --user maria@example.com
  treq-telemetry erase --run 00000000-0000-0000-dfd2-f442bb2a5fb9`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (run == "") == (user == "") {
				return usageError{errors.New("say what is to be erased: either --run or --user")}
			}
			if address == "" {
				address = p.env("TREQ_URL")
			}
			if address == "" {
				address = "http://localhost:8002"
			}
			if token == "" {
				token = p.env("TREQ_ADMIN_TOKEN")
			}
			c, err := terminal.NewClient(address, telemetry.NewSecret(firstOf(token)))
			if err != nil {
				return usageError{err}
			}
			defer c.Close()
			return terminal.Erase(cmd.Context(), c, p.screen(), run, user, p.stdout)
		},
	}
	cmd.Flags().StringVar(&address, "url", "", "the service's `URL`; environment TREQ_URL (default \"http://localhost:8002\")")
	cmd.Flags().StringVar(&token, "admin-token", "", "`token` of the scope admin; environment TREQ_ADMIN_TOKEN, of several the first")
	cmd.Flags().StringVar(&run, "run", "", "the run's `ID`: LangSmith's, its trace's or one of its spans'")
	cmd.Flags().StringVar(&user, "user", "", "the user's `ID` as spans name it; also that of a conversation")
	return cmd
}
