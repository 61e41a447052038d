package notify

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"treq/server/alerting"
)

// newReceiver makes a receiver with its policies and its sender.
func newReceiver(c Config, rc Receiver, transport http.RoundTripper, version string) (*receiver, error) {
	policies, err := newPolicies(c)
	if err != nil {
		return nil, err
	}
	r := &receiver{
		config: rc, policies: policies, quiet: c.QuietHours, timeout: rc.Timeout,
		wake: make(chan struct{}, 1), lastOf: map[string]time.Time{}, unfinished: map[string]bool{}, trouble: map[string]trouble{},
	}
	if r.timeout == 0 {
		r.timeout = defaultTimeout
	}
	if rc.Kind == Alertmanager {
		for i := range r.policies {
			p := &r.policies[i]
			p.groupBy, p.wait, p.interval, p.repeat = nil, 0, 0, resendEvery
		}
	}
	for _, s := range c.Silences {
		takes, err := s.Match.compile()
		if err != nil {
			return nil, err
		}
		r.silences = append(r.silences, silence{takes, s.From, s.Until})
	}
	zone := rc.Zone
	if zone == "" {
		zone = c.Zone
	}
	var errs [2]error
	r.quietZone, errs[0] = time.LoadLocation(c.Zone)
	r.style.zone, errs[1] = time.LoadLocation(zone)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("time zone: %w", err)
	}
	r.style.language = alerting.Portuguese
	for _, l := range []alerting.Language{c.Language, rc.Language} {
		if l != "" {
			r.style.language = l
		}
	}
	r.style.link = c.link
	r.style.external = c.ExternalURL
	r.sender, err = newSender(rc, r.style, &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, version)
	return r, err
}
