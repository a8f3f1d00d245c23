//go:build unix

package jstest

import (
	"os"
	"os/exec"
	"syscall"
)

// errDone is what a signal to a group that is gone returns.
const errDone = syscall.ESRCH

// ownGroup puts the process at the head of a group, so that what it starts can be ended with it.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }

func pause(p *os.Process) error  { return p.Signal(syscall.SIGSTOP) }
func resume(p *os.Process) error { return p.Signal(syscall.SIGCONT) }
