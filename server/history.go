package server

import (
	"context"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"treq/server/api"
	"treq/server/config"
	"treq/server/history"
	"treq/server/promapi"
	"treq/telemetry/snapshot"
)

// openHistory opens the history, if one is wanted. One that cannot be had is
// logged and shown, and everything else works without it.
func (s *Server) openHistory(p *parts) {
	c := s.config.History
	if !c.Enabled {
		return
	}
	store, err := history.Open(history.Options{
		Dir:      filepath.Join(s.config.DataDir, "history"),
		Instance: p.identity.Instance,
		Step:     time.Duration(c.Step), Keep: time.Duration(c.Keep), MaxBytes: int64(c.MaxBytes),
		Timeout: time.Duration(c.QueryTimeout), MaxSamples: c.QueryMaxSamples,
		Remote: history.RemoteOptions{URL: c.URL, Token: c.Token, Headers: c.Headers, TLS: history.TLSFiles(c.TLS)},
		RemoteWrite: history.RemoteWriteOptions{
			URL: c.RemoteWrite.URL, Token: c.RemoteWrite.Token, Headers: c.RemoteWrite.Headers,
			TLS: history.TLSFiles(c.RemoteWrite.TLS), QueueBytes: int64(c.RemoteWrite.QueueBytes),
		},
		Logger: s.log,
	})
	if err != nil {
		s.log.Error("there is no history: windows, charts and alerts do not work", "error", err)
		s.notices = append(s.notices, "there is no history: "+err.Error())
		return
	}
	p.history, p.sampledFrom = store, store.Now().Truncate(time.Millisecond)
	s.onStop("history", func(context.Context) error { return store.Close() })
}

// sampleHistory begins to sample what the reader gives. It must be stopped before
// the reader, and after the meter, whose last counts it still takes.
func (s *Server) sampleHistory(p *parts) error {
	if p.history == nil {
		return nil
	}
	exposition := p.exposition
	if s.config.Semconv != config.SemconvReleased {
		// History knows the released names, whatever a scrape is shown.
		var err error
		exposition, err = snapshot.NewExposition(p.reader, snapshot.ExpositionOptions{
			Collectors: append(s.guards(), append(p.historyGuards(), collectors.NewGoCollector())...),
		})
		if err != nil {
			return err
		}
	}
	if !p.reader.Restored() {
		if err := p.history.Begin(context.Background()); err != nil {
			s.log.Warn("the history does not know when totals began", "error", err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.history.Run(ctx, history.Source{Ready: p.meter.Ready, Families: exposition.Families, Restored: p.reader.Restored})
	}()
	s.onStop("sampling", func(context.Context) error {
		cancel()
		<-done
		return nil
	})
	return nil
}

// historyGuards are the history's own numbers.
func (p *parts) historyGuards() []prometheus.Collector {
	if p.history == nil {
		return nil
	}
	return []prometheus.Collector{historyCollector{p.history}}
}

// historyCollector exposes how the history is doing, from one status.
type historyCollector struct{ store *history.Store }

// historyMetrics are its metrics.
var historyMetrics = []struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(history.Status) float64
}{
	{describe("treq_history_series", "Series of the newest sampling."), prometheus.GaugeValue, func(s history.Status) float64 { return float64(s.Series) }},
	{describe("treq_history_bytes", "What the history takes on disk."), prometheus.GaugeValue, func(s history.Status) float64 { return float64(s.Bytes) }},
	{describe("treq_history_samplings_total", "Samplings that were stored."), prometheus.CounterValue, func(s history.Status) float64 { return float64(s.Samplings) }},
	{describe("treq_history_skipped_total", "Samplings that could not be stored."), prometheus.CounterValue, func(s history.Status) float64 { return float64(s.Skipped) }},
	{describe("treq_history_ahead_seconds", "How far the history is ahead of the clock, since that was set back."), prometheus.GaugeValue, func(s history.Status) float64 { return s.Ahead.Seconds() }},
	{describe("treq_history_quarantined_total", "Databases that were damaged and set aside."), prometheus.CounterValue, func(s history.Status) float64 { return float64(s.Quarantined) }},
	{describe("treq_history_remote_sent_total", "Samples that the remote write took."), prometheus.CounterValue, func(s history.Status) float64 { return float64(s.Sent) }},
	{describe("treq_history_remote_dropped_total", "Samples for the remote write that found no place while they waited."), prometheus.CounterValue, func(s history.Status) float64 { return float64(s.Dropped) }},
	{describe("treq_history_remote_refused_total", "Samples that the remote write refused."), prometheus.CounterValue, func(s history.Status) float64 { return float64(s.Refused) }},
	{describe("treq_history_remote_retried_total", "Requests of the remote write that were tried again."), prometheus.CounterValue, func(s history.Status) float64 { return float64(s.Retried) }},
	{describe("treq_history_remote_waiting_bytes", "Bytes that wait for the remote write."), prometheus.GaugeValue, func(s history.Status) float64 { return float64(s.WaitingBytes) }},
}

func describe(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }

// Describe implements prometheus.Collector.
func (c historyCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range historyMetrics {
		ch <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (c historyCollector) Collect(ch chan<- prometheus.Metric) {
	st := c.store.Status()
	for _, m := range historyMetrics {
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(st))
	}
}

// historyOptions are what the API serves of the history.
func (s *Server) historyOptions(p *parts, o *api.Options) {
	if p.history == nil {
		return
	}
	o.Window = p.windows.from
	o.History = shownHistory{p.history}
	o.PromQL = promapi.New(promapi.Options{Store: p.history, Rules: p, Ready: p.meter.Ready, Version: s.version, Now: p.history.Now})
}

// shownHistory is the history as the API asks for it.
type shownHistory struct{ *history.Store }

func (h shownHistory) Charts() any { return history.Charts() }

func (h shownHistory) Chart(ctx context.Context, q api.ChartQuery) (any, error) {
	return h.Store.Chart(ctx, history.ChartQuery{
		Metric: q.Metric, Range: q.Range, End: q.End, Step: q.Step, Service: q.Service, Model: q.Model, By: q.By,
	})
}
