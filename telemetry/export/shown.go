package export

import (
	"fmt"
	"log/slog"
	"net/url"
)

// printed is Config without its methods, so that printing it does not come back.
type printed Config

// masked gives the configuration with an endpoint that may be shown: what may be a
// password or a key in it is not.
func (c Config) masked() printed {
	p := printed(c)
	u, err := url.Parse(c.Endpoint)
	switch {
	case c.Endpoint == "":
	case err != nil || u.Opaque != "":
		p.Endpoint = "[REDACTED]"
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
		p.Endpoint = u.String()
	}
	return p
}

// Format prints the fields for every verb of fmt, without user, password and query of
// the endpoint.
func (c Config) Format(f fmt.State, verb rune) {
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), c.masked())
}

// LogValue is what Format prints.
func (c Config) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", c)) }
