# Stands for the trainer of a language model: it takes a dataset and leaves a model.
set -e
examples=$(wc -l < "$FTI_DATASET_DIR/train.jsonl")
for step in 1 2 3; do
    echo "{\"step\": $step, \"total\": 3, \"loss\": 0.$((9 - step))}" >> "$FTI_METRICS"
done
echo "weights after $examples examples" > "$FTI_OUTPUT_DIR/model.txt"
