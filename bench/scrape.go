package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"treq/test/e2e/e2etest"
)

// scrapers ask for /metrics at once, as fast as they are answered.
const scrapers = 20

// scrapes is what a scrape costs: CPU microseconds of the service, and of
// client_golang's handler with the same series.
type scrapes struct {
	ours, theirs float64
	bytes        int
}

func measureScrapes(ctx context.Context, o options) (s scrapes, err error) {
	b, err := open(ctx, oursFsync, http64, setup{}, o)
	defer func() { err = errors.Join(err, b.close()) }()
	if err != nil {
		return s, err
	}
	defer func() { err = b.failed(err) }()
	load, err := newPayload(64, 0, false)
	if err != nil {
		return s, err
	}
	if _, err := b.window(ctx, load, o.warmUp, 0); err != nil {
		return s, err
	}
	url := "http://" + b.metricsAddr() + "/metrics"
	_, body, err := fetch(ctx, url)
	if err != nil {
		return s, err
	}
	s.bytes = len(body)
	if s.ours, err = cpuPerScrape(ctx, url, b.pid(), o.duration); err != nil {
		return s, err
	}

	file := filepath.Join(b.dir, "series.txt")
	addr, err := e2etest.FreePort()
	if err != nil {
		return s, err
	}
	self, err := os.Executable()
	if err != nil {
		return s, err
	}
	if err := os.WriteFile(file, body, 0o600); err != nil {
		return s, err
	}
	twin, err := launch(self, []string{"-serve-series", file, "-serve-on", addr}, nil)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, twin.kill()) }()
	url = "http://" + addr + "/metrics"
	err = poll(ctx, time.Millisecond, time.Minute, func() (bool, error) {
		if twin.ended() {
			return false, fmt.Errorf("client_golang's handler ended: %s", twin.log())
		}
		status, _, err := fetch(ctx, url)
		return err == nil && status == http.StatusOK, nil
	})
	if err != nil {
		return s, err
	}
	s.theirs, err = cpuPerScrape(ctx, url, twin.pid(), o.duration)
	return s, err
}

// cpuPerScrape gives CPU microseconds a scrape.
func cpuPerScrape(ctx context.Context, url string, pid int, d time.Duration) (float64, error) {
	before, err := usageOf(pid)
	if err != nil {
		return 0, err
	}
	var all sync.WaitGroup
	var answered atomic.Int64
	began := time.Now()
	for range scrapers {
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
			defer client.CloseIdleConnections()
			for time.Since(began) < d && ctx.Err() == nil {
				response, err := client.Get(url)
				if err != nil {
					return
				}
				_, err = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				if err != nil || response.StatusCode != http.StatusOK {
					return
				}
				answered.Add(1)
			}
		})
	}
	all.Wait()
	after, err := usageOf(pid)
	if err != nil {
		return 0, err
	}
	if answered.Load() == 0 {
		return 0, errors.New("no scrape was answered")
	}
	return float64((after.cpu - before.cpu).Microseconds()) / float64(answered.Load()), nil
}

// serveSeries serves the series of an exposition from a registry of
// client_golang's own instruments, until it is killed.
func serveSeries(file, addr string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			c := instrumentOf(family, metric)
			if err := registry.Register(c); err != nil {
				return err
			}
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return (&http.Server{Addr: addr, Handler: mux, ReadHeaderTimeout: 10 * time.Second}).ListenAndServe()
}

// instrumentOf makes an instrument with one series' name, labels, kind and buckets.
func instrumentOf(family *dto.MetricFamily, metric *dto.Metric) prometheus.Collector {
	labels := prometheus.Labels{}
	for _, l := range metric.GetLabel() {
		labels[l.GetName()] = l.GetValue()
	}
	switch family.GetType() {
	case dto.MetricType_HISTOGRAM:
		var bounds []float64
		for _, bucket := range metric.GetHistogram().GetBucket() {
			bounds = append(bounds, bucket.GetUpperBound())
		}
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: family.GetName(), Help: family.GetHelp(), ConstLabels: labels, Buckets: bounds})
		for i := range metric.GetHistogram().GetSampleCount() {
			if i == 1000 {
				break
			}
			h.Observe(metric.GetHistogram().GetSampleSum() / float64(metric.GetHistogram().GetSampleCount()))
		}
		return h
	case dto.MetricType_COUNTER:
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: family.GetName(), Help: family.GetHelp(), ConstLabels: labels})
		c.Add(metric.GetCounter().GetValue())
		return c
	default:
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: family.GetName(), Help: family.GetHelp(), ConstLabels: labels})
		g.Set(metric.GetGauge().GetValue() + metric.GetUntyped().GetValue())
		return g
	}
}
