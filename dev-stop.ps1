# The old name of `trainyard down`.
& "$PSScriptRoot/trainyard.ps1" down
exit $LASTEXITCODE
