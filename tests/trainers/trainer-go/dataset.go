package main

// Pictures in class folders, read out of the zip without unpacking it; and pictures as rows of numbers.

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	_ "image/png"
	"io"
	"os"
	"sort"
	"strings"
)

const mostPixels = 50_000_000 // more is a bomb or a mistake

var splits = map[string]string{"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}

type Picture struct {
	row   []float64 // grey values from 0 to 1
	label string
	image image.Image // small, for samples
}

// readDataset gives the pictures of each split and the classes.
func readDataset(file, name string, size int) (map[string][]Picture, []string, error) {
	found, err := readZip(file, size)
	if err != nil {
		return nil, nil, fmt.Errorf("the dataset %s is no sound zip, upload it again: %w", name, err)
	}
	learnt := found["train"]
	if len(learnt) == 0 {
		learnt, found["train"] = found[""], found[""]
	}
	known := map[string]bool{}
	for _, one := range learnt {
		known[one.label] = true
	}
	fits := len(known) > 1
	var classes []string
	for label := range known {
		classes = append(classes, label)
		fits = fits && splits[label] == ""
	}
	sort.Strings(classes)
	if !fits {
		return nil, nil, fmt.Errorf("this trainer classifies: it needs pictures in a folder a class, found the folders %v", classes)
	}
	for _, one := range found["val"] {
		if !known[one.label] {
			return nil, nil, fmt.Errorf("val has the class %s, which train lacks: nothing could learn it", one.label)
		}
	}
	return found, classes, nil
}

func readZip(file string, size int) (map[string][]Picture, error) {
	bundle, err := zip.OpenReader(file)
	if err != nil {
		return nil, err
	}
	defer bundle.Close()
	packed, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	var total uint64
	for _, entry := range bundle.File {
		name := "/" + strings.ReplaceAll(entry.Name, "\\", "/") + "/"
		absolute := strings.HasPrefix(name, "//") || len(name) > 2 && name[2] == ':'
		if absolute || strings.Contains(name, "/../") || entry.Mode()&os.ModeSymlink != 0 {
			return nil, fmt.Errorf("%q points out of it", entry.Name)
		}
		total += entry.UncompressedSize64
	}
	if total > 1<<30 && total > 100*uint64(packed.Size()) {
		return nil, errors.New("it would unpack to more than 100 times its size")
	}
	sort.Slice(bundle.File, func(a, b int) bool { return bundle.File[a].Name < bundle.File[b].Name })
	found := map[string][]Picture{}
	for _, entry := range bundle.File {
		parts := strings.Split(strings.ReplaceAll(entry.Name, "\\", "/"), "/")
		if last := len(parts) - 1; last > 0 && isPicture(parts[last]) && parts[0] != "__MACOSX" {
			split := ""
			if last > 1 {
				split = splits[parts[last-2]]
			}
			one, err := readEntry(entry, size)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", entry.Name, err)
			}
			one.label = parts[last-1]
			found[split] = append(found[split], one)
		}
	}
	return found, nil
}

func isPicture(name string) bool {
	name = strings.ToLower(name)
	fits := strings.HasSuffix(name, ".png") || strings.HasSuffix(name, ".jpg") || strings.HasSuffix(name, ".jpeg")
	return fits && name[0] != '.'
}

func readEntry(entry *zip.File, size int) (Picture, error) {
	reader, err := entry.Open()
	if err != nil {
		return Picture{}, err
	}
	defer reader.Close()
	data, err := io.ReadAll(io.LimitReader(reader, int64(entry.UncompressedSize64)+1)) // never more than it promised
	if err != nil {
		return Picture{}, err
	}
	return readPicture(data, size)
}

func readPicture(data []byte, size int) (Picture, error) {
	head, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return Picture{}, err
	}
	if head.Width*head.Height > mostPixels {
		return Picture{}, fmt.Errorf("%dx%d pixels are too many", head.Width, head.Height)
	}
	whole, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return Picture{}, err
	}
	one := Picture{image: shrink(whole, sampleSide)}
	for y, small := 0, shrink(whole, size); y < size; y++ {
		for x := 0; x < size; x++ {
			dot := small.RGBAAt(x, y)
			one.row = append(one.row, (0.299*float64(dot.R)+0.587*float64(dot.G)+0.114*float64(dot.B))/255)
		}
	}
	return one, nil
}

// shrink takes the pixel in the middle of each field.
func shrink(whole image.Image, size int) *image.RGBA {
	small, room := image.NewRGBA(image.Rect(0, 0, size, size)), whole.Bounds()
	for y := 0; y < size; y++ {
		for x := 0; x < size; x++ {
			across, down := (2*x+1)*room.Dx()/(2*size), (2*y+1)*room.Dy()/(2*size)
			small.Set(x, y, whole.At(room.Min.X+across, room.Min.Y+down))
		}
	}
	return small
}

const sampleSide, frame = 160, 8

var green, red = color.RGBA{31, 157, 85, 255}, color.RGBA{214, 69, 69, 255}

// framed draws a green frame where the class was found, a red one where another was.
func framed(picture image.Image, right bool) image.Image {
	colour := red
	if right {
		colour = green
	}
	sheet := image.NewRGBA(picture.Bounds().Inset(-frame))
	draw.Draw(sheet, sheet.Bounds(), image.NewUniform(colour), image.Point{}, draw.Src)
	draw.Draw(sheet, picture.Bounds(), picture, picture.Bounds().Min, draw.Src)
	return sheet
}

func toJPEG(picture image.Image) []byte {
	var buffer bytes.Buffer
	if err := jpeg.Encode(&buffer, picture, &jpeg.Options{Quality: 85}); err != nil {
		panic(err) // a buffer in memory takes everything
	}
	return buffer.Bytes()
}
