package e2etest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// ports hands out loopback addresses, each once in a process's life, so that what
// is down for a while finds its port free again. They lie below the range that
// systems take the ports of outgoing connections from.
var ports = struct {
	sync.Mutex
	next int
}{next: firstPort + rand.IntN(lastPort-firstPort)}

const firstPort, lastPort = 12000, 30000

// FreePort gives a loopback address that nobody listens on, for another program
// than the product.
func FreePort() (string, error) {
	addrs, err := freePorts(1)
	if err != nil {
		return "", err
	}
	return addrs[0], nil
}

// freePorts gives n loopback addresses that nobody listens on.
func freePorts(n int) ([]string, error) {
	ports.Lock()
	defer ports.Unlock()
	addrs := make([]string, 0, n)
	for range lastPort - firstPort {
		if len(addrs) == n {
			return addrs, nil
		}
		if ports.next++; ports.next > lastPort {
			ports.next = firstPort
		}
		addr := fmt.Sprintf("127.0.0.1:%d", ports.next)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return nil, err
		}
		addrs = append(addrs, addr)
	}
	return nil, errors.New("no free port on loopback")
}
