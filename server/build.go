package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/collectors"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"treq/server/access"
	"treq/server/alerting"
	"treq/server/api"
	"treq/server/config"
	"treq/server/dashboard"
	"treq/server/fleet"
	"treq/server/history"
	"treq/server/ingest"
	"treq/server/notify"
	"treq/server/runs"
	"treq/telemetry"
	"treq/telemetry/export"
	"treq/telemetry/instrument"
	"treq/telemetry/journal"
	"treq/telemetry/merger"
	"treq/telemetry/meter"
	"treq/telemetry/pricing"
	"treq/telemetry/reported"
	"treq/telemetry/snapshot"
)

// parts are what runs behind the doors.
type parts struct {
	identity   identity
	journal    *journal.Journal
	reader     *snapshot.Reader
	exposition *snapshot.Exposition
	history    *history.Store // nil where there is none
	// sampledFrom is when that was opened, by its own time: no sample of this process is older.
	sampledFrom time.Time
	windows     *windows
	fleet       *fleet.View  // nil where the numbers are this process's own
	peers       *fleet.Peers // nil where there are none
	reported    *reported.Store
	process     *instrument.Process
	meter       *meter.Meter
	sinks       *export.Set
	// notifications take over what the evaluation says of alerts.
	notifications *notify.Dispatcher
	alerts        *alerting.Evaluator // nil without a history
	quality       *quality
	runs          *runs.Viewer
	merger        *merger.Merger
	ingest        *ingest.Ingest
	documents     *documents
	models        *models
	judging       judging
	api           atomic.Pointer[api.API] // nil until the doors are built
}

// build makes the parts from the far end to the doors and starts them. What it
// made is undone by Stop, also after an error.
func (s *Server) build(ctx context.Context) (*parts, error) {
	p := &parts{}
	if err := s.openJournal(ctx, p); err != nil {
		return nil, err
	}
	if err := s.openRedaction(p); err != nil {
		return nil, err
	}
	p.ingest = ingest.New(ingest.Options{
		Log:                 s.redaction.doors,
		Tokens:              s.tokens,
		MaxRequestBytes:     int64(s.config.Limits.MaxRequestBytes),
		InflightBytes:       int64(s.config.Limits.MaxInFlightBytes),
		TokenBytesPerSecond: int64(s.config.Limits.TokenBytesPerSecond),
		Seed:                p.identity.Seed,
		Instance:            p.identity.Instance,
		Logger:              s.log,
	})
	s.openHistory(p)
	if err := s.openSinks(p); err != nil {
		return nil, err
	}
	if err := s.openNotifications(p); err != nil {
		return nil, err
	}
	if err := s.openMerger(p); err != nil {
		return nil, err
	}
	if err := s.openMeter(ctx, p); err != nil {
		return nil, err
	}
	if err := s.openJudging(p); err != nil {
		return nil, err
	}
	s.openProjects(p)
	if err := s.openRuns(p); err != nil {
		return nil, err
	}
	if err := s.openMirror(p); err != nil {
		return nil, err
	}
	if err := s.openAlerts(p); err != nil {
		return nil, err
	}
	s.runMerger(p.merger)
	return p, nil
}

// ringBytes is what the readers at the tail may be behind without reading the
// disk: some of the largest usual batches. What all have passed takes none of it.
const ringBytes = 24 << 20

