"""MLflow's model registry, kept in a Git repository: MLflow finds `store.GitStore` by its entry point.

`mlflow.set_registry_uri("git+file:///path/to/repository")` is all that a script says of it. Nothing else imports this
room, for MLflow takes seconds to import.
"""
