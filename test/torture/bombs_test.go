package torture

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"treq/test/e2e/e2etest"
)

// bombBytes is what a bomb stands for.
const bombBytes = 10 << 30

// deflateBomb is a raw deflate stream of bombBytes zeros, made of one block again
// and again.
func deflateBomb(t *testing.T) []byte {
	t.Helper()
	var one bytes.Buffer
	w, err := flate.NewWriter(&one, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	const each = 1 << 20
	if _, err := w.Write(make([]byte, each)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	bomb := bytes.Repeat(one.Bytes(), bombBytes/each)
	return append(bomb, 0x03, 0x00) // a last, empty block
}

func gzipBomb(raw []byte) []byte {
	sum := uint32(0)
	zeros := make([]byte, 1<<20)
	for range bombBytes >> 20 {
		sum = crc32.Update(sum, crc32.IEEETable, zeros)
	}
	bomb := append([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}, raw...)
	bomb = binary.LittleEndian.AppendUint32(bomb, sum)
	return binary.LittleEndian.AppendUint32(bomb, uint32(bombBytes&0xffffffff))
}

// zstdBomb is one frame of run-length blocks of 128 KiB, as RFC 8878 has them.
func zstdBomb() []byte {
	bomb := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3}
	const each = 128 << 10
	for i := range bombBytes / each {
		head := uint32(each<<3 | 1<<1)
		if i == bombBytes/each-1 {
			head |= 1
		}
		bomb = append(bomb, byte(head), byte(head>>8), byte(head>>16), 0)
	}
	return bomb
}

// bombs sends compressed requests that stand for 10 GiB each.
func bombs(t *testing.T, f *figures) {
	raw := deflateBomb(t)
	gz := gzipBomb(raw)
	zlib := append(append([]byte{0x78, 0xda}, raw...), 0, 0, 0, 0)
	var nested bytes.Buffer
	w := gzip.NewWriter(&nested)
	if _, err := w.Write(gz[:min(len(gz), 60<<20)]); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// A frame that says it holds 8 EiB and holds nothing.
	lie := append([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0}, bytes.Repeat([]byte{0xff}, 8)...)
	short := append(bytes.Clone(gz[:1<<20]), gz[len(gz)-8:]...)

	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	good := startLoad(t, s, plan{workers: 1, traces: 8, every: 20 * time.Millisecond})
	time.Sleep(size(500*time.Millisecond, 5*time.Second, 20*time.Second))
	quiet := good.p99()
	base := memory(t, s, "VmRSS")
	var worst int64
	var worstName string
	var answers sync.Map
	sent := 0
	for _, bomb := range []struct {
		name, coding string
		body         []byte
	}{
		{"gzip", "gzip", gz},
		{"zstd", "zstd", zstdBomb()},
		{"deflate", "deflate", zlib},
		{"nested gzip", "gzip", nested.Bytes()},
		{"zstd that lies", "zstd", lie},
		{"gzip cut short", "gzip", short},
		{"snappy that lies", "snappy", []byte{0xff, 0xff, 0xff, 0xff, 0x0f, 0}},
	} {
		for _, json := range []bool{false, true} {
			for _, parallel := range []int{1, size(8, 64, 64)} {
				forgetPeak(t, s)
				var wg sync.WaitGroup
				for range parallel {
					sent++
					wg.Go(func() {
						header := http.Header{"Content-Type": {"application/x-protobuf"}, "Content-Encoding": {bomb.coding}}
						if json {
							header.Set("Content-Type", "application/json")
						}
						ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
						defer cancel()
						a, err := e2etest.Do(ctx, http.MethodPost, s.URL("/v1/traces"), header, bytes.NewReader(bomb.body))
						if err != nil {
							// The server may close on a body that nobody will read.
							answers.Store("closed", true)
							if !strings.Contains(err.Error(), "reset") && !strings.Contains(err.Error(), "broken pipe") {
								t.Errorf("%s: %v", bomb.name, err)
							}
							return
						}
						answers.Store(a.Status, true)
						switch a.Status {
						case 400, 413, 415, 429, 503:
						default:
							t.Errorf("%s ×%d: %d %s", bomb.name, parallel, a.Status, a.Body)
						}
					})
				}
				wg.Wait()
				if peak := memory(t, s, "VmHWM") - base; peak > worst {
					worst, worstName = peak, fmt.Sprintf("%s ×%d", bomb.name, parallel)
				}
				t.Logf("%s ×%d: peak RSS %+d MiB", bomb.name, parallel, (memory(t, s, "VmHWM")-base)>>20)
			}
		}
	}
	busy := good.p99()
	good.finish()
	f.want(true, "%d bombs, each refused", sent)
	f.want(worst <= 128<<20, "peak RSS %+d MiB (%s)", worst>>20, worstName)
	f.want(good.refused.Load()+good.unheard.Load() == 0, "%d good requests refused", good.refused.Load()+good.unheard.Load())
	f.aim(busy <= max(2*quiet, 20*time.Millisecond), "p99 of good traffic %s, before %s", ms(busy), ms(quiet))
}
