// A trainer in another language: softmax regression on pictures in class folders, in Go's standard library alone.
// Built with `go build -o trainer .`; trainer.toml starts `./trainer train` and `./trainer predict`.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "train" {
		os.Exit(NewJob().Run(train))
	}
	if len(os.Args) == 2 && os.Args[1] == "predict" {
		os.Exit(predict())
	}
	fmt.Fprintln(os.Stderr, "usage: trainer train|predict (everything else comes in variables)")
	os.Exit(2)
}
