package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"treq/server/scaleout"
	"treq/telemetry"
)

func (p *process) scaleOutCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scale-out --replicas N",
		Short: "Write what several replicas run as one service with",
		Long: `Scale-out takes the settings of serve and writes, for so many replicas: the
gateways' OpenTelemetry Collector, which keeps a trace together, the replicas'
settings, the server that adds them up, Grafana's data source, a compose file and
Helm values. Secrets are in none of them. Files that are there already stay, unless
--force.`,
		Example: `  treq-telemetry scale-out --replicas 3 --out fleet
  treq-telemetry scale-out --replicas 8 --kafka kafka:9092 --metrics mimir --config treq.yaml`,
		Args: usageArgs(cobra.NoArgs),
	}
	addSettingFlags(cmd)
	replicas := cmd.Flags().Int("replicas", 0, "`number` of replicas, 2 to 256")
	kafka := cmd.Flags().StringSlice("kafka", nil, "`brokers`, host:port, between the gateways and the replicas; separated by commas")
	metrics := cmd.Flags().String("metrics", string(scaleout.Prometheus), "what adds the replicas up: prometheus, mimir or victoriametrics")
	out := cmd.Flags().String("out", "fleet", "`directory` to write to; it is made")
	force := cmd.Flags().Bool("force", false, "write over files that are there")
	_ = cmd.MarkFlagDirname("out")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		loaded, err := p.loadSettings(cmd, "")
		if err != nil {
			return err
		}
		files, err := scaleout.Files(loaded.Config, scaleout.Options{Replicas: *replicas, Kafka: *kafka, Metrics: scaleout.Metrics(*metrics)})
		if telemetry.KindOf(err) == telemetry.Invalid {
			return usageError{err}
		}
		if err != nil {
			return err
		}
		return p.writeFiles(*out, files, *force)
	}
	return cmd
}

// writeFiles writes all files or, where one is in the way, none.
func (p *process) writeFiles(dir string, files []scaleout.File, force bool) error {
	taken := func(f scaleout.File) bool {
		_, err := os.Lstat(filepath.Join(dir, f.Path))
		return err == nil
	}
	if i := slices.IndexFunc(files, taken); i >= 0 && !force {
		return fmt.Errorf("%s is there already; write elsewhere with --out, or over it with --force", filepath.Join(dir, files[i].Path))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Path)
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			return err
		}
		fmt.Fprintln(p.stdout, path)
	}
	return nil
}
