// SPDX-FileCopyrightText: The MesaTEE authors
// SPDX-License-Identifier: Apache-2.0

// The peer itself: etcd, as its authors ship it.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
