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
// the ring is about to take from one of them what it has not read. Who falls behind
// the ring has to read the disk, which costs so much that under a load which never
// ends it does not come back: everybody loses then what that costs. The wait is short,
// so that a reader that stands still holds nobody up; one that reads the disk already
// is not waited for. Receiving is cheaper than counting, so this is what holds back
// senders that have always more to send.
func (w *writer) keepUp() {
	if !w.lagging() {
		return
	}
	timer := time.NewTimer(longestWait)
	defer timer.Stop()
	for w.lagging() {
		select {
		case <-w.advanced:
		case <-timer.C:
			return
		}
	}
}

// lagging tells whether an essential reader at the tail is behind by more than half
// of what the ring holds, and has it tell when it moves.
func (w *writer) lagging() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.awaited = false
	for _, c := range w.cursors {
		if c.essential && !c.closed && w.ring.behind(c.pos, w.durable) > 0.5 {
			w.awaited = true
		}
	}
	return w.awaited
}
