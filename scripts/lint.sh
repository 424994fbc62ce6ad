# ./hexcast lint: what a reviewer should not have to say. Sourced by ./hexcast after setup.sh.

run_lint() {
  local script
  need_sdk
  for script in "$root"/hexcast "$root"/.ci/run "$root"/scripts/*.sh; do
    bash -n "$script"
    if command -v shellcheck >/dev/null; then shellcheck -x -P "$root" "$script"; fi
  done
  # Warnings are errors in every project.
  build_everything
  # The rules of the house; formatting is one of them.
  quietly dotnet exec "$root/$tidy_dll" -noLogo -noColor
  say "all well"
}
