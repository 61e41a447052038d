package check

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"helm.sh/helm/v3/pkg/chart/loader"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

// guarded are settings of a process that has secrets, sinks elsewhere and a file.
const guarded = `
tokens: { ingest: [ an-ingest-token, another ], api: [ a-token-to-read ] }
sinks:
  - { name: langsmith, profile: langsmith, endpoint: https://api.smith.langchain.com/otel/v1/traces, api_key: a-key }
  - { name: jaeger, profile: otlp, endpoint: "http://jaeger:4318/v1/traces" }
`

// fleet is what scale-out wrote.
type fleet struct {
	t        *testing.T
	dir      string
	replicas int
	metrics  string
	kafka    bool
	env      []string // what .env would hold
}

// The programs that read them check the files of every kind of fleet.
func TestScaleOut(t *testing.T) {
	for _, metrics := range []string{"prometheus", "mimir", "victoriametrics"} {
		for _, kafka := range []bool{false, true} {
			for _, replicas := range []int{2, 3, 40} {
				t.Run(fmt.Sprintf("%s kafka=%v %d", metrics, kafka, replicas), func(t *testing.T) {
					settings := ""
					if replicas == 3 {
						settings = guarded
					}
					f := scaleOut(t, metrics, kafka, replicas, settings)
					f.collectors()
					f.server()
					f.grafana()
					if err := accepts([]byte(f.read("treq.yaml")), f.env...); err != nil {
						t.Error(err)
					}
					f.compose()
					f.chart()
				})
			}
		}
	}
}

