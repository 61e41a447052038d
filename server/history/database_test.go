package history

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"treq/telemetry"
)

// damage makes a closed history one that cannot be opened: a block whose index
// is cut.
func damage(t *testing.T, s *Store) {
	t.Helper()
	dir := s.o.Dir
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	blocks, err := filepath.Glob(filepath.Join(dir, "01*", "index"))
	if err != nil || len(blocks) == 0 {
		t.Fatalf("no block: %v", err)
	}
	if err := os.WriteFile(blocks[0], []byte("not an index"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// filled has a block on disk.
func filled(t *testing.T, dir string) *Store {
	t.Helper()
	s := open(t, Options{Dir: dir})
	a := newApp()
	for at := noon; at.Before(noon.Add(5 * time.Hour)); at = at.Add(time.Minute) {
		s.mustSample(t, at, a.families(t), false)
	}
	if err := s.db.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// A damaged database is set aside, counted, and a new one begins; only the newest
// damaged one is kept.
func TestDamageIsSetAside(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "history")
	for range 2 {
		damage(t, filled(t, dir))
		s := open(t, Options{Dir: dir, Now: func() time.Time { return time.Now() }})
		if got := s.Status().Quarantined; got != 1 {
			t.Fatalf("%d set aside, want 1", got)
		}
		s.mustSample(t, noon, newApp().families(t), false)
		s.want(t, noon, "up", 1)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	aside, err := filepath.Glob(dir + ".damaged-*")
	if err != nil || len(aside) != 1 {
		t.Errorf("kept %v (%v), want one", aside, err)
	}
}

// A log that is cut in the middle of a record, or ends in nonsense, costs what is
// behind it and nothing else.
func TestATornLogIsMended(t *testing.T) {
	s := open(t, Options{})
	a := newApp()
	for i := range 20 {
		s.mustSample(t, noon.Add(time.Duration(i)*15*time.Second), a.families(t), false)
	}
	dir := killed(t, s)
	segments, err := filepath.Glob(filepath.Join(dir, "wal", "0*"))
	if err != nil || len(segments) == 0 {
		t.Fatal(err)
	}
	last := segments[len(segments)-1]
	data, err := os.ReadFile(last)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(data) / 2; i < len(data)/2+64 && i < len(data); i++ {
		data[i] ^= 0x5a
	}
	if err := os.WriteFile(last, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{Dir: dir})
	if s.Status().Quarantined != 0 {
		t.Error("a torn log was set aside")
	}
	s.mustSample(t, noon.Add(time.Hour), a.families(t), false)
	s.want(t, noon.Add(time.Hour), "up", 1)
}

// What another directory would not mend is no reason to set this one aside.
func TestNoPermissionIsNoDamage(t *testing.T) {
	s := &Store{o: Options{Dir: filepath.Join(t.TempDir(), "file", "history")}}
	s.o.complete()
	s.log = s.o.Logger
	if err := os.WriteFile(filepath.Dir(s.o.Dir), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := s.openDatabase()
	if telemetry.KindOf(err) != telemetry.Unavailable || errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v", err)
	}
	if s.stats.quarantined.Load() != 0 {
		t.Error("something was set aside")
	}
}

// counter is one counter that a test sets.
func counter(name string, value *float64) *dto.MetricFamily {
	return &dto.MetricFamily{Name: proto.String(name), Type: dto.MetricType_COUNTER.Enum(), Metric: []*dto.Metric{{Counter: &dto.Counter{Value: value}}}}
}

// A month in a minute's steps: old blocks go by time, what is left is compacted,
// and queries over it are right.
func TestAMonth(t *testing.T) {
	s := open(t, Options{Step: time.Minute})
	s.db.DisableCompactions()
	var families []*dto.MetricFamily
	values := make([]float64, 20)
	for i := range values {
		families = append(families, counter("c"+string(rune('a'+i))+"_total", &values[i]))
	}
	const days = 31
	at := noon
	for step := range days * 24 * 60 {
		for i := range values {
			values[i] += float64(i)
		}
		s.mustSample(t, at, families, false)
		if step%120 == 119 {
			if err := s.db.Compact(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		at = at.Add(time.Minute)
	}
	end := at.Add(-time.Minute)
	oldest, newest := s.Head()
	if age := end.Sub(oldest); age < DefaultKeep || age > DefaultKeep+40*time.Hour {
		t.Errorf("the oldest sample is %v old, kept are %v", age, DefaultKeep)
	}
	if !newest.Equal(end) {
		t.Errorf("the newest sample is at %v, want %v", newest, end)
	}
	if n := len(s.db.Blocks()); n > 30 {
		t.Errorf("%d blocks are left, they are not compacted", n)
	}
	s.want(t, end, "increase(cc_total[1d:1m])*1439/1440", 2*1439)
	s.want(t, end, "resets(cc_total[14d])", 0)
	s.want(t, end, "cf_total - cf_total offset 10d", 5*10*24*60)
	when, reaches, err := s.SamplingTime(end.Add(-14*24*time.Hour + 30*time.Second))
	if err != nil || !reaches || !when.Equal(end.Add(-14*24*time.Hour)) {
		t.Errorf("14 days before the end: %v %v %v", when, reaches, err)
	}
	if when, reaches, err = s.SamplingTime(noon.Add(-time.Hour)); err != nil || reaches || when.Sub(oldest).Abs() > time.Minute {
		t.Errorf("before all: %v %v %v, the oldest is %v", when, reaches, err, oldest)
	}
}

// Bytes bound the history too.
func TestBytesAreBounded(t *testing.T) {
	const most = 4 << 20
	s := open(t, Options{Step: time.Minute, MaxBytes: most})
	s.db.DisableCompactions()
	values := make([]float64, 100)
	var families []*dto.MetricFamily
	for i := range values {
		families = append(families, counter("c"+string(rune('a'+i/26))+string(rune('a'+i%26))+"_total", &values[i]))
	}
	seed := uint64(1)
	at := noon
	for step := range 10 * 24 * 60 {
		for i := range values {
			seed = seed*6364136223846793005 + 1442695040888963407
			values[i] += float64(seed>>40) / 1000 // numbers that hardly compress
		}
		s.mustSample(t, at, families, false)
		if step%120 == 119 {
			if err := s.db.Compact(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		at = at.Add(time.Minute)
	}
	// The newest hours lie in the log, which is bounded by time.
	if got := s.bytes(); got > 2*most {
		t.Errorf("%d bytes are kept, the bound is %d", got, most)
	}
	oldest, _ := s.Head()
	if age := at.Sub(oldest); age > 9*24*time.Hour || age < 6*time.Hour {
		t.Errorf("%v are kept", age)
	}
}
