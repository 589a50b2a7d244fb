#!/bin/bash
# Everything to run on a machine with a GPU, in one command (`make gpu-check`): tests, sanitizers,
# repeatability and agreement with the CPU, then speed compared with each kernel's floor and with
# PyTorch. Writes gpu.md with device and date, for docs/results/gpu.md.
#
# Usage: test/gpu_check.sh [FOLDER]   FOLDER: contains tests, afina and gpu_bench (build, or the folder
# made by `make gpu-package`). PARTS="tests sanitizer repeat parity kernels steps peers": run only some
# parts. OUT: folder for gpu.md and the logs. PYTHON: one with torch, transformers and peft.
# DEVICE=emulated: the same on the emulated device, with tiny sizes.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=$(realpath "${1:-build}")
device=${DEVICE:-cuda}
parts=${PARTS:-tests sanitizer repeat parity kernels steps peers}
out=${OUT:-runs/gpu-check}
python=${PYTHON:-python3}
tiny=
[ "$device" = emulated ] && tiny=tiny
failed=

for program in tests afina gpu_bench; do
  [ -x "$bin/$program" ] || { echo "gpu-check: $bin/$program is not there; build it with 'make gpu-check' or 'make gpu-package'"; exit 1; }
done

# Finds cuBLASLt and cuDNN if only torch has installed them.
libraries=$("$python" -c 'import glob, sysconfig; print(":".join(sorted(glob.glob(sysconfig.get_paths()["purelib"] + "/nvidia/*/lib"))))' 2>/dev/null)
[ -n "$libraries" ] && export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$libraries"

why=$("$bin/gpu_bench" "$device" device)
if [ $? != 0 ]; then
  cat <<TEXT
gpu-check: no GPU can be used here ($why). On a machine with one, it would
  tests      run the tests of operations and training steps on the device cuda
  sanitizer  run the operation tests under compute-sanitizer (memcheck, racecheck, synccheck, initcheck)
  repeat     train 20 steps twice and compare the digests of all trained values
  parity     compare the loss and every gradient of a model with the CPU's
  kernels    time every variant of every kernel and compare it with its floor: bytes / measured copy rate, FLOPs / measured matmul rate
  steps      time steps of GPT-2 124M, SmolLM2 135M and a model of Llama 3.2 1B's shape, full and LoRA r 16, with rows that fill the card
  peers      time the same work in PyTorch (torch.compile, fused AdamW, SDPA) and PEFT
and write the results to $out/gpu.md. 'make gpu-package' makes a folder to copy to such a machine.
TEXT
  exit 0
fi

mkdir -p "$out"
report=$out/gpu.md
card=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | head -n 1)
{
  echo "# On a GPU"
  echo
  echo "${card:-the emulated device}; $(date -u +%Y-%m-%d); afina $("$bin/afina" --version 2>/dev/null | head -n 1)."
  echo
  "$bin/afina" inspect --kernels 2>/dev/null | grep -E '^(cublas|cudnn) ' | sed 's/^/- /'
} >"$report"

wanted() { case " $parts " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }
# Runs a part; writes its output to a log and, as a section, to the report.
section() {
  local name=$1 title=$2
  shift 2
  wanted "$name" || return 0
  echo "gpu-check: $name"
  local status=0
  "$@" >"$out/$name.log" 2>"$out/$name.err" || status=$?
  { echo; echo "## $title"; echo; } >>"$report"
  if [ "$status" != 0 ]; then
    failed="$failed $name"
    echo "**failed** (status $status): $(tail -n 3 "$out/$name.err" | tr '\n' ' ')" >>"$report"
    echo >>"$report"
    tail -n 15 "$out/$name.log" "$out/$name.err"
  fi
}

run_tests() {
  local only=()
  if [ "$device" = emulated ]; then only=(--run_test='threads*')  # the emulated cases are part of the tests anyway
  else only=(--run_test="operations/*$device" --run_test=gpu --run_test=gpu_step --run_test=gpu_blocks --run_test=norms); fi
  AFINA_TEST_GPU=$device "$bin/tests" "${only[@]}" --report_level=short
}
run_sanitizer() {
  if ! command -v compute-sanitizer >/dev/null; then echo "compute-sanitizer is not installed"; return 0; fi
  [ "$device" = cuda ] || { echo "only on the device cuda"; return 0; }
  # All at the same time, because each is limited by the CPU.
  local status=0 tools=(memcheck racecheck synccheck initcheck) at=() i
  for tool in "${tools[@]}"; do
    AFINA_TEST_GPU=cuda compute-sanitizer --tool "$tool" --error-exitcode 9 --print-limit 5 "$bin/tests" --run_test='operations/*cuda' \
      >"$out/sanitizer-$tool.log" 2>&1 &
    at+=($!)
  done
  for i in "${!tools[@]}"; do
    wait "${at[$i]}" || status=1
    echo "== ${tools[$i]}"
    tail -n 12 "$out/sanitizer-${tools[$i]}.log"
  done
  return $status
}
run_repeat() {
  local digests=()
  # A step of the pocket model takes minutes on the emulated device; the tests repeat a smaller one.
  [ "$device" = cuda ] || { echo "only on the device cuda"; return 0; }
  local again=()
  for turn in 1 2; do
    rm -rf "$out/repeat-$turn"
    "$bin/afina" train --model data/pocket --data data/samples/support.jsonl --method "lora:rank=8,alpha=16" --lr 1e-3 --steps 20 --batch 8 \
      --dtype bf16 --device "$device" --out "$out/repeat-$turn" "${again[@]}" >/dev/null || return 1
    again=(--repeat "$out/repeat-1/manifest.json")  # cuBLASLt's algorithms are found by timing: the second run adopts the first one's
    digests+=("$(grep -o '"digest": *"[0-9a-f]*"' "$out/repeat-$turn/manifest.json" | head -n 1)")
  done
  echo "first run ${digests[0]}; second run ${digests[1]}"
  [ -n "${digests[0]}" ] && [ "${digests[0]}" = "${digests[1]}" ]
}
run_peers() {
  if ! "$python" -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
    echo "$python has no torch with CUDA: PyTorch was not measured"
    return 0
  fi
  "$python" test/reference/gpu_peers.py
}

section tests "Tests" run_tests
wanted tests && grep -E 'cases|operations|No errors|failed' "$out/tests.log" "$out/tests.err" 2>/dev/null | sed 's/^[^:]*://' | head -n 8 >>"$report"
section sanitizer "compute-sanitizer" run_sanitizer
wanted sanitizer && grep -E '^==|ERROR SUMMARY|not installed|only on' "$out/sanitizer.log" >>"$report"
section repeat "The same run twice" run_repeat
wanted repeat && cat "$out/repeat.log" >>"$report"
section parity "Agreement with the CPU" "$bin/gpu_bench" "$device" $tiny parity
wanted parity && cat "$out/parity.log" >>"$report"
section kernels "Kernels against their floors" "$bin/gpu_bench" "$device" $tiny kernels
wanted kernels && cat "$out/kernels.log" >>"$report"
section steps "Steps" "$bin/gpu_bench" "$device" $tiny steps
wanted steps && cat "$out/steps.log" >>"$report"
section peers "The same work by PyTorch and PEFT" run_peers
wanted peers && cat "$out/peers.log" >>"$report"

echo "gpu-check: $report"
if [ -n "$failed" ]; then
  echo "gpu-check: failed:$failed"
  exit 1
fi
