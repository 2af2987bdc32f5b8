"""YAML in and out: reading, editing and checking manifests (DESIGN part 4)."""
