package main

// An S3 bucket over net/http: each request signed by AWS signature version 4, addressed by path.

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
)

type Bucket struct{ url, accessKey, secretKey, region string }

// bucketOf is the bucket that STORAGE_TYPE and its four variables name.
func bucketOf(s *Settings) *Bucket {
	region, names := "us-east-1", []string{"MINIO_ENDPOINT", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", "MINIO_BUCKET"}
	if s.choice("STORAGE_TYPE", "minio", "r2") == "r2" {
		region, names = "auto", []string{"R2_ENDPOINT", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY", "R2_BUCKET"}
	}
	endpoint := s.text(names[0], "the storage's address, http://…")
	access, secret := s.text(names[1], "its access key"), s.text(names[2], "its secret key")
	return &Bucket{strings.TrimRight(endpoint, "/") + "/" + s.text(names[3], "its bucket"), access, secret, region}
}

// put is one request with its length: the server keeps all of it or nothing, so what can be seen is complete.
func (b *Bucket) put(key string, body []byte, kind string) error {
	return b.simple(http.MethodPut, key, body, kind)
}

func (b *Bucket) delete(key string) error { return b.simple(http.MethodDelete, key, nil, "") }

func (b *Bucket) simple(method, key string, body []byte, kind string) error {
	soon, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	response, err := b.request(soon, method, key, nil, body, kind)
	if err == nil {
		response.Body.Close()
	}
	return err
}

// keys are those that begin like this, a thousand at most.
func (b *Bucket) keys(prefix string) ([]string, error) {
	soon, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	query := url.Values{"list-type": {"2"}, "prefix": {prefix}}
	response, err := b.request(soon, http.MethodGet, "", query, nil, "")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var listed struct {
		Keys []string `xml:"Contents>Key"`
	}
	return listed.Keys, xml.NewDecoder(response.Body).Decode(&listed)
}

// fetch brings an object into a file. Connections break: it tries four times, each from the start.
func (b *Bucket) fetch(ctx context.Context, key, path string) error {
	for try := 1; ; try++ {
		err := b.fetchOnce(ctx, key, path)
		if err == nil || ctx.Err() != nil || errors.Is(err, syscall.ENOSPC) {
			return err
		}
		var refused Refused
		final := errors.As(err, &refused) && refused.final()
		if final && refused.code == http.StatusNotFound {
			return fmt.Errorf("the storage does not give %s: it is not there; upload it, or check the id", key)
		}
		if final || try == 4 {
			return fmt.Errorf("the storage %s does not give %s: %w", b.url, key, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try) * 500 * time.Millisecond):
		}
	}
}

func (b *Bucket) fetchOnce(ctx context.Context, key, path string) (err error) {
	patient, cancel := context.WithCancel(ctx)
	defer cancel()
	silence := time.AfterFunc(15*time.Second, cancel) // since the last byte
	defer silence.Stop()
	defer func() {
		if patient.Err() != nil && ctx.Err() == nil && err != nil {
			err = errors.New("it is silent for 15 seconds")
		}
	}()
	response, err := b.request(patient, http.MethodGet, key, nil, nil, "")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	part := make([]byte, 64<<10)
	for err == nil {
		count, ended := response.Body.Read(part) // ended: io.ErrUnexpectedEOF where a part is missing
		silence.Reset(15 * time.Second)
		if _, err = file.Write(part[:count]); err == nil {
			err = ended
		}
	}
	if closed := file.Close(); errors.Is(err, io.EOF) {
		return closed
	}
	return err
}

func (b *Bucket) request(ctx context.Context, method, key string, query url.Values, body []byte, kind string) (*http.Response, error) {
	address, err := url.Parse(strings.TrimRight(b.url+"/"+escaped(key), "/"))
	if err != nil {
		return nil, err
	}
	address.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	request, err := http.NewRequestWithContext(ctx, method, address.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	now, digest := time.Now().UTC().Format("20060102T150405Z"), hash(body)
	names := "host;x-amz-content-sha256;x-amz-date"
	signed := fmt.Sprintf("host:%s\nx-amz-content-sha256:%s\nx-amz-date:%s\n", address.Host, digest, now)
	whole := strings.Join([]string{method, address.EscapedPath(), address.RawQuery, signed, names, digest}, "\n")
	scope := []string{now[:8], b.region, "s3", "aws4_request"}
	text := strings.Join([]string{"AWS4-HMAC-SHA256", now, strings.Join(scope, "/"), hash([]byte(whole))}, "\n")
	secret := []byte("AWS4" + b.secretKey)
	for _, part := range append(scope, text) {
		sum := hmac.New(sha256.New, secret)
		sum.Write([]byte(part))
		secret = sum.Sum(nil)
	}
	request.Header.Set("x-amz-date", now)
	request.Header.Set("x-amz-content-sha256", digest)
	request.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%x",
		b.accessKey, strings.Join(scope, "/"), names, secret))
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 {
		response.Body.Close()
		return nil, Refused{response.StatusCode, http.StatusText(response.StatusCode)}
	}
	return response, nil
}

func hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// escaped is a key as it stands in an address: letters, digits and -_.~/ stay.
func escaped(key string) string {
	parts := strings.Split(key, "/")
	for place, part := range parts {
		parts[place] = strings.ReplaceAll(url.QueryEscape(part), "+", "%20")
	}
	return strings.Join(parts, "/")
}
