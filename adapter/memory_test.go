package adapter_test

import (
	"testing"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/adaptertest"
)

func TestMemory(t *testing.T) {
	adaptertest.Run(t, []int{1}, func(_ testing.TB, hosts []adapter.Host) adaptertest.Cluster {
		return adaptertest.Cluster{Adapters: []adapter.Adapter{adapter.InMemory(hosts[0])}}
	})
}
