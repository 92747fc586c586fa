package main

// Shows pictures to a checkpoint: once, or with PREDICT_SERVE=1 a line of stdin at a time, the model loaded once.

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"
)

func predict() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	folder, err := os.MkdirTemp("", "predict-")
	if err == nil {
		defer os.RemoveAll(folder)
		err = answer(ctx, folder)
	}
	var bad BadConfiguration
	switch {
	case ctx.Err() != nil:
		return 143
	case errors.As(err, &bad):
		fmt.Fprintln(os.Stderr, err)
		return 2
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func answer(ctx context.Context, folder string) error {
	s, serving, inputs := &Settings{}, os.Getenv("PREDICT_SERVE") == "1", ""
	checkpoint := s.text("CHECKPOINT", "the key of a checkpoint")
	if !serving {
		inputs = s.text("INPUT", "the keys of pictures, with commas between")
	}
	confidence, bucket := s.number("CONFIDENCE", 0, 0, 1), bucketOf(s)
	if s.wrong != nil {
		return s.wrong
	}
	file := filepath.Join(folder, "checkpoint.pt")
	if err := bucket.fetch(ctx, checkpoint, file); err != nil {
		return err
	}
	model, err := readModel(file)
	if err != nil {
		return err
	}
	show := func(keys []string, confidence float64) (object, error) {
		return look(ctx, bucket, model, keys, confidence, filepath.Join(folder, "picture"))
	}
	out := json.NewEncoder(os.Stdout)
	if serving {
		return serve(ctx, out, show, confidence)
	}
	var keys []string
	for _, key := range strings.Split(inputs, ",") {
		if key = strings.TrimSpace(key); key != "" {
			keys = append(keys, key)
		}
	}
	found, err := show(keys, confidence)
	if err != nil {
		return err
	}
	return out.Encode(found)
}

func serve(ctx context.Context, out *json.Encoder, show func([]string, float64) (object, error), usual float64) error {
	lines := make(chan []byte)
	go func() {
		defer close(lines)
		in := bufio.NewScanner(os.Stdin)
		in.Buffer(nil, 16<<20)
		for in.Scan() {
			lines <- append([]byte(nil), in.Bytes()...)
		}
	}()
	out.Encode(object{"ready": true})
	for {
		var line []byte
		select {
		case <-ctx.Done():
			return ctx.Err()
		case one, more := <-lines:
			if !more {
				return nil
			}
			line = one
		}
		var asked struct {
			ID         any      `json:"id"`
			Input      []string `json:"input"`
			Confidence *float64 `json:"confidence"`
		}
		found, err := object{}, json.Unmarshal(line, &asked)
		if asked.Confidence == nil {
			asked.Confidence = &usual
		}
		if err == nil {
			found, err = show(asked.Input, *asked.Confidence)
		}
		if err != nil { // one bad question; the model is still good
			found = object{"error": object{"type": "Error", "message": err.Error()}}
		}
		if err := out.Encode(with(found, "id", asked.ID)); err != nil {
			return err
		}
	}
}

func look(ctx context.Context, bucket *Bucket, model *Model, keys []string, confidence float64, file string) (object, error) {
	began, predictions := time.Now(), []object{}
	for _, key := range keys {
		if err := bucket.fetch(ctx, key, file); err != nil {
			return nil, err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		picture, err := readPicture(data, model.ImageSize)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		likely := model.predict(picture.row)
		ranked := make([]int, len(likely))
		for place := range ranked {
			ranked[place] = place
		}
		sort.SliceStable(ranked, func(a, b int) bool { return likely[ranked[a]] > likely[ranked[b]] })
		if best := ranked[0]; likely[best] >= confidence {
			scores := object{}
			for _, class := range ranked[:least(5, len(ranked))] {
				scores[model.Classes[class]] = rounded(likely[class])
			}
			label := model.Classes[best]
			one := object{"input": key, "label": label, "confidence": rounded(likely[best]), "scores": scores}
			predictions = append(predictions, one)
		}
	}
	seconds := rounded(time.Since(began).Seconds())
	return object{"predictions": predictions, "count": len(predictions), "seconds": seconds}, nil
}

func rounded(value float64) float64 { return math.Round(value*1e4) / 1e4 }
