package server

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"treq/server/fault"
	"treq/telemetry"
)

// gate bounds what callers hold open on all doors together: connections, and
// requests on them. Safe for concurrent use.
type gate struct {
	mu   sync.Mutex
	max  int
	open int
	by   map[netip.Addr]int

	requests atomic.Int64
	most     atomic.Int64

	refusedConnections, refusedRequests atomic.Uint64
}

func newGate(connections int) *gate {
	g := &gate{by: map[netip.Addr]int{}}
	g.limit(connections)
	return g
}

// limit sets the bounds; what is open above them stays open.
func (g *gate) limit(connections int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.max = connections
	g.most.Store(2 * int64(connections))
}

func (g *gate) connections() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

// enter takes a place for a connection. One address gets three quarters of them,
// so that it cannot lock out all others.
func (g *gate) enter(from netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open >= g.max || g.by[from] >= g.max-g.max/4 {
		g.refusedConnections.Add(1)
		return false
	}
	g.open++
	g.by[from]++
	return true
}

func (g *gate) leave(from netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open--
	if g.by[from]--; g.by[from] == 0 {
		delete(g.by, from)
	}
}

// guarded accepts through the gate. Who finds no place is closed at once: held
// back in the listener's queue, it would hold back those behind it.
type guarded struct {
	net.Listener
	gate *gate
}

// Accept gives the next connection that found a place.
func (l guarded) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := addressOf(c.RemoteAddr())
		if l.gate.enter(from) {
			return &place{Conn: c, gate: l.gate, from: from}, nil
		}
		_ = c.Close()
	}
}

func addressOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// place is a connection that holds one.
type place struct {
	net.Conn
	gate *gate
	from netip.Addr
	left atomic.Bool
	busy atomic.Int64 // requests in flight
}

// Close gives the place back with the connection.
func (p *place) Close() error {
	if p.left.CompareAndSwap(false, true) {
		p.gate.leave(p.from)
	}
	return p.Conn.Close()
}

// share is the part of the requests that are still free that one connection may
// take: a sixteenth. So a few connections may have many streams, and many have
// few: with every connection that the gate lets in taking all it can, two places
// are left for the next one.
const share = 16

// placeKey finds the place of a request's connection in its context.
type placeKey struct{}

func withPlace(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = t.NetConn()
	}
	return context.WithValue(ctx, placeKey{}, c)
}

var errCrowded = &telemetry.Error{
	Kind: telemetry.Unavailable, Message: "too many requests in flight on this connection; send this one again", RetryAfter: time.Second,
}

// begin takes a place for a request on p, which may be nil, or tells that p has
// its share. The caller leaves in both cases.
func (g *gate) begin(p *place) (leave func(), ok bool) {
	free := g.most.Load() - g.requests.Add(1)
	if p == nil {
		return func() { g.requests.Add(-1) }, true
	}
	ok = p.busy.Add(1) <= max(1, free/share)
	return func() {
		p.busy.Add(-1)
		g.requests.Add(-1)
	}, ok
}

// guard lets requests through that find a place, each with a body that must come
// on at a pace.
func (g *gate) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, _ := r.Context().Value(placeKey{}).(*place)
		leave, ok := g.begin(p)
		defer leave()
		if !ok {
			g.refusedRequests.Add(1)
			fault.WriteProblem(w, errCrowded)
			return
		}
		if r.Body != nil && r.Body != http.NoBody {
			// The server looks at the body of its own request to know whether it may answer
			// before that has come: of one that it does not know it waits for the rest.
			paced := *r
			paced.Body = pace(w, r.Body)
			r = &paced
		}
		next.ServeHTTP(w, r)
	})
}
