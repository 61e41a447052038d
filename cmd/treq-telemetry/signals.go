package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// signals turns what the operating system asks into two contexts: quit ends at
// the first request to stop, or with the parent, forced at the second.
type signals struct {
	quit, forced context.Context
	stop, force  context.CancelFunc
	received     chan os.Signal
	closed       chan struct{}
}

// listen begins to receive; close ends it and gives the signals back to the
// operating system.
func listen(parent context.Context) *signals {
	s := &signals{received: make(chan os.Signal, 4), closed: make(chan struct{})}
	s.quit, s.stop = context.WithCancel(parent)
	s.forced, s.force = context.WithCancel(context.Background())
	signal.Notify(s.received, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	return s
}

// each handles signals, and changes of the settings' file, until close. What asks
// for settings before the start is done is answered when it is.
func (s *signals) each(changed <-chan struct{}, started <-chan *reloader) {
	var settings *reloader
	asked := false
	reload := func() {
		if asked = settings == nil; !asked {
			settings.reload()
		}
	}
	for {
		select {
		case settings = <-started:
			if asked {
				reload()
			}
		case <-changed:
			reload()
		case sig := <-s.received:
			switch {
			case sig == syscall.SIGHUP:
				reload()
			case s.quit.Err() == nil:
				s.stop()
			default:
				s.force()
			}
		case <-s.closed:
			return
		}
	}
}

func (s *signals) close() {
	signal.Stop(s.received)
	close(s.closed)
	s.stop()
	s.force()
}
