package config

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"treq/telemetry"
)

// History is what is kept of the numbers over time, and who is asked for it.
type History struct {
	// Enabled keeps samples under the data directory. Windows, charts, targets and
	// alerts need them.
	Enabled bool `yaml:"enabled"`
	// Step is the time between two samples.
	Step Duration `yaml:"step"`
	// Keep is how long they are kept, MaxBytes how much of them.
	Keep     Duration `yaml:"keep"`
	MaxBytes Size     `yaml:"max_bytes"`
	// QueryTimeout ends a query; QueryMaxSamples bounds what it holds at once.
	QueryTimeout    Duration `yaml:"query_timeout"`
	QueryMaxSamples int      `yaml:"query_max_samples"`
	// The server that answers queries in place of this process, if it has a URL.
	URL     string                      `yaml:"url"`
	Token   telemetry.Secret            `yaml:"token"`
	Headers map[string]telemetry.Secret `yaml:"headers"`
	TLS     ClientTLS                   `yaml:"tls"`
	// RemoteWrite is given every sample besides.
	RemoteWrite RemoteWrite `yaml:"remote_write"`
}

// ClientTLS are PEM files: whom we trust, and who we are. Empty is the system's
// authorities, and nobody.
type ClientTLS struct {
	CA   string `yaml:"ca"`
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// RemoteWrite is a server that takes Prometheus's remote-write protocol.
type RemoteWrite struct {
	URL     string                      `yaml:"url"`
	Token   telemetry.Secret            `yaml:"token"`
	Headers map[string]telemetry.Secret `yaml:"headers"`
	TLS     ClientTLS                   `yaml:"tls"`
	// QueueBytes bounds what waits in memory while the server does not take it.
	QueueBytes Size `yaml:"queue_bytes"`
}

func defaultHistory() History {
	return History{
		Enabled: true, Step: Duration(15 * time.Second), Keep: Duration(15 * 24 * time.Hour), MaxBytes: 512 << 20,
		QueryTimeout: Duration(30 * time.Second), QueryMaxSamples: 2_000_000,
		Headers:     map[string]telemetry.Secret{},
		RemoteWrite: RemoteWrite{Headers: map[string]telemetry.Secret{}, QueueBytes: 16 << 20},
	}
}

func (v *checker) history(h *History) {
	v.no(h.Step < Duration(time.Second) || h.Step > Duration(10*time.Minute), "history.step", "must be within 1s and 10m")
	v.no(h.Keep < Duration(2*time.Hour), "history.keep", "must be at least 2h, the shortest block")
	v.no(h.MaxBytes < 16<<20, "history.max_bytes", "must be at least 16MiB")
	v.no(h.QueryTimeout < Duration(time.Second), "history.query_timeout", "must be at least 1s")
	v.no(h.QueryMaxSamples < 10_000, "history.query_max_samples", "must be at least 10000")
	v.no(!h.Enabled && h.URL != "", "history.url", "needs history.enabled: rules keep what they know here")
	v.no(!h.Enabled && h.RemoteWrite.URL != "", "history.remote_write.url", "needs history.enabled: nothing is sampled without it")
	v.no(h.RemoteWrite.QueueBytes < 1<<20, "history.remote_write.queue_bytes", "must be at least 1MiB")
	v.peer("history", h.URL, h.Token, h.Headers, h.TLS)
	v.peer("history.remote_write", h.RemoteWrite.URL, h.RemoteWrite.Token, h.RemoteWrite.Headers, h.RemoteWrite.TLS)
}

// peer checks how another server is reached.
func (v *checker) peer(key, address string, token telemetry.Secret, headers map[string]telemetry.Secret, files ClientTLS) {
	if address != "" {
		u, err := url.Parse(address)
		v.no(err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "", key+".url", "is no address: want http://host:port or https://host, with a path where the server needs one")
		v.no(err == nil && u.User != nil, key+".url", "holds a password: put it into "+key+".token or "+key+".headers")
	}
	v.no(strings.ContainsFunc(token.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }),
		key+".token", "must be printable ASCII without spaces, as a header carries it")
	for name, value := range headers {
		text := value.Reveal()
		v.no(http.CanonicalHeaderKey(name) == "" || strings.ContainsAny(name, " :\r\n"), key+".headers", "holds a name that no header can have")
		v.no(strings.ContainsAny(text, "\r\n\x00"), key+".headers."+name, "holds a line break, which no header can carry")
	}
	v.no((files.Cert == "") != (files.Key == ""), key+".tls.cert", "needs its key, and the key its certificate")
}

// shownAddress is a URL without what may be secret, "" for none.
func shownAddress(text string) string {
	if text == "" {
		return ""
	}
	return shownURL(text)
}
