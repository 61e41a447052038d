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

// peakRSS gives the most memory that a process has held since forget, in bytes.
func peakRSS(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

// forget makes the peak what is held now.
func forget(t *testing.T, pid int) {
	t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
		t.Fatal(err)
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
	const most = 5 << 20
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
	for name, send := range map[string]func(){"HTTP": overHTTP, "gRPC": overGRPC} {
		send() // what the first of a kind makes once
		forget(t, s.PID())
		before := peakRSS(t, s.PID())
		var all sync.WaitGroup
		for range 16 {
			all.Go(send)
		}
		all.Wait()
		if grown := peakRSS(t, s.PID()) - before; grown >= most {
			t.Errorf("%s: 16 bombs of 10 GiB without a token took %d KiB", name, grown>>10)
		} else {
			t.Logf("%s: 16 bombs of 10 GiB without a token took %d KiB", name, grown>>10)
		}
	}
}
