#!/bin/sh
# Runs all tests (`make test`): half of the cases in each of two programs at a time, as most cases
# keep one core busy. Usage: run.sh [build folder]. With BOOST_TEST_REPORT_SINK both programs' reports
# come into that file, in lines of their own.
build=${1:-build}
sink=$BOOST_TEST_REPORT_SINK
folder=$(mktemp -d)
other=
trap 'kill $other 2>/dev/null; rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
if [ -z "$sink" ]; then unset BOOST_TEST_REPORT_SINK; fi
# part NUMBER, in a process of its own
part() {
  if [ -n "$sink" ]; then export BOOST_TEST_REPORT_SINK="$folder/report$1"; fi
  export AFINA_TESTS_PART="$1/2"
  exec "$build/tests"
}
part 2 >"$folder/output" 2>&1 &
other=$!
status=0
(part 1) || status=$?
wait $other || status=$?
other=
cat "$folder/output"
if [ -n "$sink" ]; then for report in "$folder"/report?; do cat "$report" && echo; done >"$sink"; fi
exit $status
