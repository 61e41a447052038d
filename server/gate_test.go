package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
)

func TestConnectionsHaveBounds(t *testing.T) {
	g := newGate(16)
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	enter := func(from netip.Addr, n int) (in int) {
		for range n {
			if g.enter(from) {
				in++
			}
		}
		return in
	}
	if in := enter(a, 20); in != 12 {
		t.Errorf("one address got %d of 16", in)
	}
	if in := enter(b, 20); in != 4 {
		t.Errorf("the other got %d of the rest", in)
	}
	if n := g.refusedConnections.Load(); n != 24 {
		t.Errorf("%d refused", n)
	}
	g.leave(a)
	if !g.enter(b) || g.enter(b) {
		t.Error("a place that was given back is not one place")
	}
	g.limit(20)
	if in := enter(b, 20); in != 4 {
		t.Errorf("after the bound was raised, %d", in)
	}
	for range 11 {
		g.leave(a)
	}
	for range 9 {
		g.leave(b)
	}
	if g.connections() != 0 || len(g.by) != 0 {
		t.Errorf("all left: %d, %v", g.connections(), g.by)
	}
}

// Above the bound a caller is closed at once, and a place is free again with its connection.
func TestDoorsRefuseTheConnectionTooMany(t *testing.T) {
	w, end := door(reader, 16)
	defer end()
	get := func(c net.Conn) error {
		go func() { _, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n") }()
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err == nil {
			err = res.Body.Close()
		}
		return err
	}
	var held []net.Conn
	for range 12 { // all that one address may have
		c := w.dial()
		if err := get(c); err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	c := w.dial()
	if err := get(c); err == nil {
		t.Error("one more was served")
	}
	_ = c.Close()
	_ = held[0].Close()
	// The door notices in its own time.
	for served := false; !served; {
		c := w.dial()
		served = get(c) == nil
		_ = c.Close()
	}
	for _, c := range held[1:] {
		_ = c.Close()
	}
}

// Whatever connections take, in whatever turns, the next one finds a place.
func TestNoConnectionTakesAllRequests(t *testing.T) {
	for _, connections := range []int{16, 100, 4096} {
		g := newGate(connections)
		places := make([]*place, connections)
		for i := range places {
			places[i] = &place{gate: g}
		}
		for range 200 {
			for i, p := range places {
				before := p.busy.Load()
				leave, ok := g.begin(p)
				if !ok {
					leave()
				}
				if before == 0 && !ok {
					t.Fatalf("connection %d of %d has no place for one request", i, connections)
				}
			}
		}
		if n, most := g.requests.Load(), g.most.Load(); n > most {
			t.Errorf("%d connections hold %d requests of %d", connections, n, most)
		}
	}
	// One alone may have many.
	g, one := newGate(4096), &place{}
	n := 0
	for ; n < 1000; n++ {
		if _, ok := g.begin(one); !ok {
			break
		}
	}
	if n < 128 {
		t.Errorf("a connection alone has %d streams", n)
	}
}
