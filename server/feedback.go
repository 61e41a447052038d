package server

import (
	"context"
	"encoding/hex"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/server/feedback"
	"treq/telemetry"
	"treq/telemetry/export"
	"treq/telemetry/instrument"
	"treq/telemetry/journal"
	"treq/telemetry/judgement"
	"treq/telemetry/mirror"
	"treq/telemetry/snapshot"
)

// judging is what takes judgements of runs and tells of them.
type judging struct {
	door   *feedback.Door
	tokens *feedback.Tokens
	mirror *mirror.Mirror
	// projects looks up LangSmith's, by the sink's name.
	projects map[string]*mirror.Projects
}

// alsoScore is the key under which the existing application told LangSmith of a
// thumb besides judgement.DefaultKey.
const alsoScore = "score"

// presetTreq is the preset of chats that stands for that application.
const presetTreq = "treq"

// openJudging opens the door for judgements. What tells sinks starts with the runs,
// which know what a run is called elsewhere.
func (s *Server) openJudging(p *parts) error {
	key, err := hex.DecodeString(p.identity.FeedbackKey)
	if err != nil {
		return err
	}
	p.judging.tokens = feedback.NewTokens(key, nil)
	p.judging.door = feedback.New(feedback.Options{Log: s.redaction.judgements, Meter: p.meter, Kept: keptJudgements{p}})
	return nil
}

// keptJudgements finds judgements by the index of runs, which is opened later than the
// door and before anybody asks.
type keptJudgements struct{ p *parts }

const (
	// onItsWay is how long a judgement is looked for: SDKs send it in the background with
	// runs, and a program may change it before it has left.
	onItsWay  = time.Second
	lookAgain = 50 * time.Millisecond
)

// Judgement implements feedback.Kept.
func (k keptJudgements) Judgement(ctx context.Context, id string) (judgement.Judgement, error) {
	ctx, cancel := context.WithTimeout(ctx, onItsWay)
	defer cancel()
	for {
		j, err := k.p.runs.Judgement(ctx, id)
		if telemetry.KindOf(err) != telemetry.NotFound || ctx.Err() != nil {
			return j, err
		}
		select {
		case <-ctx.Done():
			return j, err
		case <-time.After(lookAgain):
		}
	}
}

// Judgements implements feedback.Kept.
func (k keptJudgements) Judgements(ctx context.Context, runs []string) ([]judgement.Judgement, error) {
	return k.p.runs.Judgements(ctx, runs)
}

// openProjects makes what looks up LangSmith's projects, for every sink that is
// LangSmith and has a key.
func (s *Server) openProjects(p *parts) {
	p.judging.projects = map[string]*mirror.Projects{}
	for _, c := range s.config.Sinks {
		if c.WithDefaults().Profile != "langsmith" || c.APIKey.IsZero() {
			continue
		}
		c.Feedback = export.FeedbackLangSmith // its API is there whether it is told or not
		if t, ok := c.FeedbackTarget(); ok {
			p.judging.projects[c.Name] = mirror.NewProjects(s.toldSink(c, t), s.mirrorOptions(p))
		}
	}
	s.onStop("projects", func(context.Context) error {
		for _, looked := range p.judging.projects {
			looked.Close()
		}
		return nil
	})
}

func (s *Server) mirrorOptions(p *parts) mirror.Options {
	return mirror.Options{
		Dir: s.config.DataDir, Version: s.version, Instance: p.identity.Instance, Logger: s.log, Proxy: http.ProxyFromEnvironment,
	}
}

func (s *Server) toldSink(c export.Config, t export.FeedbackTarget) mirror.Sink {
	sink := mirror.Sink{
		Name: c.Name, Words: mirror.Words(t.Words), Base: t.Base, Headers: t.Headers,
		Tenant: t.Tenant, Project: c.Project, Timeout: t.Timeout,
	}
	if c.Content == export.ContentNone {
		sink.Strip = s.forSinks().Strip
	}
	if s.config.Chats.Preset == presetTreq {
		sink.AlsoAs = []string{alsoScore}
	}
	return sink
}

