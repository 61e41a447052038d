package snapshot

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// form is how a client wants an exposition.
type form struct {
	format  expfmt.Format
	gzipped bool
}

// negotiate picks Prometheus text, OpenMetrics or protobuf from Accept, text
// where nothing fits, and gzip where it is accepted.
func negotiate(h http.Header) form {
	return form{
		format:  expfmt.NegotiateAccept(h, expfmt.DefaultOpenMetricsAcceptedFormats()...),
		gzipped: acceptsGzip(h.Values("Accept-Encoding")),
	}
}

func acceptsGzip(values []string) bool {
	for _, value := range values {
		for offer := range strings.SplitSeq(value, ",") {
			name, parameters, _ := strings.Cut(offer, ";")
			if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
				continue
			}
			weight, found := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(parameters), " ", ""), "q=")
			if !found {
				return true
			}
			q, err := strconv.ParseFloat(weight, 64)
			return err == nil && q > 0
		}
	}
	return false
}

// render writes the families in a form. It begins with memory for size bytes, and gives
// how many there were before compression.
func render(families []*dto.MetricFamily, f form, size int) (body []byte, plain int, err error) {
	var text bytes.Buffer
	text.Grow(size)
	encoder := expfmt.NewEncoder(&text, f.format)
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return nil, 0, fmt.Errorf("snapshot: exposition: %s: %w", family.GetName(), err)
		}
	}
	// OpenMetrics ends with a line of its own.
	if closer, ok := encoder.(expfmt.Closer); ok {
		if err := closer.Close(); err != nil {
			return nil, 0, fmt.Errorf("snapshot: exposition: %w", err)
		}
	}
	if !f.gzipped {
		return text.Bytes(), text.Len(), nil
	}
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	// Writing to memory cannot fail.
	_, _ = w.Write(text.Bytes())
	_ = w.Close()
	return packed.Bytes(), text.Len(), nil
}

// respond sends a rendering.
func respond(w http.ResponseWriter, f form, body []byte) {
	h := w.Header()
	h.Add("Vary", "Accept, Accept-Encoding")
	h.Set("Content-Type", string(f.format))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if f.gzipped {
		h.Set("Content-Encoding", "gzip")
	}
	// The client is gone if this fails.
	_, _ = w.Write(body)
}
