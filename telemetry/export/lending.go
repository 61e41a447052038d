package export

import (
	"io"
	"sync"
)

// lending knows when the transport is through with a body. RoundTrip may return
// while a goroutine of the transport still reads, and the memory must not be
// used for the next body before that has closed its reader.
type lending struct {
	mu       sync.Mutex
	open     int
	released chan struct{}
}

// reader lends the chunks once.
func (l *lending) reader(chunks [][]byte) io.ReadCloser {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open++
	return &lent{reader: reader{append([][]byte(nil), chunks...)}, of: l}
}

// done gives back one loan, or the sender's own hold.
func (l *lending) done() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open--; l.open == 0 {
		close(l.released)
	}
}

type lent struct {
	reader
	of   *lending
	once sync.Once
}

func (l *lent) Close() error {
	l.once.Do(l.of.done)
	return nil
}
