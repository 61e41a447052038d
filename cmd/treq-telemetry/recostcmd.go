package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"treq/server"
	"treq/server/config"
	"treq/telemetry"
	"treq/telemetry/pricing"
)

// groundWords say on what ground a price holds.
var groundWords = map[pricing.Basis]string{
	pricing.Listed:   "the provider's own price",
	pricing.Borrowed: "another provider's price for the same model",
	pricing.Maker:    "the maker's price: the call's provider is not known",
	pricing.Host:     "some host's price: neither provider nor maker is known",
}

// exampleCall is what a lookup prices.
var exampleCall = telemetry.Tokens{Input: 1000, Output: 500}

func (p *process) recostCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "recost",
		Short: "Reckon from the journal what other prices would have made of the past",
		Long: `Recost reads the journal of a service that is stopped and prices its calls anew:
by the prices in force (old), and by these with --file before them (new). It
changes nothing. What a call's span says that it cost stays.`,
		Example: `  treq-telemetry prices recost --since 24h --data-dir /var/lib/treq --file contract.yaml`,
		Args:    usageArgs(cobra.NoArgs),
	}
	addSettingFlags(cmd, "data-dir", "prices-file", "currency", "currency-usd-rate")
	addPricesFlag(cmd)
	since := config.Duration(24 * time.Hour)
	cmd.Flags().String(sinceFlag, since.String(), "`duration` to look back")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		loaded, err := p.loadSettings(cmd, "")
		if err != nil {
			return err
		}
		text, _ := cmd.Flags().GetString(sinceFlag)
		if err := since.UnmarshalText([]byte(text)); err != nil || since <= 0 {
			return usageError{fmt.Errorf("--since %q is no duration above 0: want one like 24h or 7d", text)}
		}
		before, after, err := openBooks(cmd, loaded.Config)
		if err != nil {
			return err
		}
		rows, err := server.Recost(cmd.Context(), loaded.Config, before, after, time.Now().Add(-time.Duration(since)))
		if err != nil {
			return err
		}
		return p.tellRecosted(rows, loaded.Config.Currency)
	}
	return cmd
}

func (p *process) tellRecosted(rows []server.Recosted, c config.Currency) error {
	return columns(p.stdout, func(w io.Writer) {
		fmt.Fprintln(w, "PROVIDER\tMODEL\tCALLS\tTOKENS\tOLD COST\tNEW COST\tOLD UNPRICED\tNEW UNPRICED")
		var all server.Recosted
		tell := func(r *server.Recosted) {
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\t%d\t%d\n", dash(r.Provider), dash(r.Model), r.Calls, r.Tokens,
				money(r.OldNanoUSD, c), money(r.NewNanoUSD, c), r.OldUnpriced, r.NewUnpriced)
		}
		for i := range rows {
			r := &rows[i]
			tell(r)
			all.Calls += r.Calls
			all.Tokens += r.Tokens
			all.OldNanoUSD += r.OldNanoUSD
			all.NewNanoUSD += r.NewNanoUSD
			all.OldUnpriced += r.OldUnpriced
			all.NewUnpriced += r.NewUnpriced
		}
		all.Provider, all.Model = "all", "all"
		tell(&all)
	})
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// money writes an amount with six decimals in the currency for display.
func money(nano int64, c config.Currency) string {
	return strconv.FormatFloat(float64(nano)/1e9*c.USDRate, 'f', 6, 64) + " " + c.Code
}
