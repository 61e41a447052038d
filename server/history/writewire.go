package history

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"google.golang.org/protobuf/encoding/protowire"

	"treq/telemetry"
)

// postWithin ends an attempt.
const postWithin = 30 * time.Second

// mostPause is the longest that a server may ask us to wait.
const mostPause = 10 * time.Minute

func poster(client *http.Client, url string) func(context.Context, []byte) verdict {
	return func(ctx context.Context, body []byte) verdict {
		ctx, cancel := context.WithTimeout(ctx, postWithin)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return verdict{err: withoutURL(err)}
		}
		req.Header.Set("Content-Type", "application/x-protobuf")
		req.Header.Set("Content-Encoding", "snappy")
		req.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
		req.Header.Set("User-Agent", "treq-telemetry")
		resp, err := client.Do(req)
		if err != nil {
			return verdict{err: withoutURL(err), again: true}
		}
		defer resp.Body.Close()
		reason, _ := io.ReadAll(io.LimitReader(resp.Body, 256))
		if resp.StatusCode/100 == 2 {
			return verdict{}
		}
		v := verdict{
			err:   telemetry.Errorf(telemetry.Unavailable, "status %d: %s", resp.StatusCode, bytes.TrimSpace(reason)),
			again: resp.StatusCode/100 == 5 || resp.StatusCode == http.StatusTooManyRequests,
		}
		if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 {
			v.after = min(time.Duration(n)*time.Second, mostPause)
		}
		return v
	}
}

// encode makes the body of a remote-write request: a snappy block of a
// prometheus.WriteRequest.
func encodeWrite(samples []written) []byte {
	var request, one, part []byte
	for i := range samples {
		x := &samples[i]
		one = one[:0]
		x.labels.Range(func(l labels.Label) {
			part = protowire.AppendTag(part[:0], 1, protowire.BytesType)
			part = protowire.AppendString(part, l.Name)
			part = protowire.AppendTag(part, 2, protowire.BytesType)
			part = protowire.AppendString(part, l.Value)
			one = protowire.AppendTag(one, 1, protowire.BytesType)
			one = protowire.AppendBytes(one, part)
		})
		part = protowire.AppendTag(part[:0], 1, protowire.Fixed64Type)
		part = protowire.AppendFixed64(part, math.Float64bits(x.value))
		part = protowire.AppendTag(part, 2, protowire.VarintType)
		part = protowire.AppendVarint(part, uint64(x.t))
		one = protowire.AppendTag(one, 2, protowire.BytesType)
		one = protowire.AppendBytes(one, part)
		request = protowire.AppendTag(request, 1, protowire.BytesType)
		request = protowire.AppendBytes(request, one)
	}
	return snappy.Encode(nil, request)
}

// written is a sample for elsewhere.
type written struct {
	labels labels.Labels
	t      int64
	value  float64
}

// teed stores here and writes elsewhere.
type teed struct {
	storage.Appendable
	writer   *writer
	instance string
}

// Appender gives an appender whose floats go both ways.
func (t teed) Appender(ctx context.Context) storage.Appender {
	return &teeAppender{Appender: t.Appendable.Appender(ctx), writer: t.writer, instance: t.instance}
}

// teeAppender keeps what is appended until it is committed.
type teeAppender struct {
	storage.Appender
	writer   *writer
	instance string
	samples  []written
	sampling int64 // the time of the sampling that this is, in milliseconds; 0 is none
}

// mostPerRequest keeps requests well below what servers take at once.
const mostPerRequest = 2000

// Append stores a sample, and keeps it for elsewhere if it was taken.
func (a *teeAppender) Append(ref storage.SeriesRef, l labels.Labels, t int64, v float64) (storage.SeriesRef, error) {
	got, err := a.Appender.Append(ref, l, t, v)
	if err == nil {
		// What rules record has no instance here: elsewhere it would be one series of
		// all who write there, each out of order for the others.
		if !l.Has("instance") {
			l = labels.NewBuilder(l).Set("instance", a.instance).Labels()
		}
		a.samples = append(a.samples, written{l, t, v})
	}
	return got, err
}

// Commit stores what was appended and hands it on.
func (a *teeAppender) Commit() error {
	if err := a.Appender.Commit(); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	for r := range requests(a.samples, a.sampling) {
		a.writer.add(r)
	}
	return nil
}

// requests makes requests of samples. The last one has the sampling.
func requests(samples []written, sampling int64) iter.Seq[request] {
	return func(yield func(request) bool) {
		for len(samples) > 0 {
			n := min(len(samples), mostPerRequest)
			r := request{body: encodeWrite(samples[:n]), samples: uint64(n)}
			if samples = samples[n:]; len(samples) == 0 {
				r.sampling = sampling
			}
			if !yield(r) {
				return
			}
		}
	}
}
