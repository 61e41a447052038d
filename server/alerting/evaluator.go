package alerting

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/prometheus/rules"

	"treq/telemetry"
	"treq/telemetry/objective"
)

// Options of an Evaluator. Storage, Objectives and State are required.
type Options struct {
	Storage Storage
	// Source answers what recording rules ask, where the series are not in Storage;
	// nil asks Storage.
	Source QueryFunc
	// Objectives say what is evaluated, Interval how often (objective.Options).
	Objectives *objective.Document
	Interval   time.Duration
	// State is the file that keeps what fires through restarts.
	State string
	// Notifier is told what changes; nil tells nobody. What it holds as firing by
	// Known and State does not know either goes on here, or is resolved; Known may
	// be nil.
	Notifier Notifier
	Known    func() []Alert
	// External is the address under which people reach this process; nil leaves
	// links without a host.
	External *url.URL
	// Logger gets what goes wrong; nil discards it.
	Logger *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Evaluator evaluates objectives and knows what fires. Make it with New; Run it, or
// call Evaluate. Everything else is safe for concurrent use with these.
type Evaluator struct {
	o     Options
	log   *slog.Logger
	state stateFile

	evaluating sync.Mutex // held while rules are evaluated or replaced

	mu       sync.Mutex // of what follows
	engine   *engine
	rules    *objective.Rules
	register *register
	unsaved  bool
	faults   map[string]string // what was logged and still holds
	watchers map[chan struct{}]struct{}
}

// New makes an evaluator and reads the state that an earlier one left. A state that
// cannot be read is logged, and begins anew.
func New(o Options) (*Evaluator, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.External == nil {
		o.External = &url.URL{}
	}
	ev := &Evaluator{o: o, log: o.Logger, state: stateFile{o.State}, faults: map[string]string{}, watchers: map[chan struct{}]struct{}{}}
	var err error
	if ev.rules, ev.engine, err = ev.compile(o.Objectives); err != nil {
		return nil, err
	}
	if ev.register, err = ev.state.load(); telemetry.KindOf(err) == telemetry.Unsupported && err != nil {
		return nil, err
	}
	if err != nil {
		ev.log.Error("alerts that fired are not known any more", "error", err)
	}
	ev.adopt()
	return ev, nil
}

// adopt takes over what the notifier holds as firing and the state does not: it is
// owed an end.
func (ev *Evaluator) adopt() {
	if ev.o.Known == nil {
		return
	}
	now := ev.o.Now()
	for _, a := range ev.o.Known() {
		over := slices.ContainsFunc(ev.register.ended, func(h *held) bool {
			return h.Alert.Fingerprint == a.Fingerprint && h.Alert.StartsAt.Equal(a.StartsAt)
		})
		if ev.register.firing[a.Fingerprint] == nil && !over {
			ev.register.firing[a.Fingerprint] = &held{Alert: a, LastTrue: now}
		}
	}
}

func (ev *Evaluator) compile(d *objective.Document) (*objective.Rules, *engine, error) {
	set, err := d.Compile(objective.Options{Interval: ev.o.Interval, Inline: ev.o.Source != nil})
	if err != nil {
		return nil, nil, err
	}
	// The engine's own lines would come every few seconds: faults are logged here, once.
	e, err := newEngine(set, ev.o.Storage, ev.o.Source, ev.o.External, slog.New(slog.DiscardHandler))
	return set, e, err
}

// Replace evaluates other objectives from now on. Alerts that both have go on; the
// others are resolved at the next evaluation. After an error nothing has changed.
func (ev *Evaluator) Replace(d *objective.Document) error {
	ev.evaluating.Lock()
	defer ev.evaluating.Unlock()
	set, e, err := ev.compile(d)
	if err != nil {
		return err
	}
	ev.mu.Lock()
	defer ev.mu.Unlock()
	e.follow(ev.engine)
	ev.rules, ev.engine = set, e
	return nil
}

// Run evaluates on the grid of the interval until ctx ends. ready tells when the
// numbers are those of now; nothing is evaluated before.
func (ev *Evaluator) Run(ctx context.Context, ready func() error) {
	interval := ev.o.Interval
	if interval <= 0 {
		interval = objective.DefaultInterval
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			ev.mu.Lock()
			ev.save()
			ev.mu.Unlock()
			return
		case <-timer.C:
		}
		now := ev.o.Now()
		if ready == nil || ready() == nil {
			ev.Evaluate(ctx, now)
			now = ev.o.Now()
		}
		timer.Reset(now.Truncate(interval).Add(interval).Sub(now))
	}
}

