package notify

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"treq/server/alerting"
)

// policy is how a receiver is told of the alerts of one route.
type policy struct {
	takes                  matcher
	minSeverity            alerting.Severity
	receivers              []string // nil: every receiver
	groupBy                []string
	wait, interval, repeat time.Duration
	further                bool // the next routes are looked at too
}

func newPolicies(c Config) ([]policy, error) {
	general := policy{groupBy: c.GroupBy, wait: c.GroupWait, interval: c.GroupInterval, repeat: c.RepeatInterval}
	var out []policy
	for _, r := range c.Routes {
		p := general
		takes, err := r.Match.compile()
		if err != nil {
			return nil, err
		}
		p.takes, p.minSeverity, p.further = takes, r.MinSeverity, r.Continue
		p.receivers = append([]string{}, r.Receivers...)
		if r.GroupBy != nil {
			p.groupBy = r.GroupBy
		}
		p.wait = cmp.Or(r.GroupWait, p.wait)
		p.interval = cmp.Or(r.GroupInterval, p.interval)
		p.repeat = cmp.Or(r.RepeatInterval, p.repeat)
		out = append(out, p)
	}
	return append(out, general), nil
}

// route gives how a receiver is told of an alert, and false when it is not. The
// last policy takes what no other did.
func (r *receiver) route(a *alerting.Alert) (policy, bool) {
	if r.config.MinSeverity != "" && rank(a.Severity) < rank(r.config.MinSeverity) {
		return policy{}, false
	}
	for i, p := range r.policies {
		last := i == len(r.policies)-1
		if !p.takes.takes(a) || p.minSeverity != "" && rank(a.Severity) < rank(p.minSeverity) {
			continue
		}
		if last || slices.Contains(p.receivers, r.config.Name) {
			return p, true
		}
		if !p.further {
			return policy{}, false
		}
	}
	return policy{}, false
}

// group gives the name of an alert's group.
func (p policy) group(a *alerting.Alert) string {
	var b strings.Builder
	for _, label := range p.groupBy {
		b.WriteString(label + "=" + labelOf(a, label) + "\x00")
	}
	return b.String()
}

// group is what may share a message.
type group struct {
	name    string
	policy  policy
	members []member
	last    time.Time // the newest message about them
	// unfinished tells that the newest message had no room for all that was owed.
	unfinished bool
}

type member struct {
	*episode
	told  toldEntry
	until time.Time      // held back until then; zero if it is not
	sent  alerting.State // as it went into the message
}

// batch is a message to be sent: the members in the order that a reader wants.
type batch struct {
	group   string
	policy  policy
	members []member
	// unfinished tells that there was no room for all that is owed.
	unfinished bool
}

// next gives the message that is due, or when to look again; the zero time is
// only when something changes.
func (r *receiver) next(b *book, now time.Time) (due *batch, wake time.Time) {
	var first *group
	for _, g := range r.groups(b, now) {
		at := g.due()
		if at.IsZero() {
			continue
		}
		at = later(at, r.notBefore, r.trouble[g.name].until)
		if wake.IsZero() || at.Before(wake) {
			first, wake = g, at
		}
	}
	if first == nil || wake.After(now) {
		return nil, wake
	}
	due = first.batch(now, r.sender.most(), r.trouble[first.name])
	if len(due.members) == 0 {
		return nil, now.Add(time.Minute)
	}
	return due, now
}

