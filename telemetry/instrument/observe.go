package instrument

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"treq/telemetry"
)

// Door is what one door took of one signal since the process started.
type Door struct {
	Door, Signal           string
	Requests, Items, Bytes int64
}

// Refusal is how often one door refused for one reason since the process started.
type Refusal struct {
	Door, Reason string
	Requests     int64
}

// Drop is how many spans a sink will not get, for one reason.
type Drop struct {
	Reason string
	Spans  int64
}

// Sink is the state of one sink. Its counts may go back to before the process started.
type Sink struct {
	Name                   string
	Sent, Retried          int64 // spans; requests
	Dropped                []Drop
	QueueSpans, QueueBytes int64
	OldestAgeSeconds       float64
}

// Receiver is the state of one receiver of alerts. Its counts begin with the process.
type Receiver struct {
	Name             string
	Sent, Failed     int64 // attempts
	Waiting          int64 // firings and ends
	OldestAgeSeconds float64
}

// Journal is the state of the journal, in bytes.
type Journal struct {
	Bytes  int64 // on disk
	Unread int64 // not counted yet
	Limit  int64 // that it may have on disk
	Room   int64 // that it can take before it refuses
}

// Runs is the state of native runs. Its counts begin with the process.
type Runs struct {
	Running, Bytes, Spans, Repeated int64
	// Unended are runs that were not told whole.
	Unended []Drop
}

// Sources are where the instruments of ProcessScope are read from. A nil source
// is not shown. The functions are called during collections, possibly several at
// once, and must be quick; attribute values are expected to be few.
type Sources struct {
	Process   *Process
	Doors     func() []Door
	Refusals  func() []Refusal
	Sinks     func() []Sink
	Receivers func() []Receiver
	Journal   func() Journal
	Runs      func() Runs
}

// Observe makes the instruments of ProcessScope on m, which should be a meter of
// that name, and has them read the sources until the registration is undone.
func Observe(m metric.Meter, s Sources) (metric.Registration, error) {
	o := observer{meter: m, ints: map[string]metric.Int64Observable{}, floats: map[string]metric.Float64Observable{}}
	for _, def := range processTable() {
		if def.Name == PipelineOpen {
			continue
		}
		if err := o.make(def); err != nil {
			return nil, fmt.Errorf("instrument: %w", err)
		}
	}
	registration, err := m.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		w := writer{observer: &o, to: to}
		w.doors(s)
		w.sinks(s)
		w.receivers(s)
		w.runs(s)
		w.process(s)
		return nil
	}, o.all...)
	if err != nil {
		return nil, fmt.Errorf("instrument: %w", err)
	}
	return registration, nil
}

// observer holds the observable instruments by name.
type observer struct {
	meter  metric.Meter
	ints   map[string]metric.Int64Observable
	floats map[string]metric.Float64Observable
	all    []metric.Observable
}

func (o *observer) make(def Definition) (err error) {
	unit, description := metric.WithUnit(def.Unit), metric.WithDescription(def.Description)
	switch def.Kind {
	case ObservableCounter:
		o.ints[def.Name], err = o.meter.Int64ObservableCounter(def.Name, unit, description)
	case ObservableUpDown:
		o.ints[def.Name], err = o.meter.Int64ObservableUpDownCounter(def.Name, unit, description)
	case ObservableFloatCounter:
		o.floats[def.Name], err = o.meter.Float64ObservableCounter(def.Name, unit, description)
	case ObservableGauge:
		o.floats[def.Name], err = o.meter.Float64ObservableGauge(def.Name, unit, description)
	default:
		return fmt.Errorf("%s: no observable instrument", def.Name)
	}
	if err != nil {
		return err
	}
	if made, ok := o.ints[def.Name]; ok {
		o.all = append(o.all, made)
	} else {
		o.all = append(o.all, o.floats[def.Name])
	}
	return nil
}

// writer reports the sources to one collection.
type writer struct {
	*observer
	to metric.Observer
}

func (w writer) int(name string, value int64, attrs ...attribute.KeyValue) {
	w.to.ObserveInt64(w.ints[name], value, metric.WithAttributeSet(attribute.NewSet(attrs...)))
}

func (w writer) float(name string, value float64, attrs ...attribute.KeyValue) {
	w.to.ObserveFloat64(w.floats[name], value, metric.WithAttributeSet(attribute.NewSet(attrs...)))
}

func (w writer) doors(s Sources) {
	if s.Doors != nil {
		for _, d := range s.Doors() {
			attrs := []attribute.KeyValue{attribute.String(AttrDoor, d.Door), attribute.String(AttrSignal, d.Signal)}
			w.int(PipelineRequests, d.Requests, attrs...)
			w.int(PipelineReceived, d.Items, attrs...)
			w.int(PipelineBytes, d.Bytes, attrs...)
		}
	}
	if s.Refusals != nil {
		for _, r := range s.Refusals() {
			w.int(PipelineRefused, r.Requests, attribute.String(AttrDoor, r.Door), attribute.String(AttrReason, r.Reason))
		}
	}
}

func (w writer) sinks(s Sources) {
	if s.Sinks != nil {
		for _, sink := range s.Sinks() {
			name := attribute.String(AttrSink, sink.Name)
			w.int(PipelineForwarded, sink.Sent, name)
			w.int(PipelineRetried, sink.Retried, name)
			w.int(PipelineQueueSpans, sink.QueueSpans, name)
			w.int(PipelineQueueBytes, sink.QueueBytes, name)
			w.float(PipelineQueueAge, sink.OldestAgeSeconds, name)
			for _, drop := range sink.Dropped {
				w.int(PipelineDropped, drop.Spans, name, attribute.String(AttrReason, drop.Reason))
			}
		}
	}
	if s.Journal != nil {
		j := s.Journal()
		w.int(JournalBytes, j.Bytes)
		w.int(JournalUnread, j.Unread)
		w.int(JournalLimit, j.Limit)
		w.int(JournalRoom, j.Room)
	}
}

func (w writer) receivers(s Sources) {
	if s.Receivers == nil {
		return
	}
	for _, r := range s.Receivers() {
		name := attribute.String(AttrReceiver, r.Name)
		w.int(AlertNotifications, r.Sent, name, attribute.String(AttrOutcome, telemetry.Succeeded.String()))
		w.int(AlertNotifications, r.Failed, name, attribute.String(AttrOutcome, telemetry.Failed.String()))
		w.int(AlertWaiting, r.Waiting, name)
		w.float(AlertWaitingAge, r.OldestAgeSeconds, name)
	}
}

func (w writer) runs(s Sources) {
	if s.Runs == nil {
		return
	}
	r := s.Runs()
	w.int(RunsRunning, r.Running)
	w.int(RunsBytes, r.Bytes)
	w.int(RunsSpans, r.Spans)
	w.int(RunsRepeated, r.Repeated)
	for _, u := range r.Unended {
		w.int(RunsUnended, u.Spans, attribute.String(AttrReason, u.Reason))
	}
}

func (w writer) process(s Sources) {
	if s.Process == nil {
		return
	}
	// An error leaves the figures of the last time: one that cannot be read must
	// not cost a collection all others.
	now, sample, _ := s.Process.observe()
	w.float(ProcessCPUTime, now.user, attribute.String(AttrCPUMode, "user"))
	w.float(ProcessCPUTime, now.system, attribute.String(AttrCPUMode, "system"))
	w.int(ProcessMemory, int64(now.resident))
	w.int(ProcessThreads, sample.Threads)
	w.int(SystemAvailable, int64(now.available))
	w.float(ProcessUptime, now.at.Sub(now.processStarted).Seconds())
}
