package request

import (
	"errors"
	"testing"

	"go.opentelemetry.io/collector/consumer/consumererror"
)

// TestErrorsArePermanent wherever they come from, so that nobody tries again.
func TestErrorsArePermanent(t *testing.T) {
	fails := errors.New("broken")
	good := func(b []byte) ([]byte, error) { return append([]byte("new "), b...), nil }
	bad := func([]byte) ([]byte, error) { return nil, fails }
	for name, f := range map[string][3]func([]byte) ([]byte, error){
		"encode": {bad, good, good}, "change": {good, bad, good}, "decode": {good, good, bad},
	} {
		if out, err := Rewrite([]byte("in"), f[0], f[1], f[2]); !consumererror.IsPermanent(err) || !errors.Is(err, fails) || out != nil {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
	if out, err := Rewrite([]byte("in"), good, good, good); string(out) != "new new new in" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
}
