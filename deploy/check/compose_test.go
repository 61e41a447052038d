package check

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func load(t *testing.T, name string) *types.Project {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, "deploy", "compose", name))
	if err != nil {
		t.Fatal(err)
	}
	o, err := cli.NewProjectOptions([]string{path}, cli.WithInterpolation(true), cli.WithNormalization(true), cli.WithConsistency(true))
	if err != nil {
		t.Fatal(err)
	}
	project, err := o.LoadProject(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestCompose(t *testing.T) {
	for name, want := range map[string][]string{
		"compose.yaml":            {"treq-telemetry"},
		"compose.monitoring.yaml": {"alertmanager", "grafana", "prometheus", "treq-telemetry"},
		"compose.gateway.yaml":    {"gateway", "prometheus", "treq-1", "treq-2"},
	} {
		t.Run(name, func(t *testing.T) {
			project := load(t, name)
			if got := project.ServiceNames(); !slices.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
			volumes := map[string]string{}
			published := map[string]string{}
			for _, s := range project.Services {
				service(t, &s)
				if s.Image == "treq-telemetry" {
					if _, err := os.Stat(filepath.Join(s.Build.Context, s.Build.Dockerfile)); err != nil {
						t.Error(err)
					}
				}
				for _, p := range s.Ports {
					if other := published[p.Published]; other != "" {
						t.Errorf("%s and %s both want port %s", other, s.Name, p.Published)
					}
					published[p.Published] = s.Name
					if p.HostIP != "127.0.0.1" {
						t.Errorf("%s: port %s is open to other machines", s.Name, p.Published)
					}
				}
				for _, v := range s.Volumes {
					if v.Type == types.VolumeTypeBind {
						if _, err := os.Stat(v.Source); err != nil {
							t.Errorf("%s: %v", s.Name, err)
						}
						continue
					}
					if other := volumes[v.Source]; other != "" {
						t.Errorf("%s and %s share the volume %s", other, s.Name, v.Source)
					}
					volumes[v.Source] = s.Name
				}
			}
		})
	}
}

// service holds one container to what all of them are promised.
func service(t *testing.T, s *types.ServiceConfig) {
	t.Helper()
	if !slices.Contains(s.CapDrop, "ALL") || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
		t.Errorf("%s has rights that it does not need", s.Name)
	}
	if s.Image != "treq-telemetry" {
		if !strings.Contains(s.Image, ":") {
			t.Errorf("%s: the image %s has no version", s.Name, s.Image)
		}
		return
	}
	if !s.ReadOnly || s.User == "root" || s.User == "0" {
		t.Errorf("%s may write its own image, or is root", s.Name)
	}
	if s.HealthCheck == nil || !slices.Equal(s.HealthCheck.Test, []string{"CMD", "/usr/bin/treq-telemetry", "probe"}) {
		t.Errorf("%s: %v", s.Name, s.HealthCheck)
	}
	if s.StopGracePeriod == nil || s.StopGracePeriod.String() != "40s" {
		t.Errorf("%s: a stop has %v", s.Name, s.StopGracePeriod)
	}
	if !slices.ContainsFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool { return v.Target == "/data" }) {
		t.Errorf("%s keeps its data in the container", s.Name)
	}
}

// Prometheus and Alertmanager read what they are given, laid out as in the containers.
func TestComposePrograms(t *testing.T) {
	for _, name := range []string{"prometheus.yml", "prometheus.gateway.yml"} {
		dir := t.TempDir()
		for to, from := range map[string]string{"prometheus.yml": "compose/" + name, "treq.rules.yml": "prometheus/treq.rules.yml"} {
			if err := os.WriteFile(filepath.Join(dir, to), read(t, "deploy", from), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if out, err := run(tool(t, "promtool"), "check", "config", filepath.Join(dir, "prometheus.yml")); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	if out, err := run(tool(t, "amtool"), "check-config", filepath.Join(root, "deploy", "compose", "alertmanager.yml")); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// The gateway sends to the replicas that there are, and to each of them.
func TestGateway(t *testing.T) {
	var g struct {
		Extensions, Receivers, Processors map[string]any
		Exporters                         map[string]struct {
			RoutingKey string `json:"routing_key"`
			Protocol   map[string]any
			Resolver   struct{ Static struct{ Hostnames []string } }
			Queue      struct {
				Enabled bool
				Storage string
			} `json:"sending_queue"`
			Retry map[string]any `json:"retry_on_failure"`
		}
		Service struct {
			Extensions []string
			Pipelines  map[string]struct{ Receivers, Processors, Exporters []string }
		}
	}
	if err := decode(read(t, "deploy", "compose", "gateway.yaml"), &g); err != nil {
		t.Fatal(err)
	}
	var replicas []string
	for _, s := range load(t, "compose.gateway.yaml").Services {
		if s.Image == "treq-telemetry" {
			replicas = append(replicas, s.Name+":4317")
		}
	}
	slices.Sort(replicas)
	for name, e := range g.Exporters {
		if !slices.Equal(e.Resolver.Static.Hostnames, replicas) {
			t.Errorf("%s sends to %v, and there are %v", name, e.Resolver.Static.Hostnames, replicas)
		}
		if _, there := g.Extensions[e.Queue.Storage]; !e.Queue.Enabled || !there || !slices.Contains(g.Service.Extensions, e.Queue.Storage) {
			t.Errorf("%s: what waits is lost with the process", name)
		}
	}
	for signal, p := range g.Service.Pipelines {
		for _, r := range p.Receivers {
			if _, there := g.Receivers[r]; !there {
				t.Errorf("%s: no receiver %s", signal, r)
			}
		}
		if len(p.Processors) == 0 || p.Processors[0] != "memory_limiter" {
			t.Errorf("%s: memory is not limited first", signal)
		}
		want := map[string]string{"traces": "traceID", "logs": "traceID", "metrics": "service"}[signal]
		if len(p.Exporters) != 1 || g.Exporters[p.Exporters[0]].RoutingKey != want {
			t.Errorf("%s goes by %v, want %s", signal, p.Exporters, want)
		}
	}
	if len(g.Service.Pipelines) != 3 {
		t.Errorf("%d pipelines", len(g.Service.Pipelines))
	}
}
