package config

import (
	"net"
	"net/url"
	"strings"

	"treq/telemetry"
)

// Validate names everything that is wrong, with its key; it changes nothing.
func (c *Config) Validate() Problems {
	var v checker
	v.addresses(c)
	v.no(c.DataDir == "", "data_dir", "must name a directory")
	v.journal(&c.Journal)
	v.chats(&c.Chats)
	v.families(c.Families)
	v.money(c)
	v.history(&c.History)
	v.fleet(c)
	v.objectives(&c.Objectives)
	v.sinks(c.Sinks, c.own())
	v.notifications(&c.Notifications)
	v.redact(&c.Redact)
	v.limits(&c.Limits)
	v.runs(&c.Runs)
	v.callers(c)
	v.tls(&c.TLS)
	v.auth(c)
	return v.problems
}

type checker struct{ problems Problems }

// no records a problem when wrong holds.
func (v *checker) no(wrong bool, key, reason string) {
	if wrong {
		v.problems = append(v.problems, Problem{Key: key, Reason: reason})
	}
}

func (v *checker) addresses(c *Config) {
	v.no(c.Listen.Off(), "listen", "cannot be off: it is the port that answers")
	taken := map[string]string{}
	for _, a := range []struct {
		key     string
		address Address
	}{{"listen", c.Listen}, {"otlp.http", c.OTLP.HTTP}, {"otlp.grpc", c.OTLP.GRPC}, {"debug.listen", c.Debug.Listen}} {
		if a.address.Off() {
			continue
		}
		if _, port, _ := net.SplitHostPort(a.address.HostPort); port == "0" {
			continue
		}
		other, twice := taken[a.address.HostPort]
		v.no(twice, a.key, "has the address of "+other+": each needs its own (the one port takes OTLP too; off closes this one)")
		taken[a.address.HostPort] = a.key
	}
}

func (v *checker) journal(j *Journal) {
	v.no(j.Keep <= 0, "journal.keep", "must be above 0")
	v.no(j.MaxAge < j.Keep, "journal.max_age", "must not be below journal.keep ("+j.Keep.String()+")")
	v.no(j.SegmentBytes < 64<<10 || j.SegmentBytes > 1<<30, "journal.segment_bytes", "must be within 64KiB and 1GiB")
	v.no(j.MaxBytes != 0 && j.MaxBytes < 2*j.SegmentBytes, "journal.max_bytes",
		"must have room for two segments ("+(2*j.SegmentBytes).String()+"), or be 0 for a share of the disk")
	v.no(j.PrepareRate < 0, "journal.prepare_rate", "must not be negative")
	v.no(j.LockWait < 0, "journal.lock_wait", "must not be negative")
}

func (v *checker) chats(c *Chats) {
	v.no(c.Preset != "" && c.Preset != "treq", "chats.preset", "is none that ships: want treq or nothing")
	v.rules("chats.entries", c.Entries)
	v.rules("chats.exclude", c.Exclude)
	for _, d := range []struct {
		key   string
		value Duration
	}{
		{"chats.session", c.Session},
		{"chats.remember", c.Remember},
		{"chats.close.root", c.Close.Root},
		{"chats.close.chain", c.Close.Chain},
		{"chats.close.leaves", c.Close.Leaves},
		{"chats.close.longest", c.Close.Longest},
	} {
		v.no(d.value <= 0, d.key, "must be above 0")
	}
}

func (v *checker) rules(key string, rules []SpanRule) {
	for i, r := range rules {
		v.no(r == SpanRule{}, itemKey(key, i), "matches every span: set service, name or route")
	}
}

func (v *checker) families(families []Family) {
	seen := map[string]bool{}
	for i, f := range families {
		key := itemKey("families", i)
		v.no(f.Name == "", key+".name", "is missing")
		v.no(f.Name != "" && seen[f.Name], key+".name", "is there twice: put all parts under one match")
		v.no(len(f.Match) == 0, key+".match", "is missing: want parts of model names")
		for k, part := range f.Match {
			v.no(strings.TrimSpace(part) == "", itemKey(key+".match", k), "is blank and would match every model")
		}
		seen[f.Name] = true
	}
}

func (v *checker) limits(l *Limits) {
	v.no(l.MaxRequestBytes < 1<<10, "limits.max_request_bytes", "must be at least 1KiB")
	v.no(l.MaxInFlightBytes < l.MaxRequestBytes, "limits.max_in_flight_bytes",
		"must have room for one request ("+l.MaxRequestBytes.String()+")")
	v.no(l.TokenBytesPerSecond < 0, "limits.token_bytes_per_second", "must be 0 or more")
	v.no(l.MaxConnections < 16 || l.MaxConnections > 1<<16, "limits.max_connections", "must be within 16 and 65536")
}

func (v *checker) tokens(key string, tokens []telemetry.Secret) {
	for i, t := range tokens {
		text := t.Reveal()
		v.no(text == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }),
			itemKey(key, i), "must be printable ASCII without spaces, as a header carries it")
	}
}

func (v *checker) callers(c *Config) {
	v.tokens("tokens.ingest", c.Tokens.Ingest)
	v.tokens("tokens.api", c.Tokens.API)
	v.tokens("tokens.admin", c.Tokens.Admin)
	for i, o := range c.CORSOrigins {
		u, err := url.Parse(o)
		v.no(o != "*" && (err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != ""),
			itemKey("cors_origins", i), "is no origin: want scheme://host or scheme://host:port")
	}
	for i, h := range c.AllowedHosts {
		v.no(h == "" || strings.ContainsAny(h, "/ @"), itemKey("allowed_hosts", i), "is no host name: want a name or an IP address, without scheme or path")
	}
}
