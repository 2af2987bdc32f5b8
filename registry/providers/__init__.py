"""What is known of a training run where it was tracked: one provider a file, and the one that asks them.

A provider is a module or an object with the functions of `values.Provider`, as an entry point of the group
`git_registry.runs` whose name is what stands before the colon: `mlflow` for `mlflow:ID`.
"""

# By these `surroundings` knows a workflow; here, so that nothing is imported where there is none.
WORKFLOW = "GITHUB_RUN_ID"
JOBS = {"CI_JOB_URL": "CI_JOB_ID", "CI_PIPELINE_URL": "CI_PIPELINE_ID"}  # of GitLab: each page, and its number
CI = (WORKFLOW, *JOBS)
