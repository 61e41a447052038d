package compress

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// shelf holds the free buffers of a size class. A sync.Pool alone is emptied by the
// garbage collector every other time it runs, and that is several times a second where
// it has little headroom: the buffers that are made anew then make it run again. So the
// first shelved bytes of all classes are held, until they have not been wanted
// for a while. Safe for concurrent use.
type shelf struct {
	mu   sync.Mutex
	free []*Buffer
	// least is how many of them nobody has wanted since the last look.
	least int

	pool sync.Pool
}

const (
	// shelved bounds what all shelves hold, in bytes.
	shelved = 4 << 20
	// looks is how many collections a buffer is held that nobody wants.
	looks = 8
)

var (
	held     atomic.Int64 // bytes on all shelves
	watching atomic.Bool
)

// take gives a free buffer, nil if there is none.
func (s *shelf) take() *Buffer {
	s.mu.Lock()
	last := len(s.free) - 1
	if last < 0 {
		s.mu.Unlock()
		b, _ := s.pool.Get().(*Buffer)
		return b
	}
	b := s.free[last]
	s.free[last] = nil
	s.free = s.free[:last]
	s.least = min(s.least, last)
	s.mu.Unlock()
	held.Add(-int64(cap(b.whole)))
	return b
}

// put takes a buffer that is free.
func (s *shelf) put(b *Buffer) {
	size := int64(cap(b.whole))
	if held.Add(size) > shelved {
		held.Add(-size)
		s.pool.Put(b)
		return
	}
	s.mu.Lock()
	s.free = append(s.free, b)
	s.mu.Unlock()
	if !watching.Swap(true) {
		watch(0)
	}
}

// look lets those go that nobody wanted since the last look.
func (s *shelf) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var gone int64
	for i := range s.least {
		gone += int64(cap(s.free[i].whole))
	}
	kept := copy(s.free, s.free[s.least:])
	clear(s.free[kept:])
	s.free, s.least = s.free[:kept], kept
	held.Add(-gone)
}

// watch looks at all shelves once in so many collections, which it is told of by the
// end of a thing that nobody holds.
func watch(collections int) {
	runtime.AddCleanup(new([32]byte), func(collections int) {
		if collections++; collections == looks {
			collections = 0
			for i := range buffers {
				buffers[i].look()
			}
		}
		watch(collections)
	}, collections)
}
