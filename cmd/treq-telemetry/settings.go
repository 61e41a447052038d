package main

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"treq/server/config"
)

// configFlag names the file; it is no setting of the file itself.
const (
	configFlag = "config"
	configEnv  = "TREQ_CONFIG"
)

// addSettingFlags gives a command one flag for every setting that has one, or only
// for those of some flags.
func addSettingFlags(cmd *cobra.Command, only ...string) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.String(configFlag, "", "YAML `file` with settings; environment "+configEnv)
	for _, s := range config.Settings() {
		if s.Flag == "" || len(only) > 0 && !slices.Contains(only, s.Flag) {
			continue
		}
		usage := s.Usage
		flags.Var(&given{text: s.Default(), isBool: s.Bool()}, s.Flag, usage)
		if s.Bool() {
			flags.Lookup(s.Flag).NoOptDefVal = "true"
		}
	}
	_ = cmd.MarkFlagFilename(configFlag, "yaml", "yml")
	if flags.Lookup("data-dir") != nil {
		_ = cmd.MarkFlagDirname("data-dir")
	}
}

// given is a flag's text as it stands on the command line; the settings' own
// decoder reads it, so that flags, variables and files take the same words.
type given struct {
	text   string
	isBool bool
}

func (g *given) String() string { return g.text }

func (g *given) Set(s string) error {
	g.text = s
	return nil
}

func (g *given) Type() string {
	if g.isBool {
		return "bool"
	}
	return "string"
}

// loadSettings reads the settings of a command that has their flags. file, where
// not empty, goes before --config.
func (p *process) loadSettings(cmd *cobra.Command, file string) (config.Loaded, error) {
	src := config.Sources{Flags: map[string]string{}, Env: p.env, File: file}
	cmd.Flags().Visit(func(f *pflag.Flag) { src.Flags[f.Name] = f.Value.String() })
	if src.File == "" {
		src.File = src.Flags[configFlag]
	}
	if src.File == "" {
		src.File = strings.TrimSpace(p.env(configEnv))
	}
	loaded, err := config.Load(src)
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = config.Problems{{Origin: config.Origin{Name: path.Path}, Reason: path.Err.Error()}}
	}
	if err != nil {
		return config.Loaded{}, usageError{err}
	}
	return loaded, nil
}
