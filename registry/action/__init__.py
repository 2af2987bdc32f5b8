"""The face for GitHub Actions: `python -m registry.action`, run by action.yml (docs/actions.md)."""
