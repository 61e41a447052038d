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
	"sigs.k8s.io/yaml"
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

// The Collector reads the gateway's file, which sends to the replicas that there are,
// and to each of them; what waits does so on disk.
func TestGateway(t *testing.T) {
	f := &fleet{t: t, dir: t.TempDir()}
	// The volume of the container is a directory here.
	text := strings.ReplaceAll(string(read(t, "deploy", "compose", "gateway.yaml")), "/var/lib/otelcol", f.dir)
	if err := os.WriteFile(filepath.Join(f.dir, "gateway.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f.collectors()
	var g struct {
		Receivers map[string]struct {
			Protocols struct {
				GRPC struct{ Endpoint string }
			}
		}
		Exporters map[string]struct {
			Endpoint   string
			RoutingKey string `json:"routing_key"`
			Resolver   struct{ Static struct{ Hostnames []string } }
		}
		Service struct {
			Pipelines map[string]struct{ Receivers, Processors, Exporters []string }
		}
	}
	if err := yaml.Unmarshal([]byte(text), &g); err != nil {
		t.Fatal(err)
	}
	var replicas, inner, pipelines []string
	for _, s := range load(t, "compose.gateway.yaml").Services {
		if s.Image != "treq-telemetry" {
			continue
		}
		replicas = append(replicas, s.Name)
		inner = append(inner, g.Receivers["otlp/"+s.Name].Protocols.GRPC.Endpoint)
		for _, signal := range []string{"traces", "logs", "metrics"} {
			pipelines = append(pipelines, signal+"/"+s.Name)
		}
		if to := g.Exporters["otlp_grpc/"+s.Name].Endpoint; to != s.Name+":4317" {
			t.Errorf("what is %s's goes to %q", s.Name, to)
		}
	}
	slices.Sort(inner)
	for signal, want := range map[string]string{"traces": "traceID", "logs": "traceID", "metrics": "service"} {
		p := g.Service.Pipelines[signal]
		if !slices.Equal(p.Processors, []string{"memory_limiter"}) || len(p.Exporters) != 1 {
			t.Fatalf("%s: memory is not limited first, or it goes to more than one: %+v", signal, p)
		}
		balancer := g.Exporters[p.Exporters[0]]
		if balancer.RoutingKey != want || !slices.Equal(balancer.Resolver.Static.Hostnames, inner) {
			t.Errorf("%s goes by %q to %v, want %q to %v", signal, balancer.RoutingKey, balancer.Resolver.Static.Hostnames, want, inner)
		}
	}
	if len(g.Service.Pipelines) != 3+3*len(replicas) {
		t.Errorf("%d pipelines", len(g.Service.Pipelines))
	}
	for _, name := range pipelines {
		_, replica, _ := strings.Cut(name, "/")
		p := g.Service.Pipelines[name]
		if !slices.Equal(p.Receivers, []string{"otlp/" + replica}) || !slices.Equal(p.Exporters, []string{"otlp_grpc/" + replica}) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
