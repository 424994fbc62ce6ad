# ./hexcast test [FILTER]: every test project, a line each, failures in full, and one closing line with the sums.
# Sourced by ./hexcast after setup.sh.

# For what hangs. On a slow machine the end-to-end tests have taken 12 minutes.
readonly project_limit_seconds=1800
# These drive whole processes, encoders or a browser; beside others they would only measure each other.
readonly alone='Coordination.Tests|EndToEnd|Worker.Tests|App.Tests|Playback.Tests|Dashboard.Tests'
# What all others have logged and traced is searched for their secrets at the end.
readonly last='Leaks'

# run_project_tests PROJECT [XUNIT ARGUMENTS]: writes PROJECT.{log,xml,code} into $reports, the code last.
# Runs in a background subshell of its own, so that an interrupt reaches the test and not only this script.
run_project_tests() {
  local project=$1 code=0 pid
  shift
  local dll="$root/tests/$project/bin/Release/net10.0/Hexcast.$project.dll"
  if [[ -f $dll ]]; then
    timeout --kill-after=10 "$project_limit_seconds" \
      dotnet exec "$dll" -noLogo -noColor -xml "$reports/$project.xml" "$@" \
      >"$reports/$project.log" 2>&1 </dev/null &
    pid=$!
    trap 'kill "$pid"' TERM
    wait "$pid" || code=$?
  else
    printf 'not built: is tests/%s in Hexcast.slnx?\n' "$project" >"$reports/$project.log"
    code=1
  fi
  printf '%s' "$code" >"$reports/$project.code.new"
  mv "$reports/$project.code.new" "$reports/$project.code"
}

# The counts stand as attributes on the report's one <assembly> element.
count_of() {
  local value
  value=$(grep -om1 '<assembly [^>]*>' "$reports/$1.xml" 2>/dev/null | grep -o " $2=\"[0-9.]*\"" | tr -dc '0-9.')
  printf '%s' "${value:-0}"
}

# The names of what failed, each with the beginning of what it said, or of the project that ended without one.
tell_failed() {
  awk '
    / \[FAIL\]$/ { sub(/^ */, ""); sub(/ \[FAIL\]$/, ""); print; left = 10; found = 1; next }
    /^ *Stack Trace:$/ { left = 0 }
    left-- > 0
    END { exit !found }' "$reports/$1.log" || printf '%s\n' "$1"
}

report_project() {
  local project=$1 code ok bad out
  code=$(<"$reports/$project.code")
  ok=$(count_of "$project" passed)
  bad=$(($(count_of "$project" failed) + $(count_of "$project" errors)))
  out=$(count_of "$project" skipped)
  # A project that ended badly without naming a failed test crashed, hung or was not built. That is a failure too.
  ((bad == 0 && code != 0)) && bad=1
  passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + out))
  ((bad == 0)) || tell_failed "$project" >>"$reports/failed"
  printf '%-28s %5d passed %3d failed %3d skipped %7.1f s\n' "$project" "$ok" "$bad" "$out" "$(count_of "$project" time)"
  if ((bad)); then
    cat "$reports/$project.log"
    case $code in
      124 | 137) say "$project did not end within $project_limit_seconds s and was stopped" ;;
      *) say "$project ended with exit code $code" ;;
    esac
  elif ((out)); then
    grep -F -A1 '[SKIP]' "$reports/$project.log" || true
  fi
}

# The tests hold every answer against the API's document; this keeps what of the document none of them has seen.
tell_unseen_answers() {
  local documented="$HEXCAST_ANSWERS/documented" unseen="$reports/unseen-answers.txt"
  [[ -f $documented ]] || return 0
  LC_ALL=C comm -23 <(LC_ALL=C sort -u "$documented") <(cat "$HEXCAST_ANSWERS"/*.seen | LC_ALL=C sort -u) >"$unseen"
  printf '%d of %d documented answers were never given in this run: %s\n' \
    "$(wc -l <"$unseen")" "$(LC_ALL=C sort -u "$documented" | wc -l)" "${unseen#"$root/"}"
}

run_tests() {
  local filter=${1:-} project projects arguments=() light=() heavy=()
  local passed=0 failed=0 skipped=0 reports="$root/artifacts/tests"
  need_sdk
  need_packages "${run_packages[@]}" "${test_packages[@]}"
  build_everything

  mapfile -t projects < <(cd "$root/tests" && find . -mindepth 2 -maxdepth 2 -name '*.csproj' \
    -not -path './Drills/*' -not -path './Harness/*' -printf '%h\n' | sed 's|^\./||' | LC_ALL=C sort)
  if [[ -n $filter ]]; then
    # FILTER is a project if one is called so; otherwise a part of a test's full name.
    if printf '%s\n' "${projects[@]}" | grep -qiF -- "$filter"; then
      mapfile -t projects < <(printf '%s\n' "${projects[@]}" | grep -iF -- "$filter")
    else
      arguments=(-method "*$filter*")
    fi
  fi
  for project in "${projects[@]}"; do
    if [[ $project == "$last" ]]; then
      continue
    elif [[ $project =~ ^($alone)$ ]]; then
      heavy+=("$project")
    else
      light+=("$project")
    fi
  done
  [[ -n $filter ]] || export HEXCAST_TEST_WHOLE=1
  # A part of the tests has left something to search too.
  [[ ! -d $root/tests/$last ]] || heavy+=("$last")

  rm -rf "$reports"
  mkdir -p "$reports/evidence" "$reports/answers"
  export HEXCAST_TEST_EVIDENCE="$reports/evidence" HEXCAST_ANSWERS="$reports/answers"
  trap 'kill $(jobs -p) 2>/dev/null; exit 130' INT TERM
  local running=0 next=0
  # Two at once, reported in order: cores and parsers take seconds and mind no company.
  for project in "${light[@]}"; do
    if ((running >= 2)); then
      wait -n || true
      running=$((running - 1))
    fi
    run_project_tests "$project" "${arguments[@]}" &
    running=$((running + 1))
    while ((next < ${#light[@]})) && [[ -f $reports/${light[next]}.code ]]; do
      report_project "${light[next]}"
      next=$((next + 1))
    done
  done
  wait
  for ((; next < ${#light[@]}; next++)); do report_project "${light[next]}"; done
  for project in "${heavy[@]}"; do
    run_project_tests "$project" "${arguments[@]}" &
    wait
    report_project "$project"
  done

  [[ -n $filter ]] || tell_unseen_answers
  if ((passed + failed + skipped == 0)); then
    say "no test matches \"$filter\""
    failed=1
  fi
  if [[ -s $reports/failed ]]; then
    printf 'Failed:\n'
    cat "$reports/failed"
  fi
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  ((failed == 0))
}
