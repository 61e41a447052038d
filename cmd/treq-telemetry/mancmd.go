package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manCommand writes the manual page that packages install.
func (p *process) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man",
		Short:   "Write the manual page, in roff",
		Example: `  treq-telemetry man | man -l -`,
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var b strings.Builder
			manual(&b, cmd.Root())
			_, err := io.WriteString(p.stdout, b.String())
			return err
		},
	}
}

// manual writes one page of a program with all its commands (man-pages(7)). It has
// no date, so that the same source gives the same bytes.
func manual(b *strings.Builder, root *cobra.Command) {
	fmt.Fprintf(b, ".TH %s 1 \"\" \"treq-telemetry\" \"User Commands\"\n", strings.ToUpper(root.Name()))
	fmt.Fprintf(b, ".SH NAME\n%s \\- %s\n", roff(root.Name()), roff(root.Short))
	fmt.Fprintf(b, ".SH SYNOPSIS\n.B %s\n[\\fICOMMAND\\fR] [\\fIFLAGS\\fR]\n", roff(root.Name()))
	fmt.Fprintf(b, ".SH DESCRIPTION\n%s", paragraphs(root.Long))
	b.WriteString(".SH COMMANDS\n")
	commands(b, root)
	b.WriteString(".SH SETTINGS\nFlags of \\fBserve\\fR, and of the program without a command. Each is a variable too: \\fBTREQ_\\fR and the flag's name.\n")
	options(b, root.LocalNonPersistentFlags())
	b.WriteString(".SH FILES\n.TP\n.I /etc/treq\\-telemetry/treq.yaml\nThe settings of the installed service.\n" +
		".TP\n.I /etc/treq\\-telemetry/environment\nIts variables: keys and tokens.\n" +
		".TP\n.I /var/lib/treq\\-telemetry\nIts data.\n")
	b.WriteString(".SH EXIT STATUS\n.TP\n.B 0\nA clean end.\n.TP\n.B 1\nA failure.\n.TP\n.B 2\nA mistake in flags or settings.\n")
}

func commands(b *strings.Builder, parent *cobra.Command) {
	for _, c := range parent.Commands() {
		if !c.IsAvailableCommand() || c.Name() == "help" {
			continue
		}
		if c.HasAvailableSubCommands() {
			commands(b, c)
			continue
		}
		fmt.Fprintf(b, ".SS %s\n%s.\n", roff(c.UseLine()), roff(c.Short))
		if c.Example != "" {
			fmt.Fprintf(b, ".PP\n.nf\n%s\n.fi\n", roff(strings.Trim(c.Example, "\n")))
		}
		if c.Name() != "serve" && c.CommandPath() != "treq-telemetry config show" {
			options(b, c.LocalNonPersistentFlags())
		}
	}
}

func options(b *strings.Builder, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		fmt.Fprintf(b, ".TP\n.B %s", roff("--"+f.Name))
		if f.Shorthand != "" {
			fmt.Fprintf(b, ", %s", roff("-"+f.Shorthand))
		}
		if value != "" {
			fmt.Fprintf(b, " \\fI%s\\fR", roff(value))
		}
		fmt.Fprintf(b, "\n%s\n", roff(usage))
	})
}

func paragraphs(text string) string {
	var b strings.Builder
	for p := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		fmt.Fprintf(&b, ".PP\n%s\n", roff(p))
	}
	return b.String()
}

// roff escapes what would be a command: backslashes, minus signs that are meant to
// be typed, and a dot or an apostrophe that begins a line.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
