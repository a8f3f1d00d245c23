package app

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the linker (see the Makefile's build target); a build
// without it tells what the Go toolchain recorded.
var version string

// versionLine describes this build in one line.
func versionLine() string {
	return fmt.Sprintf("parlor %s %s %s/%s", release(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func release() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
