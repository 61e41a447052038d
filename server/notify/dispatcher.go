package notify

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"treq/server/alerting"
	"treq/telemetry"
)

// Deps is what a Dispatcher is given besides its settings.
type Deps struct {
	// Dir is the data directory; the log is alerts.log in it.
	Dir string
	// Logger gets what a person should know; nil is slog.Default.
	Logger *slog.Logger
	// Proxy chooses the proxy of receivers that speak HTTP; nil is none.
	Proxy func(*http.Request) (*url.URL, error)
	// Version is what receivers see in User-Agent.
	Version string

	// In tests, where nil and empty mean the real ones.
	disk      disk
	transport http.RoundTripper
}

// Dispatcher owes receivers what alerts say. Open makes one, Start lets it
// deliver, Stop ends it. Its methods may be called at any time from any goroutine.
type Dispatcher struct {
	logger    *slog.Logger
	receivers []*receiver

	mu         sync.Mutex // guards all below, and what of receivers changes
	book       *book
	log        log
	unwritable bool // the last write failed
	lost       int  // ends that were given up
	upkeep     time.Time
	stopped    bool

	stopping chan struct{}
	cancel   context.CancelFunc
	running  sync.WaitGroup
}

var _ alerting.Notifier = (*Dispatcher)(nil)

// Open reads the log in deps.Dir and makes the receivers. The settings are those
// that Validate finds nothing wrong with, else the error is of kind Unprocessable;
// it is Internal when the log cannot be read. A log that is damaged in part loses
// that part alone, and a copy of it is kept beside.
func Open(c Config, deps Deps) (*Dispatcher, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	d := &Dispatcher{logger: deps.Logger, book: newBook(), stopping: make(chan struct{})}
	if d.logger == nil {
		d.logger = slog.Default()
	}
	d.log.disk = deps.disk
	if d.log.disk == nil {
		d.log.disk = &osDisk{path: filepath.Join(deps.Dir, "alerts.log")}
	}
	transport := deps.transport
	if transport == nil {
		transport = newTransport(deps.Proxy)
	}
	for _, rc := range c.Receivers {
		r, err := newReceiver(c, rc, transport, deps.Version)
		if err != nil {
			return nil, err
		}
		d.receivers = append(d.receivers, r)
	}
	if err := d.restore(deps.Dir); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *Dispatcher) restore(dir string) error {
	content, err := d.log.disk.read()
	if err != nil {
		return &telemetry.Error{Kind: telemetry.Internal, Message: "the log of alerts cannot be read", Err: err}
	}
	records, damaged, torn := decodeLog(content)
	for _, r := range records {
		d.book.apply(r)
	}
	d.log.written, d.log.broken = len(content), torn || damaged > 0
	if damaged > 0 {
		d.logger.Error("a part of the log of alerts is damaged; notifications of it may come again or not at all", "lines", damaged)
		if dir != "" {
			if err := os.WriteFile(filepath.Join(dir, "alerts.log.damaged"), content, 0o600); err != nil {
				d.logger.Error("the damaged log of alerts cannot be kept", "error", err)
			}
		}
	}
	for _, e := range d.book.episodes {
		d.settle(e)
	}
	return nil
}

// Start begins to deliver; only the first call does.
func (d *Dispatcher) Start() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancel != nil || d.stopped {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel = cancel
	for _, r := range d.receivers {
		d.running.Go(func() { d.run(ctx, r) })
	}
}

