# The recipes that CI calls; `just` lists them. ./trainyard works without just.

# list the recipes
default:
    @just --list

# everything CI runs
ci:
    .ci/run

# every test this machine can run: just test --suite unit -k states
test *arguments:
    ./trainyard test {{arguments}}

# style, imports, types
check:
    .venv/bin/ruff check .
    .venv/bin/ruff format --check .
    .venv/bin/pyright

# let ruff repair what it can
fix:
    .venv/bin/ruff check --fix .
    .venv/bin/ruff format .

# the services, in this terminal
up *arguments:
    ./trainyard up {{arguments}}

# end them
down *arguments:
    ./trainyard down {{arguments}}

# the figures of BENCHMARKS.md: just bench up
bench name:
    .venv/bin/python -m bench.{{name}}

# make every lock file anew, or one trainer's: just lock trainer-sklearn
lock *trainers:
    .ci/lock {{trainers}}
