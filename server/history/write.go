package history

import (
	"context"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"treq/telemetry"
)

// RemoteWriteOptions names a server that takes Prometheus's remote-write protocol
// 1.0. The zero value is none.
type RemoteWriteOptions struct {
	// URL takes the posts, such as http://prometheus:9090/api/v1/write.
	URL string
	// Token, Headers and TLS are as those of RemoteOptions.
	Token   telemetry.Secret
	Headers map[string]telemetry.Secret
	TLS     TLSFiles
	// QueueBytes bounds the requests that wait, compressed, in memory; the oldest go
	// first. 0 is DefaultQueueBytes.
	QueueBytes int64
}

// DefaultQueueBytes holds some hours of a few hundred series.
const DefaultQueueBytes = 16 << 20

// writer sends batches of samples elsewhere, in order, each until it is taken or
// refused for good. Adding never waits.
type writer struct {
	o    RemoteWriteOptions
	post func(ctx context.Context, body []byte) verdict
	// release gives back what posting holds.
	release func()
	log     *slog.Logger
	// settled is told of each sampling that need not be sent again; nil tells nobody.
	settled func(sampling int64)

	mu      sync.Mutex
	queue   []request
	bytes   int64
	changed chan struct{} // holds one word that something is there
	stop    context.CancelFunc
	ended   chan struct{}
	closing chan struct{}

	sent, dropped, refused, retried atomic.Uint64 // samples, samples, samples, requests
}

// request is an encoded batch.
type request struct {
	body    []byte
	samples uint64
	// sampling is the time of the sampling that is elsewhere once this is, in
	// milliseconds; 0 is none.
	sampling int64
	// earlier tells that it is of before the process started.
	earlier bool
}

// verdict says what became of a request.
type verdict struct {
	err   error
	again bool          // it may be sent again
	after time.Duration // not sooner than this
}

// The waits between attempts at one request, and for what is left at the end.
const (
	firstWait = 250 * time.Millisecond
	mostWait  = 30 * time.Second
	lastSends = 2 * time.Second
)

func newWriter(o RemoteWriteOptions, log *slog.Logger) (*writer, error) {
	if o.QueueBytes == 0 {
		o.QueueBytes = DefaultQueueBytes
	}
	client, err := newClient(o.TLS, o.Token, o.Headers)
	if err != nil {
		return nil, err
	}
	return &writer{
		o: o, log: log, post: poster(client, o.URL), release: client.CloseIdleConnections,
		changed: make(chan struct{}, 1), ended: make(chan struct{}), closing: make(chan struct{}),
	}, nil
}

// start begins to send: first what an earlier process left, then what is added.
func (w *writer) start(earlier iter.Seq[request]) {
	ctx, cancel := context.WithCancel(context.Background())
	w.stop = cancel
	go w.run(ctx, earlier)
}

// add takes a batch. Without room the oldest batches go.
func (w *writer) add(r request) {
	w.mu.Lock()
	w.queue = append(w.queue, r)
	w.bytes += int64(len(r.body))
	for w.bytes > w.o.QueueBytes && len(w.queue) > 1 {
		w.dropped.Add(w.queue[0].samples)
		w.bytes -= int64(len(w.queue[0].body))
		w.queue = w.queue[1:]
	}
	w.mu.Unlock()
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (w *writer) next() (request, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		return request{}, false
	}
	r := w.queue[0]
	w.queue[0] = request{}
	w.queue = w.queue[1:]
	w.bytes -= int64(len(r.body))
	return r, true
}

func (w *writer) waiting() (requests int, bytes int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue), w.bytes
}

func (w *writer) run(ctx context.Context, earlier iter.Seq[request]) {
	defer close(w.ended)
	defer w.release()
	for r := range earlier {
		if !w.deliver(ctx, r) {
			return
		}
	}
	for {
		r, ok := w.next()
		if !ok {
			select {
			case <-w.changed:
				continue
			case <-w.closing:
				return // nothing waits
			case <-ctx.Done():
				return
			}
		}
		if !w.deliver(ctx, r) {
			return
		}
	}
}

// deliver sends one request until it is settled; false when the writer ends first.
func (w *writer) deliver(ctx context.Context, r request) bool {
	wait := firstWait
	for {
		v := w.post(ctx, r.body)
		if ctx.Err() != nil {
			w.dropped.Add(r.samples)
			return false
		}
		if v.err == nil {
			if wait > firstWait {
				w.log.Info("the remote history takes samples again")
			}
			w.sent.Add(r.samples)
			w.settle(r)
			return true
		}
		if !v.again {
			w.refused.Add(r.samples)
			if r.earlier {
				// It has them if the earlier process ended before it noted so.
				w.log.Warn("the remote history refuses samples of before the start", "samples", r.samples, "error", v.err)
			} else {
				w.log.Error("the remote history refuses samples", "samples", r.samples, "error", v.err)
			}
			w.settle(r)
			return true
		}
		if wait == firstWait {
			w.log.Warn("the remote history does not take samples; they wait", "error", v.err)
		}
		w.retried.Add(1)
		pause := time.NewTimer(max(wait, v.after))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			w.dropped.Add(r.samples)
			return false
		}
		wait = min(2*wait, mostWait)
	}
}

func (w *writer) settle(r request) {
	if r.sampling != 0 && w.settled != nil {
		w.settled(r.sampling)
	}
}

// close gives what waits a short chance and ends the writer.
func (w *writer) close() {
	close(w.closing)
	timer := time.NewTimer(lastSends)
	defer timer.Stop()
	select {
	case <-w.ended:
	case <-timer.C:
	}
	w.stop()
	<-w.ended
}
