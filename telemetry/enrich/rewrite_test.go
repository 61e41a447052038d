package enrich

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"treq/test/recorded"
)

// slowly makes of a request what request makes of it, message by message from the
// inside out.
func slowly(body []byte, rules func(*span)) []byte {
	s := new(span)
	edit := func(message []byte) ([]byte, error) {
		edited, err := s.enriched(message, rules)
		if err == nil && len(s.added) > 0 {
			edited = append(bytes.Clone(edited), s.added...)
		}
		return edited, err
	}
	out, err := within(body, requestResourceSpans, func(resource []byte) ([]byte, error) {
		return within(resource, resourceScopeSpans, func(scope []byte) ([]byte, error) {
			return within(scope, scopeSpans, edit)
		})
	})
	if err != nil {
		return body
	}
	return out
}

// TestRewrittenAtOnce compares requests that are written at once with those made from
// the inside out: what clients sent, several of them together, and with bytes that are others.
func TestRewrittenAtOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	shared := new(span) // one after the other leave nothing behind
	compare := func(name string, body []byte) {
		t.Helper()
		for profile, rules := range map[string]func(*span){"langsmith": langSmith, "langfuse": langfuse, "phoenix": phoenix} {
			kept := bytes.Clone(body)
			got, want := shared.request(body, rules), slowly(body, rules)
			if !bytes.Equal(got, want) {
				t.Fatalf("%s, %s: %x became\n%x, want\n%x", name, profile, body, got, want)
			}
			if same(want, body) && !same(got, body) {
				t.Errorf("%s, %s: nothing changes, and it is copied", name, profile)
			}
			if !bytes.Equal(body, kept) {
				t.Fatalf("%s, %s: wrote into the request", name, profile)
			}
			shared.leave()
		}
	}
	var together []byte
	for _, c := range recorded.Load(t) {
		for _, body := range c.Requests {
			compare(c.Name, body)
			if len(together) < 1<<20 {
				together = append(together, body...)
			}
			for range 30 {
				mutant := bytes.Clone(body)
				for range 1 + r.IntN(4) {
					mutant[r.IntN(len(mutant))] = byte(r.Uint32())
				}
				compare(c.Name+" mutated", mutant)
			}
		}
	}
	compare("all together", together)
	// Lengths in more bytes than they need, and spans that are empty.
	long := func(number protowire.Number, content []byte) []byte {
		out := protowire.AppendTag(nil, number, protowire.BytesType)
		return append(append(out, byte(len(content))|0x80, 0x80, 0), content...)
	}
	failed := long(spanStatus, []byte{statusCode << 3, statusError})
	for _, span := range [][]byte{nil, failed} {
		compare("long lengths", long(requestResourceSpans, long(resourceScopeSpans, append(long(scopeSpans, span), long(1, nil)...))))
	}
}
