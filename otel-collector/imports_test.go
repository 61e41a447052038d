package collector_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rooms lists what each package may import of the product: the meaning, and
// nothing that keeps, serves or forwards.
var rooms = map[string][]string{
	"treq/otel-collector/treqconnector": {
		"treq/telemetry/instrument", "treq/telemetry/otlp", "treq/telemetry/pricing", "treq/telemetry/understand",
	},
	"treq/otel-collector/treqconnector/internal/metadata": nil,
	"treq/otel-collector/treqredact":                      {"treq/telemetry", "treq/telemetry/redact"},
	"treq/otel-collector/treqenrich":                      {"treq/telemetry/enrich"},
	"treq/otel-collector/treqenrich/internal/metadata":    nil,
	"treq/otel-collector/internal/request":                nil,
	"treq/otel-collector/treqredact/internal/metadata":    nil,
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,GoFiles,Imports,Deps", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath             string
			GoFiles, Imports, Deps []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) == 0 {
			continue // tests only
		}
		found[p.ImportPath] = nil
		for _, path := range p.Imports {
			if strings.HasPrefix(path, "treq/") && !strings.HasPrefix(path, "treq/otel-collector/") {
				found[p.ImportPath] = append(found[p.ImportPath], path)
			}
		}
		for _, path := range []string{"treq/server", "treq/telemetry/journal", "treq/telemetry/export"} {
			if slices.Contains(p.Deps, path) {
				t.Errorf("%s reaches %s", p.ImportPath, path)
			}
		}
	}
	if diff := cmp.Diff(rooms, found); diff != "" {
		t.Errorf("(-may import +imports):\n%s", diff)
	}
}
