package server

import (
	"context"
	"net/http"

	"treq/server/access"
	"treq/server/api"
	"treq/server/runs"
	"treq/telemetry/export"
	"treq/telemetry/journal"
	"treq/telemetry/langsmith"
	"treq/telemetry/mirror"
	"treq/telemetry/pricing"
	"treq/telemetry/understand"
)

// openRuns starts to index runs. It is a reader of the journal like the sinks:
// nothing waits for it.
func (s *Server) openRuns(p *parts) (err error) {
	rules, _ := s.config.Rules()
	p.runs, err = runs.Open(runs.Options{
		Journal: p.journal, Rules: rules, Links: linksOf(s.config.Sinks, p.judging.projects), Logger: s.log,
		ListBytes: int64(s.config.Runs.ListBytes), Rate: float64(s.config.Runs.ListRate),
		Going:  func(id [16]byte) []byte { return p.merger.Going(id) },
		Merged: func(ctx context.Context, pos journal.Position) error { return p.merger.Await(ctx, pos) },
		EraseNative: func(body []byte, erased func(run, trace [16]byte) bool) bool {
			return langsmith.Erase(body, func(run, trace langsmith.ID) bool { return erased(run, trace) })
		},
		DeadLetters: p.sinks.EraseDeadLetters,
		Pricer:      func() understand.Pricer { return pricing.NewFinder(p.models.book) },
	})
	if err != nil {
		return err
	}
	s.onStop("runs", func(context.Context) error {
		p.runs.Close()
		return nil
	})
	return nil
}

// linksOf gives where the first sink that is LangSmith shows its runs.
func linksOf(sinks []export.Config, projects map[string]*mirror.Projects) runs.Links {
	for _, c := range sinks {
		if c.Profile == "langsmith" {
			links := runs.Links{Endpoint: c.Endpoint, Project: c.Project}
			if looked := projects[c.Name]; looked != nil {
				links.Real = func(name string) (tenant, id string, ok bool) {
					project, ok := looked.Known(name)
					return project.Tenant, project.ID, ok
				}
			}
			return links
		}
	}
	return runs.Links{}
}

// readers gives who may see runs wherever they come from, nil without a token.
func readers(tokens *access.Tokens) func(http.Header) (uint64, error) {
	if !tokens.Asks(access.Read) {
		return nil
	}
	return tokens.For(access.Read)
}

// admins gives who may destroy, nil without a token: then nobody may.
func admins(tokens *access.Tokens) func(http.Header) (uint64, error) {
	if !tokens.Asks(access.Admin) {
		return nil
	}
	return tokens.For(access.Admin)
}

// shownRuns are the runs as the API asks for them.
type shownRuns struct{ *runs.Viewer }

func (r shownRuns) List(ctx context.Context, q api.RunsQuery) (any, error) {
	return r.Viewer.List(ctx, runs.Query(q))
}

func (r shownRuns) Run(ctx context.Context, id string, explain bool) (any, error) {
	return r.Get(ctx, id, explain)
}

func (r shownRuns) Erase(ctx context.Context, id string) (any, error) {
	return r.Viewer.Erase(ctx, id)
}

func (r shownRuns) EraseUser(ctx context.Context, user string) (any, error) {
	return r.Viewer.EraseUser(ctx, user)
}
