package main

import (
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

type constraintArgs struct {
	Constraint  string   `msgpack:"constraint"`
	Versions    []string `msgpack:"versions"`
	Prereleases bool     `msgpack:"prereleases"`
}

type versionsArgs struct {
	Versions []string `msgpack:"versions"`
	Strict   bool     `msgpack:"strict"`
}

func init() {
	on("semver.matching", func(a *constraintArgs, _ *files) (any, error) { return matching(a) })
	on("semver.check", func(a *constraintArgs, _ *files) (any, error) { return check(a) })
	on("semver.sort", func(a *versionsArgs, _ *files) (any, error) { return texts(parsed(a.Versions, a.Strict)), nil })
	on("semver.parse", func(a *versionsArgs, _ *files) (any, error) { return parts(a), nil })
}

type version struct {
	text   string
	parsed *semver.Version
}

// parsed are those texts that are versions, ascending; equal ones (v1.0 and v1.0.0) in the order of their texts.
func parsed(given []string, strict bool) []version {
	found := make([]version, 0, len(given))
	for _, text := range given {
		if v := parse(text, strict); v != nil {
			found = append(found, version{text, v})
		}
	}
	slices.SortStableFunc(found, func(a, b version) int {
		if order := a.parsed.Compare(b.parsed); order != 0 {
			return order
		}
		return strings.Compare(a.text, b.text)
	})
	return found
}

func parse(text string, strict bool) *semver.Version {
	read := semver.NewVersion
	if strict {
		read = semver.StrictNewVersion
	}
	v, err := read(text)
	if err != nil {
		return nil
	}
	return v
}

func texts(versions []version) []string {
	found := make([]string, len(versions))
	for i, each := range versions {
		found[i] = each.text
	}
	return found
}

func constraint(a *constraintArgs) (*semver.Constraints, error) {
	c, err := semver.NewConstraint(a.Constraint)
	if err != nil {
		return nil, failed("ConstraintInvalid", "%.200q is no version constraint: %v", a.Constraint, err)
	}
	c.IncludePrerelease = a.Prereleases
	return c, nil
}

// matching are the versions that satisfy a constraint, ascending.
func matching(a *constraintArgs) ([]string, error) {
	c, err := constraint(a)
	if err != nil {
		return nil, err
	}
	all := parsed(a.Versions, false)
	return texts(slices.DeleteFunc(all, func(v version) bool { return !c.Check(v.parsed) })), nil
}

// check says for each text whether it is a version that satisfies the constraint.
func check(a *constraintArgs) ([]bool, error) {
	c, err := constraint(a)
	if err != nil {
		return nil, err
	}
	answers := make([]bool, len(a.Versions))
	for i, text := range a.Versions {
		v := parse(text, false)
		answers[i] = v != nil && c.Check(v)
	}
	return answers, nil
}

// parts are [major, minor, patch, prerelease, metadata] of each text, or nil.
func parts(a *versionsArgs) []any {
	answers := make([]any, len(a.Versions))
	for i, text := range a.Versions {
		if v := parse(text, a.Strict); v != nil {
			answers[i] = []any{v.Major(), v.Minor(), v.Patch(), v.Prerelease(), v.Metadata()}
		}
	}
	return answers
}
