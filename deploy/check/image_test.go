package check

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// podman is the engine that needs no daemon, with a store of its own. Control groups
// are out of its way, in a mount namespace that ends with the command.
type podman struct{ dir string }

// run gives what it says on its two outputs.
func (e podman) run(args ...string) (string, error) {
	const script = "umount -R /sys/fs/cgroup; mount -t tmpfs none /sys/fs/cgroup; dir=$1; shift; exec podman " +
		`--root "$dir/store" --runroot "$dir/run" --storage-driver vfs --cgroup-manager cgroupfs --events-backend file "$@"`
	cmd := exec.Command("unshare", append([]string{"-m", "sh", "-c", script, "podman", e.dir}, args...)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+e.dir)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (e podman) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := e.run(args...)
	if err != nil {
		t.Fatalf("podman %s: %v\n%s", args[0], err, out)
	}
	return out
}

// bases stand in for the images that the files begin with, which come from
// registries: what distroless's image documents of itself, a shell, and a Go whose
// compiler gives the program that is built already.
var bases = map[string]struct {
	lay  string // a script that lays the image's files into $1
	file string
}{
	"gcr.io/distroless/static-debian12:nonroot": {
		`mkdir -p $1/etc/ssl/certs $1/usr/share $1/home/nonroot $1/tmp && chmod 1777 $1/tmp
		cp -L /etc/ssl/certs/ca-certificates.crt $1/etc/ssl/certs && cp -rL /usr/share/zoneinfo $1/usr/share
		printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >$1/etc/passwd
		printf 'root:x:0:\nnonroot:x:65532:\n' >$1/etc/group`,
		"ENV PATH=/usr/bin:/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt\nUSER 65532\nWORKDIR /home/nonroot\n",
	},
	"docker.io/library/busybox:1.37": {
		`mkdir -p $1/bin && cp $(command -v busybox) $1/bin/busybox && for name in sh mkdir; do ln -s busybox $1/bin/$name; done`,
		"ENV PATH=/bin\n",
	},
	"docker.io/library/golang:1.26-bookworm": {
		`mkdir -p $1/bin $1/tmp && chmod 1777 $1/tmp && cp $(command -v busybox) $1/bin/busybox && cp $2 $1/program
		for name in sh mkdir cp test dirname; do ln -s busybox $1/bin/$name; done
		printf '#!/bin/sh\nset -e\ncase "$1" in\nmod) test -e go.sum ;;\nbuild) test -e .git && test "$CGO_ENABLED $GOOS $GOARCH $2 $3 $4 $6" = "0 linux amd64 -trimpath -pgo=cmd/treq-telemetry/release.pgo -o ./cmd/treq-telemetry" && test -e "${3#-pgo=}" && mkdir -p $(dirname "$5") && cp /program "$5" ;;\n*) exit 3 ;;\nesac\n' >$1/bin/go
		chmod +x $1/bin/go`,
		"ENV PATH=/bin\n",
	},
}

func containers(t *testing.T) podman {
	t.Helper()
	tool(t, "podman")
	e := podman{t.TempDir()}
	for name, base := range bases {
		dir := t.TempDir()
		if out, err := exec.Command("sh", "-ec", base.lay, "sh", dir, program).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		file := filepath.Join(t.TempDir(), "Dockerfile")
		if err := os.WriteFile(file, []byte("FROM scratch\nCOPY . /\n"+base.file), 0o600); err != nil {
			t.Fatal(err)
		}
		e.must(t, "build", "-q", "--format", "docker", "--layers=false", "-f", file, "-t", name, dir)
	}
	return e
}

