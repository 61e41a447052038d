package journal

import "time"

// paceWindow is the time over which a rate is looked at.
const paceWindow = 100 * time.Millisecond

// pace tells how fast a journal grows.
type pace struct {
	since int64 // Unix nanoseconds, 0: nothing came yet
	bytes int64
	rate  float64 // bytes a second, below 0: not known
}

func (p *pace) add(now, n int64) {
	if p.since == 0 {
		p.since = now
	}
	p.bytes += n
	if d := time.Duration(now - p.since); d >= paceWindow {
		p.rate = float64(p.bytes) / d.Seconds()
		p.since, p.bytes = now, 0
	}
}
