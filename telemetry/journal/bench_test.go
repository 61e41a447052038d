//go:build unix

package journal_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"treq/telemetry/compress"
	"treq/telemetry/journal"
)

// payload gives n bytes that no file system compresses.
func payload(n int) []byte {
	rng := rand.New(rand.NewPCG(1, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func BenchmarkAppend(b *testing.B) {
	for _, ack := range []journal.AckMode{journal.Fsync, journal.Memory} {
		for _, size := range []int{1500, 75 << 10, 600 << 10} {
			for _, clients := range []int{1, 16, 64} {
				name := fmt.Sprintf("ack=%s/bytes=%d/clients=%d", []string{"fsync", "memory"}[ack], size, clients)
				b.Run(name, func(b *testing.B) { benchmarkAppend(b, ack, size, clients) })
			}
		}
	}
}

func benchmarkAppend(b *testing.B, ack journal.AckMode, size, clients int) {
	j := open(b, b.TempDir(), journal.Options{Ack: ack, MaxBytes: 2 << 30})
	body := payload(size)
	var next atomic.Uint64
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.SetParallelism(max(clients/2, 1))
	b.ResetTimer()
	before := spent(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := next.Add(1)
			buf := compress.NewBuffer(size)
			buf.B = append(buf.B, body...)
			e := &journal.Entry{Kind: journal.Traces, Door: "http", Items: 50, Body: buf.B, Release: buf.Release}
			e.Hash[0], e.Hash[1], e.Hash[2], e.Hash[3], e.Hash[4] = byte(i), byte(i>>8), byte(i>>16), byte(i>>24), 1
			if _, err := j.Append(context.Background(), e); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(spent(b)-before)/float64(b.N*size), "cpu-ns/B")
	st := j.Stats()
	b.ReportMetric(float64(st.Appended)/float64(max(st.Batches, 1)), "records/batch")
}

// spent gives the CPU time that this process took, in nanoseconds.
func spent(b *testing.B) int64 {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// BenchmarkRead reads records one after the other, at the tail from memory and
// behind it from the disk.
func BenchmarkRead(b *testing.B) {
	for name, ring := range map[string]int64{"memory": 1 << 30, "disk": -1} {
		for _, size := range []int{1500, 75 << 10} {
			b.Run(fmt.Sprintf("from=%s/bytes=%d", name, size), func(b *testing.B) {
				j := open(b, b.TempDir(), journal.Options{Ack: journal.Memory, RingBytes: ring})
				body := payload(size)
				const records = 2000
				for range records {
					if _, err := j.Append(context.Background(), &journal.Entry{Kind: journal.Traces, Body: body}); err != nil {
						b.Fatal(err)
					}
				}
				b.SetBytes(int64(size))
				b.ReportAllocs()
				c := cursor(b, j, "reader", 0, false)
				n := 0
				for b.Loop() {
					r, err := c.TryNext()
					if err != nil {
						b.Fatal(err)
					}
					r.Release()
					if n++; n%records == 0 {
						c.Close()
						c = cursor(b, j, "reader", 0, false)
					}
				}
			})
		}
	}
}

// BenchmarkOpen starts on a journal of 40,000 records in recent segments.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	j := open(b, dir, journal.Options{Ack: journal.Memory})
	body := payload(5000)
	for i := range 40_000 {
		e := &journal.Entry{Kind: journal.Traces, Body: body}
		e.Hash[0], e.Hash[1], e.Hash[2] = byte(i), byte(i>>8), 1
		if _, err := j.Append(context.Background(), e); err != nil {
			b.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		j, err := journal.Open(context.Background(), dir, quiet(journal.Options{}))
		if err != nil {
			b.Fatal(err)
		}
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
