package ingest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// rawHTTP2 connects to a handler behind the settings of the doors, and has greeted.
func rawHTTP2(t *testing.T, h http.Handler) (net.Conn, *http2.Framer) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.Protocols = &http.Protocols{}
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Config.HTTP2 = HTTP2()
	server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		// What the kernel would keep for a client that does not read is not what is tested.
		if err := c.(*net.TCPConn).SetWriteBuffer(4 << 10); err != nil {
			t.Error(err)
		}
		return ctx
	}
	server.Start()
	t.Cleanup(server.Close)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	// A bound for a server that does nothing at all; nothing is measured.
	if err := conn.SetDeadline(time.Now().Add(10 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	return conn, framer
}

// Streams that are reset as soon as they are opened do not get more handlers to run
// than streams that are not, and a connection that goes on with it is ended
// (CVE-2023-44487).
func TestStreamsThatAreResetAreBounded(t *testing.T) {
	var running, most atomic.Int64
	release := make(chan struct{})
	_, framer := rawHTTP2(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		n := running.Add(1)
		defer running.Add(-1)
		for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
		}
		<-release
	}))
	defer close(release)
	var head bytes.Buffer
	encoder := hpack.NewEncoder(&head)
	for _, field := range [][2]string{
		{":method", "POST"},
		{":scheme", "http"},
		{":authority", "door"},
		{":path", "/opentelemetry.proto.collector.trace.v1.TraceService/Export"},
		{"content-type", "application/grpc"},
	} {
		if err := encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1], Sensitive: true}); err != nil {
			t.Fatal(err)
		}
	}
	go func() {
		for stream := uint32(1); ; stream += 2 {
			err := errors.Join(
				framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: head.Bytes(), EndHeaders: true}),
				framer.WriteRSTStream(stream, http2.ErrCodeCancel))
			if err != nil {
				return // the connection is ended
			}
		}
	}()
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatalf("the connection ended without a word: %v", err)
		}
		if away, ok := frame.(*http2.GoAwayFrame); ok {
			if away.ErrCode != http2.ErrCodeEnhanceYourCalm {
				t.Errorf("told to go for %v", away.ErrCode)
			}
			break
		}
	}
	if n, limit := most.Load(), int64(HTTP2().MaxConcurrentStreams); n > limit {
		t.Errorf("%d handlers ran at once, more than the %d streams of a connection", n, limit)
	}
}

// Who sends pings and never reads the answers is cut off, and does not fill memory.
func TestPingsThatNobodyReadsEnd(t *testing.T) {
	conn, _ := rawHTTP2(t, http.NotFoundHandler())
	if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	var thousand bytes.Buffer
	pings := http2.NewFramer(&thousand, nil)
	for range 1000 {
		if err := pings.WritePing(false, [8]byte{1}); err != nil {
			t.Fatal(err)
		}
	}
	const most = 1000 // thousands: far more than all buffers on the way hold answers
	for i := range most {
		if _, err := conn.Write(thousand.Bytes()); err != nil {
			if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
				t.Fatalf("after %d thousand pings the door neither answers nor ends", i)
			}
			return
		}
	}
	t.Errorf("%d thousand pings without an end", most)
}
