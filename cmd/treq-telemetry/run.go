package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"treq/server/config"
)

// The exit codes (docs/api.md, section 4).
const (
	exitOK      = 0
	exitRuntime = 1
	exitUsage   = 2
)

// process is what a command may touch of the outside.
type process struct {
	env            func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
	newService     newService
}

// usageError is the user's: a flag, an argument or a setting.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// run is the program. It returns the exit code, and ends early when ctx does.
func run(ctx context.Context, args, env []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &process{env: lookup(env), stdin: stdin, stdout: stdout, stderr: stderr, newService: newServer}
	root := p.rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if usage, ok := errors.AsType[usageError](err); ok {
		fmt.Fprintln(stderr, describe(usage.error, command.CommandPath()))
		return exitUsage
	}
	fmt.Fprintln(stderr, "treq-telemetry:", err)
	return exitRuntime
}

// describe writes problems one a line, and other errors behind the program's name,
// with the command whose help says more.
func describe(err error, command string) string {
	if problems, ok := errors.AsType[config.Problems](err); ok {
		return problems.Error()
	}
	return "treq-telemetry: " + err.Error() + "\nTry: " + command + " --help"
}

// lookup reads variables from a list of NAME=value; the last of a name wins.
func lookup(env []string) func(string) string {
	vars := make(map[string]string, len(env))
	for _, pair := range env {
		if name, value, ok := strings.Cut(pair, "="); ok {
			vars[name] = value
		}
	}
	return func(name string) string { return vars[name] }
}

func (p *process) rootCommand() *cobra.Command {
	serve := p.serveCommand()
	root := &cobra.Command{
		Use:   "treq-telemetry",
		Short: "Telemetry for RAG chat services",
		Long: `treq-telemetry receives the telemetry of RAG chat services (OTLP, or simple
POSTs), keeps exact numbers on chats, searches and model calls, serves them as
JSON and to Prometheus, and forwards the traces to LangSmith and others.

With no command it serves.`,
		Example: `  treq-telemetry                              serve on http://127.0.0.1:8002
  treq-telemetry serve --listen :8002         serve on every interface
  treq-telemetry demo                         send it realistic traffic
  treq-telemetry config check treq.yaml       check a file before using it`,
		Args:          usageArgs(cobra.NoArgs),
		RunE:          serve.RunE,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	addSettingFlags(root)
	root.Flags().SortFlags = false
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(serve, p.topCommand(), p.tailCommand(), p.explainCommand(), p.eraseCommand(), p.doctorCommand(), p.alertCommand(), p.configCommand(), p.sinksCommand(), p.demoCommand(), p.pricesCommand(), p.objectivesCommand(), p.probeCommand(), p.manCommand(), p.scaleOutCommand(), p.capacityCommand(), p.versionCommand())
	root.InitDefaultCompletionCmd()
	return root
}

// usageArgs marks what a check of the arguments finds as the user's.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}
