package main

import (
	"log/slog"

	"treq/server/config"
)

// reloader reads the settings again while the process runs.
type reloader struct {
	log   *slog.Logger
	level *slog.LevelVar
	svc   service
	load  func() (config.Loaded, error)
}

// reload takes over what can be taken over and says what that was.
func (r *reloader) reload() {
	var next config.Loaded
	taken, restart, err := r.svc.Reload(func() (c config.Config, err error) {
		next, err = r.load()
		return next.Config, err
	})
	if err != nil {
		r.log.Error("settings are refused and stay as they were", "problems", err.Error())
		return
	}
	r.level.Set(next.Config.Log.Level.Slog())
	for _, w := range next.Warnings {
		r.log.Warn(w)
	}
	if len(restart) > 0 {
		r.log.Warn("settings changed that need a restart", "keys", restart)
	}
	if len(taken) > 0 {
		r.log.Info("settings changed", "keys", taken)
	}
	if len(taken)+len(restart) == 0 {
		r.log.Info("settings are unchanged")
	}
}
