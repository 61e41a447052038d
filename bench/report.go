package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// figure is one line of the table of figures.
type figure struct {
	what    string
	bar     string
	reached string
	holds   bool
	detail  string // both sides' own figures
}

// found is everything that a run measured; what it did not measure is zero.
type found struct {
	samples
	starts  map[kind]starts
	replay  float64 // s a GB
	scrapes scrapes
	get     sample
	allocs  map[kind]sample
	long    longRun
}

func perCPU(s sample) float64 { return s.perCPU }
func peak(s sample) float64   { return s.rss }
func p99(s sample) float64    { return s.p99 }

// figures compares what was found with its bars. A figure whose parts were not
// measured is left out.
func (f found) figures() (table []figure) {
	add := func(value float64, what, bar string, holds bool, reached, detail string) {
		if value > 0 {
			table = append(table, figure{what, bar, reached, holds, detail})
		}
	}
	speed := func(v variant, over, under kind) string {
		return fmt.Sprintf("%s / %s spans/CPU-s", thousands(f.median(v, over, perCPU)), thousands(f.median(v, under, perCPU)))
	}
	atLeast := func(what string, bar float64, v variant, over, under kind) {
		r := f.ratio(v, over, under, perCPU)
		add(r, what, fmt.Sprintf("≥ %g", bar), r >= bar, fmt.Sprintf("%.1f", r), speed(v, over, under))
	}
	both := func(what string, bar float64, under kind) {
		r := f.ratio(http64, oursFsync, under, perCPU)
		if r > 0 { // the median of two is their mean
			r = (r + f.ratio(http512, oursFsync, under, perCPU)) / 2
		}
		add(r, what, fmt.Sprintf("≥ %g", bar), r >= bar, fmt.Sprintf("%.1f", r),
			"64: "+speed(http64, oursFsync, under)+"; 512: "+speed(http512, oursFsync, under))
	}
	both("fsync ÷ Collector with file_storage and fsync, batches 64 and 512", 10, collectorDurable)
	both("fsync ÷ Collector in memory, batches 64 and 512", 2.5, collectorMemory)
	atLeast("ack=memory ÷ Collector in memory, 512", 4, http512, oursMemory, collectorMemory)
	atLeast("the same over gRPC", 3, grpc512, oursMemory, collectorMemory)
	atLeast("the same with 16 KB of content", 2.5, large512, oursMemory, collectorMemory)
	atLeast("the same with no content", 5, bare512, oursMemory, collectorMemory)
	atLeast("the same, gzip in and gzip out", 6, zip512, oursMemory, collectorMemory)
	atLeast("the same, OTLP/HTTP JSON", 3, json512, oursMemory, collectorMemory)
	atLeast("fsync, OTLP in, LangSmith out, gzip ÷ LangChain's collector-proxy", 15, zip512, oursLangSmith, collectorProxy)
	atLeast("the same, spans passed on as they came (enrich: off)", 15, zip512, oursPassing, collectorProxy)

	for _, v := range []variant{http64, http512} {
		r := f.ratio(v, oursRedacted, oursFsync, perCPU)
		add(r, fmt.Sprintf("--redact=br ÷ nothing redacted, fsync, %d", v.batch), "≥ 0.85", r >= 0.85, fmt.Sprintf("%.2f", r),
			fmt.Sprintf("with / without: %s", speed(v, oursRedacted, oursFsync)))
	}

	atMost := func(what string, bar float64, v variant, over kind) {
		r := f.ratio(v, over, collectorMemory, peak)
		add(r, what, fmt.Sprintf("≤ %g", bar), r <= bar, fmt.Sprintf("%.2f", r),
			fmt.Sprintf("%.0f / %.0f MB", f.median(v, over, peak)/1e6, f.median(v, collectorMemory, peak)/1e6))
	}
	atMost("peak RSS at full load, fsync ÷ Collector in memory, 512", 0.5, http512, oursFsync)
	atMost("the same with 16 KB of content, ack=memory", 0.25, large512, oursMemory)
	for _, v := range []variant{at10k, at20k} {
		ours, theirs := f.median(v, oursFsync, p99), f.median(v, collectorMemory, p99)
		add(ours, fmt.Sprintf("p99 at %s spans/s, batch 64, fsync", thousands(float64(v.rate))), "below the Collector's without fsync",
			ours < theirs, fmt.Sprintf("%.1f ms", ours), fmt.Sprintf("%.1f / %.1f ms; %.2f / %.2f cores", ours, theirs,
				f.median(v, oursFsync, func(s sample) float64 { return s.cores }), f.median(v, collectorMemory, func(s sample) float64 { return s.cores })))
	}
	ours, theirs := f.starts[oursFsync], f.starts[collectorMemory]
	add(ours.idle, "idle RSS", "≤ 40 MB", ours.idle <= 40e6, fmt.Sprintf("%.0f MB", ours.idle/1e6), fmt.Sprintf("Collector %.0f MB", theirs.idle/1e6))
	add(ours.ready, "start to ready, empty directory", "≤ 150 ms", ours.ready <= 150, fmt.Sprintf("%.0f ms", ours.ready), fmt.Sprintf("Collector %.0f ms", theirs.ready))
	add(f.replay, "replay of a GB of uncompressed records", "≤ 2 s", f.replay <= 2, fmt.Sprintf("%.1f s", f.replay), "")
	add(f.get.get99, "GET /monitoring/metrics under full ingest, p99", "≤ 5 ms", f.get.get99 <= 5, fmt.Sprintf("%.1f ms", f.get.get99),
		fmt.Sprintf("at %s spans/s", thousands(f.get.perSecond)))
	if f.scrapes.theirs > 0 {
		r := f.scrapes.ours / f.scrapes.theirs
		add(r, "CPU of a scrape ÷ client_golang's handler, 20 scrapers", "≤ 0.2", r <= 0.2, fmt.Sprintf("%.2f", r),
			fmt.Sprintf("%.0f / %.0f µs, %.0f KB", f.scrapes.ours, f.scrapes.theirs, float64(f.scrapes.bytes)/1e3))
	}
	if f.long.fresh.perCPU > 0 {
		r := f.long.old.perCPU / f.long.fresh.perCPU
		add(r, fmt.Sprintf("spans/CPU-s after %s spans with %s open traces ÷ fresh", thousands(float64(f.long.spans)), thousands(float64(f.long.open))),
			"≥ 0.9", r >= 0.9, fmt.Sprintf("%.2f", r), fmt.Sprintf("%s / %s", thousands(f.long.old.perCPU), thousands(f.long.fresh.perCPU)))
	}
	return table
}