// Stop lets messages that are on their way arrive until ctx ends, and leaves what
// is owed to the next start. Later calls do nothing.
func (d *Dispatcher) Stop(ctx context.Context) error {
	d.mu.Lock()
	if d.stopped {
		d.mu.Unlock()
		return nil
	}
	d.stopped = true
	cancel := d.cancel
	d.mu.Unlock()
	close(d.stopping)
	if cancel != nil {
		release := context.AfterFunc(ctx, cancel)
		d.running.Wait()
		release()
		cancel()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.disk.close()
}

// Notify takes over the delivery of alerts (alerting.Notifier). What it has been
// told before changes nothing. The error is of kind Unavailable: the alerts are
// not safe on disk, though their delivery is tried all the same, or there are
// more of them than can be kept.
func (d *Dispatcher) Notify(_ context.Context, alerts []alerting.Alert) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped {
		return telemetry.Errorf(telemetry.Unavailable, "notifications have stopped")
	}
	now := time.Now()
	var fresh []record
	var refused int
	for i := range alerts {
		a := &alerts[i]
		if a.State != alerting.Firing && a.State != alerting.Resolved || !d.book.changes(a) && !d.log.broken {
			continue
		}
		lost, room := d.book.makeRoom(1)
		d.giveUp(lost)
		if _, known := d.book.episodes[keyOf(a)]; !room && !known {
			refused++
			continue
		}
		r := record{At: now, Alert: a}
		d.book.apply(r)
		fresh = append(fresh, r)
	}
	fresh = append(fresh, d.hush(now)...)
	d.keepUp(now)
	err := d.persist(fresh)
	for _, r := range d.receivers {
		r.wakeUp()
	}
	if err != nil {
		return &telemetry.Error{Kind: telemetry.Unavailable, Message: "the alerts cannot be kept on disk", Err: err}
	}
	if refused > 0 {
		return telemetry.Errorf(telemetry.Unavailable, "%d alerts are more than can be kept", refused)
	}
	return nil
}

// Firing gives the alerts that fire as far as receivers are concerned, those of
// before a restart too, in order of their beginning. The evaluation ends the ones
// that it knows nothing of.
func (d *Dispatcher) Firing() []alerting.Alert {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.book.firing()
}

// hush settles what ended under a silence and was never told, and gives the
// records of that.
func (d *Dispatcher) hush(now time.Time) (out []record) {
	for _, e := range d.book.episodes {
		if e.alert.State != alerting.Resolved || !e.settled.IsZero() {
			continue
		}
		for _, r := range d.receivers {
			if e.told[r.config.Name].State == "" && !r.silencedUntil(&e.alert, now).IsZero() && r.config.Kind != Alertmanager {
				muted := record{At: now, Receiver: r.config.Name, Told: []toldState{
					{Fingerprint: e.alert.Fingerprint, StartsAt: e.alert.StartsAt, State: alerting.Resolved, Muted: true},
				}}
				d.book.apply(muted)
				out = append(out, muted)
			}
		}
		d.settle(e)
	}
	return out
}

// settle notes since when nobody is owed anything about an episode.
func (d *Dispatcher) settle(e *episode) {
	if e.alert.State != alerting.Resolved || !e.settled.IsZero() {
		return
	}
	since := e.ended
	for _, r := range d.receivers {
		told := e.told[r.config.Name]
		_, wanted := r.route(&e.alert)
		if told.State != alerting.Resolved && (wanted || told.State == alerting.Firing) {
			return
		}
		since = later(since, told.At)
	}
	e.settled = since
}

// persist makes records durable. A failure is logged when it begins.
func (d *Dispatcher) persist(records []record) error {
	err := d.log.write(records, d.book.records)
	if err != nil && !d.unwritable {
		d.logger.Error("the log of alerts cannot be written; after a restart notifications may come again", "error", err)
	}
	d.unwritable = err != nil || d.unwritable && len(records) == 0
	return err
}

// keepUp takes out of the book what is over, now and then.
func (d *Dispatcher) keepUp(now time.Time) {
	if now.Before(d.upkeep) {
		return
	}
	d.upkeep = now.Add(time.Minute)
	d.giveUp(d.book.expire(now))
	for _, r := range d.receivers {
		for name, last := range r.lastOf {
			if now.Sub(last) >= rememberAfter {
				delete(r.lastOf, name)
			}
		}
		for name, t := range r.trouble {
			if now.Sub(t.until) >= longestWrong {
				delete(r.trouble, name) // its group is gone, or it would have been tried
			}
		}
	}
}

func (d *Dispatcher) giveUp(lost []*episode) {
	for _, e := range lost {
		d.lost++
		d.logger.Error("an alert's end was not delivered for too long and is given up",
			"rule", e.alert.Rule, "fingerprint", e.alert.Fingerprint, "ended", e.alert.EndsAt)
	}
}

// Check is nil while the log can be written, else an error of kind Unavailable.
func (d *Dispatcher) Check() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.unwritable {
		return telemetry.Errorf(telemetry.Unavailable, "the log of alerts cannot be written")
	}
	return nil
}
