package demo

import (
	"fmt"
	"io"
	"time"
)

// progress tells a person how the traffic goes.
type progress struct {
	out      io.Writer
	live     bool
	delivery *delivery
	every    time.Duration
	next     time.Time
}

func newProgress(o Options, d *delivery) *progress {
	p := &progress{out: o.Out, live: o.Live, delivery: d, every: 10 * time.Second}
	if o.Live {
		p.every = 200 * time.Millisecond
	}
	return p
}

func (p *progress) update(s *Sent) {
	if now := time.Now(); !now.Before(p.next) {
		p.next = now.Add(p.every)
		p.write(s)
		if !p.live {
			fmt.Fprintln(p.out)
		}
	}
}

// finish leaves the last state and what every model had.
func (p *progress) finish(s *Sent) {
	p.write(s)
	fmt.Fprintln(p.out)
	for _, m := range models {
		fmt.Fprintf(p.out, "  %-26s %d calls\n", m.name, s.ByModel[m.name])
	}
}

func (p *progress) write(s *Sent) {
	start, end := "", ""
	if p.live {
		start, end = "\r", "\x1b[K"
	}
	delivered, lost, err := p.delivery.state()
	fmt.Fprintf(p.out, "%s%d chats (%d failed), %d searches, %d model calls, %d tokens; %d spans delivered",
		start, s.Chats, s.Failed, s.Searches, s.Calls, s.Tokens, delivered)
	if lost > 0 {
		fmt.Fprintf(p.out, ", %d lost", lost)
	}
	if err != nil {
		fmt.Fprintf(p.out, " (last error: %v)", err)
	}
	fmt.Fprint(p.out, end)
}
