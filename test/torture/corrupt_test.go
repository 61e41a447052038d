package torture

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"treq/telemetry/journal"
	"treq/test/e2e/e2etest"
)

// kept is one record of a store and where its bytes are.
type kept struct {
	file     string
	from, to int64
	spans    []e2etest.Key
}

// store is a data directory with a backlog, and what it holds.
type store struct {
	files   map[string][]byte // by path below the data directory
	records []kept
	ledger  *e2etest.Ledger
}

// makeStore lets the service write a store while its sink is down.
func makeStore(t *testing.T, requests int) store {
	sink := e2etest.NewSink(t)
	sink.Down()
	dir := e2etest.DataDir(t)
	s := e2etest.Start(t, e2etest.Spec{DataDir: dir, Config: toSink(sink) + "journal:\n  segment_bytes: 1MiB\n"})
	st := store{ledger: e2etest.NewLedger(), files: map[string][]byte{}}
	random := rand.New(rand.NewPCG(7, 7))
	traces := e2etest.NewGenerator(random.Uint64())
	for range requests {
		one := traces.Trace(question(random, 20<<10), time.Now().Add(-time.Second))
		st.ledger.Issue(one)
		if err := e2etest.Send(t.Context(), s.URL("/v1/traces"), e2etest.Encoding{}, e2etest.Request(service, one.Spans...)); err != nil {
			t.Fatal(err)
		}
		st.ledger.Ack(one.Spans)
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		st.files[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	st.read(t, filepath.Join(dir, "journal"))
	return st
}

// read finds where each record is. It changes the directory it is given.
func (st *store) read(t *testing.T, dir string) {
	j, err := journal.Open(t.Context(), dir, journal.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	c, err := j.NewCursor("torture", 0, false)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	segments := j.Segments()
	for {
		r, err := c.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		if r == nil {
			return
		}
		data, err := r.Data()
		if err != nil {
			t.Fatal(err)
		}
		var request collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(data, &request); err != nil {
			t.Fatal(err)
		}
		k := kept{}
		for _, s := range segments {
			if r.Position >= s.Base {
				k.file = filepath.Join("journal", fmt.Sprintf("%016x.seg", uint64(s.Base)))
				k.from, k.to = int64(r.Position-s.Base), int64(r.End-s.Base)
			}
		}
		for _, resource := range request.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				for _, span := range scope.Spans {
					k.spans = append(k.spans, e2etest.KeyOf(span))
				}
			}
		}
		st.records = append(st.records, k)
		r.Release()
	}
}

// corruption is what came of the mutated stores together.
type corruption struct {
	mu          sync.Mutex
	starts, hit int
	slowest     time.Duration
	bad         []string
}

// corrupt starts the service on mutated copies of a store.
func corrupt(t *testing.T, f *figures) {
	st := makeStore(t, 250)
	total := int64(0)
	for _, b := range st.files {
		total += int64(len(b))
	}
	rounds := size(6, 300, 3000)
	c := &corruption{}
	var wg sync.WaitGroup
	seeds := make(chan uint64)
	for range 3 {
		wg.Go(func() {
			for seed := range seeds {
				c.round(t, st, seed)
			}
		})
	}
	for seed := range uint64(rounds) {
		seeds <- seed
	}
	close(seeds)
	wg.Wait()
	f.want(c.starts == rounds, "%d of %d mutated stores of %s start", c.starts, rounds, mb(total))
	f.aim(c.slowest <= 3*time.Second, "slowest %s", ms(c.slowest))
	f.want(len(c.bad) == 0, "%d records hit and lost, %d others lost, altered or of unknown origin", c.hit, len(c.bad))
	for _, what := range c.bad[:min(len(c.bad), 10)] {
		t.Error(what)
	}
	r := goTest(t, f, "./telemetry/journal", "^(TestMutatedFiles|TestDamageIsCountedOnce|TestTornTail)$")
	f.want(r.figure(t, `(\d+) mutated journals`) >= 300, "below, %d mutated journals read as exactly", r.figure(t, `(\d+) mutated journals`))
}

// round mutates a copy, starts on it, and compares what reaches the sink.
func (c *corruption) round(t *testing.T, st store, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 11))
	mutated := maps.Clone(st.files)
	what := fmt.Sprintf("seed %d: ", seed)
	for range 1 + random.IntN(2) {
		what += mutate(random, mutated)
	}
	dir := e2etest.DataDir(t)
	defer func() { _ = os.RemoveAll(filepath.Dir(dir)) }()
	for name, b := range mutated {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, b, 0o600)); err != nil {
			t.Error(err)
			return
		}
	}
	sink := e2etest.NewSink(t)
	defer sink.Down()
	started := time.Now()
	p, err := e2etest.Launch(e2etest.Spec{DataDir: dir, Config: toSink(sink) + "journal:\n  segment_bytes: 1MiB\n"})
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = p.Kill() }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := p.AwaitReady(ctx); err != nil {
		c.fault("%s: %v\n%s", what, err, p.Log())
		return
	}
	took := time.Since(started)
	untouched, hit := map[e2etest.Key]bool{}, 0
	for _, r := range st.records {
		before, after := st.files[r.file], mutated[r.file]
		if int64(len(after)) < r.to || !bytes.Equal(before[r.from:r.to], after[r.from:r.to]) {
			hit++
			continue
		}
		for _, k := range r.spans {
			untouched[k] = true
		}
	}
	err = within(30*time.Second, func() error {
		delivered := sink.Delivered()
		missing := 0
		for k := range untouched {
			if delivered[k].Times == 0 {
				missing++
			}
		}
		if missing > 0 {
			return fmt.Errorf("%d spans of untouched records are missing", missing)
		}
		return nil
	})
	if err != nil {
		c.fault("%s: %v", what, err)
	}
	if o := st.ledger.Compare(sink); o.Altered+o.Unknown > 0 {
		c.fault("%s: %+v", what, o)
	}
	if err := serves(ctx, p); err != nil {
		c.fault("%s: %v", what, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.starts++
	c.hit += hit
	c.slowest = max(c.slowest, took)
}

func (c *corruption) fault(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bad = append(c.bad, fmt.Sprintf(format, args...))
}

// serves wants new telemetry taken and the documents served.
func serves(ctx context.Context, p *e2etest.Process) error {
	fresh := e2etest.NewGenerator(99).Trace(e2etest.Question{}, time.Now())
	if err := e2etest.Send(ctx, "http://"+p.Addr+"/v1/traces", e2etest.Encoding{}, e2etest.Request("fresh", fresh.Spans[0])); err != nil {
		return err
	}
	a, err := e2etest.Do(ctx, http.MethodGet, "http://"+p.Addr+"/monitoring/metrics", nil, nil)
	if err != nil {
		return err
	}
	var m e2etest.Metrics
	if a.Status != http.StatusOK || json.Unmarshal(a.Body, &m) != nil {
		return fmt.Errorf("the document answers %d %s", a.Status, a.Body)
	}
	return nil
}

// mutate changes one file of a store and tells what it did.
func mutate(random *rand.Rand, files map[string][]byte) string {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(files)), func(name string) bool {
		return strings.HasSuffix(name, "lock") || len(files[name]) == 0
	})
	name := names[random.IntN(len(names))]
	b := bytes.Clone(files[name])
	at := random.IntN(len(b))
	length := min(1+random.IntN(8<<10), len(b)-at)
	what := ""
	switch random.IntN(8) {
	case 0:
		what, b[at] = "flip a bit", b[at]^1<<random.IntN(8)
	case 1:
		what = "noise over a page"
		for i := range b[at : at+length] {
			b[at+i] = byte(random.Uint32())
		}
	case 2:
		what, b = "truncate", b[:at]
	case 3:
		what = "zero a page"
		clear(b[at : at+length])
	case 4:
		what = "swap"
		other := names[random.IntN(len(names))]
		files[other], b = b, bytes.Clone(files[other])
	case 5:
		what = "duplicate a page"
		b = slices.Insert(b, at, b[at:at+length]...)
	case 6:
		what, b = "empty", nil
	case 7:
		what = "random content"
		for i := range b {
			b[i] = byte(random.Uint32())
		}
	}
	files[name] = b
	return fmt.Sprintf("%s of %s at %d; ", what, name, at)
}
