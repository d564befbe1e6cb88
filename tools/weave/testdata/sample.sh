#!/bin/sh
# [region count]
count=0
for word in one form for everything; do
  count=$((count + 1))
done
echo "$count words in $(date +%N) ns"
# [endregion]
