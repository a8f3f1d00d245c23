package packet

// Limits bound what a [Decoder] accepts from its peer. A field that is zero or
// negative stands for its default.
type Limits struct {
	// MaxAttachments is the number of binary messages that a packet may
	// announce. Default 10, as in the reference implementation.
	MaxAttachments int
	// MaxArgs is the number of elements of a payload, an event's name
	// included. Default 256.
	MaxArgs int
	// MaxDepth is how deep arrays and objects may be nested, the payload
	// itself being the first level. Default 128, at most 1024.
	MaxDepth int
	// MaxNamespace is the length of a namespace in bytes. Default 256.
	MaxNamespace int
	// MaxEventName is the length of an event's name in bytes of UTF-8, escapes
	// resolved. Default 256.
	MaxEventName int
	// MaxBytes is the length of the attachments of a packet together. Default
	// 1,000,000, as the reference server's maxHttpBufferSize.
	MaxBytes int64
}

func (l Limits) withDefaults() Limits {
	orDefault(&l.MaxAttachments, 10)
	orDefault(&l.MaxArgs, 256)
	orDefault(&l.MaxDepth, 128)
	orDefault(&l.MaxNamespace, 256)
	orDefault(&l.MaxEventName, 256)
	orDefault(&l.MaxBytes, 1_000_000)
	l.MaxDepth = min(l.MaxDepth, depthCeiling)
	return l
}

func orDefault[T int | int64](limit *T, value T) {
	if *limit <= 0 {
		*limit = value
	}
}
