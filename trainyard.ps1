# The whole program on Windows: .\trainyard.ps1 demo. The first call makes .venv; later ones find it made.
$ErrorActionPreference = "Stop"
$root = $PSScriptRoot
$venv = Join-Path $root ".venv"
$program = Join-Path $venv "Scripts\python.exe"
$lock = if ($args.Count -gt 0 -and $args[0] -eq "test") { "requirements-dev.lock" } else { "requirements.lock" }

function Test-Fresh {
    $stamp = Join-Path $venv "trainyard-lock"
    if (-not ((Test-Path $program) -and (Test-Path $stamp))) { return $false }
    if ((Get-Content (Join-Path $venv "trainyard-home") -TotalCount 1) -ne $root) { return $false }
    $made = (Get-FileHash $stamp).Hash
    return ($lock, "requirements-dev.lock") | Where-Object { (Get-FileHash (Join-Path $root $_)).Hash -eq $made }
}

function Find-Python {
    foreach ($candidate in @("py", "python3", "python")) {
        if (-not (Get-Command $candidate -ErrorAction SilentlyContinue)) { continue }
        & $candidate -c "import sys; sys.exit(sys.version_info < (3, 11))"
        if ($LASTEXITCODE -eq 0) { return $candidate }
    }
    [Console]::Error.WriteLine("Error: trainyard needs Python 3.11 or newer, and none was found on the PATH. Install it.")
    exit 1
}

if (-not (Test-Fresh)) {
    $python = Find-Python
    $before = $env:PYTHONPATH
    $env:PYTHONPATH = Join-Path $root "src"
    & $python -P -B -m trainyard.stack.bootstrap $lock
    $env:PYTHONPATH = $before
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}
& $program -P -m trainyard.cli.main @args
exit $LASTEXITCODE
