// SPDX-FileCopyrightText: The MesaTEE authors
// SPDX-License-Identifier: Apache-2.0

// load ENDPOINT CA CERT KEY OUTSTANDING SECONDS CONNECTIONS: 256-byte puts under random keys, each awaited by one of
// OUTSTANDING callers over CONNECTIONS mutual TLS connections. Prints puts, seconds, p50 and p99 in microseconds.
package main

import (
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
		clients[i], err = clientv3.New(clientv3.Config{Endpoints: args[:1], TLS: tls, DialTimeout: 5 * time.Second})
		check(err)
	}
	return clients
}

func caller(c *clientv3.Client, seed int64, until time.Time) []time.Duration {
	r := rand.New(rand.NewSource(seed))
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

func main() {
	args := os.Args[1:]
	outstanding, seconds := number(args[4]), number(args[5])
	clients := connect(args, number(args[6]))
	for _, c := range clients {
		_, err := c.Get(context.Background(), "bench")
		check(err)
	}
	var all []time.Duration
	var lock sync.Mutex
	var wait sync.WaitGroup
	begin := time.Now()
	for i := 0; i < outstanding; i++ {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			took := caller(clients[i%len(clients)], int64(i), begin.Add(time.Duration(seconds)*time.Second))
			lock.Lock()
			all = append(all, took...)
			lock.Unlock()
		}(i)
	}
	wait.Wait()
	total := time.Since(begin).Seconds()
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	fmt.Printf("%d %.3f %d %d\n", len(all), total, all[len(all)/2].Microseconds(), all[len(all)*99/100].Microseconds())
}
