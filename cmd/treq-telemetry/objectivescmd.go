package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/spf13/cobra"

	"treq/server"
	"treq/server/alerting"
	"treq/server/config"
	"treq/telemetry/objective"
)

func (p *process) objectivesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "objectives",
		Short: "Check targets and alerts, print them as Prometheus rules, ask the past what they would have said",
		Args:  usageArgs(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	check := &cobra.Command{
		Use:   "check FILE",
		Short: "Check a file of targets and alerts: line, key and reason of everything wrong",
		Long: `Check reads FILE over the objectives of the program and names the line, the key
and the reason of everything that is wrong. Exit code 0: good; 2: not.`,
		Example: `  treq-telemetry objectives check objectives.yaml`,
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			doc, err := objectivesOf(args)
			if err != nil {
				return err
			}
			targets, alerts := enabled(doc)
			fmt.Fprintf(p.stdout, "%s: good; %d targets and %d alerts in force\n", args[0], targets, alerts)
			return nil
		},
	}
	list := &cobra.Command{
		Use:   "defaults",
		Short: "Print the file of the targets and alerts that ship with the program",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, err := p.stdout.Write(objective.BuiltinFile())
			return err
		},
	}
	rules := &cobra.Command{
		Use:   "rules [FILE]",
		Short: "Print the rules as a rule file for a Prometheus server, 2.42 or later",
		Long: `Rules writes the objectives, with FILE over those of the program, as the rule file
of a Prometheus server that scrapes /monitoring/metrics or /metrics. This process
evaluates the same rules; those printed find out by up which series are new, where
its own history has the zero that they began at. The metrics need the names that --semconv=released gives.`,
		Example: `  treq-telemetry objectives rules > treq.rules.yml
  treq-telemetry objectives rules objectives.yaml | promtool check rules /dev/stdin`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := p.objectivesInForce(cmd, args)
			if err != nil {
				return err
			}
			loaded, err := p.loadSettings(cmd, "")
			if err != nil {
				return err
			}
			set, err := doc.Compile(objective.Options{Interval: time.Duration(loaded.Config.Objectives.Interval), Scraped: true})
			if err != nil {
				return err
			}
			file, err := set.File()
			if err != nil {
				return err
			}
			_, err = p.stdout.Write(file)
			return err
		},
	}
	addSettingFlags(rules, "objectives-file", "objectives-interval")
	cmd.AddCommand(check, list, rules, p.objectivesTestCommand())
	return cmd
}

func (p *process) objectivesTestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "test [FILE]",
		Short: "Say which alerts would have fired on stored history, when, and how often they would have flapped",
		Long: `Test evaluates the alerts over what the history holds of the past: in the data
directory, which a running service may hold meanwhile, or at --url, which may be a
running service (http://HOST:8002/prometheus), Prometheus, Mimir, Thanos or
VictoriaMetrics. It changes nothing.

A column says how often the bare condition began to hold: what would have been told
without for, recovery and keep_firing_for.`,
		Example: `  treq-telemetry objectives test objectives.yaml --since 24h
  treq-telemetry objectives test --since 7d --objectives-interval 1m --url http://localhost:8002/prometheus`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := p.objectivesInForce(cmd, args)
			if err != nil {
				return err
			}
			loaded, err := p.loadSettings(cmd, "")
			if err != nil {
				return err
			}
			text, _ := cmd.Flags().GetString(sinceFlag)
			since, err := model.ParseDuration(text)
			if err != nil || since <= 0 {
				return usageError{fmt.Errorf("--%s: want a time such as 6h, 24h or 7d", sinceFlag)}
			}
			c := loaded.Config
			if url, _ := cmd.Flags().GetString("url"); url != "" {
				c.History.URL = url
			}
			// The default of a signal would leave the copies that it works on.
			signals := listen(cmd.Context())
			defer signals.close()
			go signals.each(nil, nil)
			report, err := server.RehearseObjectives(signals.quit, c, doc, time.Duration(since))
			if err != nil {
				return err
			}
			return p.showRehearsal(doc, report)
		},
	}
	addSettingFlags(cmd, "objectives-file", "objectives-interval", "data-dir", "history-token", "history-tls-ca", "history-query-timeout")
	cmd.Flags().String(sinceFlag, "24h", "how far to go back: a `time` such as 6h or 7d")
	cmd.Flags().String("url", "", "`URL` of a server that speaks Prometheus's query API, without /api/v1")
	return cmd
}

// objectivesOf reads the file that a command names, none for no argument.
func objectivesOf(args []string) (*objective.Document, error) {
	doc, err := server.OpenObjectives(strings.Join(args, ""))
	if err != nil {
		// One fault a line, as of settings.
		return nil, usageError{config.Problems{{Reason: err.Error()}}}
	}
	return doc, nil
}

// objectivesInForce reads the file that a command names, else that of the settings.
func (p *process) objectivesInForce(cmd *cobra.Command, args []string) (*objective.Document, error) {
	if len(args) > 0 {
		return objectivesOf(args)
	}
	loaded, err := p.loadSettings(cmd, "")
	if err != nil {
		return nil, err
	}
	return objectivesOf([]string{loaded.Config.Objectives.File})
}

func enabled(doc *objective.Document) (targets, alerts int) {
	for _, t := range doc.Targets {
		if t.Enabled {
			targets++
		}
	}
	for _, a := range doc.Alerts {
		if a.Enabled {
			alerts++
		}
	}
	return targets, alerts
}

// showRehearsal writes what would have fired: each firing, then each rule.
func (p *process) showRehearsal(doc *objective.Document, report alerting.Rehearsed) error {
	const stamp = "2006-01-02 15:04:05"
	firings := map[string]int{}
	err := columns(p.stdout, func(w io.Writer) {
		if len(report.Episodes) > 0 {
			fmt.Fprintln(w, "FROM (UTC)\tUNTIL\tALERT\tSEVERITY\tWHAT")
		}
		for _, e := range report.Episodes {
			firings[e.Rule]++
			until := "still firing"
			if !e.Until.IsZero() {
				until = e.Until.UTC().Format(stamp)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", e.From.UTC().Format(stamp), until, e.Rule, e.Severity, e.Summary.Summary)
		}
	})
	if err != nil {
		return err
	}
	if len(report.Episodes) > 0 {
		fmt.Fprintln(p.stdout)
	}
	err = columns(p.stdout, func(w io.Writer) {
		fmt.Fprintln(w, "ALERT\tFIRED\tCONDITION BEGAN TO HOLD")
		for _, a := range doc.Alerts {
			if a.Enabled {
				fmt.Fprintf(w, "%s\t%d\t%d\n", a.Name, firings[a.Name], report.Crossings[a.Name])
			}
		}
	})
	for _, name := range slices.Sorted(maps.Keys(report.Failing)) {
		fmt.Fprintf(p.stderr, "warning: %s could not be evaluated: %s\n", name, report.Failing[name])
	}
	return err
}
