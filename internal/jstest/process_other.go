//go:build !unix

package jstest

import (
	"errors"
	"os"
	"os/exec"
)

var errDone = os.ErrProcessDone

func ownGroup(*exec.Cmd) {}

func killGroup(p *os.Process) error { return p.Kill() }

var errNoSignals = errors.New("a process cannot be stopped and continued on this system")

func pause(*os.Process) error  { return errNoSignals }
func resume(*os.Process) error { return errNoSignals }
