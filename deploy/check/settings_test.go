package check

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	core "k8s.io/api/core/v1"
)

// TestShippedSettingsCountAnybodysChats starts the product with the settings that the
// packages and the chart bring, as they are, and sends them the demo's chats: rules of
// one application would count none of another's.
func TestShippedSettingsCountAnybodysChats(t *testing.T) {
	shipped := map[string][]byte{"packages": read(t, "deploy", "systemd", "treq.yaml")}
	c, err := loader.Load(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := render(c, values(t, "{}"))
	if err != nil {
		t.Fatal(err)
	}
	objects, err := manifests([]byte(stream))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if m, ok := o.(*core.ConfigMap); ok {
			shipped["chart"] = []byte(m.Data["treq.yaml"])
		}
	}
	if len(shipped) != 2 {
		t.Fatalf("%d settings", len(shipped))
	}
	for name, settings := range shipped {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, "treq.yaml")
			if err := os.WriteFile(file, settings, 0o600); err != nil {
				t.Fatal(err)
			}
			address := "127.0.0.1:" + freePorts(t, 1)[0]
			until := serving(t, address, exec.Command(program, "serve", "--config", file, "--listen", address,
				"--otlp-http", "off", "--otlp-grpc", "off", "--data-dir", filepath.Join(dir, "data")))
			if out, err := run(program, "demo", "--endpoint", "http://"+address, "--chats", "5", "--rate", "50"); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			until("the demo's chats are not counted", func() bool {
				return strings.Contains(answer(t, http.MethodGet, "http://"+address+"/monitoring/stats/summary"), `"total_requests":5,`)
			})
		})
	}
}
