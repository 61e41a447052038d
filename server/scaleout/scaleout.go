package scaleout

import (
	"bytes"
	"embed"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"treq/server/config"
	"treq/telemetry"
)

// Metrics is what adds the replicas' numbers up.
type Metrics string

// The servers that can.
const (
	Prometheus      Metrics = "prometheus"
	Mimir           Metrics = "mimir"
	VictoriaMetrics Metrics = "victoriametrics"
)

// Options say what is wanted.
type Options struct {
	// Replicas is how many there are, 2 to 256.
	Replicas int
	// Kafka are brokers, host:port, between the gateways and the replicas; empty is none.
	Kafka []string
	// Metrics adds up; "" is Prometheus.
	Metrics Metrics
}

// mostReplicas is how many the files list by name.
const mostReplicas = 256

// File is one file, under a path relative to where all are written.
type File struct {
	Path string
	Data []byte
}

//go:embed templates
var templates embed.FS

// server is where one of the Metrics is, seen from a replica, and what runs it.
type server struct {
	Name, Query, Write, Image, Command, Config, Data string
	Port                                             int
}

var servers = map[Metrics]server{
	Prometheus: {
		Name: "prometheus", Query: "http://prometheus:9090", Write: "http://prometheus:9090/api/v1/write",
		Image: "prom/prometheus:v3.5.0", Config: "/etc/prometheus/prometheus.yml", Data: "/prometheus", Port: 9090,
		Command: "[--config.file=/etc/prometheus/prometheus.yml, --web.enable-remote-write-receiver, --storage.tsdb.retention.time=30d]",
	},
	Mimir: {
		Name: "mimir", Query: "http://mimir:9009/prometheus", Write: "http://mimir:9009/api/v1/push",
		Image: "grafana/mimir:2.17.0", Config: "/etc/mimir/mimir.yaml", Data: "/data", Port: 9009,
		Command: "[-config.file=/etc/mimir/mimir.yaml]",
	},
	VictoriaMetrics: {
		Name: "victoriametrics", Query: "http://victoriametrics:8428", Write: "http://victoriametrics:8428/api/v1/write",
		Image: "victoriametrics/victoria-metrics:v1.126.0", Config: "/etc/victoriametrics/scrape.yml", Data: "/victoria-metrics-data", Port: 8428,
		Command: "[-promscrape.config=/etc/victoriametrics/scrape.yml, -retentionPeriod=30d]",
	},
}

// values are what the templates are filled with.
type values struct {
	Replicas  []string // their names
	Last      int
	Count     int
	Kafka     []string
	Server    server
	Metrics   Metrics
	Variables []string
	// Settings is the replicas' file, Indented the same below a key.
	Settings string
}

// Indented gives text with spaces before every line.
func (v values) Indented(n int, text string) string {
	return strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+strings.Repeat(" ", n))
}

// Files gives the files of a fleet whose replicas do what a process with these
// settings does. Secrets are in none of them: .env.example names the variables.
func Files(c config.Config, o Options) ([]File, error) {
	if o.Metrics == "" {
		o.Metrics = Prometheus
	}
	s, ok := servers[o.Metrics]
	if !ok {
		return nil, telemetry.Errorf(telemetry.Invalid, "%q is none of prometheus, mimir, victoriametrics", o.Metrics)
	}
	if o.Replicas < 2 || o.Replicas > mostReplicas {
		return nil, telemetry.Errorf(telemetry.Invalid, "a fleet has 2 to %d replicas, not %d", mostReplicas, o.Replicas)
	}
	for _, broker := range o.Kafka {
		if host, port, ok := strings.Cut(broker, ":"); !ok || host == "" || port == "" || strings.ContainsAny(broker, " \t\"'/") {
			return nil, telemetry.Errorf(telemetry.Invalid, "%q is no broker: want host:port", broker)
		}
	}
	v := values{Count: o.Replicas, Last: o.Replicas - 1, Kafka: o.Kafka, Server: s, Metrics: o.Metrics}
	for i := range o.Replicas {
		v.Replicas = append(v.Replicas, fmt.Sprintf("treq-%d", i))
	}
	settings, variables, err := replica(c, s, v.Replicas).Portable()
	if err != nil {
		return nil, err
	}
	v.Settings, v.Variables = string(settings), variables
	return v.write()
}

// replica gives the settings of one of a fleet.
func replica(c config.Config, s server, names []string) config.Config {
	c.Listen = config.Address{HostPort: ":8002"}
	c.OTLP.HTTP, c.OTLP.GRPC = config.Address{HostPort: ":4318"}, config.Address{HostPort: ":4317"}
	c.DataDir = "/data"
	c.Scope = config.ScopeFleet
	c.History.Enabled = true
	c.History.URL, c.History.RemoteWrite.URL = s.Query, s.Write
	c.Fleet.Peers = nil
	for _, name := range names {
		c.Fleet.Peers = append(c.Fleet.Peers, "http://"+name+":8002")
	}
	if c.Fleet.Token.IsZero() && len(c.Tokens.API) > 0 {
		c.Fleet.Token = c.Tokens.API[0]
	}
	return c
}

func (v values) write() (files []File, err error) {
	all, err := template.New("").Option("missingkey=error").ParseFS(templates, "templates/*.tmpl")
	if err != nil {
		return nil, err
	}
	wanted := []string{"compose.yaml", "treq.yaml", "gateway.yaml", ".env.example", "grafana-datasource.yaml", "helm-values.yaml", "README.md"}
	config := map[Metrics]string{Prometheus: "prometheus.yml", Mimir: "mimir.yaml", VictoriaMetrics: "scrape.yml"}[v.Metrics]
	wanted = append(wanted, config)
	if len(v.Kafka) > 0 {
		wanted = append(wanted, "reader.yaml")
	}
	slices.Sort(wanted)
	for _, name := range wanted {
		source := name
		if name == "scrape.yml" {
			source = "prometheus.yml"
		}
		var text bytes.Buffer
		if err := all.ExecuteTemplate(&text, strings.TrimPrefix(source, ".")+".tmpl", v); err != nil {
			return nil, err
		}
		files = append(files, File{name, text.Bytes()})
	}
	return files, nil
}
