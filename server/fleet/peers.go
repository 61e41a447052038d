package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"treq/telemetry"
)

// HeaderAsked marks a question of one replica to another, which answers of its own
// and asks nobody: so that no question goes round.
const HeaderAsked = "Treq-Fleet-Asked"

// mostRun bounds the answer of a peer.
const mostRun = 64 << 20

// PeersOptions says who is asked, and how.
type PeersOptions struct {
	// URLs are where replicas answer, such as http://treq-1:8002.
	URLs []string
	// Token is shown to them as a bearer token; "" shows none.
	Token telemetry.Secret
	// Timeout ends a question; 0 is 3 seconds.
	Timeout time.Duration
	// Proxy chooses a proxy; nil uses none.
	Proxy func(*http.Request) (*url.URL, error)
}

// Peers are the replicas that are asked for what this one does not have. Make it with
// NewPeers; it is safe for concurrent use.
type Peers struct {
	o      PeersOptions
	client *http.Client
}

// NewPeers makes it. Close gives its connections back.
func NewPeers(o PeersOptions) *Peers {
	if o.Timeout == 0 {
		o.Timeout = 3 * time.Second
	}
	return &Peers{o, &http.Client{
		Transport:     &http.Transport{Proxy: o.Proxy, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close closes the connections that nobody uses.
func (p *Peers) Close() { p.client.CloseIdleConnections() }

// answer is what one peer said.
type answer struct {
	body json.RawMessage // nil if it does not have the run
	err  error           // it did not say
}

// Run asks all peers at once for the run that an id means, and gives the document of
// the first that has it, as it gave it. An error of kind NotFound says that none
// has it, and how many did not answer.
func (p *Peers) Run(ctx context.Context, id string, explain bool) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	answers := make(chan answer, len(p.o.URLs))
	for _, base := range p.o.URLs {
		go func() { answers <- p.ask(ctx, base, id, explain) }()
	}
	var found json.RawMessage
	silent := 0
	for range p.o.URLs {
		a := <-answers
		switch {
		case a.err != nil:
			silent++
		case a.body != nil && found == nil:
			found = a.body
			cancel() // the others end, and are waited for
		}
	}
	switch {
	case found != nil:
		return found, nil
	case silent > 0:
		return nil, telemetry.Errorf(telemetry.NotFound, "no replica that answers has the run; %d of %d do not answer", silent, len(p.o.URLs))
	}
	return nil, telemetry.Errorf(telemetry.NotFound, "none of %d replicas has the run", len(p.o.URLs))
}

func (p *Peers) ask(ctx context.Context, base, id string, explain bool) answer {
	address := strings.TrimSuffix(base, "/") + "/monitoring/runs/" + url.PathEscape(id)
	if explain {
		address += "?explain=1"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{err: err}
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set(HeaderAsked, "1")
	if !p.o.Token.IsZero() {
		req.Header.Set("Authorization", "Bearer "+p.o.Token.Reveal())
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return answer{}
	default:
		return answer{err: fmt.Errorf("status %d", resp.StatusCode)}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostRun+1))
	if err == nil && (len(body) > mostRun || !json.Valid(body)) {
		err = errors.New("its answer is no document")
	}
	return answer{body, err}
}
