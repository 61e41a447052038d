package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // the variant that compresses over gRPC
)

// sender sends one encoded request and returns when it is acknowledged, with the
// bytes of the body as it was sent.
type sender interface {
	send(ctx context.Context, body []byte) (int, error)
	close() error
}

// httpSender sends over OTLP/HTTP, one connection each.
type httpSender struct {
	client *http.Client
	url    string
	header http.Header
	zipped bytes.Buffer
	zip    *gzip.Writer // nil: not compressed
}

func newHTTPSender(addr string, isJSON, zip bool) *httpSender {
	s := &httpSender{
		client: &http.Client{Transport: &http.Transport{DisableCompression: true}, Timeout: time.Minute},
		url:    "http://" + addr + "/v1/traces",
		header: http.Header{"Content-Type": {"application/x-protobuf"}},
	}
	if isJSON {
		s.header.Set("Content-Type", "application/json")
	}
	if zip {
		s.header.Set("Content-Encoding", "gzip")
		s.zip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
	}
	return s
}

func (s *httpSender) send(ctx context.Context, body []byte) (int, error) {
	if s.zip != nil {
		s.zipped.Reset()
		s.zip.Reset(&s.zipped)
		if _, err := s.zip.Write(body); err != nil {
			return 0, err
		}
		if err := s.zip.Close(); err != nil {
			return 0, err
		}
		body = s.zipped.Bytes()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header = s.header
	response, err := s.client.Do(request)
	if err != nil {
		return 0, err
	}
	answer, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return 0, err
	}
	// The collector-proxy answers 202.
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusAccepted {
		return 0, fmt.Errorf("%s: %s", response.Status, answer)
	}
	return len(body), nil
}

func (s *httpSender) close() error {
	s.client.CloseIdleConnections()
	return nil
}

// grpcSender sends over OTLP/gRPC, one connection each.
type grpcSender struct {
	conn *grpc.ClientConn
	zip  bool
}

func newGRPCSender(addr string, zip bool) (*grpcSender, error) {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{})))
	return &grpcSender{conn: conn, zip: zip}, err
}

// send tells the bytes before compression: gRPC compresses out of sight.
func (s *grpcSender) send(ctx context.Context, body []byte) (int, error) {
	var options []grpc.CallOption
	if s.zip {
		options = append(options, grpc.UseCompressor("gzip"))
	}
	var answer []byte
	return len(body), s.conn.Invoke(ctx, "/opentelemetry.proto.collector.trace.v1.TraceService/Export", &body, &answer, options...)
}

func (s *grpcSender) close() error { return s.conn.Close() }

// raw hands encoded messages through.
type raw struct{}

func (raw) Name() string                  { return "proto" }
func (raw) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (raw) Unmarshal(b []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), b...)
	return nil
}

// result is what the clients saw.
type result struct {
	requests  uint64
	bytes     uint64 // of bodies before compression
	wire      uint64 // of bodies as they were sent
	latencies []time.Duration
	took      time.Duration
}

// quantile gives the latency that a share of the requests did not exceed.
func (r result) quantile(share float64) time.Duration {
	if len(r.latencies) == 0 {
		return 0
	}
	slices.Sort(r.latencies)
	return r.latencies[min(int(share*float64(len(r.latencies))), len(r.latencies)-1)]
}

// drive sends payloads over all senders for a while, each sender waiting for its
// answer before it sends again, at rate spans a second if that is above 0.
// next numbers the requests of a run.
func drive(ctx context.Context, senders []sender, p *payload, run uint64, next *atomic.Uint64, d time.Duration, rate int) (result, error) {
	var (
		mu    sync.Mutex
		total result
		fault error
		all   sync.WaitGroup
	)
	start := time.Now()
	first := next.Load() + 1
	// At a fixed rate a request's latency counts from when it was due: one that had
	// to wait for a connection is late, not unseen.
	due := func(n uint64) time.Time {
		if rate == 0 {
			return time.Now()
		}
		at := start.Add(time.Duration(n-first) * time.Duration(p.spans) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(at))
		return at
	}
	for _, s := range senders {
		all.Go(func() {
			var own result
			var body []byte
			var err error
			for time.Since(start) < d && err == nil {
				n := next.Add(1)
				body = p.fill(body, run, n)
				sent := due(n)
				var wire int
				if wire, err = s.send(ctx, body); err == nil {
					own.latencies = append(own.latencies, time.Since(sent))
					own.requests++
					own.bytes += uint64(len(body))
					own.wire += uint64(wire)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			total.requests += own.requests
			total.bytes += own.bytes
			total.wire += own.wire
			total.latencies = append(total.latencies, own.latencies...)
			fault = errors.Join(fault, err)
		})
	}
	all.Wait()
	total.took = time.Since(start)
	return total, fault
}
