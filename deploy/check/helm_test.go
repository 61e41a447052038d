package check

import (
	"bytes"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

var chartDir = filepath.Join(root, "deploy", "helm", "treq-telemetry")

// charts are values that turn every part of the chart on and off.
var charts = map[string]struct {
	values string
	kinds  []string
}{
	"as it is": {"{}", []string{"ConfigMap", "NetworkPolicy", "PodDisruptionBudget", "Service", "StatefulSet"}},
	"everything": {`
nameOverride: numbers
image: {repository: registry.example/treq, tag: "1.2.3"}
imagePullSecrets: [{name: pull}]
config:
  chats: {preset: treq}
  redact: {rules: br}
secrets: {TREQ_INGEST_TOKEN: "an ingest token", TREQ_API_TOKEN: "a token to read", LANGSMITH_API_KEY: "ls-key"}
env: {LANGCHAIN_TRACING_V2: "true"}
persistence: {enabled: true, storageClass: fast, size: 100Gi}
service: {type: LoadBalancer, port: 80, annotations: {a: b}}
ingress:
  enabled: true
  className: nginx
  annotations: {c: d}
  hosts: [telemetry.example]
  tls: [{hosts: [telemetry.example], secretName: certificate}]
networkPolicy: {from: [{namespaceSelector: {matchLabels: {team: chat}}}], egressPorts: [443]}
serviceMonitor: {enabled: true, labels: {release: prometheus}, bearerTokenSecret: {name: tokens, key: api}}
podAnnotations: {e: f}
nodeSelector: {disk: ssd}
tolerations: [{key: dedicated, operator: Exists}]
affinity: {nodeAffinity: {}}
`, []string{"ConfigMap", "Ingress", "NetworkPolicy", "PodDisruptionBudget", "Secret", "Service", "ServiceMonitor", "StatefulSet"}},
	"as little as can be": {`
persistence: {enabled: false}
existingSecret: mine
networkPolicy: {enabled: false}
podDisruptionBudget: {enabled: false}
`, []string{"ConfigMap", "Service", "StatefulSet"}},
}

func values(t *testing.T, text string) map[string]any {
	t.Helper()
	v := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// render does what helm template does.
func render(c *chart.Chart, v map[string]any) (string, error) { return renderAs("chat", c, v) }

func renderAs(release string, c *chart.Chart, v map[string]any) (string, error) {
	all, err := chartutil.ToRenderValues(c, v, chartutil.ReleaseOptions{Name: release, Namespace: "treq", Revision: 1, IsInstall: true}, chartutil.DefaultCapabilities)
	if err != nil {
		return "", err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return "", err
	}
	var stream strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, ".yaml") {
			stream.WriteString("---\n" + files[name] + "\n")
		}
	}
	return stream.String(), nil
}

func TestChart(t *testing.T) {
	c, err := loader.Load(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range charts {
		t.Run(name, func(t *testing.T) {
			for _, m := range lint.All(chartDir, values(t, want.values), "treq", true).Messages {
				if !strings.Contains(m.Err.Error(), "icon is recommended") {
					t.Error(m)
				}
			}
			stream, err := render(c, values(t, want.values))
			if err != nil {
				t.Fatal(err)
			}
			objects, err := manifests([]byte(stream))
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range coherent(objects) {
				t.Error(p)
			}
			if got := kinds(objects); !slices.Equal(got, want.kinds) {
				t.Errorf("%v, want %v", got, want.kinds)
			}
			for _, o := range objects {
				if m, ok := o.(*core.ConfigMap); ok {
					if err := accepts([]byte(m.Data["treq.yaml"])); err != nil {
						t.Error(err)
					}
				}
			}
			if strings.Contains(name, "everything") && bytes.Count([]byte(stream), []byte("an ingest token")) != 1 {
				t.Error("a secret stands outside the Secret")
			}
		})
	}
}

// TestPolicyLetsInWhatTheChartInvites: an ingress controller and a Prometheus are pods
// of other namespaces. Telemetry comes from the release's own alone, unless told.
func TestPolicyLetsInWhatTheChartInvites(t *testing.T) {
	c, err := loader.Load(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]string{
		"{}": {"namespace: http otlp-grpc otlp-http"},
		"ingress: {enabled: true, hosts: [telemetry.example]}":                                       {"all: http", "namespace: http otlp-grpc otlp-http"},
		"serviceMonitor: {enabled: true}":                                                            {"all: http", "namespace: http otlp-grpc otlp-http"},
		"{serviceMonitor: {enabled: true}, networkPolicy: {from: [{podSelector: {}}]}}":              {"namespace: http otlp-grpc otlp-http"},
		"{ingress: {enabled: true, hosts: [a.b]}, networkPolicy: {from: [{namespaceSelector: {}}]}}": {"all: http otlp-grpc otlp-http"},
	} {
		stream, err := render(c, values(t, text))
		if err != nil {
			t.Fatal(err)
		}
		objects, err := manifests([]byte(stream))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range objects {
			policy, ok := o.(*networking.NetworkPolicy)
			if !ok {
				continue
			}
			for _, rule := range policy.Spec.Ingress {
				from := "namespace:"
				if len(rule.From) != 1 || rule.From[0].NamespaceSelector != nil {
					from = "all:"
				}
				for _, p := range rule.Ports {
					from += " " + p.Port.String()
				}
				got = append(got, from)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s lets in %q, want %q", text, got, want)
		}
	}
}

func kinds(objects []runtime.Object) (names []string) {
	for _, o := range objects {
		names = append(names, o.GetObjectKind().GroupVersionKind().Kind)
	}
	slices.Sort(names)
	return names
}

// What the chart cannot do is refused before anything is installed.
func TestChartRefuses(t *testing.T) {
	c, err := loader.Load(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]string{
		"a value that does not exist":        "replicas: 3",
		"a size without a unit":              "persistence: {enabled: true, size: 20}",
		"a volume for many pods":             "persistence: {enabled: true, accessModes: [ReadWriteMany]}",
		"an address that is the chart's":     "config: {listen: ':9000'}",
		"a secret in a map everybody reads":  "config: {tokens: {ingest: secret}}",
		"a variable that is none":            "env: {lower: a}",
		"no time for the sinks":              "terminationGracePeriodSeconds: 5",
		"a pull policy that does not exist":  "image: {repository: a, pullPolicy: Sometimes}",
		"a port that does not exist":         "service: {port: 70000}",
		"an interval that Prometheus is not": "serviceMonitor: {enabled: true, interval: soon}",
	} {
		if _, err := render(c, values(t, v)); err == nil || !strings.Contains(err.Error(), "values don't meet") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
