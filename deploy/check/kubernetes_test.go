package check

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/client-go/kubernetes/scheme"
)

// manifests decodes a stream into Kubernetes's own types and the Prometheus
// Operator's. An unknown kind or field, and a field that stands twice, are errors.
func manifests(stream []byte) ([]runtime.Object, error) {
	types := runtime.NewScheme()
	if err := scheme.AddToScheme(types); err != nil {
		return nil, err
	}
	if err := monitoring.AddToScheme(types); err != nil {
		return nil, err
	}
	decoder := json.NewSerializerWithOptions(json.DefaultMetaFactory, types, types, json.SerializerOptions{Yaml: true, Strict: true})
	var objects []runtime.Object
	for _, doc := range documents(stream) {
		object, _, err := decoder.Decode(doc, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("%w in:\n%s", err, doc)
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// coherent holds manifests to each other: selectors choose the pods, probes and
// services name ports that exist, and the product runs without rights.
func coherent(objects []runtime.Object) (problems []string) {
	complain := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	var pods []core.PodTemplateSpec
	for _, o := range objects {
		switch o := o.(type) {
		case *apps.Deployment:
			pods = append(pods, o.Spec.Template)
			selects(complain, "Deployment", o.Spec.Selector, o.Spec.Template.Labels)
		case *apps.StatefulSet:
			pods = append(pods, o.Spec.Template)
			selects(complain, "StatefulSet", o.Spec.Selector, o.Spec.Template.Labels)
		}
	}
	if len(pods) != 1 {
		return []string{fmt.Sprintf("%d pod templates, want 1", len(pods))}
	}
	pod := pods[0]
	ports := ours(complain, &pod.Spec)
	for _, o := range objects {
		switch o := o.(type) {
		case *core.Service:
			selects(complain, "Service", &meta.LabelSelector{MatchLabels: o.Spec.Selector}, pod.Labels)
			for _, p := range o.Spec.Ports {
				if !slices.Contains(ports, p.TargetPort.StrVal) {
					complain("Service: the pod has no port %s", p.TargetPort.StrVal)
				}
			}
		case *policy.PodDisruptionBudget:
			selects(complain, "PodDisruptionBudget", o.Spec.Selector, pod.Labels)
			if o.Spec.MinAvailable != nil {
				complain("PodDisruptionBudget: of one pod none could ever be moved")
			}
		case *monitoring.PodMonitor:
			selects(complain, "PodMonitor", &o.Spec.Selector, pod.Labels)
			for _, e := range o.Spec.PodMetricsEndpoints {
				if !slices.Contains(ports, *e.Port) {
					complain("PodMonitor: the pod has no port %s", *e.Port)
				}
			}
		case *monitoring.ServiceMonitor:
			serviced(complain, o, objects)
		}
	}
	return problems
}

func selects(complain func(string, ...any), kind string, by *meta.LabelSelector, of map[string]string) {
	selector, err := meta.LabelSelectorAsSelector(by)
	if err != nil || selector.Empty() || !selector.Matches(labels.Set(of)) {
		complain("%s: %v does not choose %v (%v)", kind, by, of, err)
	}
}

func serviced(complain func(string, ...any), m *monitoring.ServiceMonitor, objects []runtime.Object) {
	for _, o := range objects {
		s, ok := o.(*core.Service)
		if !ok {
			continue
		}
		selects(complain, "ServiceMonitor", &m.Spec.Selector, s.Labels)
		for _, e := range m.Spec.Endpoints {
			if !slices.ContainsFunc(s.Spec.Ports, func(p core.ServicePort) bool { return p.Name == e.Port }) {
				complain("ServiceMonitor: the service has no port %s", e.Port)
			}
		}
		return
	}
	complain("ServiceMonitor: there is no service")
}

// ours holds the product's container to what it is promised, and gives the names of
// its ports.
func ours(complain func(string, ...any), pod *core.PodSpec) (ports []string) {
	all := slices.Concat(pod.InitContainers, pod.Containers)
	at := slices.IndexFunc(all, func(c core.Container) bool { return c.Name == "treq-telemetry" })
	if at < 0 {
		complain("no container treq-telemetry")
		return nil
	}
	c := all[at]
	for _, p := range c.Ports {
		ports = append(ports, p.Name)
	}
	for name, probe := range map[string]*core.Probe{"startup": c.StartupProbe, "liveness": c.LivenessProbe, "readiness": c.ReadinessProbe} {
		if probe == nil || probe.HTTPGet == nil || !slices.Contains(ports, probe.HTTPGet.Port.StrVal) ||
			!slices.Contains([]string{"/livez", "/readyz"}, probe.HTTPGet.Path) {
			complain("the %s probe asks for no address that is served: %v", name, probe)
		}
	}
	if c.LivenessProbe != nil && c.LivenessProbe.HTTPGet.Path != "/livez" {
		complain("a replay would be killed: the liveness probe asks for %s", c.LivenessProbe.HTTPGet.Path)
	}
	s, p := c.SecurityContext, pod.SecurityContext
	if p == nil || p.RunAsNonRoot == nil || !*p.RunAsNonRoot || p.SeccompProfile == nil || p.FSGroup == nil {
		complain("the pod may be root, or has no seccomp profile, or no group that owns its volume")
	}
	if s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation ||
		s.Capabilities == nil || !slices.Contains(s.Capabilities.Drop, "ALL") {
		complain("the container has rights that it does not need: %v", s)
	}
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		complain("the pod carries a token of the cluster")
	}
	if pod.TerminationGracePeriodSeconds == nil || *pod.TerminationGracePeriodSeconds < 30 {
		complain("a stop does not leave the sinks time to drain")
	}
	if !slices.ContainsFunc(c.VolumeMounts, func(m core.VolumeMount) bool { return m.MountPath == "/data" }) {
		complain("the data lies in the container's own layer")
	}
	return ports
}

func TestManifests(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(root, "deploy", "kubernetes", "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%v %v", paths, err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		objects, err := manifests(content)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		for _, p := range coherent(objects) {
			t.Errorf("%s: %s", path, p)
		}
	}
}

// The checks themselves see what they are there for.
func TestManifestsThatAreWrong(t *testing.T) {
	for name, doc := range map[string]string{
		"unknown field": "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selectors: {a: b}}\n",
		"unknown kind":  "apiVersion: v1\nkind: Servant\nmetadata: {name: a}\n",
		"twice":         "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nmetadata: {name: b}\n",
		"operator's":    "apiVersion: monitoring.coreos.com/v1\nkind: PodMonitor\nmetadata: {name: a}\nspec: {selector: {}, podMetricsEndpoint: []}\n",
	} {
		if _, err := manifests([]byte(doc)); err == nil {
			t.Errorf("%s: decoded", name)
		}
	}
}
