// Record runs the clients of manifest.json one after the other against a fake
// model and a recording server on the loopback address, and writes what they sent
// and what happened to cases/. It is started by record.sh, which installs the
// clients.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// patience bounds one client: imports of the large libraries take seconds.
const patience = 3 * time.Minute

func main() {
	root := flag.String("root", "test/recorded", "the directory of manifest.json, clients and cases")
	installed := flag.String("installed", ".cache/recorded", "where record.sh installed the clients")
	listen := flag.String("listen", "127.0.0.1:18318", "the address of the fake; it appears in what clients send")
	only := flag.String("run", "", "record only the cases whose name matches this expression")
	flag.Parse()
	if err := record(*root, *installed, *listen, *only); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

func record(root, installed, listen, only string) error {
	filter, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	plans, err := readManifest(filepath.Join(root, "manifest.json"))
	if err != nil {
		return err
	}
	if installed, err = filepath.Abs(installed); err != nil {
		return err
	}
	if root, err = filepath.Abs(root); err != nil {
		return err
	}
	var failed []string
	for _, p := range plans {
		if !filter.MatchString(p.Name) {
			continue
		}
		if err := recordOne(p, root, installed, listen); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", p.Name, err)
			failed = append(failed, p.Name)
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("not recorded: %s", strings.Join(failed, ", "))
	}
	return nil
}

func recordOne(p plan, root, installed, listen string) error {
	l := &ledger{service: p.Service}
	door := &door{}
	server := &http.Server{Handler: routes(l, door)}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	started := time.Now()
	runErr := p.run(root, installed, "http://"+listen)
	closeErr := server.Close()
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(runErr, err)
	}
	if err := errors.Join(runErr, closeErr); err != nil {
		return err
	}
	sent := door.requests()
	if len(sent) == 0 {
		return errors.New("the client sent nothing")
	}
	c, err := describe(p, l, sent)
	if err != nil {
		return err
	}
	size, err := c.write(filepath.Join(root, "cases", p.Name), paths{installed, root})
	if err != nil {
		return err
	}
	fmt.Printf("%-44s %2d requests %6d bytes %5.1fs  %s\n", p.Name, len(sent), size, time.Since(started).Seconds(), l.summary())
	return nil
}

// run starts the client and waits for it. The environment is the case's own, so
// that nothing of the machine that records gets into what clients send.
func (p plan) run(root, installed, fake string) error {
	home, err := os.MkdirTemp("", "client")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()

	var cmd *exec.Cmd
	if strings.HasPrefix(p.Client, "js") {
		dir := filepath.Join(installed, p.Client)
		cmd = exec.CommandContext(ctx, "node", append([]string{filepath.Join(dir, p.Program)}, p.Args...)...)
	} else {
		python := filepath.Join(installed, p.Client, "bin", "python")
		program := filepath.Join(root, "clients", "python", p.Program)
		cmd = exec.CommandContext(ctx, python, append([]string{"-B", program}, p.Args...)...)
	}
	cmd.Dir = home
	cmd.Env = []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + home, "TMPDIR=" + home, "LANG=C.UTF-8", "TZ=UTC",
		"FAKE=" + fake, "OTEL_SERVICE_NAME=" + p.Service,
	}
	for name, value := range p.Env {
		cmd.Env = append(cmd.Env, name+"="+strings.ReplaceAll(value, "$FAKE", fake))
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	} else if os.Getenv("VERBOSE") != "" {
		os.Stderr.Write(out)
	}
	return nil
}
