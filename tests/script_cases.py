"""Quick runs of the benchmark scripts on digits."""

from shlex import split

DIGITS = ["--dataset", "digits"]
FEW = [*DIGITS, "--max-samples", "200"]
SWEEPS = {"grid_search", "corruption", "batch_size", "capacity", "paper_table"}
WITHOUT_PICTURE = {"paper_table", "ablation", "parallel", "speed"}

# Name, number of verdicts, arguments.
_CASES = """
permuted 4 --folds 2
true_labels 4 --max-samples 1437
grid_search 1 --folds 2 --widths 16 32 --depths 1 --max-epochs 5
corruption 5 --lr-scheduler exponential --levels 0.5 --seed 0 1
batch_size 8 --max-samples 256 --search-epochs 5 --max-epochs 40 \
    --batch-sizes 64 256 512 64
separability 3 --max-samples 1437
capacity 3 --repeats 2 --widths 2 4 --depths 1 --max-epochs 60
interpolation 3 --max-kernel-samples 100
paper_table 8 --models 1x512 --settings package --n-jobs 1 --max-epochs 4
ablation 3 --repeats 1 --max-epochs 30 --labels true --ablations SGD 'running averages'
parallel 2 --backends threading --widths 16 --depths 1 --folds 2 --max-epochs 3 \
    --repeats 1
speed 5 --repeats 1 --budget 1e-9 --no-small
"""
QUICK, N_VERDICTS = {}, {}
for _line in _CASES.strip().splitlines():
    _name, _n_verdicts, *_arguments = split(_line)
    QUICK[_name], N_VERDICTS[_name] = [*FEW, *_arguments], int(_n_verdicts)
