package export

import (
	"bytes"
	"net/http"
	"slices"
	"testing"
	"time"

	"treq/telemetry/journal"
)

// What clients compressed goes out as it came, member after member, where the sink
// was found to read all of them; and nothing is lost where it does not.
func TestGzipMembers(t *testing.T) {
	for _, test := range []struct {
		name           string
		members        int
		probes, unread int
		passed         bool
	}{
		{"reads all", takesAll, 2, 0, true},
		{"stops after the first", takesFirst, 2, 0, false},
		{"refuses more than one", refusesMore, 0, 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
				b.members = test.members
				first, last := zip(t, encode(t, ids(1, 10))), zip(t, encode(t, ids(31, 10)))
				sink := stand.sink(b, Config{})
				for range 2 { // it is asked once
					stand.append(journal.Entry{Items: 10, Encoding: journal.Gzip, Body: first})
					stand.spans(ids(11, 10))
					stand.spans(ids(21, 10))
					stand.append(journal.Entry{Items: 10, Encoding: journal.Gzip, Body: last})
					settleFor(time.Second)
				}
				checkAccount(t, sink, account{Admitted: 80, Sent: 80})
				posts := b.got()
				if len(posts) != 2 || b.probes != test.probes || b.unread != test.unread {
					t.Fatalf("%d posts, %d questions, %d unread; want 2, %d, %d", len(posts), b.probes, b.unread, test.probes, test.unread)
				}
				for _, post := range posts {
					var order []int
					for _, span := range post.spans {
						order = append(order, int(span.id))
					}
					if len(order) != 40 || !slices.IsSorted(order) {
						t.Errorf("spans %v, want 1 to 40", order)
					}
					passed := bytes.HasPrefix(post.raw, first) && bytes.HasSuffix(post.raw, last)
					if passed != test.passed {
						t.Errorf("the clients' bytes were passed on: %v, want %v", passed, test.passed)
					}
				}
			})
		})
	}
}

// A sink that took the questions but refuses the real thing gets one member, and
// one that does not answer is asked again before anything is concluded.
func TestGzipMembersAreDoubted(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		b.respond = func(w http.ResponseWriter, r *http.Request) {
			if bytes.Count(postOf(r).raw, []byte{0x1f, 0x8b, 8, 0}) > 1 {
				w.WriteHeader(http.StatusUnsupportedMediaType)
			}
		}
		sink := stand.sink(b, Config{})
		for range 2 {
			for i := range 3 {
				stand.append(journal.Entry{Items: 10, Encoding: journal.Gzip, Body: zip(t, encode(t, ids(1+10*i, 10)))})
			}
			settleFor(time.Second)
		}
		checkAccount(t, sink, account{Admitted: 60, Sent: 60})
		if n := len(b.got()); n != 3 {
			t.Errorf("%d posts, want one in members and two in one", n)
		}
	})
	var m members
	now := time.Unix(1e9, 0)
	away := func([]byte) action { return retry }
	for i, want := range []reading{unasked, unasked, readsOne} {
		if got := m.ask(now, away); got != want {
			t.Errorf("question %d: %d, want %d", i, got, want)
		}
		if got := m.ask(now.Add(askAgain/2), func([]byte) action { t.Error("asked too soon"); return retry }); got != want {
			t.Errorf("after question %d: %d, want %d", i, got, want)
		}
		now = now.Add(askAgain)
	}
}

// Where a request holds one member, large gzip goes out as it came though there is
// company for it; small does not.
func TestLargeGzipGoesAlone(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		large := ids(11, 10)
		large[0].pad = passBytes
		body := zip(t, encode(t, large))
		stand.append(journal.Entry{Items: 10, Encoding: journal.Gzip, Body: zip(t, encode(t, ids(1, 10)))})
		stand.append(journal.Entry{Items: 10, Encoding: journal.Gzip, Body: body})
		stand.append(journal.Entry{Items: 10, Encoding: journal.Gzip, Body: zip(t, encode(t, ids(21, 10)))})
		sink, err := New(Config{Name: "sink", Endpoint: "http://backend.test"}, stand.deps(b.transport()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { stop(t, sink) })
		sink.sender.members.refused()
		sink.pump.first = 10
		sink.Start()
		settleFor(time.Second)
		checkAccount(t, sink, account{Admitted: 30, Sent: 30})
		b.checkTaken(30)
		if posts := b.got(); len(posts) != 3 || !bytes.Equal(posts[1].raw, body) {
			t.Errorf("%d posts, or the client's bytes were not passed on", len(posts))
		}
	})
}
