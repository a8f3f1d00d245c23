package e2e_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(stormServerEnv) != "" {
		runStormServer()
		return
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if dir := built.dir; dir != "" {
			os.RemoveAll(dir)
		}
		os.Exit(code)
	}))
}
