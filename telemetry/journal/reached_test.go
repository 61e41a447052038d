package journal

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r Reached
		if err := r.Await(t.Context(), 0); err != nil {
			t.Errorf("at the beginning: %v", err)
		}
		var met atomic.Int64 // how far those came who waited, added up
		for _, pos := range []Position{10, 20, 20} {
			go func() {
				if err := r.Await(t.Context(), pos); err != nil {
					t.Errorf("to %d: %v", pos, err)
				}
				met.Add(int64(pos))
			}()
		}
		for _, step := range []struct {
			to  Position
			met int64
		}{{9, 0}, {15, 10}, {12, 10}, {20, 50}} {
			r.Advance(step.to)
			synctest.Wait()
			if got := met.Load(); got != step.met {
				t.Errorf("advanced to %d: %d, want %d", step.to, got, step.met)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Await(ctx, 21); !errors.Is(err, context.Canceled) {
			t.Errorf("given up: %v", err)
		}
	})
}