func (s *Server) openJournal(ctx context.Context, p *parts) (err error) {
	c := s.config
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if err = refuseNewer(c.DataDir); err != nil {
		return err
	}
	p.journal, err = journal.Open(ctx, filepath.Join(c.DataDir, "journal"), journal.Options{
		SegmentBytes: int64(c.Journal.SegmentBytes),
		Prepare:      prepareRate(c.Journal.PrepareRate),
		Keep:         time.Duration(c.Journal.Keep),
		MaxAge:       time.Duration(c.Journal.MaxAge),
		MaxBytes:     int64(c.Journal.MaxBytes),
		LockWait:     time.Duration(c.Journal.LockWait),
		MaxDecoded:   int64(c.Limits.MaxRequestBytes),
		Ack:          ackMode(c.Ack),
		RingBytes:    ringBytes,
		Logger:       s.log,
	})
	if err != nil {
		return err
	}
	s.onStop("journal", func(context.Context) error { return p.journal.Close() })
	if where := volatileStorage(c.DataDir); where != "" {
		notice := fmt.Sprintf("the data directory lies in %s: acknowledged data lives as long as that", where)
		s.notices, s.volatile = append(s.notices, notice), true
		s.log.Warn(notice, "data_dir", c.DataDir)
	}
	// Under the journal's lock: nobody else makes one.
	if err = markFormat(c.DataDir, s.version, s.log); err != nil {
		return err
	}
	p.identity, err = loadIdentity(c.DataDir, s.log)
	return err
}

// prepareRate gives what the journal takes: never is below 0 there.
func prepareRate(s config.Size) int64 {
	if s == 0 {
		return -1
	}
	return int64(s)
}

func ackMode(a config.Ack) journal.AckMode {
	if a == config.AckMemory {
		return journal.Memory
	}
	return journal.Fsync
}

func (s *Server) openMeter(ctx context.Context, p *parts) (err error) {
	rules, families := s.config.Rules()
	book, err := OpenPrices(s.config.Prices.File)
	if err != nil {
		return err
	}
	rules.Pricer = pricing.NewFinder(book)
	s.prices = book.Version()
	s.log.Info("models are priced", "prices", book.Version(), "days_old", int(book.Age(s.started).Hours()/24))
	p.reported = reported.NewStore(reported.Options{})
	instruments, err := instrument.New(instrument.Options{
		Family: instrument.FamilyOf(families), Threshold: s.config.Retrieval.Threshold,
	})
	if err != nil {
		return err
	}
	p.reader = snapshot.NewReader(snapshot.Options{Instruments: instruments, Producers: []sdkmetric.Producer{p.reported}})
	provider := snapshot.NewProvider(p.reader)
	s.onStop("metrics", provider.Shutdown)
	p.exposition, err = snapshot.NewExposition(p.reader, snapshot.ExpositionOptions{
		Collectors: append(s.guards(), append(p.historyGuards(), collectors.NewGoCollector())...),
		Semconv:    generation(s.config.Semconv),
		OnError:    func(err error) { s.log.Warn("the exposition is not whole", "error", err) },
	})
	if err != nil {
		return err
	}
	if p.process, err = instrument.NewProcess(); err != nil {
		return err
	}
	p.meter, err = meter.Open(ctx, meter.Options{
		Dir: s.config.DataDir, Journal: p.journal, Rules: rules,
		Instruments: instruments, Reader: p.reader, Reported: p.reported, Logger: s.log,
	})
	if err != nil {
		return err
	}
	if p.windows, err = newWindows(p.history, p.reader); err != nil {
		return err
	}
	if err := s.openFleet(p); err != nil {
		return err
	}
	p.models = &models{p.reader, book, s.config.Currency, p.windows, p.fleet}
	p.documents = &documents{
		reader: p.reader, process: p.process, reported: p.reported, started: s.started, windows: p.windows, fleet: p.fleet,
		hindered: func() bool { return len(s.reasons(p)) > 0 },
	}
	if _, err = instrument.Observe(provider.Meter(instrument.ProcessScope), p.sources()); err != nil {
		return err
	}
	if err := s.sampleHistory(p); err != nil {
		return err
	}
	s.runMeter(p.meter)
	return nil
}

func generation(c config.Semconv) snapshot.Semconv {
	switch c {
	case config.SemconvLatest:
		return snapshot.Latest
	case config.SemconvBoth:
		return snapshot.Both
	}
	return snapshot.Released
}

func (s *Server) runMeter(m *meter.Meter) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		err := m.Run(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Error("counting stopped; restart to go on from the last checkpoint", "error", err)
		}
		done <- err
	}()
	s.onStop("meter", func(ctx context.Context) error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return errors.New("the last checkpoint was not done in time; the journal is replayed at the next start")
		}
	})
}

