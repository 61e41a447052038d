package server

import (
	"context"
	"fmt"
	"os"
	"time"

	"treq/server/api"
	"treq/server/config"
	"treq/server/fleet"
	"treq/telemetry/pricing"
	"treq/telemetry/snapshot"
)

// OpenPrices gives the price book with a file of the user's laid over it; "" is
// none. The error names the line and key of everything that is wrong.
func OpenPrices(path string) (*pricing.Book, error) {
	book := pricing.Embedded()
	if path == "" {
		return book, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("prices: %w", err)
	}
	return book.With(path, data)
}

// models makes the document of GET /monitoring/models.
type models struct {
	reader   *snapshot.Reader
	book     *pricing.Book
	currency config.Currency
	windows  *windows    // nil without a history
	fleet    *fleet.View // nil where the document is this process's own
}

// Document is what each model did.
func (m *models) Document(ctx context.Context, n api.Narrow) (any, error) {
	if m.fleet != nil {
		return m.ofFleet(ctx, n)
	}
	s, err := m.reader.Snapshot(ctx)
	if err == nil && !n.From.IsZero() {
		s, err = m.windows.since(ctx, s, n.From)
	}
	if err != nil {
		return nil, err
	}
	return m.document(s, n.Service), nil
}

func (m *models) document(s *snapshot.Snapshot, service string) snapshot.Models {
	return s.Models(snapshot.ModelsQuery{
		Service: service, PricesVersion: m.book.Version(), PricesDate: m.book.Date(),
		Currency: m.currency.Code, UnitsPerUSD: m.currency.USDRate,
	}, time.Now())
}
