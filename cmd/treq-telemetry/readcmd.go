package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"treq/telemetry"
	"treq/terminal"
)

// reading are the flags of every command that asks a running service.
type reading struct {
	url, token string
}

func (o *reading) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.url, "url", "", "the service's `URL`; environment TREQ_URL (default \"http://localhost:8002\")")
	cmd.Flags().StringVar(&o.token, "api-token", "", "`token` of the scope read; environment TREQ_API_TOKEN, of several the first")
}

func (o *reading) client(p *process) (*terminal.Client, error) {
	address, token := o.url, o.token
	if address == "" {
		address = p.env("TREQ_URL")
	}
	if address == "" {
		address = "http://localhost:8002"
	}
	if token == "" {
		token = firstOf(p.env("TREQ_API_TOKEN"))
	}
	c, err := terminal.NewClient(address, telemetry.NewSecret(token))
	if err != nil {
		return nil, usageError{err}
	}
	return c, nil
}

// firstOf gives the first of several tokens with commas between them.
func firstOf(tokens string) string {
	first, _, _ := strings.Cut(tokens, ",")
	return strings.TrimSpace(first)
}

// tty gives the file behind the standard output if it is a terminal, else nil.
func (p *process) tty() *os.File {
	if f, ok := p.stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}

// screen says how to write: as wide as the terminal, 80 columns into a pipe, where runs
// have lines as long as they are; colours
// only on a terminal that may have them (https://no-color.org/).
func (p *process) screen() terminal.Screen {
	s := terminal.Screen{Columns: 80, Language: terminal.LanguageOf(p.env)}
	f := p.tty()
	if f == nil {
		s.Whole = true
		return s
	}
	s.Colours = p.env("NO_COLOR") == "" && p.env("TERM") != "dumb"
	if width, height, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		s.Columns, s.Rows = width, height
	}
	return s
}

// untilInterrupted ends with ctx or with Ctrl-C.
func untilInterrupted(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

func (p *process) topCommand() *cobra.Command {
	var o reading
	var pace time.Duration
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Show a running service live: models, services, latency, tokens, cost, alerts, sinks",
		Long: `Top shows a running service, every two seconds anew. q or Ctrl-C ends it. Into a
pipe it writes one picture.`,
		Example: `  treq-telemetry top
  treq-telemetry top --url https://telemetry.example.com --api-token …
  treq-telemetry top | head`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if pace < 200*time.Millisecond {
				return usageError{fmt.Errorf("--every is at least 200ms, not %v", pace)}
			}
			c, err := o.client(p)
			if err != nil {
				return err
			}
			defer c.Close()
			if f := p.tty(); f != nil {
				return p.follow(cmd.Context(), c, f, pace)
			}
			picture, err := terminal.Top(cmd.Context(), c, p.screen(), time.Now())
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(p.stdout, picture)
			return err
		},
	}
	o.flags(cmd)
	cmd.Flags().DurationVar(&pace, "every", 2*time.Second, "`time` between two pictures")
	return cmd
}

// follow shows pictures on the terminal's second screen, so that the first is as it was.
func (p *process) follow(ctx context.Context, c *terminal.Client, f *os.File, pace time.Duration) error {
	ctx, cancel := untilInterrupted(ctx)
	defer cancel()
	if in, ok := p.stdin.(*os.File); ok && term.IsTerminal(int(in.Fd())) {
		// Keys arrive one by one and unseen.
		if old, err := term.MakeRaw(int(in.Fd())); err == nil {
			defer func() { _ = term.Restore(int(in.Fd()), old) }()
			go func() {
				key := make([]byte, 1)
				for {
					// Ends with the process: a read of a terminal cannot be given up.
					if _, err := in.Read(key); err != nil || key[0] == 'q' || key[0] == 3 {
						cancel()
						return
					}
				}
			}()
		}
	}
	fmt.Fprint(f, "\x1b[?1049h\x1b[?25l")
	defer fmt.Fprint(f, "\x1b[?25h\x1b[?1049l")
	return terminal.Follow(ctx, c, p.screen, pace, func(s string) error {
		_, err := f.WriteString(s)
		return err
	})
}

func (p *process) tailCommand() *cobra.Command {
	var o reading
	t := terminal.TailOptions{Follow: true}
	var once bool
	cmd := &cobra.Command{
		Use:   "tail [TEXT]",
		Short: "Write runs as they come, a line each, those that hold TEXT",
		Example: `  treq-telemetry tail
  treq-telemetry tail --outcome failure
  treq-telemetry tail --service treq-backend timeout
  treq-telemetry tail --once -n 100 --json | jq .run_id`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				t.Text = args[0]
			}
			if t.Last < 0 || t.Last > terminal.MostTailed {
				return usageError{fmt.Errorf("--lines is from 0 to %d, not %d", terminal.MostTailed, t.Last)}
			}
			if o := t.Outcome; o != "" && o != "success" && o != "failure" && o != "running" {
				return usageError{fmt.Errorf("--outcome is success, failure or running, not %q", o)}
			}
			t.None = t.Last == 0
			t.Follow, t.Notes = !once, p.stderr
			c, err := o.client(p)
			if err != nil {
				return err
			}
			defer c.Close()
			ctx, cancel := untilInterrupted(cmd.Context())
			defer cancel()
			return terminal.Tail(ctx, c, p.screen(), t, p.stdout)
		},
	}
	o.flags(cmd)
	cmd.Flags().IntVarP(&t.Last, "lines", "n", 10, "`number` of runs to begin with")
	cmd.Flags().StringVar(&t.Service, "service", "", "only of this `service`")
	cmd.Flags().StringVar(&t.Model, "model", "", "only with this `model`")
	cmd.Flags().StringVar(&t.Outcome, "outcome", "", "only success, failure or running")
	cmd.Flags().BoolVar(&once, "once", false, "end after the runs there are")
	cmd.Flags().BoolVar(&t.JSON, "json", false, "write runs as JSON")
	return cmd
}

func (p *process) explainCommand() *cobra.Command {
	var o reading
	cmd := &cobra.Command{
		Use:   "explain RUN",
		Short: "Show one run as a tree, with what each span counted for and why",
		Long: `Explain shows a run of a running service. RUN is its LangSmith id, its trace id or
the id of one of its spans.`,
		Example: `  treq-telemetry explain 00000000-0000-0000-dfd2-f442bb2a5fb9`,
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := o.client(p)
			if err != nil {
				return err
			}
			defer c.Close()
			return terminal.Explain(cmd.Context(), c, p.screen(), args[0], p.stdout)
		},
	}
	o.flags(cmd)
	return cmd
}

var (
	errUnwell         = errors.New("not all is well")
	errUnwellOfBrazil = errors.New("nem tudo está bem")
)

func (p *process) doctorCommand() *cobra.Command {
	var o reading
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look whether a running service receives, counts and forwards, and say what to do",
		Long: `Doctor looks at a running service: does it receive, count and forward; are prices
and scores known; do the clocks agree; can somebody be told of alerts. Each finding
comes with its remedy. Exit code 1: something is wrong.`,
		Example: `  treq-telemetry doctor --url http://localhost:8002`,
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := o.client(p)
			if err != nil {
				return err
			}
			defer c.Close()
			s := p.screen()
			found, err := terminal.Doctor(cmd.Context(), c, s, time.Now)
			if err != nil {
				return err
			}
			problems, err := s.Report(p.stdout, found)
			if err == nil && problems > 0 {
				if err = errUnwell; s.Language == terminal.Portuguese {
					err = errUnwellOfBrazil
				}
			}
			return err
		},
	}
	o.flags(cmd)
	return cmd
}
