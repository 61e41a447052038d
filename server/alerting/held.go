package alerting

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
)

// held is one firing as this package knows it, whatever the engine remembers: the
// engine forgets over a restart what was firing and for how long it should go on.
type held struct {
	Alert Alert `json:"alert"`
	// LastTrue is when the condition was last seen to hold.
	LastTrue time.Time `json:"last_true"`
	// Noted is the LastTrue that is surely on disk.
	Noted time.Time `json:"-"`
	// Owed is the state that the notifier did not take over yet, "" for none.
	Owed State `json:"owed,omitempty"`
}

// shown is how long ended alerts are shown, and maxShown how many.
const (
	shown    = 24 * time.Hour
	maxShown = 200
)

// register holds all firings: those that go on by fingerprint, and those that
// ended, the oldest first.
type register struct {
	firing map[string]*held
	ended  []*held
	// ghosts are series of alerts that go on here and not in the engine.
	ghosts map[string]labels.Labels
}

func newRegister() *register {
	return &register{firing: map[string]*held{}, ghosts: map[string]labels.Labels{}}
}

// compare takes over what the engine found at a time, and tells whether anything
// changed that must be on disk.
func (r *register) compare(e *engine, at time.Time, address func(*rules.AlertingRule) string) (changed bool) {
	seen := map[string]rules.AlertState{}
	keep := map[string]time.Duration{}
	for _, g := range e.groups {
		for _, rule := range g.AlertingRules() {
			keep[rule.Name()] = rule.KeepFiringFor()
		}
	}
	failing := e.failing()
	e.each(func(rule *rules.AlertingRule, a *rules.Alert) {
		if a.State == rules.StateInactive {
			return
		}
		id := fingerprint(a.Labels)
		seen[id] = a.State
		if a.State != rules.StateFiring {
			return
		}
		h := r.firing[id]
		if h == nil {
			h = &held{Alert: alertOf(rule, a, id, at, address(rule)), LastTrue: at, Noted: at, Owed: Firing}
			r.firing[id] = h
			changed = true
		}
		if a.KeepFiringSince.IsZero() {
			// A restart must know, but not to the second, for how long it goes on.
			if at.Sub(h.Noted) >= min(time.Minute, rule.KeepFiringFor()/4) && rule.KeepFiringFor() > 0 {
				h.Noted, changed = at, true
			}
			h.LastTrue, h.Alert.Value = at, finite(a.Value)
		}
	})
	for id, h := range r.firing {
		goesOn, known := keep[h.Alert.Rule]
		_, active := seen[id]
		switch {
		case active:
		case known && failing[h.Alert.Rule] != nil:
			// Nobody knows: as it was.
		case known && at.Sub(h.LastTrue) < goesOn:
		default:
			r.end(id, at)
			changed = true
		}
	}
	return r.forget(at) || changed
}

// end resolves a firing. One that was never told of is told of as it ends.
func (r *register) end(id string, at time.Time) {
	h := r.firing[id]
	delete(r.firing, id)
	h.Alert.State, h.Alert.EndsAt, h.Owed = Resolved, at, Resolved
	r.ended = append(r.ended, h)
}

// forget drops what ended long ago and is owed to nobody.
func (r *register) forget(at time.Time) bool {
	before := len(r.ended)
	surplus := before - maxShown
	r.ended = slices.DeleteFunc(r.ended, func(h *held) bool {
		surplus--
		return h.Owed == "" && (surplus >= 0 || at.Sub(h.Alert.EndsAt) > shown)
	})
	return len(r.ended) != before
}

// owed gives what the notifier has to be told, in the order in which it happened.
func (r *register) owed() []*held {
	var list []*held
	for _, h := range r.all() {
		if h.Owed != "" {
			list = append(list, h)
		}
	}
	return list
}

// all gives every firing, the oldest first.
func (r *register) all() []*held {
	list := append(slices.Collect(maps.Values(r.firing)), r.ended...)
	slices.SortFunc(list, func(a, b *held) int {
		return cmp.Or(a.Alert.StartsAt.Compare(b.Alert.StartsAt), cmp.Compare(a.Alert.Fingerprint, b.Alert.Fingerprint))
	})
	return list
}

// haunt writes the series of alerts that fire here and not in the engine, so that
// rules which ask whether they fire get the truth after a restart.
func (r *register) haunt(ctx context.Context, e *engine, s storage.Appendable, at time.Time) error {
	written := map[string]bool{}
	e.each(func(_ *rules.AlertingRule, a *rules.Alert) {
		if a.State == rules.StateFiring {
			written[fingerprint(a.Labels)] = true
		}
	})
	app := s.Appender(ctx)
	var err error
	put := func(l labels.Labels, v float64) {
		if err == nil {
			_, err = app.Append(0, l, at.UnixMilli(), v)
		}
	}
	for id, h := range r.firing {
		if written[id] {
			delete(r.ghosts, id)
			continue
		}
		l := labels.NewBuilder(labels.FromMap(h.Alert.Labels)).
			Set(model.MetricNameLabel, "ALERTS").Set("alertstate", "firing").Labels()
		r.ghosts[id] = l
		put(l, 1)
	}
	for id, l := range r.ghosts {
		if r.firing[id] == nil {
			delete(r.ghosts, id)
			put(l, math.Float64frombits(value.StaleNaN))
		}
	}
	if err != nil {
		_ = app.Rollback()
		return err
	}
	return app.Commit()
}

func fingerprint(l labels.Labels) string { return fmt.Sprintf("%016x", l.Hash()) }

// alertOf gives a firing that begins.
func alertOf(rule *rules.AlertingRule, a *rules.Alert, id string, at time.Time, address string) Alert {
	texts := map[Language]Text{}
	for language, suffix := range map[Language]string{English: "", Portuguese: "_pt_br"} {
		t := Text{Summary: a.Annotations.Get("summary" + suffix), Description: a.Annotations.Get("description" + suffix)}
		if t != (Text{}) {
			texts[language] = t
		}
	}
	return Alert{
		Fingerprint: id, Rule: rule.Name(), Severity: Severity(a.Labels.Get("severity")),
		Labels: a.Labels.Map(), Texts: texts, Value: finite(a.Value), State: Firing,
		StartsAt: at, GeneratorURL: address,
	}
}

// noAddress is for alerts that nobody follows a link of.
func noAddress(*rules.AlertingRule) string { return "" }
