package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"treq/telemetry"
)

const (
	// livePace is how often a live stream looks for what is new.
	livePace = time.Second
	// liveAlerts is how often it looks for changes of alerts, which are evaluated
	// every few seconds at most.
	liveAlerts = 5 * time.Second
	// liveBreath is the longest silence: proxies close what says nothing for long.
	liveBreath = 15 * time.Second
	// liveWithin bounds one write, so that a reader who stopped reading is let go.
	liveWithin = 10 * time.Second
	// mostLive bounds the streams at once.
	mostLive = 200
)

// live streams the summary, and changes of alerts, as they happen: server-sent
// events "summary" and "alerts", each with the document that a GET would give
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
func (a *API) live(w http.ResponseWriter, r *http.Request) error {
	if n := a.streams.Add(1); n > mostLive {
		a.streams.Add(-1)
		return &telemetry.Error{Kind: telemetry.Unavailable, Message: fmt.Sprintf("%d live streams are open already", mostLive), RetryAfter: liveBreath}
	}
	defer a.streams.Add(-1)
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", "text/event-stream")
		return nil
	}
	s := stream{w: w, control: http.NewResponseController(w), now: a.now}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	// nginx and its kin would else keep events until a buffer is full.
	h.Set("X-Accel-Buffering", "no")
	ticks := time.NewTicker(livePace)
	defer ticks.Stop()
	for {
		if err := s.news(a, r.Context()); err != nil {
			// The status is sent, and the reader is gone or too slow: it comes again.
			return nil
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-a.o.Stopping:
			return nil
		case <-ticks.C:
		}
	}
}

// stream is one reader and what it was told last.
type stream struct {
	w               http.ResponseWriter
	control         *http.ResponseController
	now             func() time.Time
	summary, alerts []byte
	looked, spoke   time.Time
}

// news writes what changed since the last time, or a breath when nothing did for long.
func (s *stream) news(a *API, ctx context.Context) error {
	var b bytes.Buffer
	if a.counting() == nil {
		now, err := a.summary.get(a.o.Meter, a.now, func() (any, error) {
			return a.o.Documents.Summary(context.WithoutCancel(ctx), Narrow{})
		})
		if err == nil && !bytes.Equal(s.summary, now.body) {
			fmt.Fprintf(&b, "event: summary\ndata: %s\n\n", now.body)
			s.summary = now.body
		}
		if err == nil && a.o.Objectives != nil && a.now().Sub(s.looked) >= liveAlerts {
			s.looked = a.now()
			b.Write(s.changedAlerts(a.o.Objectives.Alerts()))
		}
	}
	now := s.now()
	if b.Len() == 0 {
		if now.Sub(s.spoke) < liveBreath {
			return nil
		}
		b.WriteString(": nothing new\n\n")
	}
	s.spoke = now
	if err := s.control.SetWriteDeadline(time.Now().Add(liveWithin)); err != nil {
		return err
	}
	if _, err := s.w.Write(b.Bytes()); err != nil {
		return err
	}
	return s.control.Flush()
}

// changedAlerts gives the event of alerts if some began, ended or changed their
// state since the last one, else nothing: their values change all the time.
func (s *stream) changedAlerts(doc any) []byte {
	body, err := encode(doc)
	if err != nil {
		return nil
	}
	var said struct {
		Alerts []struct {
			Name      string
			Instances []struct{ Fingerprint, State string }
		}
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return nil
	}
	states, err := json.Marshal(said)
	if err != nil || bytes.Equal(states, s.alerts) {
		return nil
	}
	s.alerts = states
	return fmt.Appendf(nil, "event: alerts\ndata: %s\n\n", body)
}
