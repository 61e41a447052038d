package server

import (
	"context"
	"net/http"
	"time"

	"treq/server/api"
	"treq/server/config"
	"treq/server/fleet"
	"treq/server/history"
	"treq/telemetry"
	"treq/telemetry/instrument"
	"treq/telemetry/snapshot"
)

// openFleet makes what asks for the sums over all replicas, and for runs of others.
func (s *Server) openFleet(p *parts) (err error) {
	if f := s.config.Fleet; len(f.Peers) > 0 {
		p.peers = fleet.NewPeers(fleet.PeersOptions{
			URLs: f.Peers, Token: f.Token, Timeout: time.Duration(f.Timeout), Proxy: http.ProxyFromEnvironment,
		})
		s.onStop("peers", func(context.Context) error {
			p.peers.Close()
			return nil
		})
	}
	if s.config.Scope != config.ScopeFleet {
		return nil
	}
	if p.history == nil {
		return &telemetry.Error{Kind: telemetry.Unavailable, Message: "the scope fleet needs a history, and there is none"}
	}
	p.fleet, err = fleet.New(fleet.Options{
		Query: p.history.QueryVector, Job: history.Job, Keep: time.Duration(s.config.History.Keep),
	})
	return err
}

// fleetOptions are what the API serves of the fleet.
func (p *parts) fleetOptions(o *api.Options) {
	if p.peers != nil {
		o.HeaderAsked = fleet.HeaderAsked
		o.RunElsewhere = func(ctx context.Context, id string, explain bool) (any, error) { return p.peers.Run(ctx, id, explain) }
	}
	if p.fleet == nil {
		return
	}
	o.Window = p.fleet.From
	o.Fleet = func(ctx context.Context) (any, error) {
		sum, err := p.fleet.Latest(ctx)
		if err != nil {
			return nil, err
		}
		return shownFleet{fleetOf(sum), sum.Replicas}, nil
	}
}

// totals are what judgements are counted from.
func (p *parts) totals(ctx context.Context) (*snapshot.Snapshot, error) {
	if p.fleet == nil {
		return p.reader.Snapshot(ctx)
	}
	sum, err := p.fleet.Latest(ctx)
	if err != nil {
		return nil, err
	}
	return sum.Totals, nil
}

// notExact is what the fleet's documents say of themselves.
var notExact = []string{
	"What came since a replica was sampled last is missing; as_of is when the sums were asked for, not when each was sampled.",
	"A replica that lost its data directory is counted as far as it was sampled, and as a new one from then on.",
	"A replica that is gone is forgotten once the history does not reach back to its last sampling.",
	"A trace whose spans reach several replicas, as while the load balancer's ring changes, or a request that is sent again to another replica, counts in each.",
	"A judgement that is given again, or changed, at another replica counts in both.",
	"Services and models beyond a replica's bounds fold into \"other\" replica by replica.",
	"Percentiles are estimates from buckets.",
	"system adds up the replicas that are there; memory_available_mb is the least of theirs; status and uptime are those of the replica that answers.",
}

// fleetBlock stands in every document of a fleet, after the guide's own blocks.
type fleetBlock struct {
	Scope    config.Scope `json:"scope"`
	AsOf     time.Time    `json:"as_of"`
	Replicas int          `json:"replicas"`
	Present  int          `json:"present"`
	NotExact []string     `json:"not_exact"`
}

func fleetOf(sum *fleet.Sum) fleetBlock {
	return fleetBlock{config.ScopeFleet, sum.At.UTC().Truncate(time.Millisecond), len(sum.Replicas), sum.Present(), notExact}
}

// shownFleet is the document of GET /monitoring/fleet.
type shownFleet struct {
	fleetBlock
	Instances []fleet.Replica `json:"instances"`
}

// The documents of a fleet: the guide's, with the block.
type (
	fleetMetrics struct {
		snapshot.Metrics
		Fleet fleetBlock `json:"fleet"`
	}
	fleetSummary struct {
		snapshot.Summary
		Fleet fleetBlock `json:"fleet"`
	}
	fleetModels struct {
		snapshot.Models
		Fleet fleetBlock `json:"fleet"`
	}
)

// ask gives the sum that a question is about.
func ask(ctx context.Context, view *fleet.View, n api.Narrow) (*fleet.Sum, error) {
	if n.From.IsZero() {
		return view.Latest(ctx)
	}
	return view.Since(ctx, n.From)
}

// ofFleet makes the documents of all replicas.
func (d *documents) ofFleet(ctx context.Context, n api.Narrow) (fleetMetrics, fleetSummary, error) {
	sum, err := ask(ctx, d.fleet, n)
	if err != nil {
		return fleetMetrics{}, fleetSummary{}, err
	}
	system := d.system(n.Service)
	if n.Service == "" {
		system.Sample = instrument.Sample(sum.System)
	}
	m, s := snapshot.Build(sum.Totals, snapshot.Query{Service: n.Service}, system, time.Now(), time.Since(d.started))
	block := fleetOf(sum)
	return fleetMetrics{m, block}, fleetSummary{s, block}, nil
}

// ofFleet is what each model did at all replicas.
func (m *models) ofFleet(ctx context.Context, n api.Narrow) (any, error) {
	sum, err := ask(ctx, m.fleet, n)
	if err != nil {
		return nil, err
	}
	return fleetModels{m.document(sum.Totals, n.Service), fleetOf(sum)}, nil
}
