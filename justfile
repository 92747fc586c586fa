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
    .venv/bin/python frontend/run.py types
    .venv/bin/python frontend/run.py lint

# let ruff repair what it can
fix:
    .venv/bin/ruff check --fix .
    .venv/bin/ruff format .
    .venv/bin/python frontend/run.py format

# the services, in this terminal
up *arguments:
    ./trainyard up {{arguments}}

# end them
down *arguments:
    ./trainyard down {{arguments}}

# the page with hot reloading at port 3000, beside `just up`
frontend:
    .venv/bin/python frontend/run.py dev

# the page's types of the API, after a change of it
api-types:
    .venv/bin/python frontend/run.py api-types

# the figures of BENCHMARKS.md: just bench up
bench name:
    .venv/bin/python -m bench.{{name}}

# make every lock file anew, or one trainer's: just lock trainer-sklearn
lock *trainers:
    .ci/lock {{trainers}}
