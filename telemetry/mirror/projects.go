package mirror

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Project is where LangSmith has a project: the ids that its pages are addressed by.
type Project struct{ Tenant, ID string }

// Projects looks up LangSmith's projects by name, once for each. Safe for concurrent
// use.
type Projects struct {
	client *client

	mu    sync.Mutex
	known map[string]*lookup
	ctx   context.Context
	stop  context.CancelFunc
	busy  sync.WaitGroup
}

// lookup is what is known of one name. project is read and written under the lock.
type lookup struct {
	project Project
	ok      bool
	failure *outcome      // of the last asking, nil if there was an answer
	until   time.Time     // not asked again before
	asking  chan struct{} // closed when an answer is there; nil while nobody asks
}

const (
	// projectLife is how long an answer holds, projectAgain how soon a project that is
	// not there is asked for again.
	projectLife  = time.Hour
	projectAgain = time.Minute
	// mostProjects bounds the names that are known.
	mostProjects = 1000
)

// NewProjects makes the look-up of a sink in LangSmith's words. Close ends it.
func NewProjects(s Sink, o Options) *Projects {
	if s.Timeout == 0 {
		s.Timeout = defaultTimeout
	}
	p := &Projects{client: newClient(s, &o), known: make(map[string]*lookup)}
	p.ctx, p.stop = context.WithCancel(context.Background())
	return p
}

// Close ends look-ups that run.
func (p *Projects) Close() {
	p.stop()
	p.busy.Wait()
	p.client.http.CloseIdleConnections()
}

// Known gives a project if it is known, and has it looked up if not. It never waits.
func (p *Projects) Known(name string) (Project, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.at(name)
	if l == nil {
		return Project{}, false
	}
	return l.project, l.ok
}

// find is Known that waits for the answer, until ctx ends. failure says that there
// was none, and that there may be one later.
func (p *Projects) find(ctx context.Context, name string) (project Project, ok bool, failure *outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.at(name)
	if l == nil {
		return Project{}, false, nil
	}
	if asking := l.asking; asking != nil && !l.ok {
		p.mu.Unlock()
		select {
		case <-asking:
		case <-ctx.Done():
		}
		p.mu.Lock()
		if ctx.Err() != nil {
			return Project{}, false, &outcome{verdict: again, reason: ctx.Err().Error()}
		}
	}
	if l.ok {
		return l.project, true, nil
	}
	return Project{}, false, l.failure
}

// at gives what is known of a name, and begins to ask where that is due; nil for
// what can have no answer. mu is held.
func (p *Projects) at(name string) *lookup {
	if name == "" || p.ctx.Err() != nil {
		return nil
	}
	l := p.known[name]
	if l == nil {
		if len(p.known) >= mostProjects {
			for other, o := range p.known {
				if o.asking == nil {
					delete(p.known, other)
					break
				}
			}
		}
		l = &lookup{}
		p.known[name] = l
	}
	if l.asking == nil && !time.Now().Before(l.until) {
		asking := make(chan struct{})
		l.asking = asking
		p.busy.Go(func() {
			defer close(asking)
			found, ok, failure := p.ask(name)
			p.mu.Lock()
			defer p.mu.Unlock()
			l.asking, l.failure = nil, failure
			switch { // an answer from before holds until there is another
			case ok:
				l.project, l.ok, l.until = found, true, time.Now().Add(projectLife)
			case failure != nil:
				l.until = time.Now().Add(firstBackoff)
			default:
				l.until = time.Now().Add(projectAgain)
			}
		})
	}
	return l
}

// ask gives a project that is there. failure is nil where another asking would be
// answered the same.
func (p *Projects) ask(name string) (project Project, ok bool, failure *outcome) {
	query := url.Values{"name": {name}, "limit": {"1"}}
	content, out := p.client.do(p.ctx, http.MethodGet, "/sessions?"+query.Encode(), nil)
	if out.verdict == again {
		return Project{}, false, &out
	}
	if out.verdict != taken {
		return Project{}, false, nil
	}
	var list []struct {
		ID     string `json:"id"`
		Tenant string `json:"tenant_id"`
		Name   string `json:"name"`
	}
	if json.Unmarshal(content, &list) != nil {
		return Project{}, false, nil
	}
	for _, s := range list {
		if s.Name == name && s.ID != "" && s.Tenant != "" {
			return Project{Tenant: s.Tenant, ID: s.ID}, true, nil
		}
	}
	return Project{}, false, nil
}
