package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"treq/server"
	"treq/server/config"
	"treq/telemetry/pricing"
)

const (
	pricesFlag = "file"
	sinceFlag  = "since"
)

func (p *process) pricesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "prices",
		Short: "List, look up and date the prices of models; reckon what others would have made of the past",
		Args:  usageArgs(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	list := &cobra.Command{
		Use:   "list [TEXT]",
		Short: "List the models, those whose names hold TEXT",
		Example: `  treq-telemetry prices list llama-3.1
  treq-telemetry prices list groq/`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: p.priced(func(b *pricing.Book, _ config.Currency, args []string) error {
			return p.listPrices(b, strings.Join(args, ""))
		}),
	}
	lookup := &cobra.Command{
		Use:   "lookup PROVIDER/MODEL",
		Short: "Say what a model costs, and by which rule it was found",
		Long: `Lookup finds a model as a call's provider and model are found, and says how.
/MODEL is a call that names no provider.`,
		Example: `  treq-telemetry prices lookup groq/llama-3.1-8b-instant
  treq-telemetry prices lookup /glm-4.7`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: p.priced(func(b *pricing.Book, c config.Currency, args []string) error {
			return p.lookUpPrice(b, c, args[0])
		}),
	}
	age := &cobra.Command{
		Use:   "age",
		Short: "Say how old the prices are, and where they are from",
		Args:  usageArgs(cobra.NoArgs),
		RunE: p.priced(func(b *pricing.Book, _ config.Currency, _ []string) error {
			return p.priceAge(b, time.Now())
		}),
	}
	for _, sub := range []*cobra.Command{list, lookup, age} {
		addSettingFlags(sub, "prices-file", "currency", "currency-usd-rate")
		addPricesFlag(sub)
	}
	cmd.AddCommand(list, lookup, age, p.recostCommand())
	return cmd
}

func addPricesFlag(cmd *cobra.Command) {
	cmd.Flags().String(pricesFlag, "", "YAML `file` of prices that go before all others")
	_ = cmd.MarkFlagFilename(pricesFlag, "yaml", "yml", "json")
}

// priced gives a command the prices in force, with those of its file before them.
func (p *process) priced(run func(*pricing.Book, config.Currency, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		loaded, err := p.loadSettings(cmd, "")
		if err != nil {
			return err
		}
		_, book, err := openBooks(cmd, loaded.Config)
		if err != nil {
			return err
		}
		return run(book, loaded.Config.Currency, args)
	}
}

// openBooks gives the prices in force, and these with the command's file before them.
func openBooks(cmd *cobra.Command, c config.Config) (inForce, book *pricing.Book, err error) {
	if inForce, err = server.OpenPrices(c.Prices.File); err != nil {
		return nil, nil, usageError{err}
	}
	file, _ := cmd.Flags().GetString(pricesFlag)
	if file == "" {
		return inForce, inForce, nil
	}
	data, err := os.ReadFile(file)
	if err == nil {
		book, err = inForce.With(file, data)
	}
	if err != nil {
		return nil, nil, usageError{err}
	}
	return inForce, book, nil
}

// columns writes aligned columns; the rows' cells are separated by tabs.
func columns(to io.Writer, write func(io.Writer)) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	write(w)
	return w.Flush()
}

const priceHead = "INPUT\tCACHE READ\tCACHE WRITE\tOUTPUT\tREASONING\tREQUEST\tWHEN"

func priceCells(prices pricing.Prices) string {
	var cells []string
	for _, r := range []pricing.Rate{prices.Input, prices.CacheRead, prices.CacheWrite, prices.Output, prices.Reasoning, prices.Requests} {
		if r < 0 {
			cells = append(cells, "-")
		} else {
			cells = append(cells, r.String())
		}
	}
	var when []string
	if !prices.From.IsZero() {
		when = append(when, "from "+prices.From.Format(time.DateOnly))
	}
	if prices.Daily != "" {
		when = append(when, prices.Daily+" UTC")
	}
	if prices.Above > 0 {
		when = append(when, fmt.Sprintf("above %d tokens of input", prices.Above))
	}
	return strings.Join(append(cells, strings.Join(when, ", ")), "\t")
}

func (p *process) listPrices(b *pricing.Book, filter string) error {
	listings := b.List(filter)
	err := columns(p.stdout, func(w io.Writer) {
		fmt.Fprintln(w, "PROVIDER\tMODEL\t"+priceHead)
		for _, l := range listings {
			for _, prices := range l.Prices {
				fmt.Fprintf(w, "%s\t%s\t%s\n", l.Provider, l.Model, priceCells(prices))
			}
		}
	})
	if err == nil {
		fmt.Fprintf(p.stderr, "%d models; dollars a million tokens or requests, of %s\n", len(listings), b.Version())
	}
	return err
}

func (p *process) lookUpPrice(b *pricing.Book, c config.Currency, name string) error {
	provider, model, ok := strings.Cut(name, "/")
	if !ok {
		return usageError{fmt.Errorf("%q names no provider: want PROVIDER/MODEL, or /MODEL", name)}
	}
	e := b.Explain(provider, model, time.Now())
	if !e.Found() {
		reason := "the book has no price for " + name
		if e.SelfHosted {
			reason = provider + " runs on one's own machines: its models have no price"
		} else if len(e.Suggestions) > 0 {
			reason += "; similar names: " + strings.Join(e.Suggestions, ", ")
		}
		return fmt.Errorf("%s", reason)
	}
	fmt.Fprintf(p.stdout, "%s/%s, found by %s (%s)\n", e.Provider, e.Model, e.Rule, groundWords[e.Basis])
	if len(e.Listing.Aliases) > 0 {
		fmt.Fprintln(p.stdout, "also called", strings.Join(e.Listing.Aliases, ", "))
	}
	if e.Listing.Note != "" {
		fmt.Fprintln(p.stdout, e.Listing.Note)
	}
	err := columns(p.stdout, func(w io.Writer) {
		fmt.Fprintln(w, "\t"+priceHead)
		for _, prices := range e.Listing.Prices {
			mark := ""
			if prices == e.Current {
				mark = "now"
			}
			fmt.Fprintf(w, "%s\t%s\n", mark, priceCells(prices))
		}
	})
	thousand := e.Cost(pricing.Usage{Requests: 1, At: time.Now().UnixNano(), Tokens: exampleCall})
	if err == nil && thousand.Unpriced.Total() == 0 {
		fmt.Fprintf(p.stdout, "1000 tokens in and 500 out: %s\n", money(thousand.NanoUSD, c))
	}
	return err
}

func (p *process) priceAge(b *pricing.Book, now time.Time) error {
	fmt.Fprintf(p.stdout, "%s, %d days old\n", b.Version(), int(b.Age(now).Hours()/24))
	return columns(p.stdout, func(w io.Writer) {
		for _, s := range b.Sources() {
			date := "no date"
			if !s.Date.IsZero() {
				date = s.Date.Format(time.DateOnly)
			}
			fmt.Fprintf(w, "%s\t%d models\t%s\n", date, s.Models, s.Name)
		}
	})
}
