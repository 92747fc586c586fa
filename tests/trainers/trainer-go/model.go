package main

// Softmax regression: probabilities, a step, and the model as bytes.

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// Model is a line of JSON in a checkpoint, and behind it its numbers, eight bytes each: a class's weights and bias.
type Model struct {
	Classes   []string `json:"classes"`
	ImageSize int      `json:"image_size"`
	Epoch     int      `json:"epoch"`
	Accuracy  float64  `json:"accuracy"`
	weights   [][]float64
}

func newModel(classes []string, size int) *Model {
	model := &Model{Classes: classes, ImageSize: size}
	for range classes {
		model.weights = append(model.weights, make([]float64, size*size+1))
	}
	return model
}

func (m *Model) bytes() []byte {
	var buffer bytes.Buffer
	if err := json.NewEncoder(&buffer).Encode(m); err != nil {
		panic(err)
	}
	for _, weights := range m.weights {
		binary.Write(&buffer, binary.LittleEndian, weights)
	}
	return buffer.Bytes()
}

func modelOf(data []byte) (*Model, error) {
	var known Model
	head, body, _ := bytes.Cut(data, []byte("\n"))
	if err := json.Unmarshal(head, &known); err != nil {
		return nil, fmt.Errorf("this is no checkpoint of this trainer: %w", err)
	}
	if size := known.ImageSize; size < 1 || size > 256 || len(body) != 8*len(known.Classes)*(size*size+1) {
		return nil, errors.New("this is no whole checkpoint of this trainer")
	}
	model := newModel(known.Classes, known.ImageSize)
	model.Epoch, model.Accuracy = known.Epoch, known.Accuracy
	reader := bytes.NewReader(body)
	for _, weights := range model.weights {
		if err := binary.Read(reader, binary.LittleEndian, weights); err != nil {
			return nil, err
		}
	}
	return model, nil
}

// predict gives a probability a class.
func (m *Model) predict(row []float64) []float64 {
	scores, highest, sum := make([]float64, len(m.weights)), math.Inf(-1), 0.0
	for class, weights := range m.weights {
		score := weights[len(row)]
		for place, value := range row {
			score += weights[place] * value
		}
		scores[class] = score
		highest = math.Max(highest, score)
	}
	for class, score := range scores {
		scores[class] = math.Exp(score - highest)
		sum += scores[class]
	}
	for class := range scores {
		scores[class] /= sum
	}
	return scores
}

// learn goes one step down the gradient of the cross-entropy.
func (m *Model) learn(batch []Picture, rate float64) {
	errors := make([][]float64, len(batch))
	for number, one := range batch {
		errors[number] = m.predict(one.row)
		errors[number][m.class(one.label)] -= 1
	}
	for class, weights := range m.weights {
		for number, one := range batch {
			step := rate * errors[number][class] / float64(len(batch))
			for place, value := range one.row {
				weights[place] -= step * value
			}
			weights[len(one.row)] -= step
		}
	}
}

func (m *Model) class(label string) int {
	for class, name := range m.Classes {
		if name == label {
			return class
		}
	}
	panic(label + " is none of the classes") // readDataset has looked
}

func (m *Model) measure(pictures []Picture, split string) map[string]float64 {
	loss, right := 0.0, 0.0
	for _, one := range pictures {
		likely, truth := m.predict(one.row), m.class(one.label)
		loss -= math.Log(likely[truth])
		if highest(likely) == truth {
			right++
		}
	}
	count := float64(len(pictures))
	return map[string]float64{split + "/loss": loss / count, split + "/accuracy": right / count}
}

func highest(values []float64) (best int) {
	for place, value := range values {
		if value > values[best] {
			best = place
		}
	}
	return best
}
