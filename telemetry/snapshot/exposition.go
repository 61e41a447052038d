package snapshot

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/otlptranslator"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// Exposition serves what a reader collected to Prometheus: text 0.0.4,
// OpenMetrics with exemplars, or protobuf, as the client's Accept says. Askers
// of one snapshot share one rendering. It is safe for concurrent use.
type Exposition struct {
	reader  *Reader
	onError func(error)
	semconv Semconv

	mu         sync.Mutex
	registry   *prometheus.Registry
	current    *Snapshot // what the registry gathers
	families   []*dto.MetricFamily
	renderings map[form][]byte
	sizes      map[expfmt.Format]int // of the last renderings, uncompressed
}

// ExpositionOptions configures an Exposition. The zero value is ready to use.
type ExpositionOptions struct {
	// Collectors are exposed besides the reader's metrics, such as those of the Go runtime.
	Collectors []prometheus.Collector
	// Semconv chooses the names of the metrics of model calls.
	Semconv Semconv
	// OnError is told what was left out of an exposition (two series of the same
	// labels, a name with two types) or why there was none; nil ignores it.
	OnError func(error)
}

// NewExposition makes an exposition of a reader. It fails if a collector cannot be registered.
func NewExposition(r *Reader, o ExpositionOptions) (*Exposition, error) {
	e := &Exposition{reader: r, onError: o.OnError, semconv: o.Semconv, registry: prometheus.NewRegistry(), sizes: map[expfmt.Format]int{}}
	if e.onError == nil {
		e.onError = func(error) {}
	}
	// The exporter aggregates nothing: its provider has no instruments, and the
	// producer hands it the snapshot.
	exporter, err := otelprometheus.New(
		otelprometheus.WithRegisterer(e.registry),
		otelprometheus.WithProducer(producer{e}),
		otelprometheus.WithoutScopeInfo(),
		otelprometheus.WithoutTargetInfo(),
		otelprometheus.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes),
	)
	if err != nil {
		return nil, fmt.Errorf("snapshot: exposition: %w", err)
	}
	sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter))
	for _, collector := range o.Collectors {
		if err := e.registry.Register(collector); err != nil {
			return nil, fmt.Errorf("snapshot: exposition: %w", err)
		}
	}
	return e, nil
}

// producer gives the exporter the snapshot that is being gathered.
type producer struct{ *Exposition }

// Produce is called under the lock of rendering.
func (p producer) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	return p.semconv.view(p.current.Exposed()), nil
}

// ServeHTTP answers with the exposition, 503 if nothing can be collected.
func (e *Exposition) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := negotiate(r.Header)
	body, err := e.rendering(r.Context(), f)
	if err != nil {
		if r.Context().Err() == nil {
			e.onError(err)
		}
		http.Error(w, "the metrics cannot be collected now", http.StatusServiceUnavailable)
		return
	}
	respond(w, f, body)
}

func (e *Exposition) rendering(ctx context.Context, f form) ([]byte, error) {
	s, err := e.reader.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil || e.current.sequence < s.sequence {
		if err := e.gather(s); err != nil {
			return nil, err
		}
	}
	if body, ok := e.renderings[f]; ok {
		return body, nil
	}
	// As much as the last took and some: a text that grows while it is written is
	// copied many times.
	last := e.sizes[f.format]
	body, plain, err := render(e.families, f, last+last/16)
	if err != nil {
		return nil, err
	}
	e.renderings[f], e.sizes[f.format] = body, plain
	return body, nil
}

// gather makes the families of a snapshot. What can be exposed is, even if
// something cannot.
func (e *Exposition) gather(s *Snapshot) error {
	previous := e.current
	e.current = s
	families, err := e.registry.Gather()
	if err != nil {
		if len(families) == 0 {
			e.current = previous
			return fmt.Errorf("snapshot: exposition: %w", err)
		}
		e.onError(fmt.Errorf("snapshot: exposition: %w", err))
	}
	e.families, e.renderings = families, map[form][]byte{}
	return nil
}
