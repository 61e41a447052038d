package treqenrich

import (
	"fmt"

	"go.opentelemetry.io/collector/confmap"

	"treq/telemetry/enrich"
)

// Config is the processor's configuration. NewFactory gives one with all defaults.
type Config struct {
	// Backend is who reads the spans: langsmith (the default), langfuse or phoenix.
	Backend string `mapstructure:"backend"`
}

var _ confmap.Validator = (*Config)(nil)

// Validate says whether the backend is known.
func (c *Config) Validate() error {
	_, err := c.enrichment()
	return err
}

// enrichment gives what completes a request for the backend.
func (c *Config) enrichment() (func(body []byte) []byte, error) {
	switch c.Backend {
	case "langsmith":
		return enrich.LangSmith, nil
	case "langfuse":
		return enrich.Langfuse, nil
	case "phoenix":
		return enrich.Phoenix, nil
	}
	return nil, fmt.Errorf("backend: %q is none of langsmith, langfuse, phoenix", c.Backend)
}
