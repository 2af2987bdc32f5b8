#!/bin/sh
# The registry on any CI that has a shell, Git and Python.
#
#   plain.sh review BASE [HEAD]    what a change means; fails where it should not be merged
#   plain.sh apply                 makes true what the default branch wants, and publishes it; prints the events as JSON
#   plain.sh event TAG             which event a tag is, as JSON; prints nothing for a tag that is not of the registry
#
# Run it in a clone that is CI's own: tags that the server does not have are deleted there. It needs `registry` on PATH: pip install git-registry
set -eu

usage() {
  sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

# What CI checks out is often one commit without tags, and each of a tag that CI made light. In a clone that is used again
# there are tags that were deleted since, or that another job made: what counts, and is published, is what the server has.
whole() {
  if [ "$(git rev-parse --is-shallow-repository)" = true ]; then
    git fetch --quiet --unshallow origin
  fi
  git fetch --quiet --force --prune origin '+refs/tags/*:refs/tags/*'
}

# Whoever pushes tags needs a name.
named() {
  git config --get user.email >/dev/null || {
    GIT_COMMITTER_NAME=${GIT_COMMITTER_NAME:-CI} GIT_COMMITTER_EMAIL=${GIT_COMMITTER_EMAIL:-ci@localhost}
    export GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
  }
}

[ $# -ge 1 ] || usage
command=$1
shift
case $command in
review)
  [ $# -ge 1 ] || usage
  whole
  registry review "$1" "${2:-HEAD}"
  ;;
apply)
  whole
  named
  registry apply --push --json
  ;;
event)
  [ $# -eq 1 ] || usage
  whole
  # A tag's name comes from outside: it is an argument, in quotes, and never part of a script.
  code=0
  registry check-ref --json -- "$1" || code=$?
  case $code in
  0) ;;
  1) echo "nothing to do for this tag" >&2 ;;
  *) exit "$code" ;;
  esac
  ;;
*)
  usage
  ;;
esac