// TestImages builds both images, each instruction of their files being executed, and
// runs them as compose and the chart do: read-only, without any right, as nobody.
func TestImages(t *testing.T) {
	e := containers(t)
	release := t.TempDir()
	if err := os.MkdirAll(filepath.Join(release, "linux", "amd64"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(program, filepath.Join(release, "linux", "amd64", "treq-telemetry")); err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(t.TempDir(), "source")
	if out, err := run("git", "clone", "-q", "--depth=1", "file://"+absolute(t, root), source); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, dir := range map[string]string{"release.Dockerfile": release, "Dockerfile": source} {
		t.Run(name, func(t *testing.T) {
			image := "localhost/" + strings.ToLower(name)
			e.must(t, "build", "--pull=never", "--layers=false", "--isolation", "chroot", "--format", "docker", "--platform", "linux/amd64",
				"-f", absolute(t, filepath.Join(root, "deploy", "docker", name)), "-t", image, dir)
			contents(t, e, image)
			lives(t, e, image)
		})
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// contents holds an image's files to what is promised: one program and no other,
// nothing with rights of others, certificates, time zones, and one directory that the
// user owns.
func contents(t *testing.T, e podman, image string) {
	t.Helper()
	dir := t.TempDir()
	e.must(t, "create", "--name", "files", "--no-healthcheck", image)
	e.must(t, "export", "-o", filepath.Join(dir, "files.tar"), "files")
	e.must(t, "rm", "files")
	out, err := run("tar", "-tvf", filepath.Join(dir, "files.tar"), "--numeric-owner")
	if err != nil {
		t.Fatal(err)
	}
	var programs, owned []string
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		mode, owner, name := fields[0], fields[1], fields[5]
		if mode[0] == '-' && strings.Contains(mode, "x") {
			programs = append(programs, name)
		}
		if strings.ContainsAny(mode[1:], "sS") {
			t.Errorf("rights of others: %s", line)
		}
		if strings.HasPrefix(owner, "65532/") {
			owned = append(owned, name)
			if name == "data/" && mode != "drwx------" {
				t.Errorf("data is everybody's: %s", line)
			}
		}
	}
	if !slices.Equal(programs, []string{"usr/bin/treq-telemetry"}) || !slices.Equal(owned, []string{"data/"}) {
		t.Errorf("programs %v, files of the user %v", programs, owned)
	}
	for _, name := range []string{" etc/ssl/certs/ca-certificates.crt\n", " usr/share/zoneinfo/America/Sao_Paulo\n"} {
		if !strings.Contains(out, name) {
			t.Errorf("the image lacks%s", name)
		}
	}
}

// lives runs an image until its own health check says that it is well, and stops it.
func lives(t *testing.T, e podman, image string) {
	t.Helper()
	var health []string
	if err := json.Unmarshal([]byte(e.must(t, "image", "inspect", "-f", "{{json .HealthCheck.Test}}", image)), &health); err != nil || len(health) != 3 || health[0] != "CMD" {
		t.Fatalf("health check %v (%v)", health, err)
	}
	if user := e.must(t, "image", "inspect", "-f", "{{.User}}", image); user != "65532:65532" {
		t.Errorf("user %q", user)
	}
	ports := freePorts(t, 3)
	e.must(t, "run", "-d", "--name", "treq", "--no-healthcheck", "--cgroups=disabled", "--network", "host", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024",
		"--read-only", "--read-only-tmpfs=false", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "-v", "treq:/data",
		"-e", "PORT="+ports[0], "-e", "TREQ_OTLP_HTTP=127.0.0.1:"+ports[1], "-e", "TREQ_OTLP_GRPC=127.0.0.1:"+ports[2], image)
	defer func() { _, _ = e.run("rm", "-f", "-v", "treq") }()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	probe := append([]string{"exec", "treq"}, health[1:]...)
	for {
		out, err := e.run(probe...)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			logs, _ := e.run("logs", "treq")
			t.Fatalf("%v %s\n%s", err, out, logs)
		}
	}
	answer(t, http.MethodPost, "http://127.0.0.1:"+ports[0]+"/monitoring/chat/metrics?success=true&response_time_ms=500")
	if out, err := e.run("exec", "treq", "/bin/sh", "-c", "true"); err == nil {
		t.Errorf("there is a shell: %s", out)
	}
	pid := e.must(t, "inspect", "-f", "{{.State.Pid}}", "treq")
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Uid:\t65532\t65532\t65532\t65532", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(string(status), want) {
			t.Errorf("the process lacks %q:\n%s", want, status)
		}
	}
	mounts, err := os.ReadFile("/proc/" + pid + "/mounts")
	if err != nil || !rootReadOnly(string(mounts)) {
		t.Errorf("the root may be written (%v):\n%s", err, mounts)
	}
	e.must(t, "stop", "-t", "40", "treq")
	if code := e.must(t, "inspect", "-f", "{{.State.ExitCode}}", "treq"); code != "0" {
		t.Errorf("it stops with %s", code)
	}
}

func rootReadOnly(mounts string) bool {
	for line := range strings.Lines(mounts) {
		if f := strings.Fields(line); len(f) > 3 && f[1] == "/" {
			return slices.Contains(strings.Split(f[3], ","), "ro")
		}
	}
	return false
}

// TestOtherArchitecture builds the program for arm64 and has it answer, under qemu.
func TestOtherArchitecture(t *testing.T) {
	path := filepath.Join(t.TempDir(), "treq-telemetry")
	b := exec.Command("go", "build", "-trimpath", "-o", path, "./cmd/treq-telemetry")
	b.Dir = root
	b.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64")
	if out, err := b.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	qemu := tool(t, "qemu-aarch64-static")
	if out, err := run(qemu, path, "version"); err != nil || !strings.Contains(out, "linux/arm64") {
		t.Fatalf("%v\n%s", err, out)
	}
	ports := freePorts(t, 3)
	serving(t, "127.0.0.1:"+ports[0], exec.Command(qemu, path, "serve", "--listen", "127.0.0.1:"+ports[0], "--otlp-http", "127.0.0.1:"+ports[1],
		"--otlp-grpc", "127.0.0.1:"+ports[2], "--data-dir", filepath.Join(t.TempDir(), "data")))
	answer(t, http.MethodPost, "http://127.0.0.1:"+ports[0]+"/monitoring/chat/metrics?success=true&response_time_ms=500")
	if sums := answer(t, http.MethodGet, "http://127.0.0.1:"+ports[0]+"/monitoring/stats/summary"); !strings.Contains(sums, `"total_requests":1`) {
		t.Error(sums)
	}
}

// serving starts the product, and returns once it answers at an address. What is asked
// of it afterwards waits with until, which tells what the product logged where it must not wait longer.
func serving(t *testing.T, address string, s *exec.Cmd) (until func(what string, is func() bool)) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	s.Stdout, s.Stderr = log, log
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Process.Kill(); _ = s.Wait() })
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	until = func(what string, is func() bool) {
		t.Helper()
		for !is() {
			if ctx.Err() != nil {
				said, _ := os.ReadFile(log.Name())
				t.Fatalf("%s\n%s", what, said)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	until("it does not answer", func() bool {
		_, err := run(program, "probe", "--listen", address)
		return err == nil
	})
	return until
}

func answer(t *testing.T, method, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %v: %s", url, err, body)
	}
	return string(body)
}

// freePorts gives ports of the loopback that nobody has. They lie below those that
// systems choose for outgoing connections, one of which would have them first.
func freePorts(t *testing.T, n int) (ports []string) {
	t.Helper()
	for len(ports) < n {
		port := fmt.Sprint(12000 + rand.IntN(18000))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			defer l.Close()
			ports = append(ports, port)
		}
	}
	return ports
}
