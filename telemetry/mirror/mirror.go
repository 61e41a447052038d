package mirror

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Mirror tells all sinks that take judgements. Safe for concurrent use.
type Mirror struct {
	boxes     []*outbox
	transport http.RoundTripper
	cancel    context.CancelFunc
	stopping  chan struct{}
	stopOnce  sync.Once
	running   sync.WaitGroup
	stopErr   error
}

// New makes a Mirror that is stopped. A sink that is new is told of what the journal
// still holds; a known one goes on where it was. The error is about its files.
func New(o Options) (*Mirror, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.GiveUp == 0 {
		o.GiveUp = defaultGiveUp
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.Transport == nil {
		o.Transport = newTransport(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &Mirror{transport: o.Transport, cancel: cancel, stopping: make(chan struct{})}
	if err := os.MkdirAll(filepath.Join(o.Dir, "sinks"), 0o700); err != nil {
		cancel()
		return nil, err
	}
	for _, s := range o.Sinks {
		b, err := newOutbox(ctx, s, &o, m.stopping)
		if err != nil {
			cancel()
			m.close()
			return nil, err
		}
		m.boxes = append(m.boxes, b)
	}
	return m, nil
}

func newTransport(o *Options) http.RoundTripper {
	return &http.Transport{
		Proxy:                  o.Proxy,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    inFlight,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Start begins to tell. It is called once, before Stop.
func (m *Mirror) Start() {
	for _, b := range m.boxes {
		m.running.Go(b.read)
		m.running.Go(b.send)
	}
}

// Stop ends what runs: requests in flight may finish until ctx is done. What was not
// told is told after the next start. It returns when the states are on disk; later
// calls give what the first gave.
func (m *Mirror) Stop(ctx context.Context) error {
	m.stopOnce.Do(func() {
		close(m.stopping)
		done := make(chan struct{})
		go func() {
			m.running.Wait()
			close(done)
		}()
		select {
		case <-done:
		case <-ctx.Done():
		}
		m.cancel()
		<-done
		m.stopErr = m.close()
	})
	return m.stopErr
}

func (m *Mirror) close() error {
	var faults []error
	for _, b := range m.boxes {
		faults = append(faults, b.close())
	}
	if t, ok := m.transport.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
	return errors.Join(faults...)
}

// Status gives how it goes with the sink of a name; false if that is not told of
// judgements.
func (m *Mirror) Status(sink string) (Status, bool) {
	for _, b := range m.boxes {
		if b.sink.Name == sink {
			return b.status(), true
		}
	}
	return Status{}, false
}
