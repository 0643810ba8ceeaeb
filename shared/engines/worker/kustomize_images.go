package main

import (
	"sort"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
)

// keep in an image override means: as the kustomization has it.
const keep = "*"

// setImages overrides images by name; the list ends up sorted, as `kustomize edit set image` leaves it.
func (e *kustomizeEdits) setImages(k *types.Kustomization) error {
	if len(e.Images) == 0 {
		return nil
	}
	wanted := map[string]types.Image{}
	for _, text := range e.Images {
		image, err := parseImage(text)
		if err != nil {
			return err
		}
		wanted[image.Name] = image
	}
	for _, known := range k.Images {
		image, overridden := wanted[known.Name]
		if !overridden {
			image = known
		}
		wanted[known.Name] = kept(image, known)
	}
	k.Images = k.Images[:0]
	for _, image := range wanted {
		k.Images = append(k.Images, kept(image, types.Image{}))
	}
	sort.Slice(k.Images, func(i, j int) bool { return k.Images[i].Name < k.Images[j].Name })
	return nil
}

// kept has what was known in place of every asterisk.
func kept(image, known types.Image) types.Image {
	if image.NewName == keep {
		image.NewName = known.NewName
	}
	if image.NewTag == keep {
		image.NewTag = known.NewTag
	}
	if image.Digest == keep {
		image.Digest = known.Digest
	}
	return image
}

// parseImage reads `name=new:tag`, `name=new@digest`, `name=new`, `name:tag` or `name@digest`.
func parseImage(text string) (types.Image, error) {
	name, override, renamed := strings.Cut(text, "=")
	if !renamed {
		name, override = "", text
	}
	image := types.Image{Name: name}
	rest, digest, _ := strings.Cut(override, "@")
	image.Digest = digest
	if colon := strings.LastIndex(rest, ":"); colon > strings.LastIndex(rest, "/") {
		rest, image.NewTag = rest[:colon], rest[colon+1:]
	}
	if renamed {
		image.NewName = rest
	} else {
		image.Name = rest
	}
	if image.Name == "" || rest == text {
		return image, failed("KustomizeFailed", "image %.200q is not name=new-name:tag, name=new-name@digest, name:tag or name@digest", text)
	}
	return image, nil
}
