package ingest

import (
	"sync"
	"testing"
	"testing/synctest"
)

// Those that wait get their turn in order, as soon as there is room, and what is
// larger than the whole goes alone.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := &turns{total: 10}
		var mu sync.Mutex // of order, when two get their turn at once
		var order []int64
		enter := func(n int64) {
			go func() {
				room.take(n)
				mu.Lock()
				defer mu.Unlock()
				order = append(order, n)
			}()
			synctest.Wait()
		}
		check := func(want ...int64) {
			t.Helper()
			synctest.Wait()
			if len(order) != len(want) {
				t.Fatalf("in turn: %v, want %v", order, want)
			}
			for i := range want {
				if order[i] != want[i] {
					t.Fatalf("in turn: %v, want %v", order, want)
				}
			}
		}
		enter(6)
		enter(5) // no room
		enter(6) // nor here
		enter(4) // there is room, but others were first
		check(6)
		room.give(6)
		check(6, 5)
		room.give(5)
		synctest.Wait()
		if len(order) == 4 && order[2] == 4 { // let go at once, they may run in any order
			order[2], order[3] = 6, 4
		}
		check(6, 5, 6, 4)
		enter(70)
		room.give(6)
		check(6, 5, 6, 4)
		room.give(4)
		check(6, 5, 6, 4, 70)
		enter(2)
		check(6, 5, 6, 4, 70)
		room.give(70)
		check(6, 5, 6, 4, 70, 2)
		room.more(20) // beyond the whole, for one that has its turn
		enter(3)
		check(6, 5, 6, 4, 70, 2)
		room.give(22)
		check(6, 5, 6, 4, 70, 2, 3)
		room.give(3)
		if room.taken != 0 || len(room.waiting) != 0 {
			t.Errorf("%d taken, %d wait", room.taken, len(room.waiting))
		}
	})
}
