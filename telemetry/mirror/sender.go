package mirror

import (
	"sync"
	"time"
)

// send empties the outbox into the sink until it is stopped.
func (b *outbox) send() {
	b.mu.Lock()
	b.running = true
	b.mu.Unlock()
	var attempts sync.WaitGroup
	defer func() {
		attempts.Wait()
		b.mu.Lock()
		b.running = false
		b.mu.Unlock()
	}()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		b.mu.Lock()
		it, wait := b.next(time.Now())
		if it != nil {
			it.flying = true
			b.flying++
			j, version, told := it.Judgement, it.version, b.told[it.Judgement.ID]
			attempts.Go(func() {
				if j.Deleted {
					b.settle(it, version, b.words.withdraw(b.ctx, &j))
					return
				}
				b.settle(it, version, b.words.tell(b.ctx, &j, told))
			})
		}
		b.mu.Unlock()
		select {
		case <-b.stopping:
			return
		default:
		}
		if it != nil {
			continue
		}
		if wait <= 0 {
			wait = time.Hour
		}
		timer.Reset(wait)
		select {
		case <-b.stopping:
			return
		case <-b.changed:
		case <-timer.C:
		}
	}
}
