package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"treq/server/alerting"
)

// message is what one receiver is told at once.
type message struct {
	receiver string
	group    string
	by       []string // labels that the group goes by
	notices  []notice
	// key is the same for every attempt at the same news, also after a crash, and
	// another for a repetition of them.
	key string
	now time.Time
	// sample marks a message that somebody asked for, about nothing.
	sample bool
}

// notice is one alert in a message.
type notice struct {
	alerting.Alert
	// late tells that the end is told to somebody who never heard of the firing.
	late bool
	// again tells that the receiver was told of this before.
	again bool
}

func newMessage(r *receiver, b *batch, now time.Time) *message {
	m := &message{receiver: r.config.Name, group: b.group, by: b.policy.groupBy, now: now}
	var news []string
	for _, x := range b.members {
		n := notice{Alert: x.alert, again: !x.owes(x.told)}
		n.late = x.alert.State == alerting.Resolved && x.told.State == ""
		m.notices = append(m.notices, n)
		if !n.again {
			news = append(news, eventKey(&x.alert, x.told.Times))
		}
	}
	// What is repeated beside news may differ after a restart; the news may not.
	if len(news) == 0 {
		for _, x := range b.members {
			news = append(news, eventKey(&x.alert, x.told.Times))
		}
	}
	m.key = digest(m.receiver, news)
	return m
}

// eventKey names one event: this firing began, or ended, or is told of for the
// so-manieth time.
func eventKey(a *alerting.Alert, times int) string {
	k := fmt.Sprintf("%s/%s/%s", a.Fingerprint, a.StartsAt.UTC().Format(time.RFC3339Nano), a.State)
	if times > 0 && a.State == alerting.Firing {
		k += fmt.Sprintf("/%d", times)
	}
	return k
}

func digest(receiver string, events []string) string {
	slices.Sort(events)
	sum := sha256.Sum256([]byte(receiver + "\n" + strings.Join(events, "\n")))
	return hex.EncodeToString(sum[:16])
}

// firing counts the alerts that fire.
func (m *message) firing() (n int) {
	for _, x := range m.notices {
		if x.State == alerting.Firing {
			n++
		}
	}
	return n
}

// state is Firing while any of the alerts does.
func (m *message) state() alerting.State {
	if m.firing() > 0 {
		return alerting.Firing
	}
	return alerting.Resolved
}

// severity is that of the most urgent alert that fires, or of all when none does.
func (m *message) severity() (most alerting.Severity) {
	firing := m.firing() > 0
	for _, x := range m.notices {
		if (x.State == alerting.Firing || !firing) && (most == "" || rank(x.Severity) > rank(most)) {
			most = x.Severity
		}
	}
	return most
}

// groupLabels gives what the alerts were grouped by.
func (m *message) groupLabels() map[string]string {
	out := map[string]string{}
	if len(m.notices) == 0 {
		return out
	}
	for _, label := range m.by {
		if value := labelOf(&m.notices[0].Alert, label); value != "" {
			out[label] = value
		}
	}
	return out
}

// common gives the pairs that all maps hold.
func common(all []map[string]string) map[string]string {
	out := map[string]string{}
	if len(all) == 0 {
		return out
	}
	for _, name := range slices.Sorted(maps.Keys(all[0])) {
		value := all[0][name]
		if !slices.ContainsFunc(all, func(m map[string]string) bool { v, ok := m[name]; return !ok || v != value }) {
			out[name] = value
		}
	}
	return out
}