// What the programs would start without noticing was not checked by them.
func TestScaleOutIsRead(t *testing.T) {
	for metrics, name := range map[string]string{"prometheus": "prometheus.yml", "mimir": "mimir.yaml", "victoriametrics": "scrape.yml"} {
		f := scaleOut(t, metrics, true, 2, "")
		for _, file := range []string{name, "gateway.yaml", "reader.yaml"} {
			path := filepath.Join(f.dir, file)
			if err := os.WriteFile(path, []byte(f.read(file)+"\nno_such_key: 1\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := f.check(file); err == nil {
				t.Errorf("a key that does not exist passes in %s", file)
			}
		}
	}
}

func scaleOut(t *testing.T, metrics string, kafka bool, replicas int, settings string) *fleet {
	t.Helper()
	f := &fleet{t: t, dir: filepath.Join(t.TempDir(), "fleet"), replicas: replicas, metrics: metrics, kafka: kafka}
	from := filepath.Join(t.TempDir(), "treq.yaml")
	if settings != "" {
		objectives := filepath.Join(t.TempDir(), "objectives.yaml")
		if err := os.WriteFile(objectives, []byte("alerts: {high_memory: {enabled: false}}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		settings += fmt.Sprintf("objectives: { file: %q }\n", objectives)
	}
	if err := os.WriteFile(from, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"scale-out", "--config", from, "--out", f.dir, "--metrics", metrics, "--replicas", fmt.Sprint(replicas)}
	if kafka {
		args = append(args, "--kafka", "kafka-1:9092,kafka-2:9092")
	}
	cmd := exec.Command(program, args...)
	cmd.Env = []string{"HOME=" + f.dir}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for line := range strings.Lines(f.read(".env.example")) {
		if key, _, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			f.env = append(f.env, key+"=filled")
		}
	}
	return f
}

func (f *fleet) read(name string) string {
	f.t.Helper()
	text, err := os.ReadFile(filepath.Join(f.dir, name))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(text)
}

// check lets the program that reads a file check it.
func (f *fleet) check(name string) (string, error) {
	path := filepath.Join(f.dir, name)
	args := map[string][]string{
		"gateway.yaml":   {f.collector(), "validate", "--config", path},
		"reader.yaml":    {f.collector(), "validate", "--config", path},
		"prometheus.yml": {tool(f.t, "promtool"), "check", "config", path},
		"mimir.yaml":     {tool(f.t, "mimir"), "-config.file=" + path, "-modules"},
		"scrape.yml":     {tool(f.t, "victoria-metrics"), "-promscrape.config=" + path, "-promscrape.config.strictParse=true", "-retentionPeriod=30d", "-dryRun"},
	}[name]
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = f.t.TempDir(), f.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// collector is the distribution that make collector builds.
func (f *fleet) collector() string {
	f.t.Helper()
	path, err := filepath.Abs(filepath.Join(root, "bin", "otelcol-treq"))
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		f.t.Fatalf("%v: make collector builds it", err)
	}
	return path
}

func (f *fleet) collectors() {
	f.t.Helper()
	files := []string{"gateway.yaml"}
	if f.kafka {
		files = append(files, "reader.yaml")
	}
	for _, name := range files {
		if out, err := f.check(name); err != nil {
			f.t.Errorf("%s: %v\n%s", name, err, out)
		}
		// Whatever waits does so on disk, for as long as it takes.
		var c struct {
			Exporters map[string]struct {
				Queue struct{ Storage string } `json:"sending_queue"`
				Retry struct {
					Longest string `json:"max_elapsed_time"`
				} `json:"retry_on_failure"`
				Protocol struct {
					OTLP struct {
						Queue struct{ Enabled *bool } `json:"sending_queue"`
					} `json:"otlp"`
				} `json:"protocol"`
			}
		}
		if err := yaml.Unmarshal([]byte(f.read(name)), &c); err != nil {
			f.t.Fatal(err)
		}
		for id, e := range c.Exporters {
			if strings.HasPrefix(id, "load_balancing") {
				if on := e.Protocol.OTLP.Queue.Enabled; on == nil || *on {
					f.t.Errorf("%s: %s keeps spans in memory", name, id)
				}
			} else if e.Queue.Storage != "file_storage" || e.Retry.Longest != "0s" {
				f.t.Errorf("%s: what %s keeps can be lost: %+v", name, id, e)
			}
		}
	}
}

func (f *fleet) server() {
	f.t.Helper()
	name := map[string]string{"prometheus": "prometheus.yml", "mimir": "mimir.yaml", "victoriametrics": "scrape.yml"}[f.metrics]
	if out, err := f.check(name); err != nil {
		f.t.Errorf("%s: %v\n%s", name, err, out)
	}
}

// grafana decodes what Grafana's provisioning knows of a Prometheus.
func (f *fleet) grafana() {
	f.t.Helper()
	var p struct {
		Version     int `json:"apiVersion"`
		Datasources []struct {
			Name, UID, Type, Access, URL string
			Default                      bool `json:"isDefault"`
			JSON                         struct {
				Method   string `json:"httpMethod"`
				Interval string `json:"timeInterval"`
				Kind     string `json:"prometheusType"`
			} `json:"jsonData"`
		} `json:"datasources"`
	}
	if err := decode([]byte(f.read("grafana-datasource.yaml")), &p); err != nil {
		f.t.Fatal(err)
	}
	if p.Version != 1 || len(p.Datasources) != 1 || p.Datasources[0].Type != "prometheus" || !strings.Contains(f.read("treq.yaml"), "url: "+p.Datasources[0].URL+"\n") {
		f.t.Errorf("Grafana is given %+v", p)
	}
}

func (f *fleet) compose() {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, ".env"), []byte(strings.Join(f.env, "\n")), 0o600); err != nil {
		f.t.Fatal(err)
	}
	o, err := cli.NewProjectOptions([]string{filepath.Join(f.dir, "compose.yaml")}, cli.WithInterpolation(true), cli.WithNormalization(true), cli.WithConsistency(true))
	if err != nil {
		f.t.Fatal(err)
	}
	project, err := o.LoadProject(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	want := []string{"gateway", "grafana", f.metrics}
	if f.kafka {
		want = append(want, "reader")
	}
	for i := range f.replicas {
		want = append(want, fmt.Sprintf("treq-%d", i))
	}
	slices.Sort(want)
	if got := project.ServiceNames(); !slices.Equal(got, want) {
		f.t.Errorf("%v, want %v", got, want)
	}
	var tells []string
	owners := map[string]string{}
	for _, s := range project.Services {
		service(f.t, &s)
		if tell := s.Environment["TREQ_FLEET_DELIVER_ALERTS"]; tell != nil && *tell == "true" {
			tells = append(tells, s.Name)
		}
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeBind {
				if _, err := os.Stat(v.Source); err != nil {
					f.t.Errorf("%s: %v", s.Name, err)
				}
				continue
			}
			if other := owners[v.Source]; other != "" {
				f.t.Errorf("%s and %s share the volume %s", other, s.Name, v.Source)
			}
			owners[v.Source] = s.Name
		}
		for _, p := range s.Ports {
			if p.HostIP != "127.0.0.1" {
				f.t.Errorf("%s: port %s is open to other machines", s.Name, p.Published)
			}
		}
	}
	if !slices.Equal(tells, []string{"treq-0"}) {
		f.t.Errorf("alerts are told by %v", tells)
	}
}

