package e2etest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// Root gives the directory of the repository.
var Root = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	mod := strings.TrimSpace(string(out))
	if mod == "" || mod == os.DevNull {
		return "", fmt.Errorf("find the module: no go.mod above the working directory")
	}
	return filepath.Dir(mod), nil
})

// Binary builds the product once in a process's life and gives its path.
//
// TREQ_E2E_BINARY names a binary that is already built. TREQ_E2E_RACE=1 builds
// with the race detector, whose findings then fail the test that provoked them
// (the product exits with code 66).
var Binary = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("TREQ_E2E_BINARY"); path != "" {
		return path, nil
	}
	args := []string{"build"}
	name := "treq-telemetry"
	if os.Getenv("TREQ_E2E_RACE") == "1" {
		args = append(args, "-race")
		name += "-race"
	}
	root, dir, err := cache()
	if err != nil {
		return "", err
	}
	// Processes of an earlier build may still run the old file: it is replaced, never overwritten.
	fresh := filepath.Join(dir, fmt.Sprintf("%s.%d", name, os.Getpid()))
	build := exec.Command("go", append(args, "-o", fresh, "./cmd/treq-telemetry")...)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the product: %w\n%s", err, out)
	}
	path := filepath.Join(dir, name)
	if err := os.Rename(fresh, path); err != nil {
		return "", fmt.Errorf("build the product: %w", err)
	}
	return path, nil
})

// Tool gives the path of a Go program, installing it at the pinned version below
// the repository's .cache when it is not there yet.
func Tool(pkg, version string) (string, error) {
	root, dir, err := cache()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, filepath.Base(pkg))
	if out, err := exec.Command("go", "version", "-m", path).Output(); err == nil && strings.Contains(string(out), version) {
		return path, nil
	}
	install := exec.Command("go", "install", pkg+"@"+version)
	install.Dir = root
	install.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("install %s: %w\n%s", pkg, err, out)
	}
	return path, nil
}

// Program finds an installed program: one that the repository installed for its
// tests, else one on PATH.
func Program(name string) (string, error) {
	_, dir, err := cache()
	if err != nil {
		return "", err
	}
	if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
		return path, nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%w: make e2e-tools installs it", err)
	}
	return path, nil
}

// cache gives the repository and the directory in it that holds built programs.
func cache() (root, dir string, err error) {
	root, err = Root()
	if err != nil {
		return "", "", err
	}
	dir = filepath.Join(root, ".cache", "bin")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", "", err
	}
	return root, dir, nil
}