func (s *Server) openSinks(p *parts) (err error) {
	finish, grace := finishSinks, time.Duration(0)
	if s.volatile {
		finish, grace = finishVolatileSinks, finishVolatileSinks-2*time.Second
	}
	p.sinks, err = export.NewSet(s.config.Sinks, export.Deps{
		StopGrace: grace,
		Dir:       s.config.DataDir, Open: p.openCursor, Version: s.version,
		Instance: p.identity.Instance, Logger: s.log, Proxy: http.ProxyFromEnvironment,
		Redaction: s.forSinks(),
	})
	if err != nil {
		return err
	}
	p.sinks.Start()
	s.onStop("sinks", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, finish)
		defer cancel()
		return p.sinks.Stop(ctx)
	})
	return nil
}

// openCursor makes a sink's cursor: retention may overtake it.
func (p *parts) openCursor(name string, from journal.Position) (export.Cursor, error) {
	c, err := p.journal.NewCursor(name, from, false)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// handlers are what the doors serve under these settings and tokens.
func (p *parts) handlers(s *Server, c config.Config, tokens *access.Tokens) (handlers, error) {
	o := api.Options{
		Log: s.redaction.doors, Meter: p.meter, Documents: p.documents,
		Exposition: p.exposition,
		SummaryExposition: &snapshot.SummaryExposition{
			Summary: func(ctx context.Context) (snapshot.Summary, error) { return p.documents.summary(ctx, api.Narrow{}) },
			OnError: func(err error) { s.log.Warn("the summary cannot be scraped", "error", err) },
		},
		Sinks:       func() any { return p.shownSinks() },
		ChatEntries: func() any { return p.meter.Entries() },
		Models:      p.models.Document,
		Runs:        shownRuns{p.runs},
		Feedback:    p.judging.door, FeedbackTokens: p.judging.tokens,
		FeedbackStats: func(ctx context.Context, service, key string) (any, error) {
			return feedbackStats(ctx, p.totals, service, key)
		},
		Checks:  []api.Check{{Name: "journal", Err: p.journalCheck}},
		Notices: func() []string { return s.notices },
		OTLP:    p.ingest.HTTP(), IsOTLP: ingest.Serves, GRPC: p.ingest.GRPC(),
		Authorize:      tokens.For(access.Ingest),
		AuthorizeRead:  readers(tokens),
		AuthorizeAdmin: admins(tokens),
		Closed:         c.RequireAuth && tokens.Asks(access.Read),
		Origins:        c.CORSOrigins,
		Hosts:          api.Hosts{Loopback: c.Listen.Loopback(), Allowed: c.AllowedHosts},
		Seed:           p.identity.Seed, Instance: p.identity.Instance,
		Version: s.version,
		Logger:  s.log,
	}
	page, err := dashboard.New()
	if err != nil {
		return handlers{}, err
	}
	o.Page, o.Shapes, o.Stopping = page, shapes(), s.doors.ending
	s.historyOptions(p, &o)
	p.fleetOptions(&o)
	s.alertOptions(p, &o)
	a, err := api.New(o)
	if err != nil {
		return handlers{}, err
	}
	p.api.Store(a)
	otlp, err := api.CORS(c.CORSOrigins, p.ingest.HTTP())
	if err != nil {
		return handlers{}, err
	}
	return handlers{one: a.Handler(), otlpHTTP: otlp, otlpGRPC: p.ingest.GRPC()}, nil
}

// journalCheck says why the log cannot take a write; nil while it can.
func (p *parts) journalCheck() error {
	st := p.journal.Stats()
	if st.RoomBytes <= 0 {
		return telemetry.Errorf(telemetry.Unavailable, "the journal has no room: %s", st.LastError)
	}
	return nil
}

// hindrance names what cannot make progress, "" if all can.
func (s *Server) hindrance(p *parts) string {
	if err := p.journalCheck(); err != nil {
		return err.Error()
	}
	if stuck := p.sinks.Stuck(); len(stuck) > 0 {
		return fmt.Sprintf("sinks do not get on: %v", stuck)
	}
	return ""
}
