package main

import (
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
)

// keep in an image override means: as the kustomization has it.
const keep = "*"

var nameAndTag = regexp.MustCompile(`^(.*):([a-zA-Z0-9._-]*|\*)$`)

// setImages overrides images by name; the list ends up sorted, as `kustomize edit set image` leaves it.
func (e *kustomizeEdits) setImages(k *types.Kustomization) error {
	for _, text := range e.Images {
		image, err := parseImage(text)
		if err != nil {
			return err
		}
		k.Images = slices.DeleteFunc(k.Images, func(known types.Image) bool {
			if known.Name != image.Name {
				return false
			}
			keepKnown(&image, known)
			return true
		})
		k.Images = append(k.Images, image)
	}
	if len(e.Images) > 0 {
		slices.SortStableFunc(k.Images, func(a, b types.Image) int { return strings.Compare(a.Name, b.Name) })
	}
	return nil
}

func keepKnown(image *types.Image, known types.Image) {
	if image.NewName == keep {
		image.NewName = known.NewName
	}
	if image.NewTag == keep {
		image.NewTag = known.NewTag
	}
	if image.Digest == keep {
		image.Digest = known.Digest
	}
}

// parseImage reads `name=new:tag`, `name=new@digest`, `name=new`, `name:tag` or `name@digest`.
func parseImage(text string) (types.Image, error) {
	name, override, renamed := strings.Cut(text, "=")
	if !renamed {
		override = text
	}
	image := types.Image{Name: name}
	rest, digest, hasDigest := strings.Cut(override, "@")
	image.Digest = digest
	if tagged := nameAndTag.FindStringSubmatch(rest); tagged != nil {
		rest, image.NewTag = tagged[1], tagged[2]
	} else if !hasDigest && !renamed {
		rest = ""
	}
	if rest == "" || name == "" {
		return image, failed("KustomizeFailed", "image %.200q is not name=new-name:tag, name=new-name@digest, name:tag or name@digest", text)
	}
	if renamed {
		image.NewName = rest
	} else {
		image.Name = rest
	}
	return image, nil
}
