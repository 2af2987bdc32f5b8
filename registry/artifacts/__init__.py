"""The bytes of a version: where they gather beside their target, and one store each that they come from."""
