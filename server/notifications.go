package server

import (
	"context"
	"net/http"

	"treq/server/config"
	"treq/server/notify"
)

// openNotifications starts what delivers alerts. It stands behind the evaluation:
// it starts before and stops after it.
func (s *Server) openNotifications(p *parts) (err error) {
	c := s.config.Notifications.Notify()
	if !s.config.Fleet.DeliverAlerts {
		c.Receivers, c.Routes, c.Silences = nil, nil, nil // another replica tells them
	}
	p.notifications, err = notify.Open(c, notify.Deps{
		Dir: s.config.DataDir, Logger: s.log, Proxy: http.ProxyFromEnvironment, Version: s.version,
	})
	if err != nil {
		return err
	}
	p.notifications.Start()
	s.onStop("notifications", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, finishNotifications)
		defer cancel()
		return p.notifications.Stop(ctx)
	})
	return nil
}

// GuardDefaultClient makes what libraries send by Go's default client keep the rules
// of what we send ourselves. The command calls it before anything else.
func GuardDefaultClient() { notify.GuardDefaultClient(http.ProxyFromEnvironment) }

// SendSamples sends a test message to the receivers of the settings, or to the one
// of a name, and gives what each answered. It needs no running process.
func SendSamples(ctx context.Context, c config.Config, name, version string) ([]notify.Sampled, error) {
	return notify.SendSamples(ctx, c.Notifications.Notify(), name, version, http.ProxyFromEnvironment)
}
