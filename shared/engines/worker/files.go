package main

import (
	"path"
	"strings"

	"github.com/vmihailenco/msgpack/v5"
)

// entry is one name in a folder.
type entry struct {
	_msgpack struct{} `msgpack:",as_array"`
	Name     string
	IsDir    bool
}

// files is the client's view of a repository, asked for over the pipe and remembered for one request.
// Paths are relative to the root and never lead out of it.
type files struct {
	s        *session
	contents map[string][]byte
	absent   map[string]bool
	folders  map[string][]entry
	noFolder map[string]bool
}

func newFiles(s *session) *files {
	return &files{s, map[string][]byte{}, map[string]bool{}, map[string][]entry{}, map[string]bool{}}
}

// within is the path relative to the root, or an error for one that leads out of it.
func within(name string) (string, error) {
	if path.IsAbs(name) {
		return "", failed("PathEscape", "%s is absolute: only files of the repository can be read", name)
	}
	clean := path.Clean(name)
	if clean == ".." || strings.HasPrefix(clean, "../") {
		return "", failed("PathEscape", "%s leads out of the repository", name)
	}
	return strings.TrimPrefix(clean, "."+"/"), nil
}

// An answer of nil arrives as no bytes at all: there is nothing at the path.

// read is a file's bytes; false when there is none.
func (f *files) read(name string) ([]byte, bool, error) {
	clean, err := within(name)
	if err != nil {
		return nil, false, err
	}
	if err := f.load([]string{clean}); err != nil {
		return nil, false, err
	}
	data, found := f.contents[clean]
	return data, found, nil
}

// load reads many files in one question.
func (f *files) load(names []string) error {
	wanted := names[:0:0]
	for _, name := range names {
		if _, known := f.contents[name]; !known && !f.absent[name] {
			wanted = append(wanted, name)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	answers, err := f.s.ask("read", wanted)
	if err != nil {
		return err
	}
	for i, name := range wanted {
		if len(answers[i]) == 0 {
			f.absent[name] = true
			continue
		}
		var data []byte
		if err := msgpack.Unmarshal(answers[i], &data); err != nil {
			return err
		}
		f.contents[name] = data
	}
	return nil
}

// list is a folder's entries; false when there is no such folder.
func (f *files) list(name string) ([]entry, bool, error) {
	clean, err := within(name)
	if err != nil {
		return nil, false, err
	}
	if err := f.look([]string{clean}); err != nil {
		return nil, false, err
	}
	entries, found := f.folders[clean]
	return entries, found, nil
}

// look lists many folders in one question.
func (f *files) look(names []string) error {
	wanted := names[:0:0]
	for _, name := range names {
		if _, known := f.folders[name]; !known && !f.noFolder[name] {
			wanted = append(wanted, name)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	answers, err := f.s.ask("list", wanted)
	if err != nil {
		return err
	}
	for i, name := range wanted {
		if len(answers[i]) == 0 {
			f.noFolder[name] = true
			continue
		}
		var entries []entry
		if err := msgpack.Unmarshal(answers[i], &entries); err != nil {
			return err
		}
		f.folders[name] = entries
	}
	return nil
}
