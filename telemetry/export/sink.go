package export

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"treq/telemetry"
	"treq/telemetry/journal"
)

// Deps are what a sink needs of the process around it.
type Deps struct {
	// Dir is the data directory. A sink keeps its files in Dir/sinks, which New
	// makes if it is missing: <name>.json, <name>.dead and <name>.dead.1.
	Dir string
	// Open makes the sink's cursors.
	Open Open
	// Version is the program's, for the User-Agent.
	Version string
	// Instance is sent as Treq-Hop, by which a process knows its own requests
	// when they return; "" sends none.
	Instance string
	// Logger is told changes of state and what goes to the dead letters; nil is
	// silence.
	Logger *slog.Logger
	// Proxy is as in http.Transport; nil uses none.
	Proxy func(*http.Request) (*url.URL, error)
	// Transport carries the requests; nil makes one that keeps connections alive.
	// It closes every request's body, as http.RoundTripper demands.
	Transport http.RoundTripper
	// StopGrace is how long Stop lets a sink that works go on sending; 0 is 2 s.
	StopGrace time.Duration
	Redaction
	// Random gives numbers in [0, 1) for jitter, from several goroutines; nil is
	// math/rand/v2.
	Random func() float64
}

// Sink forwards the traces of the journal to one backend. Its methods are safe
// for concurrent use.
type Sink struct {
	config    Config
	log       *slog.Logger
	grace     time.Duration
	statePath string
	notes     noter
	noting    sync.Mutex // held while notes are written
	sender    *sender
	gate      gate
	dead      *deadLetters
	suspects  suspects
	tally     *tally
	pump      *pump
	rewrite   Rewrite // nil for records as they are
	enrich    func(request []byte) []byte
	budget    *budget // nil for no limit
	reopen    Open

	ctx      context.Context // of the requests
	cancel   context.CancelFunc
	stopping chan struct{}
	stopOnce sync.Once
	started  sync.Once
	done     chan struct{} // closed when every goroutine has ended
	stopErr  error         // written before done is closed

	mu        sync.Mutex
	running   bool
	tickets   []*ticket
	ends      counts  // of all tickets, and of what was committed
	committed counts  // of what lies before position, and within the record there
	traffic   traffic // requests
	position  journal.Position
	within    int64              // spans of the record at position that found their end
	recent    []journal.Position // where the last records before position began
	moved     bool               // the position moved since hasMoved was asked
	firstGood time.Time          // when the sink first took something from this process
}

// New makes a sink that is stopped. A name that is new starts at the oldest
// record the journal holds; a known one continues where it was. The error is a
// *telemetry.Error for a configuration that does not validate.
func New(c Config, d Deps) (*Sink, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.WithDefaults()
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Random == nil {
		d.Random = rand.Float64
	}
	if d.StopGrace == 0 {
		d.StopGrace = 2 * time.Second
	}
	s := &Sink{
		config: c, log: d.Logger.With("sink", c.Name), grace: d.StopGrace,
		gate:     gate{random: d.Random, state: Running},
		stopping: make(chan struct{}), done: make(chan struct{}), reopen: d.Open,
	}
	if c.Redact == RedactOn && d.Rewrite == nil {
		return nil, telemetry.Errorf(telemetry.Unprocessable, "sinks.%s.redact: no rules are set: set redact.rules or redact.file", c.Name)
	}
	s.rewrite = d.For(c)
	if c.Enrich == EnrichOn {
		s.enrich = profiles[c.Profile].enrich
	}
	s.budget = newBudget(c, time.Now())
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if err := s.open(d); err != nil {
		s.cancel()
		return nil, fmt.Errorf("sink %s: %w", c.Name, err)
	}
	return s, nil
}

func (s *Sink) open(d Deps) error {
	dir := filepath.Join(d.Dir, "sinks")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var err error
	if s.sender, err = newSender(s.config, d); err != nil {
		return err
	}
	base := filepath.Join(dir, s.config.Name)
	if s.dead, err = openDeadLetters(base+deadSuffix, s.config.DeadLetterBytes); err != nil {
		return err
	}
	s.statePath = base + ".json"
	s.notes = &notes{path: notePath(s.statePath)}
	remembered, known, err := latest(s.statePath)
	if errors.Is(err, errDamaged) {
		s.log.Warn("the sink's state is damaged and set aside: everything the journal still holds is sent again", "file", s.statePath)
		err = os.Rename(s.statePath, s.statePath+".damaged")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.statePath, err)
	}
	s.position, s.ends, s.committed = remembered.Position, remembered.Ends, remembered.Ends
	s.within = remembered.Within
	if remembered.Recent > 0 {
		s.recent = []journal.Position{remembered.Recent}
	}
	s.traffic = remembered.Traffic
	native := s.config.Protocol == Native
	if known && remembered.Native != native {
		// What was counted ahead was of other kinds of record.
		remembered.Tally = tallyState{Position: remembered.Position, Admitted: remembered.Ends.settled()}
	}
	cursor, err := d.Open("sink:"+s.config.Name, s.position)
	if err != nil {
		return err
	}
	ahead, err := d.Open("sink-count:"+s.config.Name, remembered.Tally.Position)
	if err != nil {
		cursor.Close()
		return err
	}
	s.tally = &tally{cur: ahead, takes: s.config.takes, tallyState: remembered.Tally, fresh: !known}
	s.pump = newPump(s, cursor, known)
	return nil
}

