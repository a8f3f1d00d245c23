package main

import (
	"os"
	"runtime"
	"strings"
)

// A machine is what the figures are of. It has no name.
type machine struct {
	processor string
	cpus      int
	memory    string // "16 GiB"
	system    string // "linux/amd64, kernel 6.1"
}

func thisMachine() machine {
	m := machine{processor: "a processor that does not say what it is", cpus: runtime.NumCPU(), system: runtime.GOOS + "/" + runtime.GOARCH}
	if name := field("/proc/cpuinfo", "model name"); name != "" {
		m.processor = strings.Join(strings.Fields(name), " ")
	}
	if kib, ok := strings.CutSuffix(field("/proc/meminfo", "MemTotal"), " kB"); ok {
		m.memory = gibibytes(kib)
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		version, _, _ := strings.Cut(strings.TrimSpace(string(release)), "-")
		m.system += ", kernel " + version
	}
	return m
}

// field returns a value of a file with lines like "name: value".
func field(file, name string) string {
	text, err := os.ReadFile(file) //nolint:gosec // one of /proc
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
