package export

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"treq/telemetry/journal"
)

// onlyUTF8 refuses what protobuf's own reader does, and what has a bad span.
func onlyUTF8(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	if z, err := gzip.NewReader(bytes.NewReader(postOf(r).raw)); err == nil {
		_, _ = body.ReadFrom(z)
	}
	if err := proto.Unmarshal(body.Bytes(), &coltrace.ExportTraceServiceRequest{}); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	refuseBad(http.StatusBadRequest)(w, r)
}

// Spans with a text that was cut within a letter arrive too where the sink reads
// strictly, whether their record came compressed or not; one that is bad besides costs
// itself.
func TestTextsThatAreCutArrive(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		b.respond = onlyUTF8
		cut := func(specs []spanSpec) []byte {
			for i := range specs {
				specs[i].pad = 50
			}
			body := encode(t, specs)
			return bytes.Replace(body, []byte(padding(specs[1].id, 50)), append([]byte(padding(specs[1].id, 48)), 0xc3, 0xc3), 1)
		}
		stand.append(journal.Entry{Items: 10, Body: cut(ids(1, 10))})
		stand.append(journal.Entry{Items: 10, Body: zip(t, cut(ids(11, 10))), Encoding: journal.Gzip})
		bad := ids(21, 10)
		bad[7].bad = true
		stand.append(journal.Entry{Items: 10, Body: cut(bad)})
		stand.spans(ids(31, 10))
		sink := stand.sink(b, Config{})
		settleFor(time.Second)
		checkAccount(t, sink, account{Admitted: 40, Sent: 39, Dead: 1})
		b.checkTaken(40, 28)
	})
}

// A sink that takes such texts has them as they came.
func TestTextsThatAreCutAreLeftAlone(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		body := bytes.Replace(encode(t, ids(1, 2)), []byte("span"), []byte("sp\xc3n"), 1)
		stand.append(journal.Entry{Items: 2, Body: zip(t, body), Encoding: journal.Gzip})
		stand.sink(b, Config{})
		settleFor(time.Second)
		if got := b.got(); len(got) != 1 || !bytes.Equal(got[0].raw, zip(t, body)) {
			t.Errorf("%d requests, or other bytes than came", len(got))
		}
	})
}
