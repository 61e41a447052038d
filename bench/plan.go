package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// row is one load with the servers that take it.
type row struct {
	variant
	kinds []kind
}

// The loads that the table of figures is made from.
var (
	http64   = variant{transport: "http", content: 1536, batch: 64}
	http512  = variant{transport: "http", content: 1536, batch: 512}
	grpc512  = variant{transport: "grpc", content: 1536, batch: 512}
	large512 = variant{transport: "http", content: 16384, batch: 512}
	bare512  = variant{transport: "http", content: 0, batch: 512}
	zip512   = variant{transport: "http", content: 1536, batch: 512, zip: true}
	json512  = variant{transport: "json", content: 1536, batch: 512}
	at10k    = variant{transport: "http", content: 1536, batch: 64, rate: 10_000}
	at20k    = variant{transport: "http", content: 1536, batch: 64, rate: 20_000}
)

// throughProxy compares the way to LangSmith with its own vendor's.
var throughProxy = row{zip512, []kind{collectorProxy, oursLangSmith, oursPassing}}

// quick is what the table of figures needs, and nothing more.
func quick() []row {
	return []row{
		{http64, []kind{collectorMemory, oursFsync, oursRedacted, collectorDurable}},
		{http512, []kind{collectorMemory, oursFsync, oursRedacted, collectorDurable, oursMemory}},
		{grpc512, []kind{collectorMemory, oursMemory}},
		{large512, []kind{collectorMemory, oursMemory}},
		{bare512, []kind{collectorMemory, oursMemory}},
		{zip512, []kind{collectorMemory, oursMemory}},
		{json512, []kind{collectorMemory, oursMemory}},
		{at10k, []kind{collectorMemory, oursFsync}},
		{at20k, []kind{collectorMemory, oursFsync}},
	}
}

// full is every transport, content and batch on every server.
func full() []row {
	all := []kind{collectorMemory, oursFsync, oursRedacted, collectorDurable, oursMemory}
	rows := matrix([]string{"http", "grpc", "json"}, []int{0, 1536, 16384}, []int{64, 512}, false, 0, all)
	rows = append(rows, matrix([]string{"http"}, []int{1536}, []int{64, 512}, true, 0, all)...)
	return append(rows, row{at10k, all}, row{at20k, all})
}

// matrix is every combination of its lists.
func matrix(transports []string, contents, batches []int, zip bool, rate int, kinds []kind) (rows []row) {
	for _, transport := range transports {
		for _, content := range contents {
			for _, batch := range batches {
				rows = append(rows, row{variant{transport, content, batch, zip, rate}, kinds})
			}
		}
	}
	return rows
}

// cell is a load on a server.
type cell struct {
	variant
	kind
}

// samples are the measurements of every cell, one a round.
type samples map[cell][]sample

// measureAll takes all rows in rounds, so that what else the machine does meets
// every server alike. The order within a row turns from round to round.
func measureAll(ctx context.Context, rows []row, o options, progress io.Writer) (samples, error) {
	found := samples{}
	began := time.Now()
	for round := range o.rounds {
		for _, r := range rows {
			for i := range r.kinds {
				k := r.kinds[(i+round)%len(r.kinds)]
				s, err := measure(ctx, k, r.variant, o, asks{})
				if err != nil {
					return found, err
				}
				c := cell{r.variant, k}
				found[c] = append(found[c], s)
				fmt.Fprintf(progress, "%4.0fs round %d  %-44s %-28s %9.0f spans/CPU-s %7.2f ms p99 %5.0f MB\n",
					time.Since(began).Seconds(), round+1, r.variant, k, s.perCPU, s.p99, s.rss/1e6)
			}
		}
	}
	return found, nil
}

// variants are the loads that were measured, in an order of their own.
func (s samples) variants() (all []variant) {
	for c := range s {
		if !slices.Contains(all, c.variant) {
			all = append(all, c.variant)
		}
	}
	slices.SortFunc(all, func(a, b variant) int {
		return cmp.Or(cmp.Compare(a.rate, b.rate), strings.Compare(a.transport, b.transport), cmp.Compare(a.content, b.content),
			cmp.Compare(a.batch, b.batch), strings.Compare(a.String(), b.String()))
	})
	return all
}

// median of what pick takes from a cell's samples; 0 where there are none.
func (s samples) median(v variant, k kind, pick func(sample) float64) float64 {
	var values []float64
	for _, one := range s[cell{v, k}] {
		values = append(values, pick(one))
	}
	return median(values)
}

// ratio is the median over the rounds of one server's figure over another's.
func (s samples) ratio(v variant, over, under kind, pick func(sample) float64) float64 {
	a, b := s[cell{v, over}], s[cell{v, under}]
	var values []float64
	for i := range min(len(a), len(b)) {
		values = append(values, pick(a[i])/pick(b[i]))
	}
	return median(values)
}

// median gives 0 for no values.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 1 {
		return values[half]
	}
	return (values[half-1] + values[half]) / 2
}
