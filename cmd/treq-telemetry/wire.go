package main

import (
	"context"
	"errors"
	"log/slog"

	"treq/server/config"
)

// newServer makes the product.
func newServer(context.Context, config.Config, *slog.Logger, string) (service, error) {
	return nil, errors.New("this build cannot serve")
}
