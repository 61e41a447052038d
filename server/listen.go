package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"

	"treq/server/config"
)

// listeners are the bound addresses; nil where a door is off.
type listeners struct {
	one, otlpHTTP, otlpGRPC net.Listener
}

// listen binds what the configuration names. A standard port that nobody asked
// for and that is taken is a warning: the one port serves all of it anyway.
func listen(c config.Config, log *slog.Logger) (l listeners, err error) {
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if l.one, err = net.Listen("tcp", c.Listen.HostPort); errors.Is(err, syscall.EADDRINUSE) {
		return l, fmt.Errorf("%w: is it running already? --listen takes another address", err)
	} else if err != nil {
		return l, fmt.Errorf("listen: %w", err)
	}
	if l.otlpHTTP, err = listenStandard("otlp.http", c.OTLP.HTTP, log); err != nil {
		return l, err
	}
	l.otlpGRPC, err = listenStandard("otlp.grpc", c.OTLP.GRPC, log)
	return l, err
}

func listenStandard(key string, a config.Address, log *slog.Logger) (net.Listener, error) {
	if a.Off() {
		return nil, nil
	}
	l, err := net.Listen("tcp", a.HostPort)
	if err == nil {
		return l, nil
	}
	if a.Explicit {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	log.Warn("a standard OTLP port is taken; the one port serves OTLP too", "door", key, "address", a.HostPort, "error", err)
	return nil, nil
}

func (l listeners) close() {
	for _, one := range []net.Listener{l.one, l.otlpHTTP, l.otlpGRPC} {
		if one != nil {
			_ = one.Close()
		}
	}
}
