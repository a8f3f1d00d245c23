package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"syscall"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
)

// maxKeyFile is far more than any key takes: what is larger is another file.
const maxKeyFile = 64 << 10

// readKeyFile reads the file that a flag names, without the line ends that
// editors and echo put behind it. A file that is to be secret and can be read by
// everybody is worth a warning, empty when there is none. The error is a
// [*config.Error], and holds nothing of what is in the file.
func readKeyFile(flag, path string, secret bool) (content []byte, warning string, err error) {
	file, err := os.Open(path) //nolint:gosec // the operator says which file
	if err != nil {
		return nil, "", config.NewError(flag, "%q cannot be read: %v", path, reason(err))
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, "", config.NewError(flag, "%q cannot be read: %v", path, reason(err))
	case info.IsDir():
		return nil, "", config.NewError(flag, "%q is a directory; name the file in it", path)
	}
	content, err = io.ReadAll(io.LimitReader(file, maxKeyFile+1))
	switch {
	case err != nil:
		return nil, "", config.NewError(flag, "%q cannot be read: %v", path, reason(err))
	case len(content) > maxKeyFile:
		return nil, "", config.NewError(flag, "%q is larger than %d bytes, which no key is", path, maxKeyFile)
	}
	content = bytes.TrimRight(content, "\r\n")
	if len(bytes.TrimSpace(content)) == 0 {
		return nil, "", config.NewError(flag, "%q is empty", path)
	}
	if secret {
		warning = exposed(flag, path, info)
	}
	return content, warning, nil
}

// exposed is the warning that everybody can read a file which is to be secret; empty
// when there is none. A group that can is meant to: it is how Kubernetes gives secrets
// to who is not root, and how Debian keeps the keys of certificates.
func exposed(flag, path string, info fs.FileInfo) string {
	// Windows has other means than mode bits, and a pipe is nobody's to read.
	mode := info.Mode()
	if runtime.GOOS == "windows" || !mode.IsRegular() || mode.Perm()&0o004 == 0 {
		return ""
	}
	return fmt.Sprintf("everybody on this machine can read %s, the file of --%s (mode %04o); chmod 600 it; a volume of Kubernetes has defaultMode: 0440 and its pod an fsGroup", path, flag, mode.Perm())
}

// reason is what went wrong with a file whose path is said already.
func reason(err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		err = failed.Err
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number
	}
	return err
}
