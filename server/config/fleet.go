package config

import (
	"net/url"
	"time"

	"treq/telemetry"
)

// Scope is whose numbers a process answers with.
type Scope string

// The scopes (docs/architecture.md, section 6).
const (
	ScopeInstance Scope = "instance" // its own
	ScopeFleet    Scope = "fleet"    // the sum over all replicas, from history.url
)

// UnmarshalText reads instance or fleet.
func (s *Scope) UnmarshalText(text []byte) error { return choose(s, text, ScopeInstance, ScopeFleet) }

// Fleet is what a replica knows of the others.
type Fleet struct {
	// Peers are the addresses of the replicas that are asked for runs which this one
	// does not have, such as http://treq-1:8002. This one may be among them.
	Peers []string `yaml:"peers"`
	// Token is what they ask of readers (tokens.api); "" shows none.
	Token telemetry.Secret `yaml:"token"`
	// Timeout ends the question for a run; 100 ms to 30 s.
	Timeout Duration `yaml:"timeout"`
	// DeliverAlerts lets this replica tell the receivers of alerts. All evaluate; of a
	// fleet with one scope only one delivers, or all deliver to an Alertmanager.
	DeliverAlerts bool `yaml:"deliver_alerts"`
}

func defaultFleet() Fleet {
	return Fleet{Peers: []string{}, Timeout: Duration(3 * time.Second), DeliverAlerts: true}
}

func (v *checker) fleet(c *Config) {
	v.no(c.Scope == ScopeFleet && c.History.URL == "", "scope", "fleet needs history.url: the numbers of all replicas are read there")
	f := &c.Fleet
	for i, p := range f.Peers {
		u, err := url.Parse(p)
		v.no(err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "", itemKey("fleet.peers", i), "is no address: want http://host:port or https://host")
		v.no(err == nil && u.User != nil, itemKey("fleet.peers", i), "holds a password: put it into fleet.token")
	}
	v.peer("fleet", "", f.Token, nil, ClientTLS{})
	v.no(f.Timeout < Duration(100*time.Millisecond) || f.Timeout > Duration(30*time.Second), "fleet.timeout", "must be within 100ms and 30s")
}