// Name is the sink's name.
func (s *Sink) Name() string { return s.config.Name }

// Start begins to deliver. It does nothing for a sink that was started or
// stopped before.
func (s *Sink) Start() {
	s.started.Do(func() {
		s.mu.Lock()
		s.running = true
		s.mu.Unlock()
		counting := make(chan struct{})
		go func() {
			defer close(counting)
			s.tally.run(s.stopping)
		}()
		go func() {
			s.pump.run()
			<-counting
			s.finish()
		}()
	})
}

// Stop ends the sink: one that works may go on sending for Deps.StopGrace or
// until ctx is done, one that waits to try again ends at once. What was not
// delivered is delivered after the next start. Stop returns when the position is
// on disk and every goroutine has ended; it takes no longer than the grace, ctx
// and a write to disk, whatever the backend does. Later calls give what the
// first gave. The error tells that the position could not be written.
func (s *Sink) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() {
		close(s.stopping)
		s.started.Do(func() { s.finish() })
	})
	grace := time.NewTimer(s.grace)
	defer grace.Stop()
	select {
	case <-s.done:
	case <-ctx.Done():
	case <-grace.C:
	}
	s.cancel()
	<-s.done
	return s.stopErr
}

// finish runs last, when nothing else of the sink does.
func (s *Sink) finish() {
	s.cancel()
	s.mu.Lock()
	s.recent = nil
	s.mu.Unlock()
	if err := s.persist(); err != nil {
		s.stopErr = telemetry.Errorf(telemetry.Internal, "sink %s: its position could not be written: %v", s.config.Name, err)
	}
	s.mu.Lock()
	s.running = false
	// What goes with an unfinished record is sent and counted again next time.
	s.ends = s.committed
	for _, t := range s.tickets {
		if t.record != nil {
			t.record.Release()
		}
	}
	s.tickets = nil
	s.mu.Unlock()
	s.notes.close()
	s.pump.cursor.Close()
	s.tally.close()
	s.sender.closeGRPC()
	if t, ok := s.sender.transport.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
	close(s.done)
}

// persist writes the position and what was counted up to it, and then lets the
// journal know.
func (s *Sink) persist() error {
	current, err := s.state()
	if err != nil {
		return err
	}
	if err := current.save(s.statePath); err != nil {
		return err
	}
	s.pump.cursor.Commit(current.Position)
	return nil
}

// note writes the same where a process that is killed finds it again.
func (s *Sink) note() error {
	s.noting.Lock() // taken before the state is, so that none is written over a newer one
	defer s.noting.Unlock()
	current, err := s.state()
	if err != nil {
		return err
	}
	return s.notes.write(current)
}

func (s *Sink) state() (current state, err error) {
	s.mu.Lock()
	current = state{Position: s.position, Within: s.within, Ends: s.committed, Traffic: s.traffic, Native: s.config.Protocol == Native}
	if len(s.recent) > 0 {
		current.Recent = s.recent[0]
	}
	s.mu.Unlock()
	current.Tally, err = s.tally.reach(current.Position)
	return current, err
}

// Status tells how the sink is doing.
func (s *Sink) Status() Status {
	s.mu.Lock()
	ends, traffic, position, running := s.ends, s.traffic, s.position, s.running
	var oldest time.Time
	for _, t := range s.tickets {
		if t.open > 0 && t.record != nil {
			oldest = t.record.Admitted
			break
		}
	}
	s.mu.Unlock()
	// Counted after the ends, so that nothing is settled that was not admitted.
	admitted, counted := s.tally.count()
	gate := s.gate.view()
	now := time.Now()
	status := Status{
		Name: s.config.Name, Profile: s.config.Profile, Endpoint: s.config.shownEndpoint(),
		State:     gate.state,
		SentSpans: ends.Sent, RejectedSpans: ends.Rejected,
		DeadLetteredSpans: ends.DeadLettered, ExpiredSpans: ends.Expired, SampledOutSpans: ends.SampledOut,
		PromotedSpans: ends.Promoted, RepeatedSpans: ends.Repeated,
		QueueSpans:   max(0, admitted-ends.settled()),
		SentRequests: traffic.Requests, SentBytes: traffic.Bytes, Retried: traffic.Retried,
		LastError:     gate.lastErr,
		LastErrorTime: moment(gate.errTime),
		LastSuccess:   moment(gate.lastGood),
	}
	status.Budget, status.SentRatio = s.budgetStatus(now), 1
	if chosen := ends.Sent + ends.SampledOut; chosen > 0 {
		status.SentRatio = float64(ends.Sent) / float64(chosen)
	}
	status.AdmittedSpans = ends.settled() + status.QueueSpans
	if status.QueueSpans > 0 {
		status.QueueBytes = max(0, int64(counted)-int64(position))
		if !oldest.IsZero() {
			status.OldestAgeSeconds = max(0, now.Sub(oldest).Seconds())
		}
	}
	if !running {
		status.State = Stopped
	} else if gate.until.After(now) {
		status.NextTry = moment(gate.until)
	}
	return status
}

// Stuck tells that the sink has data and has not got on for minutes: it is
// paused, or has failed without a success in between for five minutes.
func (s *Sink) Stuck() bool {
	g := s.gate.view()
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	return running && (g.state == Paused || g.state == Retrying && time.Since(g.since) >= stuckAfter)
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Millisecond)
	return &t
}
