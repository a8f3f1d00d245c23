// Command parlor is a Socket.IO server with a ready-made chat. `parlor --help`
// lists what it can be told.
package main

import (
	"os"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/app"
)

func main() { os.Exit(app.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
