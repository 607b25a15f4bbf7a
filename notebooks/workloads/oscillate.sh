#!/bin/sh
# A simulation in any language, here sh and awk: a mass on a spring, in pieces that each begin where the last one ended.
# With GROMACS a piece would be `gmx mdrun -cpi state.cpt -cpo state.cpt -nsteps …`, and all else would stay as it is.
set -eu
field() { sed -n "s/.*\"$1\": *\([0-9.]*\).*/\1/p" "$LRT_JOB"; }
steps=$(field steps) stiffness=$(field stiffness)

cd "$(mktemp -d)"
echo "0 1 0" >state # step, place, velocity
if [ -n "${LRT_RESUME_DIR-}" ]; then cp "$LRT_RESUME_DIR/state" "$LRT_RESUME_DIR/energy.csv" .; fi

while read -r step _ <state && [ "$step" -lt "$steps" ]; do
    awk -v k="$stiffness" '{
        x = $2; v = $3
        for (i = 0; i < 1000; i++) { v -= k * x * 0.001; x += v * 0.001 }
        print $1 + 1, x, v
        print $1 + 1 "," (v * v + k * x * x) / 2 >>"energy.csv"
    }' state >state.new
    mv state.new state
    sleep 0.1
    checkpoint=$LRT_CHECKPOINT_DIR/$step
    mkdir "$checkpoint"
    cp state energy.csv "$checkpoint"
    echo "{\"step\": $((step + 1))}" >checkpoint.json
    mv checkpoint.json "$checkpoint" # last, as it says that the checkpoint is whole
done

cp energy.csv "$LRT_ARTIFACTS_DIR"
echo "{\"energy\": $(tail -n 1 energy.csv | cut -d, -f2)}" >result.json
mv result.json "$LRT_RESULT"
