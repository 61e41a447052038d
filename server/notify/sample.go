package notify

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"treq/server/alerting"
	"treq/telemetry"
)

// SampleRule is the rule's name of the sample that SendSamples sends.
const SampleRule = "treq_sample"

// Sampled is what a receiver answered to a sample.
type Sampled struct {
	Receiver string
	Kind     Kind
	// Answer is in the receiver's own words, without secrets.
	Answer string
	// Err is nil when the receiver took the sample. Its text holds no secret.
	Err error
}

// SendSamples sends a message that is marked as a test to every receiver, or to
// the one of a name, all at once, one attempt each. It looks at neither routes nor
// quiet hours, and nothing of it is kept. The error is of kind NotFound when there
// is no such receiver, and Unprocessable for settings that Validate refuses.
func SendSamples(ctx context.Context, c Config, name, version string, proxy func(*http.Request) (*url.URL, error)) ([]Sampled, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	var chosen []*receiver
	transport := newTransport(proxy)
	defer transport.CloseIdleConnections()
	for _, rc := range c.Receivers {
		if name != "" && rc.Name != name {
			continue
		}
		r, err := newReceiver(c, rc, transport, version)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, r)
	}
	if len(chosen) == 0 && name != "" {
		return nil, telemetry.Errorf(telemetry.NotFound, "there is no receiver %q", name)
	}
	out := make([]Sampled, len(chosen))
	var all sync.WaitGroup
	for i, r := range chosen {
		all.Go(func() {
			attempt, cancel := context.WithTimeout(ctx, r.timeout)
			defer cancel()
			answer, err := r.sender.send(attempt, newSample(r.config.Name, time.Now()))
			out[i] = Sampled{r.config.Name, r.config.Kind, answer, err}
			if why, ok := errors.AsType[*refusal](err); ok && why.detail != "" {
				out[i].Answer = why.detail
			}
		})
	}
	all.Wait()
	return out, nil
}

// newSample makes a message about an alert that an Alertmanager forgets by itself.
func newSample(receiver string, now time.Time) *message {
	a := alerting.Alert{
		Fingerprint: "0000000000000000", Rule: SampleRule, Severity: alerting.Info, State: alerting.Firing, StartsAt: now,
		Labels: map[string]string{"alertname": SampleRule, "severity": string(alerting.Info)},
		Texts: map[alerting.Language]alerting.Text{
			alerting.Portuguese: {Summary: "alerta de teste", Description: portuguese.sampleBody},
			alerting.English:    {Summary: "test alert", Description: english.sampleBody},
		},
	}
	return &message{
		receiver: receiver, notices: []notice{{Alert: a}}, now: now, sample: true,
		key: digest(receiver, []string{eventKey(&a, 0)}),
	}
}