// write prints the figures and all measurements as Markdown.
func (f found) write(out io.Writer, o options, command string) {
	fmt.Fprintf(out, "Measured %s on %s; %v of load after %v of warm-up, %d connections, drain included; medians of %d interleaved rounds, ratios pair by pair.\n`%s`\n\n",
		time.Now().UTC().Format("2006-01-02 15:04 UTC"), machine(), o.duration, o.warmUp, o.connections, o.rounds, command)
	if table := f.figures(); len(table) > 0 {
		fmt.Fprintln(out, "| figure (1.5 KB of content and OTLP/HTTP protobuf unless said) | bar | reached | | treq / Collector |\n|---|---|---|---|---|")
		for _, one := range table {
			verdict := "**short**"
			if one.holds {
				verdict = "yes"
			}
			fmt.Fprintf(out, "| %s | %s | %s | %s | %s |\n", one.what, one.bar, one.reached, verdict, one.detail)
		}
		fmt.Fprintln(out)
	}
	if len(f.samples) > 0 {
		f.writeSamples(out)
	}
	if len(f.allocs) > 0 {
		fmt.Fprintln(out, "| allocations a span, HTTP protobuf, content 1536, batch 512 | bytes | objects |\n|---|---|---|")
		for _, k := range []kind{oursFsync, oursMemory, collectorMemory, collectorDurable} {
			if s, ok := f.allocs[k]; ok {
				fmt.Fprintf(out, "| %s | %.0f | %.2f |\n", k, s.allocBytes, s.allocObjects)
			}
		}
		fmt.Fprintln(out)
	}
}

// writeSamples prints the medians of every load on every server.
func (f found) writeSamples(out io.Writer) {
	fmt.Fprintln(out, "| load | server | spans/CPU-s | spread | spans/s | p50 ms | p99 ms | peak RSS MB | written B/B | drain s | its CPU s |\n|---|---|---|---|---|---|---|---|---|---|---|")
	for _, v := range f.variants() {
		for _, k := range []kind{oursFsync, oursRedacted, oursMemory, oursLangSmith, oursPassing, collectorMemory, collectorDurable, collectorProxy} {
			all := f.samples[cell{v, k}]
			if len(all) == 0 {
				continue
			}
			m := func(pick func(sample) float64) float64 { return f.median(v, k, pick) }
			low, high := all[0].perCPU, all[0].perCPU
			for _, one := range all {
				low, high = min(low, one.perCPU), max(high, one.perCPU)
			}
			fmt.Fprintf(out, "| %s | %s | %s | %.0f %% | %s | %.2f | %.2f | %.0f | %.2f | %.1f | %.2f |\n", v, k,
				thousands(m(perCPU)), 100*(high-low)/m(perCPU), thousands(m(func(s sample) float64 { return s.perSecond })),
				m(func(s sample) float64 { return s.p50 }), m(p99), m(peak)/1e6,
				m(func(s sample) float64 { return s.written }), m(func(s sample) float64 { return s.drain }), m(func(s sample) float64 { return s.drainCPU }))
		}
	}
	fmt.Fprintln(out)
}

// thousands writes a number short enough to compare.
func thousands(n float64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.2fM", n/1e6)
	case n >= 100e3:
		return fmt.Sprintf("%.0fk", n/1e3)
	case n >= 1e3:
		return fmt.Sprintf("%.1fk", n/1e3)
	default:
		return fmt.Sprintf("%.0f", n)
	}
}

// machine names what the figures were taken on, and how busy it was.
func machine() string {
	name := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				name = strings.TrimSpace(value)
				break
			}
		}
	}
	load := ""
	if average, err := os.ReadFile("/proc/loadavg"); err == nil {
		load = ", load average " + strings.Join(strings.Fields(string(average))[:3], " ")
	}
	return fmt.Sprintf("%d CPUs (%s), %s/%s, %s%s", runtime.NumCPU(), name, runtime.GOOS, runtime.GOARCH, runtime.Version(), load)
}
