package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// version is what the build knows of itself.
type version struct {
	Version  string `json:"version"`
	Revision string `json:"revision"`
	Time     string `json:"time"` // of the revision, RFC 3339; "" if not known
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// buildVersion reads it from the binary, so that no build script can forget it.
func buildVersion() version {
	v := version{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

func (p *process) versionCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Example: `  treq-telemetry version
  treq-telemetry version -o json`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			v := buildVersion()
			switch output {
			case "json":
				e := json.NewEncoder(p.stdout)
				e.SetIndent("", "  ")
				return e.Encode(v)
			case "text":
				about := []string{v.Go, v.Platform}
				if len(v.Revision) > 12 {
					date, _, _ := strings.Cut(v.Time, "T")
					about = append([]string{strings.TrimSpace(v.Revision[:12] + " " + date)}, about...)
				}
				_, err := fmt.Fprintf(p.stdout, "treq-telemetry %s (%s)\n", v.Version, strings.Join(about, ", "))
				return err
			default:
				return usageError{fmt.Errorf("--output %q is neither text nor json", output)}
			}
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "`format`: text or json")
	return cmd
}
