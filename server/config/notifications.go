package config

import (
	"strings"
	"time"

	"treq/server/alerting"
	"treq/server/notify"
)

// Notifications say who is told of alerts, when and how. Without receivers nobody
// is.
type Notifications struct {
	// Language of messages: pt-BR or en.
	Language alerting.Language `yaml:"language"`
	// TimeZone is that of quiet hours and of the times in messages.
	TimeZone string `yaml:"time_zone"`
	// QuietHours hold back what is not critical.
	QuietHours []notify.Window `yaml:"quiet_hours"`
	// GroupBy are the labels whose alerts share a message.
	GroupBy []string `yaml:"group_by"`
	// GroupWait is how long the first alert of a group waits for others.
	GroupWait Duration `yaml:"group_wait"`
	// GroupInterval is how long a group rests between two messages.
	GroupInterval Duration `yaml:"group_interval"`
	// RepeatInterval is after how long what still fires is told again.
	RepeatInterval Duration `yaml:"repeat_interval"`
	// ExternalURL is where people reach this process.
	ExternalURL string            `yaml:"external_url"`
	Receivers   []notify.Receiver `yaml:"receivers"`
	Routes      []notify.Route    `yaml:"routes"`
	Silences    []notify.Silence  `yaml:"silences"`
}

func defaultNotifications() Notifications {
	return Notifications{
		Language:       alerting.Portuguese,
		TimeZone:       "America/Sao_Paulo",
		QuietHours:     []notify.Window{},
		GroupBy:        []string{"rule"},
		GroupWait:      Duration(30 * time.Second),
		GroupInterval:  Duration(5 * time.Minute),
		RepeatInterval: Duration(4 * time.Hour),
		Receivers:      []notify.Receiver{},
		Routes:         []notify.Route{},
		Silences:       []notify.Silence{},
	}
}

// Notify gives the settings as those who deliver take them.
func (n Notifications) Notify() notify.Config {
	return notify.Config{
		Receivers: n.Receivers, Routes: n.Routes, Silences: n.Silences,
		GroupBy: n.GroupBy, GroupWait: time.Duration(n.GroupWait), GroupInterval: time.Duration(n.GroupInterval),
		RepeatInterval: time.Duration(n.RepeatInterval),
		QuietHours:     n.QuietHours, Zone: n.TimeZone, Language: n.Language, ExternalURL: n.ExternalURL,
	}
}

func (v *checker) notifications(n *Notifications) {
	for _, err := range faults(n.Notify().Validate()) {
		key, why, _ := strings.Cut(err.Error(), ": ")
		v.no(true, "notifications."+key, why)
	}
}
