package config

import (
	"net/url"
	"slices"
	"strings"

	"treq/telemetry/export"
)

// own lists the addresses of this process that a sink must not point at.
func (c *Config) own() []string {
	var addresses []string
	for _, a := range []Address{c.Listen, c.OTLP.HTTP, c.OTLP.GRPC} {
		if !a.Off() {
			addresses = append(addresses, a.HostPort)
		}
	}
	return addresses
}

// addSinks adds the sinks that LangSmith's and OpenTelemetry's own variables
// describe. The file's sink of the same name goes first.
func (l *Loaded) addSinks(env func(string) string) {
	found, warnings := export.FromEnvironment(env)
	found, looped := export.WithoutSelf(found, l.Config.own())
	for _, w := range append(warnings, looped...) {
		l.Warnings = append(l.Warnings, w.String())
	}
	for _, sink := range found {
		if slices.ContainsFunc(l.Config.Sinks, func(s export.Config) bool { return s.Name == sink.Name }) {
			l.Warnings = append(l.Warnings, "sink "+sink.Name+": the environment's is not used, the file has one of this name")
			continue
		}
		l.Origins[itemKey("sinks", len(l.Config.Sinks))] = Origin{Name: "environment"}
		l.Config.Sinks = append(l.Config.Sinks, sink)
	}
}

func (v *checker) sinks(sinks []export.Config, own []string) {
	seen := map[string]bool{}
	for i, s := range sinks {
		key := itemKey("sinks", i)
		v.no(s.Name != "" && seen[s.Name], key+".name", "is there twice: a sink's position on disk goes by its name")
		seen[s.Name] = true
		for _, err := range faults(s.Validate()) {
			v.sinkFault(key, err)
		}
		if err := s.SelfCheck(own); err != nil {
			v.sinkFault(key, err)
		}
	}
}

// sinkFault takes an error that starts with "sinks.NAME.key: " and files it under
// the sink's place in the list, where the reader's file has it.
func (v *checker) sinkFault(key string, err error) {
	where, why, _ := strings.Cut(err.Error(), ": ")
	v.no(true, key+where[strings.LastIndex(where, "."):], why)
}

// faults takes a joined error apart.
func faults(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

// shownURL is a URL without what may be secret: password and query.
func shownURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "[REDACTED]"
	}
	if u.User != nil {
		u.User = url.User("REDACTED")
	}
	if u.RawQuery != "" {
		u.RawQuery = "REDACTED"
	}
	return u.String()
}
