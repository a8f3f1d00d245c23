package engine

// must is for errors that there are not: of encoding an integer, or of writing
// to a buffer.
func must(err error) {
	if err != nil {
		panic(err) //nolint:forbidigo // see above: to go on would be to send half of something
	}
}
