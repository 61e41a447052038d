package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// profile begins to take the CPU profile of a load, if profiles are asked for and
// the server is the product. What it gives waits for the profile and keeps it in a
// file named after the load.
func profile(ctx context.Context, s server, o options, name string) (finish func() error) {
	if _, ours := s.(*product); o.profiles == "" || !ours {
		return func() error { return nil }
	}
	done := make(chan error, 1)
	go func() {
		seconds := max(1, int(o.duration/time.Second))
		status, body, err := fetch(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", s.pprofAddr(), seconds))
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("take a profile: %d %s", status, body)
		}
		if err == nil {
			file := strings.NewReplacer(" ", "-", ",", "", "/", "-").Replace(name) + ".pprof"
			err = os.WriteFile(filepath.Join(o.profiles, file), body, 0o600)
		}
		done <- err
	}()
	return func() error { return <-done }
}
