package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"treq/server/capacity"
	"treq/server/config"
)

func (p *process) capacityCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "capacity --spans-per-second N",
		Short: "Reckon how many replicas, how much disk and memory a load needs",
		Long: `Capacity reckons from measured figures, which it names with their date, and says
what breaks first at that order of magnitude (docs/capacity.md). It is a plan, not a
promise: measure yours.`,
		Example: `  treq-telemetry capacity --spans-per-second 250000
  treq-telemetry capacity --spans-per-second 1e6 --bytes-per-span 600 --cores 16 --keep 2h`,
		Args: usageArgs(cobra.NoArgs),
	}
	var l capacity.Load
	cmd.Flags().Float64Var(&l.SpansPerSecond, "spans-per-second", 0, "`spans` a second at the peak, up to 1e7")
	cmd.Flags().Float64Var(&l.BytesPerSpan, "bytes-per-span", 1168, "`bytes` of a span on the wire, uncompressed")
	cmd.Flags().Float64Var(&l.Cores, "cores", 4, "`processors` of each replica and gateway")
	keep := cmd.Flags().String("keep", "24h", "`duration` that the journal keeps")
	cmd.RunE = func(*cobra.Command, []string) error {
		if !cmd.Flags().Changed("spans-per-second") {
			return usageError{errors.New("--spans-per-second is missing: want the load at its peak, such as 20000")}
		}
		var d config.Duration
		if err := d.UnmarshalText([]byte(*keep)); err != nil || d <= 0 {
			return usageError{fmt.Errorf("--keep %q is no duration above 0: want one like 24h or 7d", *keep)}
		}
		if l.BytesPerSpan == 0 || l.Cores == 0 { // which For takes for what is usual
			return usageError{errors.New("--bytes-per-span and --cores are above 0")}
		}
		l.Keep = time.Duration(d)
		plan, err := capacity.For(l)
		if err != nil {
			return usageError{err}
		}
		return p.tellPlan(plan)
	}
	return cmd
}

func (p *process) tellPlan(plan capacity.Plan) error {
	err := columns(p.stdout, func(w io.Writer) {
		fmt.Fprintf(w, "replicas\t%d\tof %g cores; for: %s\n", plan.Replicas, plan.Cores, plan.Limit)
		fmt.Fprintf(w, "gateways\t%d\t%d cores together\n", plan.Gateways, plan.GatewayCores)
		fmt.Fprintf(w, "disk\t%.1f GB\teach, for a journal of %s\n", plan.DiskBytes/1e9, plan.Keep)
		fmt.Fprintf(w, "memory\t%.1f GB\teach\n", plan.MemoryBytes/1e9)
		fmt.Fprintf(w, "network\t%.2f Gbit/s\tin, uncompressed\n", plan.BitsPerSecond/1e9)
		fmt.Fprintf(w, "series\t%d\tin what adds the replicas up\n", plan.Series)
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "\nBreaks first: %s.\nFrom figures of %s on %s.\n", plan.Breaks, capacity.Measured, capacity.Machine)
	return err
}
