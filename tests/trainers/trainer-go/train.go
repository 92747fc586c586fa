package main

// Settings, data, model, loop, from top to bottom. job.go keeps the contract with the platform.

import (
	"fmt"
	"math/rand"
	"os"
	"reflect"
)

func train(job *Job) error {
	// settings
	s := &job.settings
	dataset := s.text("DATASET_ID", "the id of a dataset with class folders")
	s.choice("TASK_TYPE", "classify")
	epochs, batchSize := s.whole("EPOCHS", 10, 1, 1e6), s.whole("BATCH_SIZE", 8, 1, 4096)
	rate, size := s.number("LEARNING_RATE", 0.1, 0, 1e308), s.whole("IMAGE_SIZE", 16, 4, 256)
	seed, samples := s.whole("SEED", 0, 0, 1<<53), s.whole("SAMPLE_COUNT", 4, 0, 64)
	if s.wrong != nil {
		return s.wrong
	}
	job.logParams(map[string]any{
		"epochs": epochs, "batch_size": batchSize, "learning_rate": rate, "image_size": size, "seed": seed,
	})

	// data
	job.enter("downloading")
	file, err := job.fetch("datasets/"+dataset+".zip", "dataset.zip")
	if err != nil {
		return at(err)
	}
	found, classes, err := readDataset(file, dataset, size)
	if err != nil {
		return at(err)
	}
	rows, val := found["train"], found["val"]
	if len(val) == 0 { // every fifth is held back
		numbers := rand.New(rand.NewSource(int64(seed)))
		numbers.Shuffle(len(rows), func(a, b int) { rows[a], rows[b] = rows[b], rows[a] })
		held := len(rows) / 5
		if held == 0 {
			held = 1
		}
		val, rows = rows[:held], rows[held:]
	}
	job.event("dataset_ready", "", object{"dataset_id": dataset, "train": len(rows), "val": len(val), "classes": classes})

	// model
	model, best := newModel(classes, size), -1.0
	if key := variable("RESUME_FROM", ""); key != "" {
		if model, err = resume(job, key, model, epochs); err != nil {
			return at(err)
		}
		if best, err = bestSoFar(job); err != nil {
			return at(err)
		}
	}
	var shown []Picture
	for place := 0; place < least(samples, len(val)); place++ {
		shown = append(shown, val[place*len(val)/least(samples, len(val))])
		job.uploadSample(0, place, toJPEG(shown[place].image), nil, nil)
	}

	// loop
	for epoch := model.Epoch + 1; epoch <= epochs; epoch++ {
		order := rand.New(rand.NewSource(int64(seed)*1_000_003 + int64(epoch))).Perm(len(rows)) // the same when resumed
		for start := 0; start < len(order); start += batchSize {
			if job.ctx.Err() != nil {
				return job.ctx.Err()
			}
			var batch []Picture
			for _, place := range order[start:least(start+batchSize, len(order))] {
				batch = append(batch, rows[place])
			}
			model.learn(batch, rate)
		}
		metrics := model.measure(val, "val")
		for name, value := range model.measure(rows, "train") {
			metrics[name] = value
		}
		job.endEpoch(epoch, epochs, metrics)
		model.Epoch, model.Accuracy = epoch, metrics["val/accuracy"]
		checkpoint := model.bytes()
		job.upload("last", epoch, checkpoint)
		if job.keepEpochs > 0 {
			job.upload(fmt.Sprintf("epoch-%d", epoch), epoch, checkpoint)
		}
		if model.Accuracy > best {
			best = model.Accuracy
			job.upload("best", epoch, checkpoint)
		}
		for index, one := range shown {
			likely := model.predict(one.row)
			class := highest(likely)
			drawn := toJPEG(framed(one.image, classes[class] == one.label))
			seen := object{"label": classes[class], "confidence": number(likely[class])}
			job.uploadSample(epoch, index, drawn, object{"label": one.label}, seen)
		}
	}
	return nil
}

// resume gives the model of a checkpoint, for the epochs after it; for all of them where it had finished its own.
func resume(job *Job, key string, fresh *Model, epochs int) (*Model, error) {
	file, err := job.fetch(key, "resume.pt")
	if err != nil {
		return nil, at(err)
	}
	saved, err := readModel(file)
	if err != nil {
		return nil, at(err)
	}
	if !reflect.DeepEqual(saved.Classes, fresh.Classes) || saved.ImageSize != fresh.ImageSize {
		return nil, BadConfiguration{fmt.Sprintf(
			"RESUME_FROM=%s does not fit: it has the classes %v at IMAGE_SIZE %d, and this run %v at %d",
			key, saved.Classes, saved.ImageSize, fresh.Classes, fresh.ImageSize)}
	}
	if saved.Epoch >= epochs {
		words := "%s had finished its %d epochs: its weights are trained for %d more"
		say(os.Stdout, fmt.Sprintf(words, key, saved.Epoch, epochs))
		saved.Epoch = 0
	} else {
		say(os.Stdout, fmt.Sprintf("resumes %s after epoch %d of %d", key, saved.Epoch, epochs))
	}
	return saved, nil
}

// bestSoFar is what an earlier attempt's best.pt reached: a worse one must not take its place.
func bestSoFar(job *Job) (float64, error) {
	key := "checkpoints/job-" + job.id + "/best.pt"
	if found, err := job.bucket.keys(key); err != nil || len(found) == 0 {
		return -1, at(err)
	}
	file, err := job.fetch(key, "best.pt")
	if err != nil {
		return -1, at(err)
	}
	saved, err := readModel(file)
	if err != nil {
		return -1, at(err)
	}
	job.mutex.Lock()
	job.checkpoint = key
	job.mutex.Unlock()
	return saved.Accuracy, nil
}

func readModel(file string) (*Model, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, at(err)
	}
	return modelOf(data)
}
