package compress

import "testing"

// TestShelf has buffers held over collections while they are wanted, within the
// bound, and let go when they are not.
func TestShelf(t *testing.T) {
	const class = 7
	var s shelf
	before := held.Load()
	made := make([]*Buffer, 3)
	for i := range made {
		made[i] = &Buffer{whole: make([]byte, 0, 1<<20), class: class}
		s.put(made[i])
	}
	if got := held.Load() - before; got != 3<<20 {
		t.Fatalf("%d bytes are held of 3 MiB", got)
	}
	s.look() // from here on it counts who is wanted
	if b := s.take(); b != made[2] {
		t.Fatal("the one put last is not given first")
	} else {
		s.put(b)
	}
	s.look()
	if len(s.free) != 1 || s.free[0] != made[2] {
		t.Fatalf("%d are left, want the one that was wanted", len(s.free))
	}
	s.look()
	if len(s.free) != 0 || held.Load() != before {
		t.Errorf("%d are left that nobody wanted, %d bytes more are held than before", len(s.free), held.Load()-before)
	}
	if b := s.take(); b != nil {
		t.Error("an empty shelf gives a buffer")
	}
}

func TestShelvesAreBounded(t *testing.T) {
	var s shelf
	for range 2 * shelved >> 20 {
		s.put(&Buffer{whole: make([]byte, 0, 1<<20)})
	}
	if n := held.Load(); n > shelved {
		t.Errorf("%d bytes are held, bounded at %d", n, shelved)
	}
	for range 2 {
		s.look()
	}
	if len(s.free) != 0 {
		t.Errorf("%d are left", len(s.free))
	}
}
