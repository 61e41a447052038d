package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"treq/server"
	"treq/server/config"
)

func (p *process) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check a configuration file, show the settings in force",
		Args:  usageArgs(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	check := &cobra.Command{
		Use:   "check FILE",
		Short: "Check a configuration file: key, line and reason of everything wrong",
		Long: `Check reads FILE as serve would in this environment, with the files that it names
for prices, objectives, redaction and TLS, and names the key, the line and the
reason of everything that is wrong. Exit code 0: good; 2: not.`,
		Example: `  treq-telemetry config check treq.yaml`,
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			loaded, err := p.loadSettings(cmd, args[0])
			if err != nil {
				return err
			}
			p.warn(loaded.Warnings)
			if faults := server.FileFaults(loaded.Config); len(faults) > 0 {
				var problems config.Problems
				for _, key := range slices.Sorted(maps.Keys(faults)) {
					problems = append(problems, config.Problem{Origin: loaded.Origins[key], Key: key, Reason: faults[key].Error()})
				}
				return usageError{problems}
			}
			fmt.Fprintf(p.stdout, "%s: good\n", args[0])
			return nil
		},
	}
	show := &cobra.Command{
		Use:   "show",
		Short: "Show the settings in force and where each comes from; secrets are hidden",
		Long: `Show takes the flags of serve and writes the settings that serve would use as a
YAML file, with the flag, the variable or the line that each comes from.`,
		Example: `  treq-telemetry config show --config treq.yaml
  TREQ_LISTEN=:9000 treq-telemetry config show`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := p.loadSettings(cmd, "")
			if err != nil {
				return err
			}
			p.warn(loaded.Warnings)
			return loaded.Show(p.stdout)
		},
	}
	addSettingFlags(show)
	cmd.AddCommand(check, show)
	return cmd
}

func (p *process) warn(warnings []string) {
	for _, w := range warnings {
		fmt.Fprintln(p.stderr, "warning:", w)
	}
}