// openMirror tells the sinks that take judgements.
func (s *Server) openMirror(p *parts) (err error) {
	o := s.mirrorOptions(p)
	o.Resolver = resolver{p.runs, p.peers}
	o.Open = func(name string, from journal.Position) (mirror.Cursor, error) {
		c, err := p.journal.NewCursor(name, from, false)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	for _, c := range s.config.Sinks {
		if t, ok := c.FeedbackTarget(); ok {
			sink := s.toldSink(c, t)
			sink.Projects = p.judging.projects[c.Name]
			o.Sinks = append(o.Sinks, sink)
		}
	}
	if p.judging.mirror, err = mirror.New(o); err != nil {
		return err
	}
	p.judging.mirror.Start()
	s.onStop("feedback", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, finishFeedback)
		defer cancel()
		return p.judging.mirror.Stop(ctx)
	})
	return nil
}

// shownSink is a sink as GET /monitoring/sinks shows it.
type shownSink struct {
	export.Status
	// Feedback is null for a sink that is not told of judgements.
	Feedback *mirror.Status `json:"feedback"`
}

func (p *parts) shownSinks() []shownSink {
	all := p.sinks.Status()
	shown := make([]shownSink, len(all))
	for i, status := range all {
		shown[i].Status = status
		if told, ok := p.judging.mirror.Status(status.Name); ok {
			shown[i].Feedback = &told
		}
	}
	return shown
}

// judgedSoFar answers how runs were judged, in the words of the existing front end.
type judgedSoFar struct {
	TotalPositive int64 `json:"total_positive"`
	TotalNegative int64 `json:"total_negative"`
	// Rate is the positive share of both, 0..1; 0 without any.
	Rate     float64 `json:"satisfaction_rate"`
	Unscored int64   `json:"total_unscored"`
	Key      string  `json:"key"`
	Message  string  `json:"message"`
}

// positiveAbove is the score above which a judgement counts as positive; it is a
// bound of the histogram's, so that the count is exact.
const positiveAbove = 0.5

// feedbackStats counts the judgements of a service, of all for "", under a key: of
// each run and source the one that holds.
func feedbackStats(ctx context.Context, totals func(context.Context) (*snapshot.Snapshot, error), service, key string) (any, error) {
	snap, err := totals(ctx)
	if err != nil {
		return nil, err
	}
	stats := judgedSoFar{Key: key, Message: "no judgements yet"}
	is := func(of *attribute.Set, name, want string) bool {
		v, _ := of.Value(attribute.Key(name))
		return want == "" || v.AsString() == want
	}
	meant := func(of *attribute.Set) bool {
		return is(of, instrument.AttrFeedbackKey, key) && is(of, instrument.AttrService, service)
	}
	scores := func(name string) (positive, negative int64) {
		m, _ := snap.Metric(instrument.MeterScope, name)
		h, _ := m.Data.(metricdata.Histogram[float64])
		for i := range h.DataPoints {
			if d := &h.DataPoints[i]; meant(&d.Attributes) {
				below := int64(0)
				for _, n := range d.BucketCounts[:slices.Index(d.Bounds, positiveAbove)+1] {
					below += int64(n)
				}
				negative += below
				positive += int64(d.Count) - below
			}
		}
		return positive, negative
	}
	count := func(name string) (n int64) {
		m, _ := snap.Metric(instrument.MeterScope, name)
		sum, _ := m.Data.(metricdata.Sum[int64])
		for i := range sum.DataPoints {
			if d := &sum.DataPoints[i]; meant(&d.Attributes) {
				n += d.Value
			}
		}
		return n
	}
	positive, negative := scores(instrument.FeedbackScore)
	overtaken, undone := scores(instrument.FeedbackReplaced)
	stats.TotalPositive, stats.TotalNegative = positive-overtaken, negative-undone
	stats.Unscored = count(instrument.FeedbackUnscored) - count(instrument.FeedbackDropped)
	if all := stats.TotalPositive + stats.TotalNegative; all > 0 {
		stats.Rate = float64(stats.TotalPositive) / float64(all)
		stats.Message = "judgements since counting began"
	}
	return stats, nil
}
