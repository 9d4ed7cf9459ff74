#!/usr/bin/env bash
# Kills training and init at every call that changes a file and at random moments, fills their disk and lets
# their calls fail; then looks whether anything was lost, mixed or left behind.
#
#     scripts/torture.sh              a few of each, at most a minute
#     scripts/torture.sh long         all calls, 200 random kills (half an hour)
#     scripts/torture.sh long resume  a part: fresh, overwrite, resume, random or init
#
# After each fault: what can be loaded is one run's, the next start brings the bits of an unbroken run, and
# neither hidden files, nor a lock, nor checkpoints beyond the limit are left.
set -euo pipefail
cd "$(dirname "$0")/.."
commands=${MTL_BIN:-.build/release}
form=${1:-short}
parts=${2:-fresh overwrite resume random init}
case $form in
short) points=3 kills=3 sizes=2 ;;
long) points=1000000 kills=200 sizes=11 ;;
*) echo "torture: form is '$form', expected short or long" >&2; exit 64 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HF_HUB_OFFLINE=1 XDG_CACHE_HOME=$work/cache SWIFT_BACKTRACE=enable=no
${CC:-cc} -shared -fPIC -O1 -o "$work/shim.so" scripts/torture/shim.c
trials=0
ended=0
failures=0

cat > "$work/tiny.json" <<'END'
{"model_type": "mamba", "architectures": ["MambaForCausalLM"], "vocab_size": 64, "hidden_size": 16,
 "intermediate_size": 32, "state_size": 4, "num_hidden_layers": 2, "conv_kernel": 4, "time_step_rank": 2, "expand": 2,
 "layer_norm_epsilon": 1e-5, "use_bias": false, "use_conv_bias": true, "tie_word_embeddings": true,
 "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
END
for ((i = 0; i < 24; i++)); do
    echo "{\"prompt_ids\": [$((i % 60 + 1)), 3, $((i % 7 + 1))], \"response_ids\": [$((i % 50 + 2)), 5, 9]}"
done > "$work/data.jsonl"

limit=
finetune() { ${limit:+timeout -s KILL "$limit"} "$commands/mtl-finetune" "$@" >"$work/log" 2>&1; }
init() { finetune init --config "$work/tiny.json" --seed "$1" --output "$2" "${@:3}"; }
train() { # folder, further flags
    finetune --model "$work/model" --data "$work/data.jsonl" --data-format ids --output-dir "$1" --threads 1 \
        --batch-size 4 --max-steps 6 --save-steps 2 --save-total-limit 2 --logging-steps 1 --learning-rate 1e-3 \
        --warmup-steps 0 --quiet --no-cache "${@:2}"
}
shimmed() { # mode, number, then a command
    LD_PRELOAD=$work/shim.so SHIM_MODE=$1 SHIM_N=$2 SHIM_PATH=$place SHIM_ERRNO=${errno:-5} "${@:3}"
}
digest() { sha256sum < "$1" | cut -c1-16; }
# Runs what is to go wrong, and counts it if it does.
faulty() {
    "$@" 2>/dev/null || ended=$((ended + 1))
}
report() { echo "torture: $1; $trials faults so far ended $ended runs, $failures failures, $SECONDS s"; }
fail() {
    failures=$((failures + 1))
    echo "torture: $1: $2" >&2
    sed 's/^/    /' "$work/log" >&2
}

# The number of calls that a command makes on files of $place.
calls() {
    rm -f "$work/calls"
    SHIM_LOG=$work/calls shimmed count 0 "$@"
    grep -c '' "$work/calls"
}
# Some of the numbers from 1 to $1, evenly spread.
spread() {
    awk -v total="$1" -v wanted="$points" 'BEGIN {
        if (!wanted) exit
        step = total > wanted ? total / wanted : 1
        for (x = step; x < total + 0.5; x += step) print int(x)
    }'
}

# What is in a training folder: the weights that are loaded and the scale that they are loaded with.
pair() {
    [ -e "$1/adapter_config.json" ] || { echo none; return; }
    echo "$(digest "$1/adapter_model.safetensors") $(sed -n 's/.*"lora_alpha": \([0-9]*\).*/\1/p' "$1/adapter_config.json")"
}

# After a fault in run $2 of folder $1 with flags $3…: all is well, or comes to be so at the next start.
check_run() {
    local out=$1 name=$2
    shift 2
    trials=$((trials + 1))
    case $(pair "$out") in none | "$old" | "$new") ;; *) fail "$name" "weights and scale are of two runs" ;; esac
    if [ -e "$out/adapter_config.json" ] && ! finetune inspect "$out"; then fail "$name" "the adapter does not load"; fi
    # The run goes on if it had a checkpoint, else it begins anew.
    if ! train "$out" --resume "$@" && ! train "$out" --overwrite "$@"; then fail "$name" "the next start fails"; return; fi
    [ "$(pair "$out")" = "$new" ] || fail "$name" "the result differs from an unbroken run's"
    [ "$(digest "$out/checkpoint-6/optimizer.safetensors")" = "$moments" ] || fail "$name" "the moments differ"
    [ "$(grep -c '"loss"' "$out/metrics.jsonl")" = 6 ] || fail "$name" "metrics.jsonl has not 6 steps"
    left=$(find "$out" -name '.*' -o -name run.lock)
    [ -z "$left" ] || fail "$name" "left behind: $left"
    [ "$(find "$out" -maxdepth 1 -name 'checkpoint-*' | wc -l)" -le 2 ] || fail "$name" "too many checkpoints"
}

