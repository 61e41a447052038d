package e2etest

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"fmt"
	"net/http"

	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Encoding is how a request travels over HTTP. The zero value is protobuf, not
// compressed.
type Encoding struct {
	JSON        bool
	Compression string // "", "gzip", "zstd" or "deflate"
	// Level is gzip's and deflate's; 0 is the default level.
	Level int
}

// String names the encoding as a test's name does.
func (e Encoding) String() string {
	name := "protobuf"
	if e.JSON {
		name = "json"
	}
	if e.Compression != "" {
		name += "+" + e.Compression
	}
	return name
}

// Encode gives a request's body and headers.
func (e Encoding) Encode(request *collector.ExportTraceServiceRequest) ([]byte, http.Header, error) {
	header := http.Header{"Content-Type": {"application/x-protobuf"}}
	body, err := proto.Marshal(request)
	if err != nil {
		return nil, nil, err
	}
	if e.JSON {
		// protojson would write ids in base64, where OTLP wants hexadecimal.
		message := ptraceotlp.NewExportRequest()
		if err := message.UnmarshalProto(body); err != nil {
			return nil, nil, err
		}
		if body, err = message.MarshalJSON(); err != nil {
			return nil, nil, err
		}
		header.Set("Content-Type", "application/json")
	}
	if e.Compression == "" {
		return body, header, nil
	}
	header.Set("Content-Encoding", e.Compression)
	body, err = Compress(e.Compression, e.Level, body)
	return body, header, err
}

// Compress compresses as the named HTTP content coding says.
func Compress(coding string, level int, body []byte) ([]byte, error) {
	if level == 0 {
		level = gzip.DefaultCompression
	}
	var buf bytes.Buffer
	switch coding {
	case "gzip":
		w, err := gzip.NewWriterLevel(&buf, level)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(body); err != nil {
			return nil, err
		}
		err = w.Close()
		return buf.Bytes(), err
	case "deflate":
		w, err := zlib.NewWriterLevel(&buf, level)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(body); err != nil {
			return nil, err
		}
		err = w.Close()
		return buf.Bytes(), err
	case "zstd":
		w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		defer func() { _ = w.Close() }()
		return w.EncodeAll(body, nil), nil
	}
	return nil, fmt.Errorf("no coding %q", coding)
}

// Send posts a request to a traces URL. An answer other than 200 is an error, and
// so is a partial success.
func Send(ctx context.Context, url string, e Encoding, request *collector.ExportTraceServiceRequest) error {
	body, header, err := e.Encode(request)
	if err != nil {
		return err
	}
	answer, err := Do(ctx, http.MethodPost, url, header, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if answer.Status != http.StatusOK {
		return fmt.Errorf("%s: %d %s", url, answer.Status, answer.Body)
	}
	var response collector.ExportTraceServiceResponse
	if !e.JSON {
		err = proto.Unmarshal(answer.Body, &response)
	} else {
		decoded := ptraceotlp.NewExportResponse()
		if err = decoded.UnmarshalJSON(answer.Body); err == nil && decoded.PartialSuccess().RejectedSpans() != 0 {
			err = fmt.Errorf("rejected: %s", decoded.PartialSuccess().ErrorMessage())
		}
	}
	if err != nil {
		return fmt.Errorf("%s answered 200 with %q: %w", url, answer.Body, err)
	}
	if n := response.GetPartialSuccess().GetRejectedSpans(); n != 0 {
		return fmt.Errorf("%d spans rejected: %s", n, response.GetPartialSuccess().GetErrorMessage())
	}
	return nil
}
