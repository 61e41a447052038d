package export

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry/journal"
)

// A process that is killed repeats what was in flight and no more, so the
// position is noted long before it is worth an fsync.
func TestEveryDeliveryIsNoted(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		sink := stand.sink(b, Config{Delay: time.Millisecond})
		stand.spans(ids(1, 10))
		settleFor(2 * time.Millisecond) // delivered, and made safe on disk
		stand.spans(ids(11, 10))
		settleFor(2 * time.Millisecond) // delivered, and only noted
		b.checkTaken(20)
		kept, _, err := loadState(sink.statePath)
		if err != nil {
			t.Fatal(err)
		}
		noted, _, err := latest(sink.statePath)
		if err != nil {
			t.Fatal(err)
		}
		if end := stand.j.Durable(); kept.Position >= end || noted.Position != end {
			t.Errorf("of %d: safe on disk %d, noted %d", end, kept.Position, noted.Position)
		}
	})
}

// slowNotes take a while, in which what does not wait for them goes on.
type slowNotes struct{ noter }

func (n slowNotes) write(s state) error {
	time.Sleep(20 * time.Millisecond)
	return n.noter.write(s)
}

// What a kill makes a sink send again is what was on its way: before the next
// request leaves, the answers to those before are noted.
func TestAnAnswerIsNotedBeforeTheNextRequest(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		var path string
		var noted []int64
		b.respond = func(http.ResponseWriter, *http.Request) {
			was, _, err := latest(path)
			if err != nil {
				t.Error(err)
			}
			noted = append(noted, was.Ends.Sent)
			// The next batch is ready before the answer; all are sent before the position is
			// made safe on disk for the second time.
			time.Sleep(10 * time.Millisecond)
		}
		for i := range 5 {
			stand.spans(ids(1+10*i, 10))
		}
		sink, err := New(Config{Name: "sink", Endpoint: "http://backend.test", BatchSpans: 10}, stand.deps(b.transport()))
		if err != nil {
			t.Fatal(err)
		}
		sink.pump.first = 10
		sink.notes = slowNotes{sink.notes}
		t.Cleanup(func() { stop(t, sink) })
		path = sink.statePath
		sink.Start()
		settleFor(time.Minute)
		if diff := cmp.Diff([]int64{0, 10, 20, 30, 40}, noted); diff != "" {
			t.Errorf("spans noted as sent when a request arrived (-want +got):\n%s", diff)
		}
	})
}

// Requests grow with what was delivered, so that a kill repeats a small part of it.
func TestAYoungProcessSendsLittleAtATime(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		const records, each = 1200, 10
		for i := range records {
			stand.spans(ids(1+each*i, each))
		}
		sink, err := New(Config{Name: "sink", Endpoint: "http://backend.test"}, stand.deps(b.transport()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { stop(t, sink) })
		sink.Start()
		settleFor(time.Minute)
		checkAccount(t, sink, account{Admitted: records * each, Sent: records * each})
		sent, largest := 0, 0
		var order []spanSpec
		for i, post := range b.got() {
			// A batch is made while another one is on its way, before that counts.
			if n := len(post.spans); n > max(firstSpans, sent/shareOfSent) {
				t.Errorf("request %d has %d spans after %d were sent", i, n, sent)
			}
			sent, largest = sent+len(post.spans), max(largest, len(post.spans))
			order = append(order, post.spans...)
		}
		if largest < records*each/shareOfSent*8/10 {
			t.Errorf("the largest request has %d of %d spans: they did not grow", largest, sent)
		}
		if !slices.Equal(order, ids(1, records*each)) {
			t.Error("the spans came in another order, or not all")
		}
	})
}

// killed gives the sink that follows one that is killed now: of that one there is
// what it noted.
func (s *stand) killed(sink *Sink, b *backend, c Config) *Sink {
	s.t.Helper()
	note := notePath(sink.statePath)
	content, err := os.ReadFile(note)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.t.Fatal(err)
	}
	// What a stop would still send does not arrive.
	b.mu.Lock()
	script, respond := b.script, b.respond
	b.script, b.respond = nil, hang
	b.mu.Unlock()
	stop(s.t, sink)
	b.mu.Lock()
	b.script, b.respond = script, respond
	b.mu.Unlock()
	if content == nil {
		err = os.RemoveAll(note)
	} else {
		err = os.WriteFile(note, content, 0o600)
	}
	if err := errors.Join(err, os.Remove(sink.statePath)); err != nil {
		s.t.Fatal(err)
	}
	return s.sink(b, c)
}