// Evaluate evaluates what is due at a time, which must not go back, notes what
// changed and tells the notifier. What goes wrong is logged once.
func (ev *Evaluator) Evaluate(ctx context.Context, at time.Time) {
	ev.evaluating.Lock()
	defer ev.evaluating.Unlock()
	if ev.engine.restore {
		// The engine asks at its first evaluation already what fires.
		ev.note("series", ev.register.haunt(ctx, ev.engine, ev.o.Storage.Appendable(), at.Add(-time.Millisecond)))
	}
	ev.engine.evaluate(ctx, at)
	if ctx.Err() != nil {
		return // rules that were cut off say nothing
	}

	ev.mu.Lock()
	changed := ev.register.compare(ev.engine, at, ev.address)
	ev.unsaved = ev.unsaved || changed
	if changed {
		ev.save()
	}
	owed := ev.register.owed()
	told := make([]Alert, len(owed))
	states := make([]State, len(owed))
	for i, h := range owed {
		told[i], states[i] = h.Alert, h.Owed
	}
	haunted := ev.register.haunt(ctx, ev.engine, ev.o.Storage.Appendable(), at)
	failing := ev.engine.failing()
	ev.mu.Unlock()

	ev.note("series", haunted)
	ev.noteRules(failing)
	if len(told) > 0 {
		ev.tell(ctx, told, owed, states)
	}
	if changed {
		ev.wake()
	}
}

// tell hands over what changed. Until that succeeded it is owed, also after a crash.
func (ev *Evaluator) tell(ctx context.Context, told []Alert, owed []*held, states []State) {
	if ev.o.Notifier != nil {
		err := ev.o.Notifier.Notify(ctx, told)
		if ev.note("notifier", err); err != nil {
			return
		}
	}
	ev.mu.Lock()
	defer ev.mu.Unlock()
	for i, h := range owed {
		if h.Owed == states[i] {
			h.Owed = ""
		}
	}
	ev.unsaved = true
	ev.save()
}

// save writes the state if it changed. What cannot be written stays to be written.
// mu is held.
func (ev *Evaluator) save() {
	if !ev.unsaved {
		return
	}
	err := ev.state.save(ev.register)
	ev.unsaved = err != nil
	ev.noteLocked("state", err)
}

// note logs a fault when it begins and when it ends.
func (ev *Evaluator) note(what string, err error) {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	ev.noteLocked(what, err)
}

func (ev *Evaluator) noteLocked(what string, err error) {
	before, faulty := ev.faults[what]
	switch {
	case err == nil && faulty:
		delete(ev.faults, what)
		ev.log.Info("alerting works again", "part", what)
	case err != nil && !errors.Is(err, context.Canceled) && before != err.Error():
		ev.faults[what] = err.Error()
		ev.log.Error("alerting is hindered", "part", what, "error", err)
	}
}

// noteRules logs rules that begin to fail, and that work again.
func (ev *Evaluator) noteRules(failing map[string]error) {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	const prefix = "rule "
	for _, name := range slices.Sorted(maps.Keys(failing)) {
		ev.noteLocked(prefix+name, failing[name])
	}
	for _, what := range slices.Sorted(maps.Keys(ev.faults)) {
		if len(what) > len(prefix) && what[:len(prefix)] == prefix && failing[what[len(prefix):]] == nil {
			ev.noteLocked(what, nil)
		}
	}
}

// address leads to the expression of a rule.
func (ev *Evaluator) address(r *rules.AlertingRule) string {
	u := *ev.o.External
	u.Path = "/prometheus/api/v1/query"
	u.RawQuery = url.Values{"query": {r.Query().String()}}.Encode()
	return u.String()
}

// Changes gives a channel on which something can be received after alerts began to
// fire or ended. stop must be called when nobody listens any more.
func (ev *Evaluator) Changes() (changes <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	ev.mu.Lock()
	defer ev.mu.Unlock()
	ev.watchers[c] = struct{}{}
	return c, func() {
		ev.mu.Lock()
		defer ev.mu.Unlock()
		delete(ev.watchers, c)
	}
}

func (ev *Evaluator) wake() {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	for c := range ev.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Hindrance names one thing that keeps rules from being evaluated, or alerts from being
// kept or told, and how many more there are; "" if nothing does.
func (ev *Evaluator) Hindrance() string {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	if len(ev.faults) == 0 {
		return ""
	}
	first := slices.Min(slices.Collect(maps.Keys(ev.faults)))
	text := fmt.Sprintf("alerting is hindered: %s: %s", first, ev.faults[first])
	if more := len(ev.faults) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// Critical gives the summaries of critical alerts that fire, in English.
func (ev *Evaluator) Critical() []string {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	var out []string
	for _, h := range ev.register.all() {
		if h.Alert.State == Firing && h.Alert.Severity == Critical {
			out = append(out, fmt.Sprintf("%s: %s", h.Alert.Rule, h.Alert.Text(English).Summary))
		}
	}
	return out
}
