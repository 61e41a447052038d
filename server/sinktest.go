package server

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"treq/server/config"
	"treq/telemetry"
	"treq/telemetry/export"
)

// TestSinks sends one marked trace to each sink of the configuration, or to those of
// these names alone, and gives what they answered, in the configuration's order. It
// needs no service and touches no data directory. An unknown name is an error of
// kind Unprocessable, and so is a configuration without sinks.
func TestSinks(ctx context.Context, c config.Config, version string, names ...string) ([]export.Answer, error) {
	if len(c.Sinks) == 0 {
		return nil, telemetry.Errorf(telemetry.Unprocessable, "no sinks are configured: set LANGSMITH_TRACING=true and LANGSMITH_API_KEY, or write sinks into the file that --config names")
	}
	for _, name := range names {
		if !slices.ContainsFunc(c.Sinks, func(s export.Config) bool { return s.Name == name }) {
			return nil, telemetry.Errorf(telemetry.Unprocessable, "there is no sink %q", name)
		}
	}
	var answers []export.Answer
	var faults []error
	for _, s := range c.Sinks {
		if len(names) > 0 && !slices.Contains(names, s.Name) {
			continue
		}
		said, err := export.Try(ctx, s, export.Deps{Version: version, Proxy: http.ProxyFromEnvironment})
		answers = append(answers, said...)
		faults = append(faults, err)
	}
	return answers, errors.Join(faults...)
}
