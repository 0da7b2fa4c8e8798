// SPDX-FileCopyrightText: The MesaTEE authors
// SPDX-License-Identifier: Apache-2.0

// load ENDPOINT CA CERT KEY OUTSTANDING CONNECTIONS: 256-byte puts under random keys, each awaited by one of
// OUTSTANDING callers over CONNECTIONS mutual TLS connections. Talks as ../../load.c does: says "ready"; for each line
// of input, a number of milliseconds, it works so long and says puts, microseconds, p50 and p99 in microseconds.
package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	check(err)
	return n
}

func connect(args []string, count int) []*clientv3.Client {
	tls, err := transport.TLSInfo{TrustedCAFile: args[1], CertFile: args[2], KeyFile: args[3]}.ClientConfig()
	check(err)
	clients := make([]*clientv3.Client, count)
	for i := range clients {
		clients[i], err = clientv3.New(clientv3.Config{Endpoints: args[:1], TLS: tls, DialTimeout: 20 * time.Second})
		check(err)
		_, err = clients[i].Get(context.Background(), "bench")
		check(err)
	}
	return clients
}

// One caller: each put is waited for before the next.
func caller(c *clientv3.Client, r *rand.Rand, until time.Time) []time.Duration {
	value := make([]byte, 256)
	var took []time.Duration
	for time.Now().Before(until) {
		r.Read(value)
		begin := time.Now()
		_, err := c.Put(context.Background(), fmt.Sprintf("bench/%08d", r.Intn(100000)), string(value))
		check(err)
		took = append(took, time.Since(begin))
	}
	return took
}

func turn(clients []*clientv3.Client, callers []*rand.Rand, ms int) {
	var all []time.Duration
	var lock sync.Mutex
	var wait sync.WaitGroup
	begin := time.Now()
	until := begin.Add(time.Duration(ms) * time.Millisecond)
	for i, r := range callers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			took := caller(clients[i%len(clients)], r, until)
			lock.Lock()
			all = append(all, took...)
			lock.Unlock()
		}()
	}
	wait.Wait()
	total := time.Since(begin)
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	fmt.Println(len(all), total.Microseconds(), all[len(all)/2].Microseconds(), all[len(all)*99/100].Microseconds())
}

func main() {
	args := os.Args[1:]
	callers := make([]*rand.Rand, number(args[4]))
	for i := range callers {
		callers[i] = rand.New(rand.NewSource(int64(i)))
	}
	clients := connect(args, number(args[5]))
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		turn(clients, callers, number(lines.Text()))
	}
}
