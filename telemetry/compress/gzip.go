package compress

import (
	"sync"

	"github.com/klauspost/compress/gzip"
)

type gzipWriter struct {
	out appender
	z   *gzip.Writer
}

type appender struct{ b []byte }

// Write appends p.
func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

var gzipWriters [gzip.BestCompression + 1]sync.Pool

// AppendGzip appends src to dst as one gzip member and gives the extended slice.
// The level is 1 (fastest, the one to use on hot paths) to 9; others count as 1.
func AppendGzip(dst, src []byte, level int) []byte {
	if level < gzip.BestSpeed || level > gzip.BestCompression {
		level = gzip.BestSpeed
	}
	w, _ := gzipWriters[level].Get().(*gzipWriter)
	if w == nil {
		w = new(gzipWriter)
		// The level is in range, which is all NewWriterLevel checks.
		w.z, _ = gzip.NewWriterLevel(&w.out, level)
	}
	w.out.b = dst
	w.z.Reset(&w.out)
	// An appender never fails.
	_, _ = w.z.Write(src)
	_ = w.z.Close()
	out := w.out.b
	w.out.b = nil
	gzipWriters[level].Put(w)
	return out
}
