package promapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"treq/telemetry"
)

// kind is what Prometheus calls an error, and its status.
type kind struct {
	name   string
	status int
}

// The kinds of errors, as Prometheus has them.
var (
	badData     = kind{"bad_data", http.StatusBadRequest}
	execution   = kind{"execution", http.StatusUnprocessableEntity}
	canceled    = kind{"canceled", 499}
	timeout     = kind{"timeout", http.StatusServiceUnavailable}
	internal    = kind{"internal", http.StatusInternalServerError}
	unavailable = kind{"unavailable", http.StatusServiceUnavailable}
	notFound    = kind{"not_found", http.StatusNotFound}
)

// failure is an error with its kind.
type failure struct {
	kind
	err error
}

// Error gives the text.
func (f *failure) Error() string { return f.err.Error() }

func fail(k kind, format string, args ...any) error { return &failure{k, fmt.Errorf(format, args...)} }

// failed gives an error of the engine or the storage its kind.
func failed(err error) error {
	if _, ok := errors.AsType[*failure](err); ok {
		return err
	}
	if _, ok := errors.AsType[promql.ErrQueryCanceled](err); ok || errors.Is(err, context.Canceled) {
		return &failure{canceled, err}
	}
	if _, ok := errors.AsType[promql.ErrQueryTimeout](err); ok || errors.Is(err, context.DeadlineExceeded) {
		return &failure{timeout, err}
	}
	if _, ok := errors.AsType[promql.ErrStorage](err); ok {
		return &failure{internal, err}
	}
	if telemetry.KindOf(err) == telemetry.Unavailable {
		return &failure{unavailable, err}
	}
	return &failure{execution, err}
}

// respond writes Prometheus's envelope.
func respond(w http.ResponseWriter, data any, warnings []string, err error) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	var b bytes.Buffer
	status := http.StatusOK
	if err == nil {
		b.WriteString(`{"status":"success","data":`)
		err = write(&b, data)
		if err == nil && len(warnings) > 0 {
			b.WriteString(`,"warnings":`)
			err = write(&b, warnings)
		}
		b.WriteString("}")
	}
	if err != nil {
		f, ok := errors.AsType[*failure](err)
		if !ok {
			f = &failure{badData, err}
		}
		status = f.status
		b.Reset()
		// Texts always encode.
		_ = write(&b, struct {
			Status string `json:"status"`
			Type   string `json:"errorType"`
			Error  string `json:"error"`
		}{"error", f.name, f.Error()})
	}
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that went away has nothing to be told
}

func write(b *bytes.Buffer, v any) error {
	if raw, ok := v.(json.RawMessage); ok {
		b.Write(raw) // spelled already, and long
		return nil
	}
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fail(internal, "encoding the answer: %w", err)
	}
	b.Truncate(b.Len() - 1)
	return nil
}

// result is the value of a query.
type result struct{ *promql.Result }

// write spells a value: numbers as text, times as seconds.
func (r *result) write(b *bytes.Buffer) error {
	fmt.Fprintf(b, `{"resultType":%q,"result":`, string(r.Value.Type()))
	var err error
	switch v := r.Value.(type) {
	case promql.Scalar:
		pair(b, v.T, v.V)
	case promql.String:
		b.WriteByte('[')
		instant(b, v.T)
		b.WriteByte(',')
		err = write(b, v.V)
		b.WriteByte(']')
	case promql.Vector:
		b.WriteByte('[')
		for i := range v {
			if err = metric(b, i, v[i].Metric); err != nil {
				return err
			}
			if v[i].H != nil {
				return fail(internal, "native histograms are not stored here")
			}
			b.WriteString(`,"value":`)
			pair(b, v[i].T, v[i].F)
			b.WriteByte('}')
		}
		b.WriteByte(']')
	case promql.Matrix:
		b.WriteByte('[')
		for i := range v {
			if err = metric(b, i, v[i].Metric); err != nil {
				return err
			}
			b.WriteString(`,"values":[`)
			for k, p := range v[i].Floats {
				if k > 0 {
					b.WriteByte(',')
				}
				pair(b, p.T, p.F)
			}
			b.WriteString(`]}`)
		}
		b.WriteByte(']')
	default:
		return fail(internal, "a result of type %T", v)
	}
	b.WriteByte('}')
	return err
}

func metric(b *bytes.Buffer, i int, l labels.Labels) error {
	if i > 0 {
		b.WriteByte(',')
	}
	b.WriteString(`{"metric":`)
	return write(b, l)
}

func pair(b *bytes.Buffer, t int64, v float64) {
	b.WriteByte('[')
	instant(b, t)
	b.WriteString(`,"`)
	format := byte('f')
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	b.Write(strconv.AppendFloat(b.AvailableBuffer(), v, format, -1, 64))
	b.WriteString(`"]`)
}

// instant writes milliseconds as seconds, with three places or none.
func instant(b *bytes.Buffer, t int64) {
	if t < 0 {
		b.WriteByte('-')
		t = -t
	}
	b.Write(strconv.AppendInt(b.AvailableBuffer(), t/1000, 10))
	if part := t % 1000; part != 0 {
		fmt.Fprintf(b, ".%03d", part)
	}
}
