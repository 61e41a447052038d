package journal

import "time"

// behind tells how much of its room the ring needs for a reader at pos when durable is
// the end of what it holds; 0 for one whose next record it does not have.
func (g *ring) behind(pos, durable Position) float64 {
	if pos < g.start || pos >= durable {
		return 0
	}
	part := float64(durable-pos) / float64(durable-g.start)
	return part * float64(g.bytes) / float64(g.holds)
}

// keepUp lets the essential readers, which count, come closer before a commit, where
// the ring is about to take from one of them what it has not read, or has just done
// so. Who falls behind the ring has to read the disk, which costs so much that under a
// load which never ends it does not come back: everybody loses then what that costs.
// The wait is short, and a reader that stands still is waited for once. Receiving is
// cheaper than counting, so this is what holds back senders that have always more.
func (w *writer) keepUp() {
	last, lagging := w.lagging()
	if !lagging || last == w.stood {
		return
	}
	timer := time.NewTimer(longestWait)
	defer timer.Stop()
	for now := last; lagging; now, lagging = w.lagging() {
		select {
		case <-w.advanced:
		case <-timer.C:
			if now == last {
				w.stood = last
			}
			return
		}
	}
}

// lagging gives the position of the last of the essential readers that need more than
// half of what the ring holds, or that are behind it by no more than it may ever hold;
// it has them tell when they move.
func (w *writer) lagging() (last Position, some bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last = w.durable
	for _, c := range w.cursors {
		near := c.pos < w.ring.start && int64(w.durable-c.pos) <= w.ring.most
		if c.essential && !c.closed && (near || w.ring.behind(c.pos, w.durable) > 0.5) {
			last = min(last, c.pos)
		}
	}
	w.awaited = last < w.durable
	return last, w.awaited
}
