package torture

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"treq/test/e2e/e2etest"
)

// slowClients opens connections that hardly send, or send nothing.
func slowClients(t *testing.T, f *figures) {
	each := size(30, 600, 2000)
	patience := size(12*time.Second, 100*time.Second, 150*time.Second)
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	good := startLoad(t, s, plan{workers: 1, traces: 4, every: 50 * time.Millisecond})
	base := memory(t, s, "VmRSS")
	header := fmt.Sprintf("POST /v1/traces HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1000000\r\n", s.Addr)
	kinds := []struct {
		name, first, drip string
	}{
		{"silent", "", ""},
		{"dripping a header", header, "X-A: b\r\n"},
		{"dripping a body", header + "\r\n", "x"},
		{"HTTP/2 without a frame", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""},
	}
	var mu sync.Mutex
	longest := make([]time.Duration, len(kinds))
	open := make([]int, len(kinds))
	var wg sync.WaitGroup
	for k, kind := range kinds {
		for range each {
			wg.Go(func() {
				c, err := net.Dial("tcp", s.Addr)
				if err != nil {
					return // the door is full: as good as closed
				}
				defer func() { _ = c.Close() }()
				started := time.Now()
				_, err = c.Write([]byte(kind.first))
				b := make([]byte, 4096)
				closed := false
				for err == nil && time.Since(started) < patience {
					// Errors of the drip are seen by the read.
					_ = c.SetReadDeadline(time.Now().Add(time.Second))
					_, err = c.Read(b)
					if e, ok := err.(net.Error); ok && e.Timeout() {
						_, err = c.Write([]byte(kind.drip))
						continue
					}
					closed = err != nil
				}
				closed = closed || err != nil
				mu.Lock()
				defer mu.Unlock()
				if !closed {
					open[k]++
				}
				longest[k] = max(longest[k], time.Since(started))
			})
		}
	}
	wg.Wait()
	peak := memory(t, s, "VmHWM")
	good.finish()
	var figures []string
	worst, left := time.Duration(0), 0
	for k, kind := range kinds {
		figures = append(figures, fmt.Sprintf("%s %s", kind.name, ms(longest[k])))
		worst, left = max(worst, longest[k]), left+open[k]
	}
	f.say("%d connections, longest open: %s", each*len(kinds), strings.Join(figures, ", "))
	if size(false, true, true) {
		f.aim(worst <= 31*time.Second, "all closed within %s", ms(worst))
		f.want(left == 0, "%d left open", left)
	}
	f.want(good.refused.Load()+good.unheard.Load() == 0, "%d good requests refused", good.refused.Load()+good.unheard.Load())
	f.aim(peak-base < 128<<20, "peak RSS %+d MiB", (peak-base)>>20)
}
