package scaleout

import (
	"bytes"
	"embed"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
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

// mostMiB is the largest request that gateways take, whatever the replicas would.
const mostMiB = 64

// File is one file, under a path relative to where all are written.
type File struct {
	Path string
	Data []byte
}

//go:embed templates
var templates embed.FS

// server is where one of the Metrics is, seen from a replica, and what runs it with
// which file.
type server struct {
	Name, Query, Write, Image, Command, File, Config, Data string
	Port                                                   int
}

var servers = map[Metrics]server{
	Prometheus: {
		Name: "prometheus", Query: "http://prometheus:9090", Write: "http://prometheus:9090/api/v1/write", File: "prometheus.yml",
		Image: "prom/prometheus:v3.5.0", Config: "/etc/prometheus/prometheus.yml", Data: "/prometheus", Port: 9090,
		Command: "[--config.file=/etc/prometheus/prometheus.yml, --storage.tsdb.path=/prometheus, --web.enable-remote-write-receiver, --storage.tsdb.retention.time=30d]",
	},
	Mimir: {
		Name: "mimir", Query: "http://mimir:9009/prometheus", Write: "http://mimir:9009/api/v1/push", File: "mimir.yaml",
		Image: "grafana/mimir:2.17.0", Config: "/etc/mimir/mimir.yaml", Data: "/data", Port: 9009,
		Command: "[-config.file=/etc/mimir/mimir.yaml]",
	},
	// It would hide what is younger than 30 s, and the fleet's numbers lag behind.
	VictoriaMetrics: {
		Name: "victoriametrics", Query: "http://victoriametrics:8428", Write: "http://victoriametrics:8428/api/v1/write", File: "scrape.yml",
		Image: "victoriametrics/victoria-metrics:v1.126.0", Config: "/etc/victoriametrics/scrape.yml", Data: "/victoria-metrics-data", Port: 8428,
		Command: "[-promscrape.config=/etc/victoriametrics/scrape.yml, -storageDataPath=/victoria-metrics-data, -retentionPeriod=30d, -search.latencyOffset=0s]",
	},
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
	v := values{Count: o.Replicas, Kafka: o.Kafka, Server: s, Metrics: o.Metrics, Signals: []string{"traces", "logs", "metrics"}}
	for i := range o.Replicas {
		v.Replicas = append(v.Replicas, fmt.Sprintf("treq-%d", i))
	}
	// What a gateway acknowledged a replica must not refuse: its queue would drop it.
	v.MostMiB = min(int64(c.Limits.MaxRequestBytes)>>20, mostMiB)
	if v.MostMiB < 1 {
		return nil, telemetry.Errorf(telemetry.Invalid, "limits.max_request_bytes is %s: a gateway has no limit below 1MiB, and would acknowledge what its replicas refuse", c.Limits.MaxRequestBytes)
	}
	v.FleetTokenIsAPI = readersTokenServes(c)
	c = replica(c, s, v.Replicas)
	for _, to := range []*string{&c.Prices.File, &c.Objectives.File, &c.Redact.File} {
		if *to == "" {
			continue
		}
		path, err := filepath.Abs(*to)
		if err != nil {
			return nil, err
		}
		*to = path
		v.Mounted = append(v.Mounted, path)
	}
	settings, variables, err := c.Portable()
	if err != nil {
		return nil, err
	}
	v.Settings, v.Variables = string(settings), variables
	for _, name := range variables {
		if strings.HasPrefix(name, "TREQ_TOKENS_INGEST_") {
			v.Ingest = append(v.Ingest, name)
		}
	}
	v.Egress = egress(c, s)
	settings, v.ChartVariables, err = charted(c).Portable()
	if err != nil {
		return nil, err
	}
	v.ChartSettings = string(settings)
	for name, list := range map[string][]telemetry.Secret{"TREQ_INGEST_TOKEN": c.Tokens.Ingest, "TREQ_API_TOKEN": c.Tokens.API, "TREQ_ADMIN_TOKEN": c.Tokens.Admin} {
		if len(list) > 0 {
			v.ChartVariables = append(v.ChartVariables, name)
		}
	}
	slices.Sort(v.ChartVariables)
	return v.write()
}

// replica gives the settings of one of a fleet.
func replica(c config.Config, s server, names []string) config.Config {
	c.Listen = config.Address{HostPort: ":8002"}
	c.OTLP.HTTP, c.OTLP.GRPC = config.Address{HostPort: ":4318"}, config.Address{HostPort: ":4317"}
	c.DataDir = "/data"
	c.TLS = config.Defaults().TLS // it ends before the gateways
	c.Scope = config.ScopeFleet
	c.History.Enabled = true
	c.History.URL, c.History.RemoteWrite.URL = s.Query, s.Write
	c.Fleet.Peers = nil
	for _, name := range names {
		c.Fleet.Peers = append(c.Fleet.Peers, "http://"+name+":8002")
	}
	if readersTokenServes(c) {
		c.Fleet.Token = c.Tokens.API[0]
	}
	return c
}

// readersTokenServes tells that replicas are to show each other a reader's token,
// having none of their own.
func readersTokenServes(c config.Config) bool { return c.Fleet.Token.IsZero() && len(c.Tokens.API) > 0 }

// charted leaves out what the chart sets itself, and refuses.
func charted(c config.Config) config.Config {
	usual := config.Defaults()
	c.Listen, c.OTLP, c.DataDir, c.Tokens = usual.Listen, usual.OTLP, usual.DataDir, usual.Tokens
	return c
}

// egress lists the ports that a replica sends to.
func egress(c config.Config, s server) []int {
	ports := []int{53, 443, 8002, s.Port}
	for _, sink := range c.Sinks {
		if u, err := url.Parse(sink.Endpoint); err == nil {
			if port, err := strconv.Atoi(u.Port()); err == nil {
				ports = append(ports, port)
			} else if u.Scheme == "http" {
				ports = append(ports, 80)
			}
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

func (v values) write() (files []File, err error) {
	all, err := template.New("").Option("missingkey=error").ParseFS(templates, "templates/*.tmpl")
	if err != nil {
		return nil, err
	}
	wanted := []string{"compose.yaml", "treq.yaml", "gateway.yaml", ".env.example", "grafana-datasource.yaml", "helm-values.yaml", "README.md", v.Server.File}
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
