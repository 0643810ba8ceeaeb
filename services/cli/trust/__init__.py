"""What `tiphys cert` and `tiphys gpg` do: the ConfigMaps that say which hosts, certificates and keys are trusted."""
