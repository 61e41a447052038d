package export

import (
	"sync"
	"time"
)

// maxSuspects bounds what is set aside, since the position cannot pass it.
const maxSuspects = 16

// suspects are batches of one span, or that cannot be split, over which the sink
// stumbled again and again, while nothing else was sent that would tell whether it
// is the sink. Safe for concurrent use.
type suspects struct {
	mu   sync.Mutex
	list []*batch
}

// add sets a batch aside, if there is room.
func (s *suspects) add(b *batch) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) >= maxSuspects {
		return false
	}
	s.list = append(s.list, b)
	return true
}

// next gives one to try again: where the sink has taken something since it was
// first doubted, or any if there is nothing else to do. nil if there is none.
func (s *suspects) next(lastGood time.Time, idle bool) *batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, b := range s.list {
		if idle || lastGood.After(b.doubted) {
			s.list = append(s.list[:i], s.list[i+1:]...)
			return b
		}
	}
	return nil
}
