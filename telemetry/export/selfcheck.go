package export

import (
	"net"
	"net/netip"
	"strings"

	"treq/telemetry"
)

// SelfCheck tells whether the sink points at one of this process's own doors,
// which would send every span in a circle. own holds the listen addresses
// ("127.0.0.1:8002", ":4318", "[::]:8002"). An own address without a host, or
// with an unspecified one, stands for every loopback address, for localhost,
// and for every host that another element of own names with that port; other
// names of this machine are not looked up: what slips through is caught by the
// Treq-Hop header at the door.
//
// The error is a *telemetry.Error of kind Unprocessable that names the key.
func (c Config) SelfCheck(own []string) error {
	u, err := c.target()
	if err != nil {
		return nil
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	for _, address := range own {
		host, ownPort, err := net.SplitHostPort(address)
		if err != nil || ownPort != port || !sameHost(u.Hostname(), host) {
			continue
		}
		return telemetry.Errorf(telemetry.Unprocessable,
			"sinks.%s.endpoint: %s is this process's own address %s: every span would come back",
			c.Name, c.shownEndpoint(), address)
	}
	return nil
}

// WithoutSelf gives the configurations that do not point at this process's own
// doors, and a warning for each that does. It is meant for sinks that the
// environment made: the instrumented application and this process may share one
// .env file (docs/api.md, section 4).
func WithoutSelf(configs []Config, own []string) ([]Config, []Warning) {
	var kept []Config
	var warnings []Warning
	for _, c := range configs {
		if err := c.SelfCheck(own); err != nil {
			why := "not used: " + err.Error()
			if c.Profile == "langsmith" {
				why += "; TREQ_LANGSMITH_ENDPOINT says where LangSmith is, such as https://api.smith.langchain.com"
			}
			warnings = append(warnings, Warning{Sink: c.Name, Message: why})
			continue
		}
		kept = append(kept, c)
	}
	return kept, warnings
}

func sameHost(target, own string) bool {
	target, own = normalHost(target), normalHost(own)
	if target == own {
		return true
	}
	return isLocal(target) && isLocal(own)
}

func normalHost(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().WithZone("").String()
	}
	return host
}

// isLocal takes normal hosts: loopback, or unspecified, which a client's
// connection turns into loopback.
func isLocal(host string) bool {
	if host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && (ip.IsLoopback() || ip.IsUnspecified())
}