// chart installs every replica's release, as helm template does.
func (f *fleet) chart() {
	f.t.Helper()
	c, err := loader.Load(chartDir)
	if err != nil {
		f.t.Fatal(err)
	}
	services := map[string]bool{}
	var told []string
	var settings string
	for i := range f.replicas {
		release := fmt.Sprintf("treq-%d", i)
		v := values(f.t, f.read("helm-values.yaml"))
		if i == 0 {
			v["env"].(map[string]any)["TREQ_FLEET_DELIVER_ALERTS"] = "true"
		}
		stream, err := renderAs(release, c, v)
		if err != nil {
			f.t.Fatal(err)
		}
		objects, err := manifests([]byte(stream))
		if err != nil {
			f.t.Fatal(err)
		}
		for _, p := range coherent(objects) {
			f.t.Error(p)
		}
		var env []string
		for _, o := range objects {
			switch o := o.(type) {
			case *core.Secret:
				for name := range o.StringData {
					env = append(env, name+"=filled")
				}
			case *core.Service:
				for _, p := range o.Spec.Ports {
					services[fmt.Sprintf("%s:%d", o.Name, p.Port)] = true
				}
			}
		}
		for _, o := range objects {
			switch o := o.(type) {
			case *core.ConfigMap:
				settings = o.Data["treq.yaml"]
				if err := accepts([]byte(settings), env...); err != nil {
					f.t.Error(err)
				}
			case *networking.NetworkPolicy:
				f.reaches(o)
			}
		}
		if strings.Contains(stream, "name: TREQ_FLEET_DELIVER_ALERTS\n              value: \"true\"") {
			told = append(told, release)
		}
	}
	if !slices.Equal(told, []string{"treq-0"}) {
		f.t.Errorf("by the chart alerts are told by %v", told)
	}
	collectors := f.read("gateway.yaml")
	if f.kafka {
		collectors += f.read("reader.yaml")
	}
	names := regexp.MustCompile(`\btreq-[0-9]+:[0-9]+\b`).FindAllString(settings+collectors, -1)
	if len(names) < 2*f.replicas {
		f.t.Errorf("only %v are addressed", names)
	}
	for _, name := range names {
		if !services[name] {
			f.t.Errorf("%s is addressed, and no service of the chart's", name)
		}
	}
}

// reaches wants a replica to be let out to where its settings send it.
func (f *fleet) reaches(p *networking.NetworkPolicy) {
	f.t.Helper()
	open := map[int32]bool{}
	for _, rule := range p.Spec.Egress {
		for _, port := range rule.Ports {
			open[port.Port.IntVal] = true
		}
	}
	for _, port := range regexp.MustCompile(`http://[a-z0-9.-]+:([0-9]+)`).FindAllStringSubmatch(f.read("treq.yaml"), -1) {
		var n int32
		if _, err := fmt.Sscan(port[1], &n); err != nil || !open[n] {
			f.t.Errorf("the network policy does not let out to %s", port[0])
		}
	}
}
