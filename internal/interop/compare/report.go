package main

// A report is what is kept of that of `parlor bench --json`.
type report struct {
	Seconds float64 `json:"seconds"`
	Connect struct {
		Connected int     `json:"connected"`
		Dropped   int     `json:"dropped"`
		Latency   summary `json:"latency_ms"`
	} `json:"connect"`
	Traffic *traffic `json:"traffic,omitempty"`
	Server  struct {
		CPUPerConnection *float64 `json:"connect_cpu_us"`
		CPUPerDelivery   *float64 `json:"cpu_us_per_delivery"`
		PerConnection    *float64 `json:"kib_per_connection"`
		CPU              float64  `json:"cpu"`
		MemoryBefore     float64  `json:"memory_before_kib"`
	} `json:"server"`
	Generator struct {
		Bottleneck bool    `json:"bottleneck"`
		Machine    float64 `json:"machine"`
	} `json:"generator"`
	Series []sample `json:"series,omitempty"` // kept of the hold alone
}

type traffic struct {
	Delivered  int64   `json:"delivered"`
	Lost       int64   `json:"lost"`
	Duplicated int64   `json:"duplicated"`
	OutOfOrder int64   `json:"out_of_order"`
	Latency    summary `json:"latency_ms"`
}

type summary struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

type sample struct {
	At        float64 `json:"t"`
	Stage     string  `json:"stage"`
	Connected int     `json:"connected"`
	CPU       float64 `json:"server_cpu"`
	Memory    float64 `json:"server_memory_kib"`
}
