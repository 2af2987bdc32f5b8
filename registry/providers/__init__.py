"""What is known of a training run where it was tracked: one provider a file, and the one that asks them.

A provider is a module or an object with the functions of `values.Provider`, as an entry point of the group
`git_registry.runs` whose name is what stands before the colon: `mlflow` for `mlflow:ID`.
"""