// groups sorts what the receiver is to know into groups, in order of their names.
func (r *receiver) groups(b *book, now time.Time) []*group {
	byName := map[string]*group{}
	for _, e := range b.episodes {
		if !e.settled.IsZero() {
			continue
		}
		told := e.told[r.config.Name]
		p, wanted := r.route(&e.alert)
		// Whoever was told of a firing is owed its end, whatever the routes say by now.
		if !wanted && (told.State != alerting.Firing || e.alert.State != alerting.Resolved) {
			continue
		}
		if !wanted {
			p = r.policies[len(r.policies)-1]
		}
		name := p.group(&e.alert)
		g, ok := byName[name]
		if !ok {
			g = &group{name: name, policy: p, last: r.lastOf[name], unfinished: r.unfinished[name]}
			byName[name] = g
		}
		g.members = append(g.members, member{episode: e, told: told, until: r.heldUntil(e, told, now)})
		g.last = later(g.last, told.At)
	}
	out := make([]*group, 0, len(byName))
	for _, g := range byName {
		out = append(out, g)
	}
	slices.SortFunc(out, func(x, y *group) int { return strings.Compare(x.name, y.name) })
	return out
}

// heldUntil gives until when a silence or the quiet hours hold an alert back.
func (r *receiver) heldUntil(e *episode, told toldEntry, now time.Time) time.Time {
	if r.config.Kind == Alertmanager {
		return time.Time{}
	}
	var until time.Time
	// The end of what was told is no disturbance that a silence is about.
	if told.State != alerting.Firing || e.alert.State != alerting.Resolved {
		until = r.silencedUntil(&e.alert, now)
	}
	if e.alert.Severity != alerting.Critical && !r.config.AroundTheClock {
		until = later(until, quietUntil(r.quiet, now.In(r.quietZone)))
	}
	return until
}

func (r *receiver) silencedUntil(a *alerting.Alert, now time.Time) (until time.Time) {
	for _, s := range r.silences {
		if !now.Before(s.from) && now.Before(s.until) && s.takes.takes(a) {
			until = later(until, s.until)
		}
	}
	return until
}

// due gives when the group's next message is; zero when there is none to come.
func (g *group) due() (at time.Time) {
	for _, m := range g.members {
		var when time.Time
		switch {
		case m.owes(m.told):
			when = m.since().Add(g.policy.wait)
			if !g.last.IsZero() && !g.unfinished {
				when = later(when, g.last.Add(g.policy.interval))
			}
		case m.alert.State == alerting.Firing:
			when = m.told.At.Add(g.policy.repeat)
		default:
			continue
		}
		if when = later(when, m.until); at.IsZero() || when.Before(at) {
			at = when
		}
	}
	return at
}

// batch gathers what goes into the group's message, at most so many: first what is
// owed, then what still fires, the longest untold first. After each refusal of the
// message it holds half as many, and in the end each alert in turn alone, so that
// one that the receiver will not take costs no other.
func (g *group) batch(now time.Time, most int, trouble trouble) *batch {
	most = max(1, most>>min(trouble.failures, 16))
	alone := most == 1 && trouble.failures > 0
	out := &batch{group: g.name, policy: g.policy}
	for _, m := range g.members {
		owed := m.owes(m.told)
		if m.until.After(now) || !owed && (m.alert.State != alerting.Firing || alone && now.Before(m.told.At.Add(g.policy.repeat))) {
			continue
		}
		out.members = append(out.members, m)
	}
	slices.SortFunc(out.members, inOrder)
	if n := len(out.members); alone && n > 0 {
		turn := trouble.turn % n
		out.members = slices.Concat(out.members[turn:], out.members[:turn])
	}
	if len(out.members) > most {
		out.unfinished = slices.ContainsFunc(out.members[most:], func(m member) bool { return m.owes(m.told) })
		out.members = out.members[:most]
	}
	return out
}

// inOrder puts what is owed first, in the order it happened, then what was told
// longest ago.
func inOrder(x, y member) int {
	owed := x.owes(x.told)
	if owed != y.owes(y.told) {
		if owed {
			return -1
		}
		return 1
	}
	order := x.alert.StartsAt.Compare(y.alert.StartsAt)
	if !owed {
		order = cmp.Or(x.told.At.Compare(y.told.At), order)
	}
	return cmp.Or(order, strings.Compare(x.alert.Fingerprint, y.alert.Fingerprint))
}

func later(times ...time.Time) (out time.Time) {
	for _, t := range times {
		if t.After(out) {
			out = t
		}
	}
	return out
}
