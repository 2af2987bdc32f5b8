"""Tests of `registry.manifests`."""