// A process that is killed within a record repeats the request on its way and no
// more, wherever in the record that is, and its account goes on.
func TestAKillWithinARecordRepeatsOneRequest(t *testing.T) {
	for answered := range 6 {
		sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
			for range answered {
				b.script = append(b.script, ok)
			}
			b.script = append(b.script, takesAndHangs)
			stand.spans(ids(1, 5))
			stand.spans(ids(6, 7))
			stand.spans(ids(13, 5))
			stand.first = firstSpans
			first := stand.sink(b, Config{})
			settleFor(time.Second)
			second := stand.killed(first, b, Config{})
			settleFor(time.Second)
			checkAccount(t, second, account{Admitted: 17, Sent: 17})
			repeated := 0
			for id := uint64(1); id <= 17; id++ {
				if b.taken[id] == 0 {
					t.Errorf("killed after %d requests: span %d is lost", answered, id)
				}
				repeated += b.taken[id] - 1
			}
			if repeated > firstSpans {
				t.Errorf("killed after %d requests: %d spans are sent again", answered, repeated)
			}
		})
	}
}

// What of a record found its end is not counted as expired when the rest is lost.
func TestTheRestOfARecordIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t, ok, hang)
		stand := newStand(t, journal.Options{SegmentBytes: 64 << 10, MaxBytes: 512 << 10, RingBytes: -1})
		stand.first = firstSpans
		n := 0
		load := func(records int) {
			for range records {
				specs := ids(n+1, 10)
				specs[9].pad = 8 << 10
				stand.spans(specs)
				n += 10
			}
		}
		load(1)
		sink := stand.sink(b, Config{})
		settleFor(time.Second)
		stop(t, sink)
		checkAccount(t, sink, account{Admitted: 10, Sent: firstSpans, Queue: 10 - firstSpans})
		load(200)
		sink = stand.sink(b, Config{})
		settleFor(10 * time.Minute)
		s := accountOf(sink.Status())
		if s.Queue != 0 || s.Sent != int64(len(b.taken)) || s.Sent+s.Expired != s.Admitted || s.Expired == 0 || s.Expired%10 != 10-firstSpans {
			t.Errorf("%+v, and %d were taken", s, len(b.taken))
		}
		checkAccount(t, sink, s)
	})
}

// A shorter note leaves nothing of the longer one before it.
func TestNotesReplaceEachOther(t *testing.T) {
	path := t.TempDir() + "/sink.json"
	for _, process := range []string{"first", "second"} {
		n := &notes{path: notePath(path)}
		for _, s := range []state{{Position: 5, Tally: tallyState{Marks: make([]mark, 50)}}, {Position: 7}} {
			if err := n.write(s); err != nil {
				t.Fatal(err)
			}
			if got, _, err := latest(path); err != nil || got.Position != s.Position {
				t.Errorf("%s process: latest = %d, %v, want %d", process, got.Position, err, s.Position)
			}
		}
		n.close()
	}
}

func TestLatestState(t *testing.T) {
	older, newer := state{Position: 10}, state{Position: 20}
	tests := []struct {
		name       string
		kept, note *state
		damage     string // which file
		known      bool
		want       state
	}{
		{name: "nothing"},
		{name: "kept alone", kept: &older, known: true, want: older},
		{name: "note alone", note: &newer, known: true, want: newer},
		{name: "newer note", kept: &older, note: &newer, known: true, want: newer},
		{name: "older note, after a power cut", kept: &newer, note: &older, known: true, want: newer},
		{name: "note cut short", kept: &older, note: &newer, damage: ".note", known: true, want: older},
		{name: "kept damaged, note whole", kept: &newer, note: &older, damage: "", known: true, want: older},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := t.TempDir() + "/sink.json"
			if test.kept != nil {
				if err := test.kept.save(path); err != nil {
					t.Fatal(err)
				}
			}
			if test.note != nil {
				if err := (&notes{path: notePath(path)}).write(*test.note); err != nil {
					t.Fatal(err)
				}
			}
			if test.name == "note cut short" || test.name == "kept damaged, note whole" {
				if err := os.Truncate(path+test.damage, 9); err != nil {
					t.Fatal(err)
				}
			}
			got, known, err := latest(path)
			if err != nil || known != test.known || got.Position != test.want.Position {
				t.Errorf("latest = %d, %v, %v; want %d, %v", got.Position, known, err, test.want.Position, test.known)
			}
		})
	}
}
