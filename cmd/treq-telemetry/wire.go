package main

import (
	"context"
	"log/slog"

	"treq/server"
	"treq/server/config"
)

// newServer makes the product.
func newServer(ctx context.Context, c config.Config, log *slog.Logger, version string) (service, error) {
	return server.New(ctx, c, log, version)
}
