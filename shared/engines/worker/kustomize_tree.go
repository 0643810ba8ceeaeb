package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// treeRoot is where Kustomize sees the repository; nothing is outside.
const treeRoot = "/repository"

var errReadOnly = errors.New("the repository is read-only")

// tree shows the client's files to Kustomize, with the edited kustomization on top.
type tree struct {
	files   *files
	edited  map[string][]byte
	checked map[string]bool
	problem *failure
}

var _ filesys.FileSystem = (*tree)(nil)

func newTree(f *files) *tree {
	return &tree{files: f, edited: map[string][]byte{}, checked: map[string]bool{}}
}

// inside is the path relative to the repository's root; false when it lies elsewhere.
func (t *tree) inside(name string) (string, bool) {
	clean := path.Clean(name)
	if clean == treeRoot {
		return ".", true
	}
	return strings.CutPrefix(clean, treeRoot+"/")
}

// noted keeps the first thing that must end the build, whatever Kustomize makes of it.
func (t *tree) noted(err error) {
	var known *failure
	if t.problem == nil && errors.As(err, &known) {
		t.problem = known
	}
}

func (t *tree) explain(err error) error {
	if t.problem != nil {
		return t.problem
	}
	message := strings.NewReplacer(treeRoot+"/", "", treeRoot, ".").Replace(err.Error())
	return failed("KustomizeFailed", "%s", message)
}

func (t *tree) ReadFile(name string) ([]byte, error) {
	relative, ok := t.inside(name)
	if !ok {
		return nil, &os.PathError{Op: "open", Path: name, Err: os.ErrNotExist}
	}
	data, edited := t.edited[relative]
	if !edited {
		read, found, err := t.files.read(relative)
		t.noted(err)
		if err != nil || !found {
			return nil, &os.PathError{Op: "open", Path: name, Err: os.ErrNotExist}
		}
		data = read
	}
	if isKustomization(relative) && !t.checked[relative] {
		t.checked[relative] = true
		t.noted(t.examine(relative, data))
	}
	return data, nil
}

func (t *tree) Exists(name string) bool {
	if _, err := t.ReadFile(name); err == nil {
		return true
	}
	return t.IsDir(name)
}

func (t *tree) IsDir(name string) bool {
	_, err := t.ReadDir(name)
	return err == nil
}

func (t *tree) ReadDir(name string) ([]string, error) {
	relative, ok := t.inside(name)
	if !ok {
		return nil, os.ErrNotExist
	}
	entries, found, err := t.files.list(relative)
	t.noted(err)
	if err != nil || !found {
		return nil, os.ErrNotExist
	}
	names := make([]string, len(entries))
	for i, each := range entries {
		names[i] = each.Name
	}
	return names, nil
}

func (t *tree) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	full := path.Clean(name)
	if !path.IsAbs(full) {
		full = path.Join(treeRoot, full)
	}
	looksLikeFile := path.Ext(full) != ""
	if looksLikeFile {
		if _, err := t.ReadFile(full); err == nil {
			return filesys.ConfirmedDir(path.Dir(full)), path.Base(full), nil
		}
	}
	if t.IsDir(full) {
		return filesys.ConfirmedDir(full), "", nil
	}
	if !looksLikeFile {
		if _, err := t.ReadFile(full); err == nil {
			return filesys.ConfirmedDir(path.Dir(full)), path.Base(full), nil
		}
	}
	return "", "", fmt.Errorf("'%s' doesn't exist", name)
}

func (t *tree) Glob(pattern string) ([]string, error) {
	folder, last := path.Split(pattern)
	if strings.ContainsAny(folder, `*?[\`) {
		return nil, errors.New("patterns in folder names are not supported")
	}
	names, err := t.ReadDir(folder)
	if err != nil {
		return nil, nil
	}
	found := []string{}
	for _, name := range names {
		matched, err := path.Match(last, name)
		if err != nil {
			return nil, err
		}
		if matched {
			found = append(found, path.Join(folder, name))
		}
	}
	return found, nil
}

func (t *tree) Create(string) (filesys.File, error)  { return nil, errReadOnly }
func (t *tree) Mkdir(string) error                   { return errReadOnly }
func (t *tree) MkdirAll(string) error                { return errReadOnly }
func (t *tree) RemoveAll(string) error               { return errReadOnly }
func (t *tree) Open(string) (filesys.File, error)    { return nil, errReadOnly }
func (t *tree) WriteFile(string, []byte) error       { return errReadOnly }
func (t *tree) Walk(string, filepath.WalkFunc) error { return errReadOnly }
