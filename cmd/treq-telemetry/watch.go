package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// quiet is how long a file must rest before it is read: editors write in pieces.
const quiet = 200 * time.Millisecond

// watcher tells when a file's content changed. It watches the directory, since
// editors and platforms put a new file in the old one's place.
type watcher struct {
	changed chan struct{}
	closed  chan struct{}
	done    chan struct{}
	events  *fsnotify.Watcher
}

// watch begins with what path holds now. Where nothing can be watched, it says so
// once and never tells of a change; SIGHUP works all the same.
func watch(path string, log *slog.Logger) *watcher {
	w := &watcher{changed: make(chan struct{}), closed: make(chan struct{}), done: make(chan struct{})}
	var err error
	if path != "" {
		if w.events, err = fsnotify.NewWatcher(); err == nil {
			err = w.events.Add(filepath.Dir(path))
		}
	}
	if err != nil {
		log.Warn("changes of the settings' file are not noticed; SIGHUP reads it again", "file", path, "error", err)
	}
	if path == "" || w.events == nil {
		close(w.done)
		return w
	}
	last, _ := os.ReadFile(path)
	go w.run(path, last)
	return w
}

func (w *watcher) run(path string, last []byte) {
	defer close(w.done)
	rest := time.NewTimer(quiet)
	defer rest.Stop()
	for {
		select {
		case <-w.closed:
			return
		case _, open := <-w.events.Events:
			if !open {
				return
			}
			rest.Reset(quiet)
		case <-w.events.Errors:
			rest.Reset(quiet) // events were lost, perhaps this file's
		case <-rest.C:
			// A file that is gone for a moment is about to be replaced.
			now, err := os.ReadFile(path)
			if err != nil || bytes.Equal(now, last) {
				continue
			}
			last = now
			select {
			case w.changed <- struct{}{}:
			case <-w.closed:
				return
			}
		}
	}
}

func (w *watcher) close() {
	close(w.closed)
	if w.events != nil {
		_ = w.events.Close()
	}
	<-w.done
}
