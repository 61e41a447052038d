package server

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
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

// A client that opens streams and resets them at once, as in the attack called
// rapid reset, does not make more handlers run than it may have streams.
func TestRapidReset(t *testing.T) {
	const most = 128
	var running, peak, total atomic.Int64
	gone := make(chan struct{})
	w, end := door(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n := running.Add(1)
		defer running.Add(-1)
		total.Add(1)
		for p := peak.Load(); n > p && !peak.CompareAndSwap(p, n); p = peak.Load() {
		}
		if r.URL.Path == "/hold" {
			<-gone
		}
	}), 100)
	defer end()
	c := w.dial()
	defer c.Close()
	f := http2.NewFramer(c, c)
	away := make(chan http2.ErrCode, 1)
	go func() {
		for {
			frame, err := f.ReadFrame()
			if err != nil {
				close(away)
				return
			}
			if g, ok := frame.(*http2.GoAwayFrame); ok {
				away <- g.ErrCode
				_, _ = io.Copy(io.Discard, c)
				return
			}
		}
	}()
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	err := f.WriteSettings()
	sent := 0
	for id := uint32(1); id < 8_000 && err == nil; id += 2 {
		block.Reset()
		for _, h := range [][2]string{{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/hold"}} {
			_ = enc.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]})
		}
		if err = f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: true}); err == nil {
			err = f.WriteRSTStream(id, http2.ErrCodeCancel)
		}
		sent++
	}
	// On a busy machine the door may close before it has said why.
	if code, told := <-away; told && code != http2.ErrCodeEnhanceYourCalm {
		t.Errorf("after %d streams that were reset at once the connection ended with %s", sent, code)
	}
	if p := peak.Load(); p > most {
		t.Errorf("%d handlers ran at once; %d streams are allowed", p, most)
	}
	good := w.dial()
	go func() { _, _ = io.WriteString(good, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") }()
	res, err := http.ReadResponse(bufio.NewReader(good), nil)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("another client meanwhile: %v %v", res, err)
	}
	_ = good.Close()
	close(gone)
}
