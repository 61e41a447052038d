package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// wire is a listener whose connections are pipes, so that time can be a test's own.
type wire struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newWire() *wire { return &wire{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (w *wire) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

func (w *wire) Close() error   { close(w.closed); return nil }
func (w *wire) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8002} }

func (w *wire) dial() net.Conn {
	near, far := net.Pipe()
	w.conns <- far
	return near
}

// reader is a door that reads every body to its end, as the real ones do.
var reader = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
})

// refuser answers from the headers alone.
var refuser = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })

// door opens one door on pipes and gives what dials it and what closes it.
func door(h http.Handler, connections int) (*wire, func()) {
	w := newWire()
	d := openDoors(listeners{one: w}, newGate(connections), nil, slog.New(slog.DiscardHandler))
	d.serve(handlers{one: h})
	return w, func() { _ = d.close(context.Background()) }
}

// drip writes text, then a byte a second until the other side has had enough.
func drip(c net.Conn, text, drop string) {
	_, err := io.WriteString(c, text)
	for err == nil && drop != "" {
		time.Sleep(time.Second)
		_, err = io.WriteString(c, drop)
	}
}

// Who drips, stands still or is silent is closed within 30 s, and who idles between
// requests within 120 s; who only has much to send is not.
func TestSlowCallersAreClosed(t *testing.T) {
	const post = "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	const settings = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	for name, tt := range map[string]struct {
		door       http.Handler
		text, drop string
		within     time.Duration
	}{
		"silent":                           {reader, "", "", 30 * time.Second},
		"a header that drips":              {reader, "GET / HTTP/1.1\r\nX-A: ", "a", 30 * time.Second},
		"headers without end":              {reader, "GET / HTTP/1.1\r\n", "X: a\r\n", 30 * time.Second},
		"a body that stands still":         {reader, post, "", 30 * time.Second},
		"a body that drips":                {reader, post, "a", 30 * time.Second},
		"chunks that drip":                 {reader, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", 30 * time.Second},
		"a body that drips and is refused": {refuser, post, "a", 30 * time.Second},
		"half a request line":              {reader, "POS", "", 30 * time.Second},
		"half an HTTP/2 preface":           {reader, preface[:20], "", 30 * time.Second},
		"HTTP/2 and then nothing":          {reader, preface + settings, "", 30 * time.Second},
		"HTTP/2 and half a frame":          {reader, preface + settings + "\x00\xff\xff\x01\x04\x00\x00\x00\x01a", "", 30 * time.Second},
		"idle between requests":            {reader, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "", 121 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, end := door(tt.door, 100)
				defer end()
				c := w.dial()
				defer c.Close()
				began := time.Now()
				go drip(c, tt.text, tt.drop)
				answer, err := io.ReadAll(c)
				if err != nil && !errors.Is(err, io.ErrClosedPipe) {
					t.Errorf("%v after %q", err, answer)
				}
				if took := time.Since(began); took > tt.within {
					t.Errorf("open for %s", took)
				}
				_ = c.Close()
				time.Sleep(2 * time.Second) // the last drop fails
			})
		})
	}
}

// Who is refused by headers alone is told before the body has come: a client that
// expects to be told so waits with sending it.
func TestARefusalDoesNotWaitForTheBody(t *testing.T) {
	for name, head := range map[string]string{
		"one that asks before it sends": "Expect: 100-continue\r\nContent-Length: 100\r\n",
		"chunks of one that asks":       "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n",
		"a body that is very large":     "Content-Length: 99999999999\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, end := door(refuser, 100)
				defer end()
				c := w.dial()
				defer c.Close()
				began := time.Now()
				go func() { _, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\n"+head+"\r\n") }()
				res, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil || res.StatusCode != http.StatusUnauthorized {
					t.Fatalf("%v %v", res, err)
				}
				_ = res.Body.Close()
				if took := time.Since(began); took != 0 {
					t.Errorf("told after %s", took)
				}
			})
		})
	}
}

func TestALargeBodyHasItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, end := door(reader, 100)
		defer end()
		c := w.dial()
		defer c.Close()
		go func() {
			fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", 50*64<<10)
			for range 50 {
				time.Sleep(time.Second)
				_, _ = c.Write(make([]byte, 64<<10))
			}
		}()
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("a body of 50 s at 64 KiB/s: %v %v", res, err)
		}
		_ = res.Body.Close()
	})
}

// An answer may take longer than a body may.
func TestAnAnswerHasItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended error
		w, end := door(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-time.After(80 * time.Second):
			case <-r.Context().Done():
				ended = r.Context().Err()
			}
		}), 100)
		defer end()
		c := w.dial()
		defer c.Close()
		go func() {
			_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab")
		}()
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || ended != nil {
			t.Fatalf("%v, context %v", err, ended)
		}
		_ = res.Body.Close()
	})
}

// Streams of HTTP/2 that drip end like connections that do, and the ones beside
// them on the same connection are served meanwhile.
func TestSlowStreamsEndAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, end := door(reader, 100)
		defer end()
		var protocols http.Protocols
		protocols.SetUnencryptedHTTP2(true)
		transport := &http.Transport{Protocols: &protocols, DialContext: func(context.Context, string, string) (net.Conn, error) { return w.dial(), nil }}
		defer transport.CloseIdleConnections()
		body, feed := io.Pipe()
		go func() {
			for {
				if _, err := feed.Write([]byte("a")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		began := time.Now()
		slow := make(chan time.Duration, 1)
		go func() {
			req, _ := http.NewRequest("POST", "http://a/v1/traces", body)
			if res, err := transport.RoundTrip(req); err == nil {
				_ = res.Body.Close()
			}
			slow <- time.Since(began)
			_ = body.Close()
		}()
		time.Sleep(5 * time.Second)
		req, _ := http.NewRequest("POST", "http://a/v1/traces", strings.NewReader("quick"))
		res, err := transport.RoundTrip(req)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("beside a slow stream: %v %v", res, err)
		}
		_ = res.Body.Close()
		if took := <-slow; took > 30*time.Second {
			t.Errorf("a stream that drips was open for %s", took)
		}
		time.Sleep(2 * time.Second) // the last drop fails
	})
}

// Thousands that drip leave places for those that don't, and all are gone in time.
func TestACrowdOfSlowCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, end := door(reader, 4096)
		defer end()
		var open atomic.Int64
		texts := []string{"", "GET / HTTP/1.1\r\nX-A: ", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n"}
		for i := range 2000 {
			c := w.dial()
			open.Add(1)
			go drip(c, texts[i%3], []string{"", "a", "a"}[i%3])
			go func() {
				defer open.Add(-1)
				_, _ = io.Copy(io.Discard, c)
				_ = c.Close()
			}()
		}
		for range 100 {
			c := w.dial()
			go func() { _, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab") }()
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil || res.StatusCode != http.StatusOK {
				t.Fatalf("good traffic: %v %v", res, err)
			}
			_ = res.Body.Close()
			_ = c.Close()
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(20 * time.Second)
		if n := open.Load(); n != 0 {
			t.Errorf("%d are open after 30 s", n)
		}
	})
}
