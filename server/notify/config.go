package notify

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones are known wherever the program runs, in an empty container too

	"treq/server/alerting"
	"treq/telemetry"
)

// Config says who is told of alerts, when and how. Validate it before Open.
type Config struct {
	// Receivers are who is told; without any nothing is delivered, and alerts are
	// still kept.
	Receivers []Receiver
	// Routes say which receiver is told of which alert. The first that takes an
	// alert decides, and the next one too while Continue is set. An alert that none
	// takes goes to every receiver, so that none is lost for want of a route.
	Routes []Route
	// Silences hold alerts back for a time.
	Silences []Silence
	// GroupBy are the labels whose alerts share a message; empty means one message
	// for all.
	GroupBy []string
	// GroupWait is how long the first alert of a group waits for company,
	// GroupInterval how long a group rests between messages, RepeatInterval after
	// how long a message about what still fires comes again.
	GroupWait, GroupInterval, RepeatInterval time.Duration
	// QuietHours hold back all but critical alerts, in Zone.
	QuietHours []Window
	// Zone is the time zone of QuietHours and of the times in messages, such as
	// America/Sao_Paulo. "" is UTC.
	Zone string
	// Language of messages; "" is pt-BR.
	Language alerting.Language
	// ExternalURL is where people reach this process; messages link to it. "" is
	// no link.
	ExternalURL string
}

// Route sends the alerts it takes to some receivers.
type Route struct {
	// Match is what the labels must be; empty takes every alert.
	Match Match `yaml:"match"`
	// MinSeverity takes alerts at least as urgent; "" takes all.
	MinSeverity alerting.Severity `yaml:"min_severity"`
	// Receivers are names of receivers. None of them means that nobody is told.
	Receivers []string `yaml:"receivers"`
	// GroupBy, GroupWait, GroupInterval and RepeatInterval are the general ones
	// where they are left out.
	GroupBy        []string      `yaml:"group_by"`
	GroupWait      time.Duration `yaml:"group_wait"`
	GroupInterval  time.Duration `yaml:"group_interval"`
	RepeatInterval time.Duration `yaml:"repeat_interval"`
	// Continue looks at the next routes too.
	Continue bool `yaml:"continue"`
}

// Silence holds back the alerts it takes, critical ones too. One that ended
// meanwhile, and was never told of, is not told at all.
type Silence struct {
	// Match is what the labels must be; at least one is named.
	Match Match `yaml:"match"`
	// From and Until bound the silence; a zero From is always begun.
	From  time.Time `yaml:"from"`
	Until time.Time `yaml:"until"`
	// Comment says why, for people.
	Comment string `yaml:"comment"`
}

// Validate names every fault: a join of *telemetry.Error of kind Unprocessable
// whose messages start with the key below notifications, as in
// "receivers[0].url: …". It shows no secret.
func (c Config) Validate() error {
	var faults []error
	at := func(key, format string, args ...any) {
		faults = append(faults, telemetry.Errorf(telemetry.Unprocessable, "%s: %s", key, fmt.Sprintf(format, args...)))
	}
	if _, err := time.LoadLocation(c.Zone); err != nil {
		at("time_zone", "%q is no time zone: want one like America/Sao_Paulo", c.Zone)
	}
	checkLanguage(at, "language", c.Language)
	checkTimes(at, "", c.GroupWait, c.GroupInterval, c.RepeatInterval)
	if c.RepeatInterval < time.Minute {
		at("repeat_interval", "must be at least 1m")
	}
	if u, err := url.Parse(c.ExternalURL); c.ExternalURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil) {
		at("external_url", "must be http://… or https://…, without a password")
	}
	names := map[string]bool{}
	for i, r := range c.Receivers {
		key := fmt.Sprintf("receivers[%d]", i)
		if names[r.Name] && r.Name != "" {
			at(key+".name", "is there twice: what a receiver was told goes by its name")
		}
		names[r.Name] = true
		r.validate(func(name, format string, args ...any) { at(key+"."+name, format, args...) })
	}
	for i, r := range c.Routes {
		key := fmt.Sprintf("routes[%d]", i)
		if _, err := r.Match.compile(); err != nil {
			at(key+".match", "%v", err)
		}
		checkSeverity(at, key+".min_severity", r.MinSeverity)
		checkTimes(at, key+".", r.GroupWait, r.GroupInterval, r.RepeatInterval)
		for k, name := range r.Receivers {
			if !names[name] {
				at(fmt.Sprintf("%s.receivers[%d]", key, k), "%q is no receiver", name)
			}
		}
	}
	for i, s := range c.Silences {
		key := fmt.Sprintf("silences[%d]", i)
		if len(s.Match) == 0 {
			at(key+".match", "is missing: without labels everything would be silent")
		}
		if _, err := s.Match.compile(); err != nil {
			at(key+".match", "%v", err)
		}
		if !s.Until.After(s.From) {
			at(key+".until", "must be a time after from")
		}
	}
	return errors.Join(faults...)
}

type complain func(key, format string, args ...any)

func checkLanguage(at complain, key string, l alerting.Language) {
	if l != "" && l != alerting.Portuguese && l != alerting.English {
		at(key, "%q is no language of alerts: want pt-BR or en", string(l))
	}
}

func checkSeverity(at complain, key string, s alerting.Severity) {
	if !slices.Contains([]alerting.Severity{"", alerting.Info, alerting.Warning, alerting.Critical}, s) {
		at(key, "%q is no severity: want info, warning or critical", string(s))
	}
}

func checkTimes(at complain, prefix string, wait, interval, repeat time.Duration) {
	for _, d := range []struct {
		key   string
		value time.Duration
	}{{"group_wait", wait}, {"group_interval", interval}, {"repeat_interval", repeat}} {
		if d.value < 0 {
			at(prefix+d.key, "must not be negative")
		}
	}
}

// link completes an alert's own address with where people reach this process.
func (c Config) link(a *alerting.Alert) string {
	if strings.HasPrefix(a.GeneratorURL, "/") {
		if c.ExternalURL == "" {
			return ""
		}
		return strings.TrimSuffix(c.ExternalURL, "/") + a.GeneratorURL
	}
	return a.GeneratorURL
}