init 1 "$work/model"
train "$work/whole"
first=$(pair "$work/whole")
train "$work/whole160" --lora-alpha 160
place=$work/out/
out=$work/out

# Each scenario: how the folder is before, and the flags of the run that meets the fault.
for scenario in $parts; do
    case $scenario in
    fresh) before=() flags=() during=() old=none whole=$work/whole ;;
    overwrite) before=(--lora-alpha 16) flags=(--lora-alpha 160) during=(--overwrite) old=$first whole=$work/whole160 ;;
    resume) before=(--max-steps 4) flags=() during=(--resume) old= whole=$work/whole ;;
    *) continue ;;
    esac
    rm -rf "$work/before"
    [ ${#before[@]} = 0 ] || train "$work/before" "${before[@]}"
    if [ $scenario = resume ]; then old=$(pair "$work/before"); fi
    new=$(pair "$whole")
    moments=$(digest "$whole/checkpoint-6/optimizer.safetensors")
    reset() { rm -rf "$out"; if [ -d "$work/before" ]; then cp -r "$work/before" "$out"; fi; }

    reset
    total=$(calls train "$out" "${during[@]}" "${flags[@]}")
    for n in $(spread "$total"); do
        reset
        faulty shimmed kill "$n" train "$out" "${during[@]}" "${flags[@]}"
        check_run "$out" "$scenario, killed at call $(sed -n "${n}p" "$work/calls")" "${flags[@]}"
    done
    for n in $(spread "$total"); do
        reset
        # EIO and ENOSPC by turns.
        errno=$((n % 2 ? 5 : 28))
        faulty shimmed error "$n" train "$out" "${during[@]}" "${flags[@]}"
        check_run "$out" "$scenario, errno $errno at call $(sed -n "${n}p" "$work/calls")" "${flags[@]}"
    done
    reset
    shimmed short 0 train "$out" "${during[@]}" "${flags[@]}" || fail "$scenario" "a short write is an error"
    check_run "$out" "$scenario, short writes" "${flags[@]}"
    for ((i = 0; i < sizes; i++)); do
        reset
        faulty shimmed full $((i * 20000)) train "$out" "${during[@]}" "${flags[@]}"
        check_run "$out" "$scenario, room for $((i * 20000)) bytes" "${flags[@]}"
    done
    report "$scenario: $total calls"
done

# Random moments, in the scenario of a fresh run.
old=none new=$first
moments=$(digest "$work/whole/checkpoint-6/optimizer.safetensors")
case " $parts " in *" random "*) ;; *) kills=0 ;; esac
start=$(date +%s%N)
rm -rf "$out"
train "$out"
length=$((($(date +%s%N) - start) / 1000))
for ((i = 0; i < kills; i++)); do
    rm -rf "$out"
    moment=$((length * (RANDOM % 1000) / 1000))
    limit=$(awk "BEGIN { print $moment / 1e6 + 0.001 }")
    faulty train "$out"
    limit=
    check_run "$out" "killed after $moment µs"
done
report "random moments"

# A model that takes another one's place: one of the two is there, whole.
case " $parts " in *" init "*) ;; *) points=0 ;; esac
old=$(digest "$work/model/model.safetensors")
init 2 "$work/model2"
new=$(digest "$work/model2/model.safetensors")
place=$work/models/
mkdir "$work/models"
out=$work/models/m
init 1 "$out"
total=$(calls init 2 "$out" --overwrite)
for mode in kill error; do
    for n in $(spread "$total"); do
        trials=$((trials + 1))
        name="init, $mode at call $(sed -n "${n}p" "$work/calls")"
        rm -rf "$work/models" && mkdir "$work/models" && init 1 "$out"
        faulty shimmed $mode "$n" init 2 "$out" --overwrite
        case $(digest "$out/model.safetensors") in "$old" | "$new") ;; *) fail "$name" "the weights are of neither" ;; esac
        finetune inspect "$out" || fail "$name" "the model does not load"
        init 2 "$out" --overwrite || fail "$name" "the next start fails"
        [ "$(digest "$out/model.safetensors")" = "$new" ] || fail "$name" "the result differs"
        left=$(find "$work/models" -mindepth 1 -name '.*' -o -name run.lock)
        [ -z "$left" ] || fail "$name" "left behind: $left"
    done
done
report "init: $total calls"
[ "$failures" = 0 ]
