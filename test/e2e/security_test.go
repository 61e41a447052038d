//go:build linux

package e2e

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"

	"treq/test/e2e/e2etest"
)

// anonymous gives the memory that a process holds of its own, in bytes. The pages of its
// program are not in it: they come and go as the kernel sees fit.
func anonymous(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "RssAnon: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	t.Fatal("no RssAnon")
	return 0
}

// mostWhile gives the most that a process holds of its own while something is done.
func mostWhile(t *testing.T, pid int, do func()) int64 {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	most := anonymous(t, pid)
	for {
		select {
		case <-done:
			return max(most, anonymous(t, pid))
		default:
			most = max(most, anonymous(t, pid))
		}
	}
}

// tenGiB is a gzip body that stands for 10 GiB of zeros.
func tenGiB(t *testing.T) []byte {
	t.Helper()
	var member bytes.Buffer
	w := gzip.NewWriter(&member)
	if _, err := w.Write(make([]byte, 64<<20)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.Repeat(member.Bytes(), 160)
}

// Bombs of who has no token cost their headers: it is decided before the body.
func TestBombsWithoutATokenCostNothing(t *testing.T) {
	s := e2etest.Start(t, e2etest.Spec{Args: []string{"--ingest-token", "sender"}})
	bomb := tenGiB(t)
	message := binary.BigEndian.AppendUint32([]byte{1}, uint32(len(bomb)))
	message = append(message, bomb...)

	overHTTP := func() {
		c, err := net.Dial("tcp", s.Addr)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		fmt.Fprintf(c, "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", len(bomb))
		_, _ = c.Write(bomb) // as much as the door lets in before it closes
		answer, _ := io.ReadAll(io.LimitReader(c, 12))
		if len(answer) > 0 && string(answer) != "HTTP/1.1 401" {
			t.Errorf("answered %q", answer)
		}
	}
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	overGRPC := func() {
		transport := &http.Transport{Protocols: &protocols}
		defer transport.CloseIdleConnections()
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost,
			"http://"+s.GRPC+"/opentelemetry.proto.collector.trace.v1.TraceService/Export", bytes.NewReader(message))
		if err != nil {
			t.Error(err)
			return
		}
		req.Header.Set("Content-Type", "application/grpc")
		req.Header.Set("Grpc-Encoding", "gzip")
		res, err := transport.RoundTrip(req)
		if err != nil {
			return // the stream was reset with its body under way
		}
		_ = res.Body.Close()
		if code := res.Header.Get("Grpc-Status"); code != "16" {
			t.Errorf("answered %s", code)
		}
	}
	for _, door := range []struct {
		name   string
		send   func()
		window int64 // what may have arrived of a body before its headers are decided on
	}{
		{"HTTP", overHTTP, 0},
		{"gRPC", overGRPC, 1 << 20}, // HTTP/2's flow control
	} {
		door.send() // what the first of a kind makes once
		for _, bombs := range []int64{1, 16} {
			before := anonymous(t, s.PID())
			grown := mostWhile(t, s.PID(), func() {
				var all sync.WaitGroup
				for range bombs {
					all.Go(door.send)
				}
				all.Wait()
			}) - before
			t.Logf("%s: %d bombs of 10 GiB without a token took %d KiB", door.name, bombs, grown>>10)
			if most := 5<<20 + bombs*door.window; grown >= most {
				t.Errorf("that is more than %d KiB", most>>10)
			}
		}
	}
}
