package runs

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"log/slog"
	"sync"
	"time"

	"treq/telemetry/journal"
	"treq/telemetry/understand"
)

// Options are what a Viewer needs. Journal and Logger are required.
type Options struct {
	Journal *journal.Journal
	// Rules are how spans are understood; the meter's.
	Rules understand.Config
	// Pricer makes what prices the calls of one explanation, in place of Rules.Pricer,
	// which is the meter's alone; nil leaves them without a price.
	Pricer func() understand.Pricer
	Links  Links
	// Going gives what is known of runs that go on, as an ExportTraceServiceRequest of
	// spans without an end: of the trace that has the id or a run of the id, of the zero
	// id of the newest. nil knows of none.
	Going func(id [16]byte) []byte
	// Merged waits until the spans of what ended, and the state of what goes on, are known
	// of native runs before a position. nil: there are none.
	Merged func(ctx context.Context, pos journal.Position) error
	// EraseNative overwrites in place, keeping its length, what a record of journal.Runs
	// says of some runs, told by their ids and their traces' (zero where it does not
	// say), and tells whether it did. nil leaves such records as they are.
	EraseNative func(body []byte, erased func(run, trace [16]byte) bool) bool
	// DeadLetters gives blank, as records' bodies of their kinds, the requests that lie
	// where sinks put what nobody takes; blank changes them in place and says whether it
	// did. It gives how many were changed, durably. nil has none.
	DeadLetters func(ctx context.Context, blank func(kind journal.Kind, body []byte) bool) (changed int, err error)
	// IndexBytes bounds the memory of the index; DefaultIndexBytes when 0.
	IndexBytes int64
	// ListBytes bounds the memory of what lists are made of; DefaultListBytes when 0.
	ListBytes int64
	// Rate is how many traces a second are read for lists when that many come for long;
	// DefaultRate when 0, all when negative.
	Rate float64
	// SearchTime bounds how long one request looks through the journal for what
	// the index does not have; DefaultSearchTime when 0.
	SearchTime time.Duration
	// Now is time.Now when nil.
	Now    func() time.Time
	Logger *slog.Logger
}

// The defaults of Options.
const (
	DefaultIndexBytes = 9 << 20
	DefaultListBytes  = 25 << 20
	DefaultSearchTime = 2 * time.Second
)

// Viewer answers for runs. Safe for concurrent use.
type Viewer struct {
	o       Options
	log     *slog.Logger
	index   *index
	judged  judged
	rows    *rows
	pulls   *pulls
	lister  *rowReader // the tail's
	erasing erasing
	tail    *journal.Cursor
	lent    chan string // names of cursors that requests may use
	// rebuilt is closed when what the journal held at the start is indexed.
	rebuilt <-chan struct{}

	stop    context.CancelFunc
	running sync.WaitGroup
}

// Open starts to index what the journal gets from now on, and behind that what it
// has. The caller has to Close before the journal.
func Open(o Options) (*Viewer, error) {
	if o.IndexBytes == 0 {
		o.IndexBytes = DefaultIndexBytes
	}
	if o.ListBytes == 0 {
		o.ListBytes = DefaultListBytes
	}
	if o.Rate == 0 {
		o.Rate = DefaultRate
	}
	if o.SearchTime == 0 {
		o.SearchTime = DefaultSearchTime
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Going == nil {
		o.Going = func([16]byte) []byte { return nil }
	}
	if o.EraseNative == nil {
		o.EraseNative = func([]byte, func(run, trace [16]byte) bool) bool { return false }
	}
	o.Rules.Pricer = nil
	// Rules that no reader can be made of are an error now, not with each request.
	if _, err := understand.NewReader(o.Rules); err != nil {
		return nil, err
	}
	v := &Viewer{o: o, log: o.Logger, lent: lendable(), pulls: newPulls()}
	var err error
	if v.tail, err = v.cursor("runs", o.Journal.Durable()); err != nil {
		return nil, err
	}
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // never fails, says crypto/rand
	v.rows = newRows(binary.LittleEndian.Uint64(seed[:]), o.ListBytes)
	v.rows.keep = v.judgedBadly
	if v.lister, err = newRowReader(v.rows, v.priced(), o.Rate); err != nil {
		v.tail.Close()
		return nil, err
	}
	v.index = newIndex(o.IndexBytes, binary.LittleEndian.Uint64(seed[:]), v.tail.Position(), o.Journal.SafeTime())
	ctx, cancel := context.WithCancel(context.Background())
	v.stop = cancel
	v.running.Go(func() { v.follow(ctx) })
	rebuilt := make(chan struct{})
	v.rebuilt = rebuilt
	v.running.Go(func() {
		defer close(rebuilt)
		v.rebuild(ctx)
	})
	v.running.Go(func() { v.tend(ctx, rebuilt) })
	return v, nil
}

// priced gives the rules with what prices calls.
func (v *Viewer) priced() understand.Config {
	rules := v.o.Rules
	if v.o.Pricer != nil {
		rules.Pricer = v.o.Pricer()
	}
	return rules
}

// Close ends the indexing. Requests that still run end as the journal lets them.
func (v *Viewer) Close() {
	v.stop()
	v.running.Wait()
}
