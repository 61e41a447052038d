package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"treq/server/config"
)

// What the list of runs may take has bounds, at which it is still good.
func TestRunsListBounds(t *testing.T) {
	for text, good := range map[string]bool{
		"{list_rate: 1, list_bytes: 1MiB}": true, "{list_rate: 100000, list_bytes: 1GiB}": true,
		"{list_rate: 0}": false, "{list_rate: 100001}": false, "{list_bytes: 1023KiB}": false, "{list_bytes: 2GiB}": false,
	} {
		name := filepath.Join(t.TempDir(), "treq.yaml")
		if err := os.WriteFile(name, []byte("runs: "+text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := config.Load(config.Sources{File: name, Env: environment(nil)}); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}
