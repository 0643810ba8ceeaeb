package main

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// object is one manifest as JSON, and where it came from.
type object struct {
	_msgpack struct{} `msgpack:",as_array"`
	Source   string
	JSON     []byte
}

// objectsOf splits YAML documents and reads each as Kubernetes' tools do; empty ones are left out.
func objectsOf(source, text string) ([]object, error) {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	found := []object{}
	for {
		document, err := reader.Read()
		if err == io.EOF {
			return found, nil
		}
		if err != nil {
			return nil, failed("ManifestInvalid", "%s: %v", source, err)
		}
		data, err := yaml.YAMLToJSON(document)
		if err != nil {
			return nil, failed("ManifestInvalid", "%s: %v", source, err)
		}
		if bytes.Equal(data, []byte("null")) {
			continue
		}
		if data[0] != '{' {
			return nil, failed("ManifestInvalid", "%s: a document is no object", source)
		}
		found = append(found, object{Source: source, JSON: data})
	}
}
