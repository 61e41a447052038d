// Package request lets what works on encoded OTLP requests work on a Collector's
// data.
package request

import "go.opentelemetry.io/collector/consumer/consumererror"

// Rewrite gives what change makes of data. Where change gives the very bytes it was
// given, that is in itself, and nothing is copied; in is never changed. Errors are
// permanent, since the same data will fail again. It is safe for concurrent use if
// the functions are.
func Rewrite[T any](
	in T, encode func(T) ([]byte, error), change func([]byte) ([]byte, error), decode func([]byte) (T, error),
) (out T, err error) {
	body, err := encode(in)
	if err != nil {
		return out, consumererror.NewPermanent(err)
	}
	changed, err := change(body)
	if err != nil {
		return out, consumererror.NewPermanent(err)
	}
	if len(changed) == len(body) && (len(body) == 0 || &changed[0] == &body[0]) {
		return in, nil
	}
	if out, err = decode(changed); err != nil {
		return out, consumererror.NewPermanent(err)
	}
	return out, nil
}
