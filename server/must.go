package server

// must is for errors that there are not: of encoding a string.
func must(err error) {
	if err != nil {
		panic(err) //nolint:forbidigo // see above: to go on would be to send half of something
	}
}
