package config

import "treq/telemetry"

// Sink is one place traces are forwarded to.
type Sink struct {
	// Name is unique; it names the sink's position on disk.
	Name string `yaml:"name"`
	// Profile knows the peculiarities of a product: "langsmith" or "otlp", the default.
	Profile string `yaml:"profile"`
	// Endpoint is the URL traces are posted to.
	Endpoint string                      `yaml:"endpoint"`
	Headers  map[string]telemetry.Secret `yaml:"headers"`
	// Compression is "gzip" (the default) or "none".
	Compression string `yaml:"compression"`
	// Timeout is of one request; 0 is the default of the exporter.
	Timeout Duration `yaml:"timeout"`
	// Project and Tenant are for spans that name none of their own.
	Project string `yaml:"project"`
	Tenant  string `yaml:"tenant"`
}
