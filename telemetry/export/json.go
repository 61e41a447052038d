package export

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// packJSON makes the body of b in OTLP's JSON; see pack.
func (k *packer) packJSON(b *batch, zipped bool) (out body, fits bool, bad int, err error) {
	together := ptrace.NewTraces()
	for i := range b.pieces {
		data, err := b.pieces[i].bytes()
		if err != nil {
			return body{}, true, i, err
		}
		request := ptraceotlp.NewExportRequest()
		if err := request.UnmarshalProto(data); err != nil {
			return body{}, true, i, fmt.Errorf("%w: %w", errMalformed, err)
		}
		request.Traces().ResourceSpans().MoveAndAppendTo(together.ResourceSpans())
	}
	content, err := ptraceotlp.NewExportRequestFromTraces(together).MarshalJSON()
	if err != nil {
		return body{}, true, 0, errors.Join(errMalformed, err)
	}
	if len(content) > MaxRequestBytes && b.spans > 1 {
		return body{}, false, 0, nil
	}
	out.contentType = "application/json"
	if zipped {
		k.reset()
		k.compress([][]byte{content})
		content, out.gzip = k.packed.Bytes(), true
	}
	k.plain = append(k.plain[:0], content)
	out.chunks, out.size = k.plain, int64(len(content))
	return out, true, 0, nil
}
